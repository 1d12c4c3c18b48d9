/// What a platform says about itself and its devices: values only, so that answers recorded on one
/// machine can be replayed on another.
public struct PlatformInfo: Hashable, Sendable, Codable {
    public var name: String
    public var vendor: String
    public var version: String
    /// `FULL_PROFILE` or `EMBEDDED_PROFILE`.
    public var profile: String
    public var extensions: [String]
    public var devices: [DeviceInfo]
    /// Why this platform, or some of its devices, could not be read; nil when all went well.
    public var problem: String?
    /// The index of an earlier platform that is the same driver listed twice; nil for most.
    public var duplicateOf: Int?

    public init(
        name: String, vendor: String = "", version: String = "", profile: String = "FULL_PROFILE",
        extensions: [String] = [], devices: [DeviceInfo] = [], problem: String? = nil,
        duplicateOf: Int? = nil
    ) {
        self.name = name
        self.vendor = vendor
        self.version = version
        self.profile = profile
        self.extensions = extensions
        self.devices = devices
        self.problem = problem
        self.duplicateOf = duplicateOf
    }
}

/// What a device says about itself, read once. Announced, not measured.
public struct DeviceInfo: Hashable, Sendable, Codable {
    // Identity
    public var name = ""
    public var vendor = ""
    /// C: `CL_DEVICE_VENDOR_ID`; a PCI vendor number on GPUs.
    public var vendorID = 0
    /// The device's own OpenCL version text.
    public var version = ""
    public var driverVersion = ""
    public var languageVersion = ""
    public var profile = ""
    public var extensions: [String] = []
    public var kinds: Kinds = []
    public var isAvailable = true
    public var hasCompiler = true
    public var isLittleEndian = true
    /// AMD's `CL_DEVICE_BOARD_NAME_AMD`, where the device name is only an architecture.
    public var boardName: String?
    public var pciAddress: PCIAddress?
    /// PCI device number, where the driver tells (AMD).
    public var pciDeviceID: Int?
    /// 32 hexadecimal digits, by cl_khr_device_uuid.
    public var uuid: String?

    // Size
    public var computeUnits = 0
    public var clockMegahertz = 0
    public var addressBits = 0
    public var memoryBytes = 0
    public var allocationBytesMax = 0
    public var cacheBytes = 0
    public var cacheLineBytes = 0
    public var constantBytesMax = 0
    public var localMemoryBytes = 0
    /// False where local memory is ordinary memory.
    public var hasDedicatedLocalMemory = false
    public var workGroupItemsMax = 0
    public var workItemSizesMax: [Int] = []
    public var argumentBytesMax = 0
    public var alignmentBits = 0
    public var profilingTimerNanoseconds = 0
    /// True where device memory is the host's. C: `CL_DEVICE_HOST_UNIFIED_MEMORY`.
    public var isHostUnified = false
    public var preferredVectorWidths = VectorWidths()
    public var nativeVectorWidths = VectorWidths()

    // Announced numerics
    public var single: FloatConfig = []
    public var double: FloatConfig = []
    public var half: FloatConfig = []

    // Partition
    public var subDevicesMax = 0
    public var partitions: [Partition] = []

    public init() {}
}

extension DeviceInfo {
    /// C: `cl_device_type`. A simulator may claim several.
    public struct Kinds: OptionSet, Hashable, Sendable, Codable {
        public let rawValue: UInt64
        public init(rawValue: UInt64) { self.rawValue = rawValue }
        public static let `default` = Kinds(rawValue: 1 << 0)
        public static let cpu = Kinds(rawValue: 1 << 1)
        public static let gpu = Kinds(rawValue: 1 << 2)
        public static let accelerator = Kinds(rawValue: 1 << 3)
        public static let custom = Kinds(rawValue: 1 << 4)
    }

    /// C: `cl_device_fp_config`.
    public struct FloatConfig: OptionSet, Hashable, Sendable, Codable {
        public let rawValue: UInt64
        public init(rawValue: UInt64) { self.rawValue = rawValue }
        public static let subnormals = FloatConfig(rawValue: 1 << 0)
        public static let infinityAndNaN = FloatConfig(rawValue: 1 << 1)
        public static let roundToNearest = FloatConfig(rawValue: 1 << 2)
        public static let roundToZero = FloatConfig(rawValue: 1 << 3)
        public static let roundToInfinity = FloatConfig(rawValue: 1 << 4)
        public static let fma = FloatConfig(rawValue: 1 << 5)
        public static let software = FloatConfig(rawValue: 1 << 6)
        public static let correctlyRoundedDivideSqrt = FloatConfig(rawValue: 1 << 7)

        /// C names without their prefix, in the order of the bits.
        public var names: [String] {
            let all = [
                "denorm", "inf_nan", "round_to_nearest", "round_to_zero", "round_to_inf", "fma",
                "soft_float", "correctly_rounded_divide_sqrt",
            ]
            return all.enumerated().filter { rawValue >> UInt64($0.offset) & 1 == 1 }.map(\.element)
        }
    }

    /// Elements a vector, by type.
    public struct VectorWidths: Hashable, Sendable, Codable {
        public var int = 0
        public var half = 0
        public var float = 0
        public var double = 0
        public init(int: Int = 0, half: Int = 0, float: Int = 0, double: Int = 0) {
            self.int = int
            self.half = half
            self.float = float
            self.double = double
        }
    }

    /// How a device lets itself be split.
    public enum Partition: String, Hashable, Sendable, Codable {
        case equally, byCounts, byAffinity
    }

    /// Where a device sits: `0000:01:00.0`.
    public struct PCIAddress: Hashable, Sendable, Codable, CustomStringConvertible {
        public var domain: Int
        public var bus: Int
        public var device: Int
        public var function: Int
        public init(domain: Int, bus: Int, device: Int, function: Int) {
            self.domain = domain
            self.bus = bus
            self.device = device
            self.function = function
        }

        public var description: String {
            func padded(_ value: Int, _ digits: Int) -> String {
                let text = String(value, radix: 16)
                return String(repeating: "0", count: max(0, digits - text.count)) + text
            }
            return "\(padded(domain, 4)):\(padded(bus, 2)):\(padded(device, 2)).\(function)"
        }
    }

    /// Full profile, nearest-even and little-endian are what hashes need at the least; the reasons
    /// why a device lacks them, none when it has them. Numerics beyond that are measured.
    public var gateRefusals: [String] {
        var refusals: [String] = []
        if profile != "FULL_PROFILE" { refusals.append("profile is \(profile)") }
        if !single.contains(.roundToNearest) { refusals.append("no round-to-nearest for float") }
        if !isLittleEndian { refusals.append("big-endian") }
        return refusals
    }
}
