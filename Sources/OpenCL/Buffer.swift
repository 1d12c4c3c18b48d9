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

    /// Memory of the host's, for kernels that write it. It must stay where it is for as long as a
    /// command may use the buffer. C: `CL_MEM_USE_HOST_PTR`.
    public init(
        _ context: Context, writing memory: UnsafeMutableRawBufferPointer
    ) throws(OpenCLError) {
        let flags = cl_mem_flags(CL_MEM_READ_WRITE) | cl_mem_flags(CL_MEM_USE_HOST_PTR)
        handle = Handle(
            try made("clCreateBuffer", "\(memory.count) bytes of the host's") {
                clCreateBuffer(
                    context.handle.pointer, flags, memory.count, memory.baseAddress, &$0)
            })
        byteCount = memory.count
    }

    /// The host's memory as the device's, to read and write. It is kept for as long as the driver
    /// may use it. C: `CL_MEM_USE_HOST_PTR`.
    public init(_ context: Context, using memory: HostMemory) throws(OpenCLError) {
        let flags = cl_mem_flags(CL_MEM_READ_WRITE) | cl_mem_flags(CL_MEM_USE_HOST_PTR)
        let bytes = memory.bytes
        let handle = Handle(
            try made("clCreateBuffer", "\(bytes.count) bytes of the host's") {
                clCreateBuffer(context.handle.pointer, flags, bytes.count, bytes.baseAddress, &$0)
            })
        let held = Unmanaged.passRetained(memory)
        do throws(OpenCLError) {
            try checked("clSetMemObjectDestructorCallback") {
                clSetMemObjectDestructorCallback(
                    handle.pointer, { _, held in Buffer.release(held) }, held.toOpaque())
            }
        } catch {
            clReleaseMemObject(handle.pointer)
            held.release()
            throw error
        }
        self.handle = handle
        byteCount = bytes.count
    }

    private static func release(_ held: UnsafeMutableRawPointer?) {
        held.map { Unmanaged<HostMemory>.fromOpaque($0).release() }
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

    /// Calls `body` once when the command is complete, on a thread of the driver's or, where it is
    /// complete already, on this one. Drivers need not do so for a command that fails.
    public func whenComplete(_ body: @escaping @Sendable () -> Void) throws(OpenCLError) {
        let call = Unmanaged.passRetained(Completion(body))
        do throws(OpenCLError) {
            try checked("clSetEventCallback") {
                clSetEventCallback(
                    handle.pointer, CL_COMPLETE, { _, _, call in Completion.perform(call) },
                    call.toOpaque())
            }
        } catch {
            call.release()
            throw error
        }
    }

    private final class Completion: Sendable {
        private let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }

        static func perform(_ call: UnsafeMutableRawPointer?) {
            call.map { Unmanaged<Completion>.fromOpaque($0).takeRetainedValue().body() }
        }
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
