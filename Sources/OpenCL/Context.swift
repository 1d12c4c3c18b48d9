internal import COpenCL

/// A context with one device. C: `cl_context`.
public final class Context: Sendable {
    let handle: Handle
    public let device: DeviceID

    /// Vendor drivers may start threads here, and take a while.
    public init(platform: PlatformID, device: DeviceID) throws(OpenCLError) {
        let properties: [cl_context_properties] = [
            cl_context_properties(CL_CONTEXT_PLATFORM),
            cl_context_properties(bitPattern: platform.bits), 0,
        ]
        var id: cl_device_id? = device.pointer
        handle = Handle(
            try made("clCreateContext") { clCreateContext(properties, 1, &id, nil, nil, &$0) })
        self.device = device
    }

    deinit { clReleaseContext(handle.pointer) }
}

/// A part of a device that can be opened like a whole one. C: `cl_device_id` of
/// `clCreateSubDevices`.
public final class SubDevice: Sendable {
    public let id: DeviceID
    /// The part's own answers: fewer compute units, mostly.
    public let info: DeviceInfo

    init(takingOwnershipOf id: DeviceID, info: DeviceInfo) {
        self.id = id
        self.info = info
    }

    deinit { clReleaseDevice(id.pointer) }
}

extension OpenCLSystem.Device {
    /// As many parts of `computeUnits` each as the device has; the rest stays unused.
    public func split(equally computeUnits: Int) throws(OpenCLError) -> [SubDevice] {
        try split(properties: [Int(CL_DEVICE_PARTITION_EQUALLY), computeUnits, 0])
    }

    /// One part for each count.
    public func split(counts: [Int]) throws(OpenCLError) -> [SubDevice] {
        let end = Int(CL_DEVICE_PARTITION_BY_COUNTS_LIST_END)
        return try split(properties: [Int(CL_DEVICE_PARTITION_BY_COUNTS)] + counts + [end, 0])
    }

    private func split(properties: [Int]) throws(OpenCLError) -> [SubDevice] {
        var count: cl_uint = 0
        try checked("clCreateSubDevices", info.name) {
            clCreateSubDevices(id.pointer, properties, 0, nil, &count)
        }
        guard count > 0 else { return [] }
        var ids = [cl_device_id?](repeating: nil, count: Int(count))
        try checked("clCreateSubDevices", info.name) {
            clCreateSubDevices(id.pointer, properties, count, &ids, nil)
        }
        var parts: [SubDevice] = []
        for part in ids {
            let id = DeviceID(bits: UInt(bitPattern: part))
            let answers = try DeviceInfo(reading: id, from: InstalledDrivers())
            parts.append(SubDevice(takingOwnershipOf: id, info: answers))
        }
        return parts
    }
}
