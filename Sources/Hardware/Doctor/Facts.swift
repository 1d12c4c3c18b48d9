/// What a diagnosis is made from. Values only, so that any machine's troubles can be written down
/// and tried.
public struct Facts: Hashable, Codable, Sendable {
    public var inventory: Inventory
    public var drivers: [DriverEnumeration.Driver]
    /// The folder, or the one file, in which `drivers` were found.
    public var vendorPlace: String
    /// `RUSTICL_ENABLE`: Mesa's rusticl shows no device that is not named there.
    public var rusticlEnable: String?
    public var userName: String
    public var nodes: [DeviceNode]
    public var home: Folder
    public var clock: ClockState
    /// `cpufreq`'s driver and governor of the first processor; nil where frequency is fixed.
    public var frequency: Frequency?

    public init(
        inventory: Inventory, drivers: [DriverEnumeration.Driver],
        vendorPlace: String = DriverEnumeration.vendorFolder, rusticlEnable: String? = nil,
        userName: String, nodes: [DeviceNode] = [], home: Folder, clock: ClockState,
        frequency: Frequency? = nil
    ) {
        self.inventory = inventory
        self.drivers = drivers
        self.vendorPlace = vendorPlace
        self.rusticlEnable = rusticlEnable
        self.userName = userName
        self.nodes = nodes
        self.home = home
        self.clock = clock
        self.frequency = frequency
    }

    /// A file in /dev through which drivers reach a GPU.
    public struct DeviceNode: Hashable, Codable, Sendable {
        public var path: String
        /// The group that may use it.
        public var group: String
        public var isAccessible: Bool

        public init(path: String, group: String, isAccessible: Bool) {
            self.path = path
            self.group = group
            self.isAccessible = isAccessible
        }
    }

    /// Where data are kept.
    public struct Folder: Hashable, Codable, Sendable {
        public var path: String
        /// Nil where it could not be asked.
        public var freeBytes: Int?
        public var isWritable: Bool

        public init(path: String, freeBytes: Int?, isWritable: Bool) {
            self.path = path
            self.freeBytes = freeBytes
            self.isWritable = isWritable
        }
    }

    public struct ClockState: Hashable, Codable, Sendable {
        /// Seconds since 1970-01-01 UTC.
        public var nowSeconds: Int
        /// Whether the kernel counts its clock as kept by a time service; nil where unknown.
        public var isSynchronized: Bool?

        public init(nowSeconds: Int, isSynchronized: Bool?) {
            self.nowSeconds = nowSeconds
            self.isSynchronized = isSynchronized
        }
    }

    public struct Frequency: Hashable, Codable, Sendable {
        public var driver: String
        public var governor: String

        public init(driver: String, governor: String) {
            self.driver = driver
            self.governor = governor
        }
    }
}
