public import Core
internal import OpenCL

extension OpenCLDevice {
    public func launch(
        _ kernel: String, of program: any ComputeProgram, global: [Int], local: [Int]?,
        arguments: [KernelArgument]
    ) throws(Failure) {
        let own = try own(program, kernel)
        try check(global, local, kernel)
        guard !global.contains(0) else { return }
        let bound = try own.kernel(kernel)
        try bind(arguments, to: bound)
        try put(bound, global, local)
    }

    public func prepare(
        _ kernel: String, of program: any ComputeProgram, global: [Int], local: [Int]?,
        arguments: [KernelArgument]
    ) throws(Failure) -> any PreparedLaunch {
        let own = try own(program, kernel)
        try check(global, local, kernel)
        let bound = try own.newKernel(kernel)
        try bind(arguments, to: bound)
        return BoundLaunch(bound, core, global: global, local: local, arguments: arguments)
    }

    public func launch(_ prepared: any PreparedLaunch) throws(Failure) {
        try core.checkAlive()
        guard let own = prepared as? BoundLaunch, own.core === core else {
            throw Failure(.refused, "\(core.label): a launch of another device")
        }
        guard !own.global.contains(0) else { return }
        try put(own.kernel, own.global, own.local)
    }

    /// A kernel of one launch's own, whose arguments stay.
    final class BoundLaunch: PreparedLaunch {
        let kernel: Kernel
        let core: DeviceCore
        let global: [Int]
        let local: [Int]?
        /// Holds the buffers: kernels do not.
        private let arguments: [KernelArgument]

        init(
            _ kernel: Kernel, _ core: DeviceCore, global: [Int], local: [Int]?,
            arguments: [KernelArgument]
        ) {
            self.kernel = kernel
            self.core = core
            self.global = global
            self.local = local
            self.arguments = arguments
        }

        deinit {
            if core.lost != nil { _ = Unmanaged.passRetained(kernel) }
        }
    }

    private func put(_ kernel: Kernel, _ global: [Int], _ local: [Int]?) throws(Failure) {
        let event = try core.call { () throws(OpenCLError) in
            try core.queue.launch(kernel, global: global, local: local)
        }
        try core.launched(kernel.name, event)
    }

    private func own(
        _ program: any ComputeProgram, _ kernel: String
    ) throws(Failure) -> OpenCLProgram {
        try core.checkAlive()
        guard let own = program as? OpenCLProgram, own.core === core else {
            throw Failure(.refused, "\(core.label): kernel \(kernel): a program of another device")
        }
        return own
    }

    private func check(
        _ global: [Int], _ local: [Int]?, _ kernel: String
    ) throws(Failure) {
        // Said when something is wrong, and not made up before: launches are many.
        var place: String { "\(core.label): kernel \(kernel)" }
        guard (1...3).contains(global.count), global.allSatisfy({ $0 >= 0 }) else {
            throw Failure(.refused, "\(place): global size \(global): one to three counts expected")
        }
        guard !global.contains(0) else { return }
        try check(local, against: global, place)
    }

    private func check(
        _ local: [Int]?, against global: [Int], _ place: @autoclosure () -> String
    ) throws(Failure) {
        guard let local else { return }
        guard local.count == global.count,
            zip(local, global).allSatisfy({ $0 > 0 && $1 % $0 == 0 })
        else {
            throw Failure(.refused, "\(place()): local size \(local) does not divide \(global)")
        }
        let items = local.reduce(1, *)
        // The device's limit alone: Mesa 22.3 reports 32 for every kernel, and runs larger groups.
        // A kernel's own limit is for the driver to refuse.
        let itemsMax = description.workGroupItemsMax
        guard items <= itemsMax else {
            throw Failure(
                .refused, "\(place()): \(items) work-items a group: at most \(itemsMax) fit")
        }
    }

    private func bind(
        _ arguments: [KernelArgument], to kernel: Kernel
    ) throws(Failure) {
        var launch: String { "\(core.label): kernel \(kernel.name)" }
        guard arguments.count == kernel.argumentCount else {
            throw Failure(
                .refused,
                "\(launch): \(arguments.count) arguments given, \(kernel.argumentCount) expected")
        }
        var localBytes = 0
        for (index, argument) in arguments.enumerated() {
            let parameter = kernel.parameters?[index]
            var place: String {
                let name = parameter.map { "\($0.name) (\($0.type))" } ?? "number \(index)"
                return "\(launch): argument \(name)"
            }
            try check(argument, against: parameter, place)
            switch argument {
            case .buffer(let buffer):
                let own = try own(buffer, offset: 0, byteCount: 0)
                let memory = try own.memory()
                try core.call { () throws(OpenCLError) in try kernel.set(index, to: memory) }
            case .local(let byteCount):
                localBytes += byteCount
                guard byteCount > 0, localBytes <= description.localMemoryBytes else {
                    throw Failure(
                        .refused,
                        """
                        \(place): \(byteCount) bytes of local memory: 1 to \
                        \(description.localMemoryBytes) expected
                        """)
                }
                try core.call { () throws(OpenCLError) in
                    try kernel.set(index, localBytes: byteCount)
                }
            default:
                try core.call { () throws(OpenCLError) in
                    try argument.withValueBytes { (bytes) throws(OpenCLError) in
                        try kernel.set(index, to: bytes)
                    }
                }
            }
        }
    }

    /// Kind and size against the declared parameter, where the driver knows it. Drivers check less.
    private func check(
        _ argument: KernelArgument, against parameter: Kernel.Parameter?,
        _ place: @autoclosure () -> String
    ) throws(Failure) {
        guard let parameter else { return }
        let fits: Bool
        switch argument {
        case .buffer: fits = parameter.space == .global || parameter.space == .constant
        case .local: fits = parameter.space == .local
        default:
            let size = argument.withValueBytes { $0.count }
            fits = parameter.space == .private && (parameter.byteCount ?? size) == size
        }
        guard fits else { throw Failure(.refused, "\(place()): given \(argument.kindText)") }
    }
}

extension KernelArgument {
    /// A by-value argument as it lies in memory; nothing for the others.
    func withValueBytes<Value, Problem>(
        _ body: (UnsafeRawBufferPointer) throws(Problem) -> Value
    ) throws(Problem) -> Value {
        switch self {
        case .buffer, .local: try body(UnsafeRawBufferPointer(start: nil, count: 0))
        case .int(let value): try withUnsafeBytes(of: value.littleEndian, body)
        case .uint(let value): try withUnsafeBytes(of: value.littleEndian, body)
        case .long(let value): try withUnsafeBytes(of: value.littleEndian, body)
        case .ulong(let value): try withUnsafeBytes(of: value.littleEndian, body)
        case .float(let value): try withUnsafeBytes(of: value.bitPattern.littleEndian, body)
        case .bytes(let bytes):
            try bytes.withUnsafeBufferPointer { (all) throws(Problem) in
                try body(UnsafeRawBufferPointer(all))
            }
        }
    }

    /// For messages.
    var kindText: String {
        switch self {
        case .buffer: "a buffer"
        case .local: "local memory"
        default: "\(withValueBytes { $0.count }) bytes by value"
        }
    }
}
