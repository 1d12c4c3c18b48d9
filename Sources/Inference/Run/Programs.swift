internal import Compute
internal import Core
internal import Synchronization

/// The programs that steps need, built when the first step asks.
final class Programs: Sendable {
    private let device: any ComputeDevice
    private let built = Mutex<[String: any ComputeProgram]>([:])

    init(device: any ComputeDevice) { self.device = device }

    var buildSeconds: Double {
        built.withLock { $0.values.reduce(0) { $0 + $1.buildSeconds } }
    }

    private func program(
        _ name: String, exact: [String] = [], _ files: [String], type: String? = nil
    ) throws(Failure) -> any ComputeProgram {
        // Asked for at every launch: a source is long, and so is hashing it.
        let key = type.map { "\(name)-\($0)" } ?? name
        if let program = built.withLock({ $0[key] }) { return program }
        var defines: [String: String] = [:]
        if let type { defines["T"] = type }
        if let type { defines["U"] = type == "int" ? "uint" : type == "long" ? "ulong" : type }
        let source = ProgramSource(
            "inference/\(key)",
            files: exact.map { "exact/\($0).cl" } + files.map { "inference/\($0).cl" },
            defines: defines)
        let program = try device.program(source)
        built.withLock { $0[key] = program }
        return program
    }

    func elementwise() throws(Failure) -> any ComputeProgram {
        try program(
            "elementwise",
            exact: [
                "divide", "root", "exponential", "logarithm", "trigonometric", "power", "error",
                "hyperbolic",
            ], ["order", "elementwise"])
    }

    func rows() throws(Failure) -> any ComputeProgram {
        try program(
            "rows", exact: ["divide", "exponential", "logarithm", "power"],
            ["order", "reduce", "rows"])
    }

    func copy(_ type: ElementType) throws(Failure) -> any ComputeProgram {
        try program("copy", ["copy"], type: type.moveType)
    }

    func chain() throws(Failure) -> any ComputeProgram {
        try program(
            "chain",
            exact: [
                "divide", "root", "exponential", "logarithm", "trigonometric", "power", "error",
                "hyperbolic",
            ], ["order", "elementwise", "chain"])
    }

    func integer(_ type: ElementType) throws(Failure) -> any ComputeProgram {
        try program("integer", ["integer"], type: type.kernelType)
    }

    func cast() throws(Failure) -> any ComputeProgram { try program("cast", ["cast"]) }

    func move(_ type: ElementType) throws(Failure) -> any ComputeProgram {
        try program("move", ["move"], type: type.moveType)
    }

    func reduce() throws(Failure) -> any ComputeProgram {
        try program(
            "reduce", exact: ["divide", "exponential", "logarithm", "power"],
            ["order", "reduce", "pool"])
    }
}
