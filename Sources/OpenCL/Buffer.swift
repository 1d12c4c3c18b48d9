internal import COpenCL

/// Device memory. C: `cl_mem`.
public final class Buffer: Sendable {
    let handle: Handle
    public let byteCount: Int

    public enum Place: Sendable {
        /// The device's own memory.
        case device
        /// Host memory the device reaches by itself; pinned by most drivers, so that copies to and
        /// from it need no second copy. C: `CL_MEM_ALLOC_HOST_PTR`.
        case host
    }

    /// Uninitialised memory. Drivers may put off the allocation, and its failure, to first use.
    public init(_ context: Context, byteCount: Int, place: Place = .device) throws(OpenCLError) {
        let host = place == .host ? cl_mem_flags(CL_MEM_ALLOC_HOST_PTR) : 0
        let flags = cl_mem_flags(CL_MEM_READ_WRITE) | host
        handle = Handle(
            try made("clCreateBuffer", "\(byteCount) bytes") {
                clCreateBuffer(context.handle.pointer, flags, byteCount, nil, &$0)
            })
        self.byteCount = byteCount
    }

    /// Memory of the host's, for kernels that only read it. It must stay as it is, and where it is,
    /// for as long as a command may use the buffer. C: `CL_MEM_USE_HOST_PTR`.
    public init(
        _ context: Context, reading memory: UnsafeRawBufferPointer
    ) throws(OpenCLError) {
        let flags = cl_mem_flags(CL_MEM_READ_ONLY) | cl_mem_flags(CL_MEM_USE_HOST_PTR)
        let address = UnsafeMutableRawPointer(mutating: memory.baseAddress)
        handle = Handle(
            try made("clCreateBuffer", "\(memory.count) bytes of the host's") {
                clCreateBuffer(context.handle.pointer, flags, memory.count, address, &$0)
            })
        byteCount = memory.count
    }

    deinit { clReleaseMemObject(handle.pointer) }
}

/// A command's progress. C: `cl_event`.
public final class Event: Sendable {
    let handle: Handle
    init(takingOwnershipOf event: OpaquePointer) { handle = Handle(event) }
    deinit { clReleaseEvent(handle.pointer) }

    public enum Progress: Hashable, Sendable {
        case waiting, complete
        case failed(OpenCLStatus)
    }

    /// Where the command stands now; never waits.
    public func progress() throws(OpenCLError) -> Progress {
        var status: cl_int = 0
        try checked("clGetEventInfo") {
            clGetEventInfo(
                handle.pointer, cl_event_info(CL_EVENT_COMMAND_EXECUTION_STATUS),
                MemoryLayout<cl_int>.size, &status, nil)
        }
        if status < 0 { return .failed(OpenCLStatus(rawValue: status)) }
        return status == CL_COMPLETE ? .complete : .waiting
    }

    /// Nanoseconds on the device from start to end; nil unless the queue profiles and the command
    /// is complete.
    public var nanoseconds: UInt64? {
        func time(_ parameter: Int32) -> UInt64? {
            var value: cl_ulong = 0
            let status = clGetEventProfilingInfo(
                handle.pointer, cl_profiling_info(parameter), MemoryLayout<cl_ulong>.size, &value,
                nil)
            return status == CL_SUCCESS ? value : nil
        }
        guard let start = time(CL_PROFILING_COMMAND_START),
            let end = time(CL_PROFILING_COMMAND_END),
            end >= start
        else { return nil }
        return end - start
    }
}
