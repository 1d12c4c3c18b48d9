internal import Compute
internal import Core

/// Products of matrices on graphics cards.
extension Session {
    /// The tiled product that suits a shape on this device; nil where none does.
    func tiledGemm(_ shape: MatrixShape) throws(Failure) -> TiledGemm? {
        guard device.description.kind == .gpu, shape.rows >= 32, shape.columns >= 32,
            device.description.workGroupItemsMax >= 256
        else { return nil }
        func tiles(_ side: Int) -> Int {
            shape.rows.roundedUp(to: side) / side * (shape.columns.roundedUp(to: side) / side)
                * shape.matrices
        }
        // Large tiles read less, but must be enough for all compute units.
        let side = tiles(128) >= 2 * device.description.computeUnits ? 128 : 64
        if let known = tiledGemms[side] { return known }
        let made = try TiledGemm(on: device, side: side)
        tiledGemms[side] = made
        return made
    }

    private func factors(
        _ shape: MatrixShape, _ a: any ComputeBuffer, _ b: any ComputeBuffer
    ) -> (a: Gemm.Matrix, b: Gemm.Matrix) {
        (
            Gemm.Matrix(
                buffer: a, lineStride: shape.aLine, depthStride: shape.aDepth,
                matrixStride: shape.aMatrix,
                matrixCount: shape.aMatrix == 0 ? 1 : shape.matrices),
            Gemm.Matrix(
                buffer: b, lineStride: shape.bLine, depthStride: shape.bDepth,
                matrixStride: shape.bMatrix,
                matrixCount: shape.bMatrix == 0 ? 1 : shape.matrices)
        )
    }

    /// Packs a constant B once.
    func packColumns(
        _ shape: MatrixShape, _ plain: any ComputeBuffer, by tiled: TiledGemm
    ) throws(Failure) -> any ComputeBuffer {
        let matrix = factors(shape, plain, plain).b
        let count = tiled.packedCount(lines: shape.columns, depth: shape.depth)
        let panels = try device.makeBuffer(byteCount: count * matrix.matrixCount * 4)
        try tiled.pack(matrix, lines: shape.columns, depth: shape.depth, into: panels)
        return panels
    }

    func multiply(
        _ step: Step, _ index: Int, _ shape: MatrixShape, _ product: Gemm.Product,
        by tiled: TiledGemm, into result: any ComputeBuffer
    ) throws(Failure) {
        let (left, right) = factors(
            shape, try operand(step, 0), try operand(step, 1, orNone: index))
        let a = try scratch(
            .a,
            count: tiled.packedCount(lines: shape.rows, depth: shape.depth) * left.matrixCount)
        try tiled.pack(left, lines: shape.rows, depth: shape.depth, into: a)
        let b: any ComputeBuffer
        if let packed = packed[index] {
            b = packed
        } else {
            b = try scratch(
                .b,
                count: tiled.packedCount(lines: shape.columns, depth: shape.depth)
                    * right.matrixCount)
            try tiled.pack(right, lines: shape.columns, depth: shape.depth, into: b)
        }
        try tiled.multiply(
            product, a: a, b: b, bias: shape.bias == 0 ? nil : try operand(step, 2), into: result)
    }

    /// A step's operand; where it was packed beforehand there may be none, and any buffer will do.
    private func operand(
        _ step: Step, _ position: Int, orNone index: Int
    ) throws(Failure) -> any ComputeBuffer {
        if let packed = packed[index] { return packed }
        return try operand(step, position)
    }
}
