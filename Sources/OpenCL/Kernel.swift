internal import COpenCL
internal import Core

/// A kernel of a built program, with its arguments. C: `cl_kernel`.
///
/// Setting arguments is not thread-safe: one thread at a time uses a kernel.
public final class Kernel: Sendable {
    let handle: Handle
    public let name: String
    public let argumentCount: Int
    /// Parameters by position; nil where the driver keeps no such information.
    public let parameters: [Parameter]?

    /// A kernel parameter as its source declares it.
    public struct Parameter: Hashable, Sendable {
        public enum Space: Hashable, Sendable {
            case global, constant, local, `private`
        }
        public let name: String
        /// OpenCL C type, such as `float*` or `uint`.
        public let type: String
        public let space: Space

        /// Bytes of a by-value parameter of a built-in scalar or vector type; nil for other types.
        public let byteCount: Int?

        init(name: String, type: String, space: Space) {
            self.name = name
            self.type = type
            self.space = space
            byteCount = space == .private ? Self.byteCount(of: type) : nil
        }

        private static func byteCount(of type: String) -> Int? {
            let scalar = type.prefix { $0.isLetter || $0 == " " }
            let lanes = Int(type.dropFirst(scalar.count)) ?? 1
            let sizes = [
                "char": 1, "uchar": 1, "short": 2, "ushort": 2, "half": 2, "int": 4, "uint": 4,
                "float": 4, "long": 8, "ulong": 8, "double": 8, "unsigned int": 4,
                "unsigned long": 8, "unsigned short": 2, "unsigned char": 1,
            ]
            // A vector of three takes the room of four (OpenCL C 1.2 §6.1.5).
            return sizes[String(scalar)].map { $0 * (lanes == 3 ? 4 : lanes) }
        }
    }

    public init(_ program: Program, name: String) throws(OpenCLError) {
        let kernel = try made("clCreateKernel", name) {
            clCreateKernel(program.handle.pointer, name, &$0)
        }
        var count: cl_uint = 0
        let status = OpenCLStatus(
            rawValue: clGetKernelInfo(
                kernel, cl_kernel_info(CL_KERNEL_NUM_ARGS), MemoryLayout<cl_uint>.size, &count, nil)
        )
        if status != .success {
            clReleaseKernel(kernel)
            throw OpenCLError(status, "clGetKernelInfo", name)
        }
        handle = Handle(kernel)
        self.name = name
        argumentCount = Int(count)
        parameters = Self.parameters(of: kernel, count: Int(count))
    }

    /// The same kernel with arguments of its own.
    public init(_ program: Program, like kernel: Kernel) throws(OpenCLError) {
        let name = kernel.name
        handle = Handle(
            try made("clCreateKernel", name) {
                clCreateKernel(program.handle.pointer, name, &$0)
            })
        self.name = name
        argumentCount = kernel.argumentCount
        parameters = kernel.parameters
    }

    deinit { clReleaseKernel(handle.pointer) }

    private static func parameters(of kernel: OpaquePointer, count: Int) -> [Parameter]? {
        var parameters: [Parameter] = []
        for index in 0..<count {
            func answer(_ parameter: Int32) -> Bytes? {
                try? infoBytes("clGetKernelArgInfo") {
                    clGetKernelArgInfo(
                        kernel, cl_uint(index), cl_kernel_arg_info(parameter), $0, $1, $2)
                }
            }
            guard let name = answer(CL_KERNEL_ARG_NAME)?.text,
                let type = answer(CL_KERNEL_ARG_TYPE_NAME)?.text, !type.isEmpty,
                let space = answer(CL_KERNEL_ARG_ADDRESS_QUALIFIER)?.number
            else { return nil }
            let spaces: [UInt64: Parameter.Space] = [
                UInt64(CL_KERNEL_ARG_ADDRESS_GLOBAL): .global,
                UInt64(CL_KERNEL_ARG_ADDRESS_CONSTANT): .constant,
                UInt64(CL_KERNEL_ARG_ADDRESS_LOCAL): .local,
            ]
            parameters.append(Parameter(name: name, type: type, space: spaces[space] ?? .private))
        }
        return parameters
    }

    /// Work-items a group may have with this kernel on `device`; nil where the driver does not say.
    public func workGroupItemsMax(on device: DeviceID) -> Int? {
        var items = 0
        let status = clGetKernelWorkGroupInfo(
            handle.pointer, device.pointer, cl_kernel_work_group_info(CL_KERNEL_WORK_GROUP_SIZE),
            MemoryLayout<Int>.size, &items, nil)
        return status == CL_SUCCESS && items > 0 ? items : nil
    }

    public func set(_ index: Int, to buffer: Buffer) throws(OpenCLError) {
        var object: cl_mem? = buffer.handle.pointer
        try checked("clSetKernelArg", "\(name): argument \(index)") {
            clSetKernelArg(handle.pointer, cl_uint(index), MemoryLayout<cl_mem?>.size, &object)
        }
    }

    public func set(_ index: Int, to bytes: UnsafeRawBufferPointer) throws(OpenCLError) {
        try checked("clSetKernelArg", "\(name): argument \(index), \(bytes.count) bytes") {
            clSetKernelArg(handle.pointer, cl_uint(index), bytes.count, bytes.baseAddress)
        }
    }

    public func set(_ index: Int, localBytes: Int) throws(OpenCLError) {
        try checked("clSetKernelArg", "\(name): argument \(index), \(localBytes) local bytes") {
            clSetKernelArg(handle.pointer, cl_uint(index), localBytes, nil)
        }
    }
}
