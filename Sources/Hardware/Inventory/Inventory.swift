public import OpenCL

/// Everything that was found on a machine at one moment: its parts, its OpenCL devices and which
/// part each of them is, its memory and its sensors. Immutable once made.
public struct Inventory: Hashable, Codable, Sendable {
    public let machine: Machine
    /// Nil where the system has no `/proc/meminfo`.
    public let memory: MemoryInfo?
    public let limits: ControlGroup
    /// As the loader lists them; duplicates and empty ones stay, marked.
    public let platforms: [PlatformInfo]
    /// Devices of all platforms, those that can be opened first and in the order of their index.
    public let devices: [Device]
    public let readings: [Reading]
    /// Drivers that did not survive being asked, or whose library is not there.
    public let faults: [DriverEnumeration.Fault]
    /// Why platforms could not be listed, if they could not.
    public let problem: String?

    public init(
        machine: Machine, memory: MemoryInfo?, limits: ControlGroup, platforms: [PlatformInfo],
        devices: [Device], readings: [Reading], faults: [DriverEnumeration.Fault],
        problem: String?
    ) {
        self.machine = machine
        self.memory = memory
        self.limits = limits
        self.platforms = platforms
        self.devices = devices
        self.readings = readings
        self.faults = faults
        self.problem = problem
    }

    /// Sensors of the device's own board.
    public func readings(of device: Device) -> [Reading] {
        guard let pci = device.pci else { return [] }
        return readings.filter { $0.pci == pci }
    }
}

extension Inventory {
    /// One OpenCL device and what the rest of the machine says about it.
    public struct Device: Hashable, Codable, Sendable {
        public enum Kind: String, Hashable, Codable, Sendable {
            case cpu, gpu, accelerator, other
        }

        /// What `--device` calls it; nil when it cannot be opened, and `unusable` says why.
        public var index: Int?
        public var unusable: String?
        /// Which of ``Inventory/platforms`` it belongs to.
        public var platform: Int
        public var platformName: String
        public var info: DeviceInfo
        public var kind: Kind
        /// Where it sits: what its driver says, else the only place it can be.
        public var pci: PCIAddress?
        /// The NUMA node nearest to it; nil where locality is unknown or split.
        public var numaNode: Int?
        /// Memory that may be advertised: its own, or the host's within control groups.
        public var memoryBytes: Int
        /// Positions in ``Inventory/devices`` of others that are the same hardware.
        public var sameHardware: [Int]
        /// Whether work should go here rather than to the others of the same hardware.
        public var isPreferred: Bool
        /// From the device's certificate; nil when it has none.
        public var verdict: Verdict?

        /// How people and JSON name it; begins with the platform.
        public var label: String { "\(platformName): \(info.name)" }
    }

    /// What a certificate found out about a device's arithmetic.
    public struct Verdict: Hashable, Codable, Sendable {
        /// `exact`, `exact-normal` or `no`.
        public var name: String
        /// Why it is not `exact`.
        public var reason: String?
        /// Hash of all outputs of the battery.
        public var conformanceHash: String?

        public init(name: String, reason: String? = nil, conformanceHash: String? = nil) {
            self.name = name
            self.reason = reason
            self.conformanceHash = conformanceHash
        }

        /// May settle by hash on a market.
        public var maySettle: Bool { name == "exact" }
    }
}
