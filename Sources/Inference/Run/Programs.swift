internal import Compute
internal import Core
internal import Synchronization

/// The programs that steps need, built when the first step asks.
final class Programs: Sendable {
    private let device: any ComputeDevice
    private let products: any ComputeProgram
    private let tiles: Gemm.Tiles
    private let isNarrow: Bool
    /// What was asked for as ``products``; a device may have built another text.
    private let source: ProgramSource
    private let built = Mutex<[String: any ComputeProgram]>([:])

    init(device: any ComputeDevice, gemm: Gemm) {
        self.device = device
        products = gemm.program
        (tiles, isNarrow) = (gemm.tiles, gemm.isNarrow)
        source = KernelFamily.products.source(tiles, isNarrow: isNarrow, device.description)
    }

    var buildSeconds: Double {
        built.withLock { $0.values.reduce(0) { $0 + $1.buildSeconds } }
    }

    /// The program of a family's kernels.
    func family(_ family: KernelFamily) throws(Failure) -> any ComputeProgram {
        if family == .convolutions, let common { return common }
        return family == .products
            ? products
            : try program(
                family.source(tiles, isNarrow: isNarrow, device.description),
                key: family.rawValue)
    }

    /// Those of kernels that a tape may run, as far as they are built.
    var taped: [any ComputeProgram] {
        [products]
            + built.withLock { built in
                KernelFamily.allCases.compactMap { built[$0.rawValue] }
            }
    }

    /// The program of products, where it has other steps' kernels too.
    private var common: (any ComputeProgram)? {
        device.description.compilesAtLaunch ? products : nil
    }

    static let chainFunctions = [
        "divide", "root", "exponential", "logarithm", "trigonometric", "power", "error",
        "hyperbolic",
    ]

    static func files(exact: [String], _ files: [String]) -> [String] {
        exact.map { "exact/\($0).cl" } + files.map { "inference/\($0).cl" }
    }

    /// What kernels that move elements of a type are compiled with.
    static func copies(_ type: String) -> [String: String] {
        ["T": type, "U": type.hasPrefix("u") ? type : "u\(type)"]
    }

    private func program(
        _ name: String, exact: [String] = [], _ files: [String], type: String? = nil,
        defines: [String: String] = [:]
    ) throws(Failure) -> any ComputeProgram {
        let key = type.map { "\(name)-\($0)" } ?? name
        return try program(
            ProgramSource(
                "inference/\(key)", files: Self.files(exact: exact, files),
                defines: type.map { defines.merging(Self.copies($0)) { a, _ in a } } ?? defines),
            key: key)
    }

    /// Asked for at every launch: a source is long, and so is hashing it.
    private func program(
        _ source: @autoclosure () -> ProgramSource, key: String
    ) throws(Failure) -> any ComputeProgram {
        if let program = built.withLock({ $0[key] }) { return program }
        let program = try device.program(source())
        built.withLock { $0[key] = program }
        return program
    }

    func elementwise() throws(Failure) -> any ComputeProgram {
        try program("elementwise", exact: Self.chainFunctions, ["order", "elementwise"])
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
        if let common { return common }
        return try program(
            "rows", exact: ["divide", "exponential", "logarithm", "power"],
            ["order", "activate", "gemm_tile", "reduce", "rows"],
            defines: source.defines)
    }

    func copy(_ type: ElementType) throws(Failure) -> any ComputeProgram {
        if let common, source.defines["T"] == type.moveType { return common }
        return try program("copy", ["copy"], type: type.moveType)
    }

    func chain() throws(Failure) -> any ComputeProgram {
        if let common { return common }
        return try program(
            "chain", exact: Self.chainFunctions, ["order", "chain"],
            defines: device.description.kind == .gpu ? ["CHAIN_LANES": "1"] : [:])
    }

    /// Runs kernels of all families, and products of 8-bit integers.
    func tape() throws(Failure) -> any ComputeProgram {
        // Some files are several families'.
        var files = ["inference/tape_functions.cl"]
        for family in KernelFamily.allCases {
            let source = family.source(tiles, isNarrow: isNarrow, device.description)
            files += source.files.filter { !files.contains($0) }
        }
        return try program(
            ProgramSource(
                "inference/tape", files: files + ["inference/dot.cl", "inference/tape.cl"],
                defines: source.defines.merging(
                    DotProduct.defines(
                        isNarrow: isNarrow, DotProduct.Instructions(of: device.description))
                ) { a, _ in a }),
            key: "tape")
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

    func draws() throws(Failure) -> any ComputeProgram {
        try program(
            "random", exact: ["divide", "root", "logarithm", "trigonometric", "random"],
            ["random"])
    }

    /// Rows, each by one work-item.
    func normalizeRows() throws(Failure) -> any ComputeProgram {
        if let common { return common }
        return try program("normalize", exact: ["divide", "root"], ["normalize"])
    }

    /// Rows that work-items share.
    func normalizeLanes() throws(Failure) -> any ComputeProgram {
        try program(
            "normalize-lanes", exact: ["divide", "root", "exponential", "logarithm"],
            ["order", "normalize", "normalize_lanes"])
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
            ["order", "reduce", "layout", "pool", "unpool"])
    }

    func reduce() throws(Failure) -> any ComputeProgram {
        if let common { return common }
        return try pool()
    }

    func reduceLanes() throws(Failure) -> any ComputeProgram {
        try program("reduce-lanes", exact: ["divide"], ["order", "reduce_lanes"])
    }

    func pool() throws(Failure) -> any ComputeProgram {
        try program(
            "reduce", exact: ["divide", "exponential", "logarithm", "power"],
            ["order", "reduce", "layout", "pool"])
    }
}
