internal import COpenCL
public import Core

/// A program for one device. C: `cl_program`.
public final class Program: Sendable {
    let handle: Handle
    private let device: DeviceID

    /// From OpenCL C, not yet built.
    public init(_ context: Context, source: String) throws(OpenCLError) {
        device = context.device
        let text = Array(source.utf8CString)
        handle = Handle(
            try text.withUnsafeBufferPointer { characters throws(OpenCLError) in
                var start: UnsafePointer<CChar>? = characters.baseAddress
                return try made("clCreateProgramWithSource") {
                    clCreateProgramWithSource(context.handle.pointer, 1, &start, nil, &$0)
                }
            })
    }

    /// From a binary that the same driver gave earlier. It must still be built.
    public init(_ context: Context, binary: Bytes) throws(OpenCLError) {
        device = context.device
        var id: cl_device_id? = context.device.pointer
        handle = Handle(
            try binary.withUnsafeBufferPointer { bytes throws(OpenCLError) in
                var start: UnsafePointer<UInt8>? = bytes.baseAddress
                var length = bytes.count
                var loaded: cl_int = 0
                let program = try made("clCreateProgramWithBinary") {
                    clCreateProgramWithBinary(
                        context.handle.pointer, 1, &id, &length, &start, &loaded, &$0)
                }
                let status = OpenCLStatus(rawValue: loaded)
                if status != .success {
                    clReleaseProgram(program)
                    throw OpenCLError(status, "clCreateProgramWithBinary")
                }
                return program
            })
    }

    deinit { clReleaseProgram(handle.pointer) }

    /// Compiles and links; blocks for as long as the driver's compiler takes.
    ///
    /// - Throws: the compiler's log as the error's context.
    public func build(options: String) throws(OpenCLError) {
        var id: cl_device_id? = device.pointer
        let status = OpenCLStatus(
            rawValue: clBuildProgram(handle.pointer, 1, &id, options, nil, nil))
        if status != .success { throw OpenCLError(status, "clBuildProgram", log) }
    }

    /// Compiles and does not link: the program has a ``binary()`` then, and no kernels.
    ///
    /// - Throws: the compiler's log as the error's context.
    public func compile(options: String) throws(OpenCLError) {
        var id: cl_device_id? = device.pointer
        let status = OpenCLStatus(
            rawValue: clCompileProgram(
                handle.pointer, 1, &id, options, 0, nil, nil, nil, nil))
        if status != .success { throw OpenCLError(status, "clCompileProgram", log) }
    }

    /// What the compiler said; empty when it said nothing.
    public var log: String {
        let bytes = try? infoBytes("clGetProgramBuildInfo") {
            clGetProgramBuildInfo(
                handle.pointer, device.pointer, cl_program_build_info(CL_PROGRAM_BUILD_LOG),
                $0, $1, $2)
        }
        return (bytes ?? []).text
    }

    /// - Throws: when the built program has no kernels, as after loading a binary that the driver
    ///   accepts and cannot use.
    public func checkHasKernels() throws(OpenCLError) {
        var count = 0
        try checked("clGetProgramInfo") {
            clGetProgramInfo(
                handle.pointer, cl_program_info(CL_PROGRAM_NUM_KERNELS), MemoryLayout<Int>.size,
                &count, nil)
        }
        guard count > 0 else { throw OpenCLError(.invalidValue, "clGetProgramInfo", "no kernels") }
    }

    /// The built program as the driver stores it; empty where the driver has none.
    public func binary() throws(OpenCLError) -> Bytes {
        var count = 0
        try checked("clGetProgramInfo") {
            clGetProgramInfo(
                handle.pointer, cl_program_info(CL_PROGRAM_BINARY_SIZES), MemoryLayout<Int>.size,
                &count, nil)
        }
        guard (1...(1 << 30)).contains(count) else { return [] }
        var bytes = Bytes(repeating: 0, count: count)
        try bytes.withUnsafeMutableBufferPointer { storage throws(OpenCLError) in
            var start: UnsafeMutablePointer<UInt8>? = storage.baseAddress
            try checked("clGetProgramInfo") {
                clGetProgramInfo(
                    handle.pointer, cl_program_info(CL_PROGRAM_BINARIES),
                    MemoryLayout<UnsafeMutablePointer<UInt8>?>.size, &start, nil)
            }
        }
        return bytes
    }
}
