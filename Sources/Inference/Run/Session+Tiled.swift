internal import Compute
internal import Core

// Products of matrices and convolutions on graphics cards, by tiles.

extension Gemm {
    /// Whether a product goes by tiles there.
    func takesTiles(_ shape: MatrixShape) -> Bool {
        TiledGemm.suits(device.description) && shape.depth > 0
    }

    /// Whether a convolution does: not where each group has one channel, nor where it is larger
    /// than a launch can count.
    func takesTiles(_ shape: ConvolutionShape) -> Bool {
        TiledGemm.suits(device.description) && !isDepthwise(shape)
            && shape.window.isCountedByTiles(channels: shape.channels)
            && shape.items * shape.window.outPixels <= Int(Int32.max) / 2
    }

    func cut(_ shape: MatrixShape) -> TiledGemm.Cut {
        TiledGemm.cut(
            rows: shape.rows, columns: shape.columns, depth: shape.depth,
            matrices: shape.matrices, on: device.description)
    }

    /// In panels of which tile's width a constant B is.
    func panels(_ shape: MatrixShape) -> TiledGemm.Tile {
        shape.rows <= TiledGemm.loneRowsMax ? .medium : cut(shape).tile
    }

    func cut(_ shape: ConvolutionShape) -> TiledGemm.Cut {
        TiledGemm.cut(
            rows: shape.outChannels, columns: shape.items * shape.window.outPixels,
            depth: shape.depth, matrices: shape.groups, on: device.description)
    }
}

extension Session {
    /// The kernels of a tile, compiled when the first step asks.
    private func tiled(
        _ tile: TiledGemm.Tile, for use: TiledGemm.Use
    ) throws(Failure) -> TiledGemm {
        if let known = tiledGemms[use]?[tile] { return known }
        let made = try TiledGemm(on: device, tile: tile, for: use)
        tiledGemms[use, default: [:]][tile] = made
        return made
    }

    /// Room for the sums of blocks; anything where there are none.
    private func sums(
        _ count: Int, orNone buffer: any ComputeBuffer
    ) throws(Failure) -> any ComputeBuffer {
        count == 0 ? buffer : try scratch(.sums, count: count)
    }

    // MARK: Matrices

    /// Packs a constant B once.
    func packTiles(
        _ shape: MatrixShape, _ plain: any ComputeBuffer
    ) throws(Failure) -> any ComputeBuffer {
        let tiled = try tiled(gemm.panels(shape), for: shape.tileUse)
        let matrix = shape.right(plain)
        let count = tiled.packedCountB(columns: shape.columns, depth: shape.depth)
        let panels = try device.makeBuffer(byteCount: count * matrix.matrixCount * 4)
        try tiled.packB(matrix, columns: shape.columns, depth: shape.depth, into: panels)
        return panels
    }

    func multiplyTiled(
        _ step: Step, _ index: Int, _ shape: MatrixShape, _ product: Gemm.Product,
        into result: any ComputeBuffer
    ) throws(Failure) {
        let left = shape.left(try operand(step, 0))
        let bias = shape.bias == 0 ? nil : try operand(step, 2)
        let panels = packed[index]
        let isByRows = panels != nil && shape.rows <= TiledGemm.loneRowsMax
        let cut =
            isByRows
            ? TiledGemm.Cut(tile: gemm.panels(shape), depth: shape.depth, blocksEach: 1)
            : gemm.cut(shape)
        let sums = try sums(
            TiledGemm.sumsCount(
                cut, rows: shape.rows, columns: shape.columns, matrices: shape.matrices),
            orNone: result)
        if isByRows, let panels {
            return try tiled(cut.tile, for: shape.tileUse).multiplyRows(
                product, a: left, b: panels, bias: bias, sums: sums, into: result)
        }
        let tiled = try tiled(cut.tile, for: shape.tileUse)
        var a = TiledGemm.Factor.matrix(left)
        if tiled.use == .panels {
            let count = tiled.packedCountA(rows: shape.rows, depth: shape.depth)
            let packed = try scratch(.a, count: count * left.matrixCount)
            try tiled.packA(left, rows: shape.rows, depth: shape.depth, into: packed)
            a = .panels(packed)
        }
        let b: TiledGemm.Factor =
            if let panels { .panels(panels) } else { try right(step, shape, for: tiled) }
        try tiled.multiply(
            product, by: cut, a: a, b: b, bias: bias, sums: sums, into: result)
    }

    /// A product's B that is no constant.
    private func right(
        _ step: Step, _ shape: MatrixShape, for tiled: TiledGemm
    ) throws(Failure) -> TiledGemm.Factor {
        let right = shape.right(try operand(step, 1))
        guard tiled.use == .panels else { return .matrix(right) }
        let count = tiled.packedCountB(columns: shape.columns, depth: shape.depth)
        let packed = try scratch(.b, count: count * right.matrixCount)
        try tiled.packB(right, columns: shape.columns, depth: shape.depth, into: packed)
        return .panels(packed)
    }

    // MARK: Convolutions

    /// Packs a convolution's weights.
    func packTiles(
        _ shape: ConvolutionShape, _ plain: any ComputeBuffer
    ) throws(Failure) -> any ComputeBuffer {
        let tiled = try tiled(gemm.cut(shape).tile, for: .planes)
        let count = tiled.packedCountA(rows: shape.outChannels, depth: shape.depth)
        let panels = try device.makeBuffer(byteCount: count * shape.groups * 4)
        try tiled.packA(
            Gemm.Matrix(
                buffer: plain, lineStride: shape.depth, depthStride: 1,
                matrixStride: shape.outChannels * shape.depth, matrixCount: shape.groups),
            rows: shape.outChannels, depth: shape.depth, into: panels)
        return panels
    }

    func convolveTiled(
        _ step: Step, _ index: Int, _ shape: ConvolutionShape, _ result: any ComputeBuffer,
        at offset: Int, after: ConvolutionAfter
    ) throws(Failure) {
        let x = try operand(step, 0)
        let weights: any ComputeBuffer
        if let packed = packed[index] {
            weights = packed
        } else {
            weights = try packTiles(shape, try operand(step, 1))
        }
        let cut = gemm.cut(shape)
        let window = shape.window
        var product = Gemm.Product(
            rows: shape.outChannels, columns: shape.items * window.outPixels, depth: shape.depth)
        (product.matrices, product.aCount) = (shape.groups, shape.groups)
        (product.offset, product.leading) = (offset, window.outPixels)
        product.matrixStride = shape.outChannels * window.outPixels
        product.bias = shape.bias == 0 ? .none : .row
        let tiled = try tiled(cut.tile, for: .planes)
        let work = TiledGemm.Shape(
            product: product, pixels: window.outPixels,
            itemStride: shape.groups * product.matrixStride, isBare: window.isBare, after: after,
            aStride: tiled.packedCountA(rows: shape.outChannels, depth: shape.depth),
            bStride: shape.channels * window.pixels)
        let count = TiledGemm.sumsCount(
            cut, rows: product.rows, columns: product.columns, matrices: product.matrices)
        try tiled.convolve(
            work, by: cut, a: weights, x: x,
            bias: shape.bias == 0 ? weights : try operand(step, 2), window: window,
            taps: try taps(index, shape), sums: try sums(count, orNone: result), into: result)
    }

    /// Where taps lie, made once.
    private func taps(
        _ index: Int, _ shape: ConvolutionShape
    ) throws(Failure) -> any ComputeBuffer {
        if let known = tables[index] { return known }
        let table = try device.makeBuffer(shape.window.tileTaps(channels: shape.channels))
        tables[index] = table
        return table
    }
}

extension MatrixShape {
    /// Whether both factors are packed: where so much is computed that it costs less than reading
    /// rows that lie apart, tile after tile. 2^28 operations took the same on one NVIDIA H200.
    fileprivate var tileUse: TiledGemm.Use {
        let products = Double(rows) * Double(columns) * Double(depth) * Double(matrices)
        return rows > TiledGemm.loneRowsMax && products >= 0x1p27 ? .panels : .matrices
    }

    fileprivate func left(_ buffer: any ComputeBuffer) -> Gemm.Matrix {
        Gemm.Matrix(
            buffer: buffer, lineStride: aLine, depthStride: aDepth, matrixStride: aMatrix,
            matrixCount: aMatrix == 0 ? 1 : matrices)
    }
    fileprivate func right(_ buffer: any ComputeBuffer) -> Gemm.Matrix {
        Gemm.Matrix(
            buffer: buffer, lineStride: bLine, depthStride: bDepth, matrixStride: bMatrix,
            matrixCount: bMatrix == 0 ? 1 : matrices)
    }
}
