internal import Core
internal import OpenCL
internal import Synchronization

/// A built program of an ``OpenCLDevice``, and the kernels made from it so far.
final class OpenCLProgram: ComputeProgram {
    let source: ProgramSource
    let buildSeconds: Double
    let isCached: Bool
    let core: DeviceCore
    private let program: Program
    private let kernels = Mutex<[String: Kernel]>([:])

    init(
        _ source: ProgramSource, program: Program, core: DeviceCore, buildSeconds: Double,
        isCached: Bool
    ) {
        self.source = source
        self.program = program
        self.core = core
        self.buildSeconds = buildSeconds
        self.isCached = isCached
    }

    deinit {
        guard core.lost != nil else { return }
        _ = Unmanaged.passRetained(program)
        for kernel in kernels.withLock({ Array($0.values) }) { _ = Unmanaged.passRetained(kernel) }
    }

    func kernel(_ name: String) throws(Failure) -> Kernel {
        if let kernel = kernels.withLock({ $0[name] }) { return kernel }
        let program = program
        let kernel = try make(name) { () throws(OpenCLError) in try Kernel(program, name: name) }
        kernels.withLock { $0[name] = kernel }
        return kernel
    }

    /// A kernel with arguments of its own.
    func newKernel(_ name: String) throws(Failure) -> Kernel {
        let like = try kernel(name)
        let program = program
        return try make(name) { () throws(OpenCLError) in try Kernel(program, like: like) }
    }

    private func make(
        _ name: String, _ body: @escaping @Sendable () throws(OpenCLError) -> Kernel
    ) throws(Failure) -> Kernel {
        // Drivers may finish compiling here, so this waits with a limit too.
        let made = try core.bounded(
            "making kernel \(name)", limitSeconds: core.buildSecondsMax
        ) { Result { () throws(OpenCLError) in try body() } }
        switch made {
        case .success(let kernel): return kernel
        case .failure(let error):
            if error.status == .invalidKernelName {
                throw Failure(.missing, "program \(source.name): no kernel named \(name)")
            }
            throw error.failure.at("\(core.label): program \(source.name)")
        }
    }
}
