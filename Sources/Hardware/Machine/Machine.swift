/// What a machine is made of, as hwloc sees it: a value, read once, that outlives the topology.
///
/// Processors are named by the operating system's index everywhere, so that sets of them can be
/// compared, and bound to. Memory figures of NUMA nodes are hwloc's and may be wrong on virtual
/// machines; ``MemoryInfo`` holds what may be advertised.
public struct Machine: Hashable, Codable, Sendable {
    public var hostName: String?
    public var operatingSystem: String?
    public var kernelRelease: String?
    public var architecture: String?
    public var packages: [Package]
    public var numaNodes: [NUMANode]
    public var caches: [Cache]
    public var pciDevices: [PCIDevice]

    public init(
        hostName: String? = nil, operatingSystem: String? = nil, kernelRelease: String? = nil,
        architecture: String? = nil, packages: [Package] = [], numaNodes: [NUMANode] = [],
        caches: [Cache] = [], pciDevices: [PCIDevice] = []
    ) {
        self.hostName = hostName
        self.operatingSystem = operatingSystem
        self.kernelRelease = kernelRelease
        self.architecture = architecture
        self.packages = packages
        self.numaNodes = numaNodes
        self.caches = caches
        self.pciDevices = pciDevices
    }

    /// Cores of all packages.
    public var coreCount: Int { packages.reduce(0) { $0 + $1.cores.count } }

    /// Hardware threads of all cores.
    public var processorCount: Int {
        packages.reduce(0) { $0 + $1.cores.reduce(0) { $0 + $1.processors.count } }
    }

    /// The device at `address`, if hwloc listed it.
    public func pciDevice(at address: PCIAddress) -> PCIDevice? {
        pciDevices.first { $0.address == address }
    }

    /// One index a NUMA node, when the device is near exactly one; nil where locality is unknown.
    public func numaNode(near address: PCIAddress) -> Int? {
        guard let near = pciDevice(at: address)?.numaNodes, near.count == 1 else { return nil }
        return near[0]
    }
}

/// A processor socket.
public struct Package: Hashable, Codable, Sendable {
    /// The operating system's index; nil where it gives none.
    public var index: Int?
    public var vendor: String?
    public var model: String?
    public var cores: [Core]
    /// Indices of the NUMA nodes below this package or around it.
    public var numaNodes: [Int]

    public init(index: Int?, vendor: String?, model: String?, cores: [Core], numaNodes: [Int]) {
        self.index = index
        self.vendor = vendor
        self.model = model
        self.cores = cores
        self.numaNodes = numaNodes
    }
}

/// A core and its hardware threads.
public struct Core: Hashable, Codable, Sendable {
    public var index: Int?
    public var processors: [Int]

    public init(index: Int?, processors: [Int]) {
        self.index = index
        self.processors = processors
    }
}

/// Memory with one distance, and the processors near it.
public struct NUMANode: Hashable, Codable, Sendable {
    public var index: Int
    /// What hwloc says; see ``Machine``.
    public var memoryBytes: Int
    public var processors: [Int]

    public init(index: Int, memoryBytes: Int, processors: [Int]) {
        self.index = index
        self.memoryBytes = memoryBytes
        self.processors = processors
    }
}

/// One cache and the processors that share it.
public struct Cache: Hashable, Codable, Sendable {
    public enum Kind: String, Hashable, Codable, Sendable {
        case unified, data, instruction
    }

    public var level: Int
    public var kind: Kind
    public var byteCount: Int
    /// Zero where unknown.
    public var lineByteCount: Int
    /// -1 for fully associative, zero where unknown.
    public var ways: Int
    public var processors: [Int]

    public init(
        level: Int, kind: Kind, byteCount: Int, lineByteCount: Int, ways: Int, processors: [Int]
    ) {
        self.level = level
        self.kind = kind
        self.byteCount = byteCount
        self.lineByteCount = lineByteCount
        self.ways = ways
        self.processors = processors
    }
}

/// A device on the PCI bus that can matter here: display, coprocessor, network or storage.
public struct PCIDevice: Hashable, Codable, Sendable {
    public var address: PCIAddress
    public var vendorID: Int
    public var deviceID: Int
    /// Base class and subclass, such as 0x0302 for a 3D controller.
    public var classID: Int
    public var name: String?
    /// Bandwidth of the link as it is now, in GB/s; nil where unknown. Idle GPUs slow their links.
    public var linkGigabytesPerSecond: Double?
    /// NUMA nodes as near as any other; all of them where the firmware does not say.
    public var numaNodes: [Int]
    public var osDevices: [OSDevice]

    public init(
        address: PCIAddress, vendorID: Int, deviceID: Int, classID: Int, name: String?,
        linkGigabytesPerSecond: Double?, numaNodes: [Int], osDevices: [OSDevice]
    ) {
        self.address = address
        self.vendorID = vendorID
        self.deviceID = deviceID
        self.classID = classID
        self.name = name
        self.linkGigabytesPerSecond = linkGigabytesPerSecond
        self.numaNodes = numaNodes
        self.osDevices = osDevices
    }

    /// PCI's "display controller" class, which every GPU has, or "processing accelerator".
    public var isGraphics: Bool { classID >> 8 == 0x03 || classID >> 8 == 0x12 }
}

/// What the operating system calls a PCI device: `renderD128`, `eth0`, `nvme0n1`.
public struct OSDevice: Hashable, Codable, Sendable {
    public var name: String
    /// hwloc's word: block, gpu, network, openfabrics, dma, coprocessor, or other.
    public var kind: String

    public init(name: String, kind: String) {
        self.name = name
        self.kind = kind
    }
}
