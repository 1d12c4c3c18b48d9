internal import COpenCL

/// An in-order queue. C: `cl_command_queue`.
///
/// Nothing here waits but ``finish()`` and, in some drivers, ``flush()``: whoever must not hang
/// calls those from a thread that may be lost.
public final class CommandQueue: Sendable {
    let handle: Handle

    public init(_ context: Context, isProfiling: Bool = false) throws(OpenCLError) {
        let properties = cl_command_queue_properties(isProfiling ? CL_QUEUE_PROFILING_ENABLE : 0)
        handle = Handle(
            try made("clCreateCommandQueue") {
                clCreateCommandQueue(
                    context.handle.pointer, context.device.pointer, properties, &$0)
            })
    }

    deinit { clReleaseCommandQueue(handle.pointer) }

    /// Sets `byteCount` bytes from `offset` to zero; both must be multiples of 128.
    public func fillZero(
        _ buffer: Buffer, offset: Int, byteCount: Int
    ) throws(OpenCLError) -> Event {
        let pattern = [UInt64](repeating: 0, count: 16)
        return try event("clEnqueueFillBuffer") {
            clEnqueueFillBuffer(
                handle.pointer, buffer.handle.pointer, pattern, 128, offset, byteCount, 0, nil, $0)
        }
    }

    /// Copies from `source`, which must stay as it is until the event is complete.
    public func write(
        _ source: UnsafeRawBufferPointer, to buffer: Buffer, at offset: Int
    ) throws(OpenCLError) -> Event {
        guard let start = source.baseAddress else {
            throw OpenCLError(.invalidValue, "clEnqueueWriteBuffer", "no bytes")
        }
        return try event("clEnqueueWriteBuffer") {
            clEnqueueWriteBuffer(
                handle.pointer, buffer.handle.pointer, cl_bool(CL_FALSE), offset, source.count,
                start, 0, nil, $0)
        }
    }

    /// Copies into `target`, which must stay allocated until the event is complete.
    public func read(
        from buffer: Buffer, at offset: Int, into target: UnsafeMutableRawBufferPointer
    ) throws(OpenCLError) -> Event {
        guard let start = target.baseAddress else {
            throw OpenCLError(.invalidValue, "clEnqueueReadBuffer", "no bytes")
        }
        return try event("clEnqueueReadBuffer") {
            clEnqueueReadBuffer(
                handle.pointer, buffer.handle.pointer, cl_bool(CL_FALSE), offset, target.count,
                start, 0, nil, $0)
        }
    }

    /// A host address for part of a buffer, valid once the event is complete and until ``unmap``.
    public func map(
        _ buffer: Buffer, offset: Int, byteCount: Int, isWriting: Bool
    ) throws(OpenCLError) -> (UnsafeMutableRawPointer, Event) {
        let flags = cl_map_flags(isWriting ? CL_MAP_READ | CL_MAP_WRITE : CL_MAP_READ)
        var address: UnsafeMutableRawPointer?
        var status: cl_int = 0
        let event = try event("clEnqueueMapBuffer") { slot in
            address = clEnqueueMapBuffer(
                handle.pointer, buffer.handle.pointer, cl_bool(CL_FALSE), flags, offset, byteCount,
                0, nil, slot, &status)
            return status
        }
        guard let address else {
            throw OpenCLError(.invalidValue, "clEnqueueMapBuffer", "no address, and no error")
        }
        return (address, event)
    }

    public func unmap(
        _ buffer: Buffer, address: UnsafeMutableRawPointer
    ) throws(OpenCLError) -> Event {
        try event("clEnqueueUnmapMemObject") {
            clEnqueueUnmapMemObject(
                handle.pointer, buffer.handle.pointer, address, 0, nil, $0)
        }
    }

    /// Puts a kernel with its present arguments on the queue.
    public func launch(
        _ kernel: Kernel, global: [Int], local: [Int]?
    ) throws(OpenCLError) -> Event {
        try event(
            "clEnqueueNDRangeKernel", "\(kernel.name), global \(global), local \(local ?? [])"
        ) {
            clEnqueueNDRangeKernel(
                handle.pointer, kernel.handle.pointer, cl_uint(global.count), nil, global, local, 0,
                nil, $0)
        }
    }

    /// Hands what is queued to the device. Simulators run it here.
    public func flush() throws(OpenCLError) {
        try checked("clFlush") { clFlush(handle.pointer) }
    }

    /// Waits without a limit until the queue is empty.
    public func finish() throws(OpenCLError) {
        try checked("clFinish") { clFinish(handle.pointer) }
    }

    private func event(
        _ function: String, _ context: @autoclosure () -> String = "",
        _ call: (UnsafeMutablePointer<cl_event?>) -> cl_int
    ) throws(OpenCLError) -> Event {
        var event: cl_event?
        try checked(function, context()) { call(&event) }
        guard let event else {
            throw OpenCLError(.invalidValue, function, "no event, and no error")
        }
        return Event(takingOwnershipOf: event)
    }
}
