public import Compute
public import Core

/// Matrix products on graphics cards, through local memory: the bits of ``Gemm``.
///
/// Both factors are packed into panels as wide as a tile.
public struct TiledGemm: Sendable {
    /// Rows and columns of a tile.
    public static let sides = [64, 128]

    public let side: Int
    let device: any ComputeDevice
    let program: any ComputeProgram

    /// - Precondition: `side` is one of ``sides``.
    public init(on device: any ComputeDevice, side: Int) throws(Failure) {
        precondition(Self.sides.contains(side), "a side that the kernel has")
        self.device = device
        self.side = side
        program = try device.program(
            ProgramSource(
                "inference/gemm_tiled-\(side)",
                files: ["activate", "gemm_tiled", "pack"].map { "inference/\($0).cl" },
                defines: ["TILE_SIDE": "\(side)", "RIGOR_NARROW": "1"]))
    }

    /// Floats that a packed factor with so many rows, or columns, takes.
    public func packedCount(lines: Int, depth: Int) -> Int { lines.roundedUp(to: side) * depth }

    /// Packs rows of A, or columns of B, one matrix after the other.
    public func pack(
        _ matrix: Gemm.Matrix, lines: Int, depth: Int, into panels: any ComputeBuffer
    ) throws(Failure) {
        try Gemm.pack(
            matrix, width: side, lines: lines, depth: depth, into: panels, by: program,
            isNarrow: true, on: device)
    }

    /// Multiplies matrices that are packed.
    ///
    /// - Parameter bias: as of ``Gemm/multiply(_:a:b:bias:into:)``.
    public func multiply(
        _ product: Gemm.Product, a: any ComputeBuffer, b: any ComputeBuffer,
        bias: (any ComputeBuffer)? = nil, into c: any ComputeBuffer
    ) throws(Failure) {
        precondition(product.bias == .none || bias != nil, "a bias needs its values")
        let aStride = packedCount(lines: product.rows, depth: product.depth)
        let bStride = packedCount(lines: product.columns, depth: product.depth)
        try device.launch(
            "gemm_tiled", of: program,
            global: [
                product.columns.roundedUp(to: side) / side * 16,
                product.rows.roundedUp(to: side) / side * 16, product.matrices,
            ], local: [16, 16, 1],
            arguments: [a, b, bias ?? a, c].map { .buffer($0) }
                + product.arguments(aStride: aStride, bStride: bStride))
    }
}
