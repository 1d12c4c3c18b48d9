/// One figure of one sensor at one moment.
public struct Reading: Hashable, Codable, Sendable {
    /// Where a figure comes from. A machine without sensors has no readings, and says `none`.
    public enum Source: String, Hashable, Codable, Sendable {
        case hwmon, rapl, nvml
    }

    public enum Quantity: String, Hashable, Codable, Sendable {
        case temperature, power, energy

        /// The unit of `value`, in SI.
        public var unit: String {
            switch self {
            case .temperature: "°C"
            case .power: "W"
            case .energy: "J"
            }
        }
    }

    public var source: Source
    /// The chip or device: `k10temp`, `amdgpu`, `package-0`, `NVIDIA GeForce RTX 3080`.
    public var device: String
    /// Which of the device's sensors: `edge`, `junction`, `Tctl`; empty where it has one.
    public var label: String
    public var quantity: Quantity
    /// In degrees Celsius, watts or joules.
    public var value: Double
    /// Where the device shuts down or throttles, in the same unit; nil where it does not say.
    public var critical: Double?
    /// The PCI device the sensor belongs to.
    public var pci: PCIAddress?

    public init(
        source: Source, device: String, label: String, quantity: Quantity, value: Double,
        critical: Double? = nil, pci: PCIAddress? = nil
    ) {
        self.source = source
        self.device = device
        self.label = label
        self.quantity = quantity
        self.value = value
        self.critical = critical
        self.pci = pci
    }
}
