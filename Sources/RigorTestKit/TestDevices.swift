public import Compute
public import Core
internal import Foundation
public import OpenCL

/// One OpenCL implementation at hand, and what tests should know about it.
public struct TestDevice: Sendable, CustomStringConvertible {
    /// Short: `PoCL`, `rusticl`, `Oclgrind`, `Intel`, or the platform's name.
    public let label: String
    /// The verdict a certificate is expected to give; nil where nothing is known.
    public let verdict: Verdict?
    /// True for simulators: give them micro-sized work.
    public let isSlow: Bool
    public let device: OpenCLSystem.Device

    public var description: String { label }

    /// Opens it, with compiled programs kept for all tests unless `options` says otherwise: most
    /// implementations take longer to compile a program than tests take to run it.
    public func open(
        _ options: OpenCLDevice.Options = .init(cacheFolder: TestDevices.programs)
    ) throws(Failure) -> OpenCLDevice {
        try OpenCLDevice(device, options: options, clock: MonotonicClock())
    }

    /// Opens equal parts of it with `computeUnits` each, as if they were devices.
    public func open(
        computeUnits: Int,
        _ options: OpenCLDevice.Options = .init(cacheFolder: TestDevices.programs)
    ) throws -> [OpenCLDevice] {
        try device.split(equally: computeUnits).map {
            try OpenCLDevice(device, part: $0, options: options, clock: MonotonicClock())
        }
    }
}

/// Every OpenCL implementation that tests can use on this machine.
///
/// The loader reads its folder of drivers once, at a process's first OpenCL call; this gathers all
/// drivers into a folder of its own before that. So tests must not call OpenCL before they have
/// asked here. Read are: the system's drivers (or those of `OCL_ICD_VENDORS`), Oclgrind where it is
/// installed, Intel's processor runtime where `RIGOR_INTEL_OPENCL` holds the path of its
/// `libintelocl.so`; rusticl is told to use llvmpipe. `RIGOR_TEST_ICD` replaces it all with a
/// folder.
public enum TestDevices {
    /// In the loader's order; empty on a machine without OpenCL.
    public static let all: [TestDevice] = {
        prepareEnvironment()
        return OpenCLSystem.read().devices.map(TestDevice.init)
    }()

    /// All but simulators.
    public static var quick: [TestDevice] { all.filter { !$0.isSlow } }

    /// Those expected to be `exact`.
    public static var exact: [TestDevice] { all.filter { $0.verdict == .exact } }

    /// The first with that label; nil, with a line that says so, when it is absent.
    public static func named(_ label: String) -> TestDevice? {
        if let device = all.first(where: { $0.label == label }) { return device }
        skip("\(label) is not installed")
        return nil
    }

    /// The first quick and exact one, for tests of what is common to all; nil, with a line that
    /// says so, when there is none.
    public static var any: TestDevice? {
        if let device = exact.first(where: { !$0.isSlow }) ?? all.first { return device }
        skip("no OpenCL implementation is installed")
        return nil
    }

    /// Where tests keep compiled programs: in the build folder, or for this process alone where
    /// there is none.
    public static let programs: String = {
        let build = FileManager.default.currentDirectoryPath + "/.build"
        return FileManager.default.fileExists(atPath: build)
            ? build + "/test-programs" : NSTemporaryDirectory() + "/rigor-programs-\(getpid())"
    }()

    /// Says that a test did not run, and why; the test summary lists such lines.
    public static func skip(_ reason: String) {
        FileHandle.standardOutput.write(Data("skip: \(reason)\n".utf8))
    }

    private static let oclgrind = "/usr/lib/oclgrind/liboclgrind-rt-icd.so"

    private static func prepareEnvironment() {
        let environment = ProcessInfo.processInfo.environment
        setenv("RUSTICL_ENABLE", "llvmpipe", 0)
        if let folder = environment["RIGOR_TEST_ICD"] {
            setenv("OCL_ICD_VENDORS", folder, 1)
            return
        }
        let manager = FileManager.default
        let system = environment["OCL_ICD_VENDORS"] ?? "/etc/OpenCL/vendors"
        var drivers: [String] = []
        for file in ((try? manager.contentsOfDirectory(atPath: system)) ?? []).sorted()
        where file.hasSuffix(".icd") {
            let text = (try? String(contentsOfFile: "\(system)/\(file)", encoding: .utf8)) ?? ""
            drivers.append(text.trimmingCharacters(in: .whitespacesAndNewlines))
        }
        if manager.fileExists(atPath: oclgrind) { drivers.append(oclgrind) }
        if let intel = environment["RIGOR_INTEL_OPENCL"], manager.fileExists(atPath: intel) {
            drivers.append(intel)
        }
        let folder = NSTemporaryDirectory() + "/rigor-drivers-\(getpid())"
        do {
            try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
            var seen: Set<String> = []
            for (index, driver) in drivers.enumerated() where seen.insert(driver).inserted {
                let path = "\(folder)/\(10 + index).icd"
                try (driver + "\n").write(toFile: path, atomically: false, encoding: .utf8)
            }
            setenv("OCL_ICD_VENDORS", folder, 1)
            _ = OpenCLSystem.read() // the loader reads the folder now, and never again
            try manager.removeItem(atPath: folder)
            // Child processes gather for themselves.
            if let named = environment["OCL_ICD_VENDORS"] {
                setenv("OCL_ICD_VENDORS", named, 1)
            } else {
                unsetenv("OCL_ICD_VENDORS")
            }
        } catch {
            skip("drivers could not be gathered in \(folder): \(error)")
        }
    }
}

extension TestDevice {
    init(_ device: OpenCLSystem.Device) {
        self.device = device
        switch device.platformInfo.name {
        case "Portable Computing Language": (label, verdict, isSlow) = ("PoCL", .exact, false)
        case "rusticl": (label, verdict, isSlow) = ("rusticl", .exactNormal, false)
        case "Oclgrind": (label, verdict, isSlow) = ("Oclgrind", .exact, true)
        case "Intel(R) OpenCL": (label, verdict, isSlow) = ("Intel", .exact, false)
        case let name: (label, verdict, isSlow) = (name, nil, false)
        }
    }
}

/// The machine's monotonic clock, for tests that open real devices.
public struct MonotonicClock: Clock {
    public init() {}

    public var nowSeconds: Int { Int(seconds(CLOCK_REALTIME)) }
    public var monotonicSeconds: Double { seconds(CLOCK_MONOTONIC) }

    private func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
