/// Questions about a machine, each a function of facts alone.
public enum Doctor {
    /// One question and how it is answered; no finding means that all is well or unknown.
    public struct Check: Sendable {
        public let name: String
        public let run: @Sendable (Facts) -> [Finding]
        /// Why the question cannot be answered, in a word or two; nil where it can.
        public let unknown: @Sendable (Facts) -> String?

        init(
            _ name: String, _ run: @escaping @Sendable (Facts) -> [Finding],
            unknown: @escaping @Sendable (Facts) -> String? = { _ in nil }
        ) {
            self.name = name
            self.run = run
            self.unknown = unknown
        }
    }

    /// In the order in which a machine is put right: first a driver, then a device, then the rest.
    public static let checks: [Check] = [
        Check("drivers", drivers),
        Check("driver_faults", driverFaults, unknown: noDriver),
        Check("permissions", permissions, unknown: noNode),
        Check("graphics", graphics, unknown: noGraphics),
        Check("devices", devices, unknown: noDriver),
        Check("certificate", certificate, unknown: noDevice),
        Check("memory", memory, unknown: noMemoryInfo),
        Check("processors", processors),
        Check("disk", disk, unknown: noFreeSpace),
        Check("clock", clock, unknown: noTimeService),
        Check("temperature", temperature, unknown: noSensor),
        Check("frequency", frequency, unknown: noFrequency),
    ]

    static let gibibyte = 1 << 30

    /// The processor of any machine becomes a device with this package.
    static let processorDriver = "sudo apt-get install pocl-opencl-icd"
    /// The platform that it brings.
    static let processorPlatform = "Portable Computing Language"

    /// A size for people, in GiB with one decimal.
    static func gibibytes(_ byteCount: Int) -> String {
        let tenths = (Double(byteCount) / Double(gibibyte) * 10).rounded()
        let whole = Int(tenths)
        return whole % 10 == 0 ? "\(whole / 10) GiB" : "\(whole / 10).\(whole % 10) GiB"
    }
}
