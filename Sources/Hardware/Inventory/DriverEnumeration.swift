internal import OpenCL

/// Asking drivers that may crash or hang: all together in one child process, and only when that
/// fails, each alone, so that the rest still answer and the one at fault is named.
public enum DriverEnumeration {
    /// An installed OpenCL driver: the `.icd` file that names its library.
    public struct Driver: Hashable, Codable, Sendable {
        /// Absolute path of the `.icd` file.
        public var file: String
        /// The file's text: a library's name or path.
        public var library: String

        public init(file: String, library: String) {
            self.file = file
            self.library = library
        }
    }

    /// A driver that did not survive being asked, or could not be.
    public struct Fault: Hashable, Codable, Sendable {
        public var driver: Driver
        /// How it ended: `killed by signal 11 (Segmentation fault)`.
        public var reason: String
        /// It was never asked: the library that its `.icd` file names is not there.
        public var isLibraryMissing: Bool

        public init(driver: Driver, reason: String, isLibraryMissing: Bool = false) {
            self.driver = driver
            self.reason = reason
            self.isLibraryMissing = isLibraryMissing
        }
    }

    /// How a child process ended that asked some drivers.
    public enum Outcome: Hashable, Sendable {
        case answers(DriverAnswers)
        case failed(String)
    }

    /// The drivers that the loader would find in its ``vendorPlace(_:environment:)``.
    public static func installed(
        _ root: SystemRoot, environment: [String: String] = [:]
    ) -> [Driver] {
        let place = vendorPlace(root, environment: environment)
        let files =
            place.hasSuffix(".icd")
            ? [place]
            : root.list(place).filter { $0.hasSuffix(".icd") }.sorted().map { "\(place)/\($0)" }
        return files.compactMap { file in
            root.line(file).map { Driver(file: file, library: $0) }
        }
    }

    /// Asks the drivers.
    ///
    /// - Parameter run: starts a child that asks all drivers (nil) or one alone.
    /// - Returns: what was answered, and who failed; with faults but no culprit among the drivers,
    ///   `problem` says what happened.
    public static func read(
        _ drivers: [Driver], run: (Driver?) -> Outcome
    ) -> (answers: DriverAnswers, faults: [Fault]) {
        let together: String
        switch run(nil) {
        case .answers(let answers): return (answers, [])
        case .failed(let reason): together = reason
        }
        var joined = DriverAnswers()
        var faults: [Fault] = []
        for driver in drivers {
            switch run(driver) {
            case .answers(let answers): join(answers, to: &joined)
            case .failed(let reason): faults.append(Fault(driver: driver, reason: reason))
            }
        }
        if faults.isEmpty {
            joined.problem =
                "asking all OpenCL drivers at once: \(together); each alone answered, "
                + "so two of them do not get along"
        }
        return (joined, faults)
    }

    /// Appends platforms that were read alone, which therefore do not know of those before them.
    private static func join(_ answers: DriverAnswers, to joined: inout DriverAnswers) {
        let offset = joined.platforms.count
        for var platform in answers.platforms {
            platform.duplicateOf =
                platform.duplicateOf.map { $0 + offset }
                ?? joined.platforms.firstIndex { isSame($0, platform) }
            joined.platforms.append(platform)
        }
        if joined.nvidia.isEmpty { joined.nvidia = answers.nvidia }
        joined.problem = joined.problem ?? answers.problem
    }

    private static func isSame(_ first: PlatformInfo, _ second: PlatformInfo) -> Bool {
        first.name == second.name && first.vendor == second.vendor
            && !first.devices.isEmpty && first.devices == second.devices
    }
}
