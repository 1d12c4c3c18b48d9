/// Questions about a machine, each a function of facts alone.
public enum Doctor {
    /// One question and how it is answered; no finding means that all is well.
    public struct Check: Sendable {
        public let name: String
        public let run: @Sendable (Facts) -> [Finding]
    }

    /// In the order in which a machine is put right: first a driver, then a device, then the rest.
    public static let checks: [Check] = [
        Check(name: "drivers", run: drivers), Check(name: "driver_faults", run: driverFaults),
        Check(name: "permissions", run: permissions), Check(name: "graphics", run: graphics),
        Check(name: "devices", run: devices), Check(name: "certificate", run: certificate),
        Check(name: "memory", run: memory), Check(name: "processors", run: processors),
        Check(name: "disk", run: disk), Check(name: "clock", run: clock),
        Check(name: "temperature", run: temperature), Check(name: "frequency", run: frequency),
        Check(name: "wallet", run: wallet),
    ]

    static let gibibyte = 1 << 30

    /// The processor of any machine becomes a device with this package.
    static let processorDriver = "sudo apt-get install pocl-opencl-icd"

    /// A size for people, in GiB with one decimal.
    static func gibibytes(_ byteCount: Int) -> String {
        let tenths = (Double(byteCount) / Double(gibibyte) * 10).rounded()
        let whole = Int(tenths)
        return whole % 10 == 0 ? "\(whole / 10) GiB" : "\(whole / 10).\(whole % 10) GiB"
    }
}
