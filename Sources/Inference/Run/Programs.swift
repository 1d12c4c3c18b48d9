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
        _ name: String, exact: [String] = [], _ files: [String], type: String? = nil,
        defines: [String: String] = [:]
    ) throws(Failure) -> any ComputeProgram {
        // Asked for at every launch: a source is long, and so is hashing it.
        let key = type.map { "\(name)-\($0)" } ?? name
        if let program = built.withLock({ $0[key] }) { return program }
        var defines = defines
        if let type {
            defines["T"] = type
            defines["U"] = type.hasPrefix("u") ? type : "u\(type)"
        }
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

    func functions() throws(Failure) -> any ComputeProgram {
        try program(
            "functions",
            exact: [
                "divide", "root", "exponential", "logarithm", "trigonometric", "inverse", "error",
                "hyperbolic", "inverse_hyperbolic",
            ], ["functions"])
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

    /// Runs other programs' kernels.
    ///
    /// - Parameter products: the program of matrix products, which the tape's are as well.
    func tape(beside products: ProgramSource) throws(Failure) -> any ComputeProgram {
        try program(
            "tape",
            exact: [
                "divide", "root", "exponential", "logarithm", "trigonometric", "power", "error",
                "hyperbolic",
            ],
            [
                "tape_functions", "order", "elementwise", "chain", "activate", "gemm", "pack",
                "layout", "window", "convolve_tail", "convolve", "pool_strips", "planes", "reduce",
                "rows", "copy", "tape",
            ], type: "uint", defines: products.defines)
    }

    func integer(_ type: ElementType) throws(Failure) -> any ComputeProgram {
        try program("integer", ["integer"], type: type.kernelType)
    }

    /// Converts from one type to another.
    func cast(
        _ from: ElementType, _ to: ElementType
    ) throws(Failure) -> any ComputeProgram {
        try program(
            "cast-\(from)-\(to)", exact: ["narrow"], ["cast"],
            defines: [
                "FROM": from.kernelType, "TO": to.kernelType, "LOAD": Self.load(from),
                "STORE": Self.store(to, from),
            ])
    }

    /// What a loaded element becomes before it is stored: narrow floats a float.
    private static func load(_ type: ElementType) -> String {
        switch type {
        case .float16: "cast_from_half"
        case .bfloat16: "cast_from_bfloat16"
        default: "cast_as_is"
        }
    }

    private static func store(_ type: ElementType, _ from: ElementType) -> String {
        let isLong = from == .int64 || from == .uint64
        let whole = from == .int64 ? "cast_from_long" : "cast_from_ulong"
        let float = isLong ? whole : "cast_to_float"
        switch type {
        case .bool: return "cast_to_bool"
        case .float32: return float
        case .float16: return isLong ? "\(whole)_to_half" : "cast_to_half"
        case .bfloat16: return isLong ? "\(whole)_to_bfloat16" : "cast_to_bfloat16"
        default: return from.isFloating ? "cast_saturate" : "cast_wrap"
        }
    }

    func move(_ type: ElementType) throws(Failure) -> any ComputeProgram {
        try program("move", ["move"], type: type.moveType)
    }

    func requantize() throws(Failure) -> any ComputeProgram {
        try program("requantize", exact: ["divide"], ["requantize"])
    }

    func normalize() throws(Failure) -> any ComputeProgram {
        try program(
            "normalize", exact: ["divide", "root", "exponential", "logarithm"],
            ["order", "normalize"])
    }

    /// Hidden units that a work-item of a processor takes together.
    static let cellLanes = 32

    /// - Parameter columns: of a panel of a packed matrix; nil where work-items take one hidden
    ///   unit.
    func cell(columns: Int?) throws(Failure) -> any ComputeProgram {
        var defines: [String: String] = [:]
        if let columns {
            defines = ["CELL_LANES": "\(Self.cellLanes)", "GEMM_COLUMNS": "\(columns)"]
        }
        return try program(
            "cell", exact: ["divide", "exponential", "logarithm", "hyperbolic"], ["cell"],
            defines: defines)
    }

    func unpool() throws(Failure) -> any ComputeProgram {
        try program(
            "unpool", exact: ["divide", "exponential", "logarithm", "power"],
            ["order", "reduce", "pool", "unpool"])
    }

    func reduce() throws(Failure) -> any ComputeProgram {
        try program(
            "reduce", exact: ["divide", "exponential", "logarithm", "power"],
            ["order", "reduce", "pool"])
    }
}
