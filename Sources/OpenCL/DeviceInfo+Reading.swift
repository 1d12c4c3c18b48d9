internal import COpenCL
internal import Core

extension DeviceInfo {
    /// Reads every field once. A query that a driver refuses leaves its field as it is; only a
    /// device without a name is no device.
    init(reading device: DeviceID, from source: some InfoSource) throws(OpenCLError) {
        self.init()
        let name = try source.info(CL_DEVICE_NAME, of: device).text
        guard !name.isEmpty else {
            throw OpenCLError(.invalidValue, "clGetDeviceInfo", "a device without a name")
        }
        let query = DeviceQuery(device: device, source: source)
        self.name = name
        readIdentity(query)
        readSize(query)
        readNumerics(query)
    }

    private mutating func readIdentity(_ query: DeviceQuery<some InfoSource>) {
        vendor = query.text(CL_DEVICE_VENDOR)
        vendorID = query.int(CL_DEVICE_VENDOR_ID)
        version = query.text(CL_DEVICE_VERSION)
        driverVersion = query.text(CL_DRIVER_VERSION)
        languageVersion = query.text(CL_DEVICE_OPENCL_C_VERSION)
        profile = query.text(CL_DEVICE_PROFILE)
        extensions = query.text(CL_DEVICE_EXTENSIONS).split(separator: " ").map(String.init)
        kinds = Kinds(rawValue: query.number(CL_DEVICE_TYPE) ?? 0)
        isAvailable = query.flag(CL_DEVICE_AVAILABLE, default: true)
        hasCompiler = query.flag(CL_DEVICE_COMPILER_AVAILABLE, default: true)
        isLittleEndian = query.flag(CL_DEVICE_ENDIAN_LITTLE, default: true)
        readPlace(query)
    }

    /// PCI place by the standard extension, then by what NVIDIA's and AMD's drivers answer whether
    /// or not they list an extension for it; as hwloc asks.
    private mutating func readPlace(_ query: DeviceQuery<some InfoSource>) {
        let board = query.text(Vendor.boardNameAMD)
        boardName = board.isEmpty ? nil : board
        pciDeviceID = query.number(Vendor.pciDeviceAMD).flatMap { Int(exactly: $0) }
        if extensions.contains("cl_khr_device_uuid") {
            let bytes = query.bytes(Vendor.uuid)
            if bytes.count == 16, bytes.contains(where: { $0 != 0 }) { uuid = bytes.hex }
        }
        let standard = query.bytes(Vendor.pciBus).numbers(width: 4).map { Int($0) }
        if extensions.contains("cl_khr_pci_bus_info"), standard.count == 4 {
            pciAddress = PCIAddress(
                domain: standard[0], bus: standard[1], device: standard[2], function: standard[3])
            return
        }
        // u32 type, 17 unused bytes, then bus, device, function as signed characters.
        let topology = query.bytes(Vendor.topologyAMD)
        if topology.count == 24, Bytes(topology[0..<4]).number == 1 {
            pciAddress = PCIAddress(
                domain: 0, bus: Int(topology[21]), device: Int(topology[22]),
                function: Int(topology[23]))
            return
        }
        if let bus = query.number(Vendor.busNVIDIA), let slot = query.number(Vendor.slotNVIDIA) {
            pciAddress = PCIAddress(
                domain: Int(query.number(Vendor.domainNVIDIA) ?? 0), bus: Int(bus & 0xff),
                device: Int(slot >> 3), function: Int(slot & 7))
        }
    }

    private mutating func readSize(_ query: DeviceQuery<some InfoSource>) {
        computeUnits = query.int(CL_DEVICE_MAX_COMPUTE_UNITS)
        clockMegahertz = query.int(CL_DEVICE_MAX_CLOCK_FREQUENCY)
        addressBits = query.int(CL_DEVICE_ADDRESS_BITS)
        memoryBytes = query.int(CL_DEVICE_GLOBAL_MEM_SIZE)
        allocationBytesMax = query.int(CL_DEVICE_MAX_MEM_ALLOC_SIZE)
        cacheBytes = query.int(CL_DEVICE_GLOBAL_MEM_CACHE_SIZE)
        cacheLineBytes = query.int(CL_DEVICE_GLOBAL_MEM_CACHELINE_SIZE)
        constantBytesMax = query.int(CL_DEVICE_MAX_CONSTANT_BUFFER_SIZE)
        localMemoryBytes = query.int(CL_DEVICE_LOCAL_MEM_SIZE)
        hasDedicatedLocalMemory =
            query.number(CL_DEVICE_LOCAL_MEM_TYPE) == UInt64(CL_LOCAL)
        workGroupItemsMax = query.int(CL_DEVICE_MAX_WORK_GROUP_SIZE)
        workItemSizesMax = query.bytes(CL_DEVICE_MAX_WORK_ITEM_SIZES)
            .numbers(width: MemoryLayout<Int>.size).map { Int(clamping: $0) }
        argumentBytesMax = query.int(CL_DEVICE_MAX_PARAMETER_SIZE)
        alignmentBits = query.int(CL_DEVICE_MEM_BASE_ADDR_ALIGN)
        profilingTimerNanoseconds = query.int(CL_DEVICE_PROFILING_TIMER_RESOLUTION)
        isHostUnified = query.flag(CL_DEVICE_HOST_UNIFIED_MEMORY, default: false)
        subDevicesMax = query.int(CL_DEVICE_PARTITION_MAX_SUB_DEVICES)
        let known: [UInt64: Partition] = [
            UInt64(CL_DEVICE_PARTITION_EQUALLY): .equally,
            UInt64(CL_DEVICE_PARTITION_BY_COUNTS): .byCounts,
            UInt64(CL_DEVICE_PARTITION_BY_AFFINITY_DOMAIN): .byAffinity,
        ]
        partitions = query.bytes(CL_DEVICE_PARTITION_PROPERTIES)
            .numbers(width: MemoryLayout<Int>.size).compactMap { known[$0] }
    }

    private mutating func readNumerics(_ query: DeviceQuery<some InfoSource>) {
        single = FloatConfig(rawValue: query.number(CL_DEVICE_SINGLE_FP_CONFIG) ?? 0)
        double = FloatConfig(rawValue: query.number(CL_DEVICE_DOUBLE_FP_CONFIG) ?? 0)
        half = FloatConfig(rawValue: query.number(CL_DEVICE_HALF_FP_CONFIG) ?? 0)
        preferredVectorWidths = VectorWidths(
            int: query.int(CL_DEVICE_PREFERRED_VECTOR_WIDTH_INT),
            half: query.int(CL_DEVICE_PREFERRED_VECTOR_WIDTH_HALF),
            float: query.int(CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT),
            double: query.int(CL_DEVICE_PREFERRED_VECTOR_WIDTH_DOUBLE))
        nativeVectorWidths = VectorWidths(
            int: query.int(CL_DEVICE_NATIVE_VECTOR_WIDTH_INT),
            half: query.int(CL_DEVICE_NATIVE_VECTOR_WIDTH_HALF),
            float: query.int(CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT),
            double: query.int(CL_DEVICE_NATIVE_VECTOR_WIDTH_DOUBLE))
    }
}

/// Parameters of extensions, which older headers lack.
enum Vendor {
    static let pciBus: Int32 = 0x410F // CL_DEVICE_PCI_BUS_INFO_KHR
    static let uuid: Int32 = 0x106A // CL_DEVICE_UUID_KHR
    static let busNVIDIA: Int32 = 0x4008 // CL_DEVICE_PCI_BUS_ID_NV
    static let slotNVIDIA: Int32 = 0x4009 // CL_DEVICE_PCI_SLOT_ID_NV
    static let domainNVIDIA: Int32 = 0x400A // CL_DEVICE_PCI_DOMAIN_ID_NV
    static let topologyAMD: Int32 = 0x4037 // CL_DEVICE_TOPOLOGY_AMD
    static let boardNameAMD: Int32 = 0x4038 // CL_DEVICE_BOARD_NAME_AMD
    static let pciDeviceAMD: Int32 = 0x4034 // CL_DEVICE_PCIE_ID_AMD
}

/// One device's answers; a refused query is an empty one.
private struct DeviceQuery<Source: InfoSource> {
    let device: DeviceID
    let source: Source

    func bytes(_ parameter: Int32) -> Bytes {
        (try? source.info(parameter, of: device)) ?? []
    }
    func text(_ parameter: Int32) -> String { bytes(parameter).text }
    func number(_ parameter: Int32) -> UInt64? { bytes(parameter).number }
    func int(_ parameter: Int32) -> Int { Int(clamping: number(parameter) ?? 0) }
    func flag(_ parameter: Int32, default fallback: Bool) -> Bool {
        number(parameter).map { $0 != 0 } ?? fallback
    }
}
