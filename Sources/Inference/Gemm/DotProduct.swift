public import Compute
public import Core

/// Products of matrices of 8-bit integers on a device, exact modulo 2³².
///
/// Operands are packed, with the sums of rows of A and of columns of B behind them. An A of whole
/// words whose sums do not count is as well read where it lies.
public struct DotProduct: Sendable {
    /// Rows and columns of a packed panel; as in the kernel.
    static let rows = 8
    private static let columns = 32
    /// So few rows are computed each on its own.
    private static let loneRowsMax = 2
    /// Rows that a work-item takes by tiles, as in the kernel, and panels of columns at most.
    private static let tileRows = 32, tilePanelsMax = 8
    /// From how many rows on tiles pay, and from how many bytes of k, which are a tile's.
    private static let tileRowsMin = 9, tileDepthMin = 64
    /// Work-items for each processor, where there is enough for them.
    private static let partsEach = 4

    /// Instructions of processors that multiply bytes.
    public struct Instructions: OptionSet, Sendable {
        public let rawValue: Int
        public init(rawValue: Int) { self.rawValue = rawValue }
        public static let vnni = Instructions(rawValue: 1)
        /// Tiles of bytes; with ``vnni``.
        public static let amx = Instructions(rawValue: 2)

        /// Those that a device's kernels may hold.
        init(of device: DeviceDescription) {
            self = device.takesVNNI ? (device.takesAMX ? [.vnni, .amx] : .vnni) : []
        }
    }

    public let isNarrow: Bool
    let device: any ComputeDevice
    let program: any ComputeProgram
    private let takesTiles: Bool

    /// Compiles the kernels.
    ///
    /// - Parameters:
    ///   - isNarrow: as of ``Gemm/init(on:tiles:isNarrow:)``.
    ///   - instructions: those that are used where there are any.
    public init(
        on device: any ComputeDevice, isNarrow: Bool = false,
        instructions: Instructions = [.vnni, .amx]
    ) throws(Failure) {
        let instructions = instructions.intersection(Instructions(of: device.description))
        self.device = device
        self.isNarrow = isNarrow || !device.description.prefersWideVectors
        program = try device.program(
            ProgramSource(
                "inference/dot",
                files: ["layout", "dot", "dot_convolve"].map { "inference/\($0).cl" },
                defines: Self.defines(isNarrow: self.isNarrow, instructions)))
        takesTiles = !self.isNarrow && instructions.contains(.amx)
    }

    /// What the kernels are compiled with.
    static func defines(isNarrow: Bool, _ instructions: Instructions) -> [String: String] {
        var defines = ["DOT_ROWS": "\(Self.rows)"]
        if isNarrow { defines["RIGOR_NARROW"] = "1" }
        if !isNarrow, instructions.contains(.vnni) { defines["RIGOR_VNNI"] = "1" }
        if !isNarrow, instructions.contains(.amx) {
            defines["RIGOR_AMX"] = "1"
            defines["DOT_TILES_PANELS"] = "\(tilePanelsMax)"
        }
        return defines
    }

    var buildSeconds: Double { program.buildSeconds }

    /// Neighbouring outputs that one work-item computes.
    var tileWidth: Int { isNarrow ? 4 : Self.columns }

    /// Four bytes of neighbouring k.
    private func words(_ shape: DotShape) -> Int { shape.depth.roundedUp(to: 4) / 4 }

    /// Words that one packed matrix A takes.
    public func packedCountA(_ shape: DotShape) -> Int {
        shape.rows.roundedUp(to: Self.rows) * (words(shape) + 1)
    }

    /// Words that one packed matrix B takes.
    public func packedCountB(_ shape: DotShape) -> Int {
        shape.columns.roundedUp(to: Self.columns) * (words(shape) + 1)
    }

    /// Packs rows × depth matrices into `panels`, one after the other.
    public func packA(
        _ shape: DotShape, _ plain: any ComputeBuffer, into panels: any ComputeBuffer
    ) throws(Failure) {
        try device.launch(
            "dot_pack_rows", of: program,
            global: [shape.rows.roundedUp(to: Self.rows), shape.aMatrix == 0 ? 1 : shape.matrices],
            local: [Self.rows, 1],
            arguments: [
                .buffer(plain), .buffer(panels), .int(Int32(shape.rows)),
                .int(Int32(shape.depth)), .ulong(UInt64(shape.depth)),
                .ulong(UInt64(shape.aMatrix)), .int(shape.aIsSigned ? 1 : 0),
            ])
    }

    /// Packs depth × columns matrices into `panels`, one after the other.
    public func packB(
        _ shape: DotShape, _ plain: any ComputeBuffer, into panels: any ComputeBuffer
    ) throws(Failure) {
        try device.launch(
            "dot_pack_columns", of: program,
            global: [
                shape.columns.roundedUp(to: Self.columns) / Self.columns,
                shape.bMatrix == 0 ? 1 : shape.matrices,
            ], local: [1, 1],
            arguments: [
                .buffer(plain), .buffer(panels), .int(Int32(shape.columns)),
                .int(Int32(shape.depth)), .ulong(1), .ulong(UInt64(shape.columns)),
                .ulong(UInt64(shape.bMatrix)), .int(shape.bIsSigned ? 1 : 0),
            ])
    }

    /// Whether A's bytes are what packing would make of them, but for the sums, which nobody needs.
    public func readsRows(_ shape: DotShape) -> Bool {
        !shape.aIsSigned && shape.bIsSigned && shape.bZeros == .none && shape.depth % 4 == 0
            && (shape.rows <= Self.loneRowsMax || shape.rows >= Self.rows)
    }

    /// Multiplies matrices of which B is packed, and A where ``readsRows(_:)`` says no.
    ///
    /// - Parameter zeros: of A and of B; any buffer where there are none.
    public func multiply(
        _ shape: DotShape, a: any ComputeBuffer, b: any ComputeBuffer,
        zeros: (a: any ComputeBuffer, b: any ComputeBuffer), into c: any ComputeBuffer
    ) throws(Failure) {
        let tiles = shape.columns.dividedUp(by: tileWidth)
        let isPlain = readsRows(shape)
        let aStride =
            shape.aMatrix == 0 ? 0 : isPlain ? shape.aMatrix / 4 : packedCountA(shape)
        let bStride = shape.bMatrix == 0 ? 0 : packedCountB(shape)
        let isLone = shape.rows <= Self.loneRowsMax
        let panels = shape.rows.dividedUp(by: Self.rows)
        let byTiles =
            takesTiles && shape.rows >= Self.tileRowsMin && shape.depth >= Self.tileDepthMin
        let global: [Int]
        if byTiles {
            let tall = shape.rows.dividedUp(by: Self.tileRows) * shape.matrices
            let wanted = (Self.partsEach * max(1, device.description.computeUnits))
                .dividedUp(by: tall)
            let parts = max(tiles.dividedUp(by: Self.tilePanelsMax), min(tiles, wanted))
            global = [tall / shape.matrices, parts, shape.matrices]
        } else if isLone {
            global = [isNarrow ? tiles.inGroups : tiles, shape.rows, shape.matrices]
        } else {
            global =
                isNarrow
                ? [tiles.inGroups, panels, shape.matrices] : [panels, tiles, shape.matrices]
        }
        try device.launch(
            byTiles ? "dot_tiles" : isLone ? "dot_row" : "dot_product", of: program,
            global: global,
            local: isNarrow ? Launch.local(device) : [1, 1, 1],
            arguments: [
                .buffer(a), .buffer(b), .buffer(zeros.a), .buffer(zeros.b), .buffer(c),
                .int(Int32(shape.rows)), .int(Int32(shape.columns)), .int(Int32(shape.depth)),
                .ulong(UInt64(aStride)), .ulong(UInt64(bStride)),
                .int(Int32(shape.aZeros.rawValue)), .int(Int32(shape.bZeros.rawValue)),
                .int(shape.aIsSigned ? 1 : 0), .int(shape.bIsSigned ? 1 : 0),
                .int(isPlain ? 1 : 0),
            ])
    }
}
