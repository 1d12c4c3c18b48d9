public import Compute
public import Core

/// Products and convolutions on graphics cards, by tiles in local memory: the bits of ``Gemm``.
///
/// Constants are packed into panels as wide as a tile; other matrices, and planes that windows
/// slide over, are read as they lie. See `Kernels/inference/tile.cl`.
public struct TiledGemm: Sendable {
    /// The outputs that a work-group computes.
    public struct Tile: Hashable, Sendable {
        public let rows: Int
        public let columns: Int
        /// Outputs of a work-item along both sides.
        let eachSide: Int

        static let thin = Tile(rows: 16, columns: 64, eachSide: 4)
        static let small = Tile(rows: 32, columns: 32, eachSide: 4)
        static let medium = Tile(rows: 64, columns: 64, eachSide: 4)
        static let large = Tile(rows: 128, columns: 64, eachSide: 8)

        /// From the one with the fewest outputs to the one with the most.
        public static let all = [thin, small, medium, large]

        fileprivate func groups(_ rows: Int, _ columns: Int) -> Int {
            rows.dividedUp(by: self.rows) * columns.dividedUp(by: self.columns)
        }
        fileprivate var groupSides: [Int] { [columns / eachSide, rows / eachSide] }
        /// Steps of the depth in local memory at a time, of which there are two pieces, beside the
        /// taps of two blocks.
        fileprivate func depth(localMemoryBytes: Int) -> Int {
            let limit = min(localMemoryBytes, 48 << 10) - 4096
            var depth = 32
            while depth > 8, 8 * depth * (rows + columns) > limit { depth /= 2 }
            return depth
        }
    }

    /// What a program's kernels multiply.
    public enum Use: Hashable, Sendable {
        /// Panels by panels.
        case panels
        /// A matrix as it lies by panels, or by another one as it lies.
        case matrices
        /// Weights by the planes of a convolution.
        case planes
    }

    /// Where a product's factor is.
    public enum Factor: Sendable {
        case panels(any ComputeBuffer)
        case matrix(Gemm.Matrix)
    }

    /// How the work of a shape is shared out.
    public struct Cut: Hashable, Sendable {
        public var tile: Tile
        /// Blocks of the depth, and how many of them a work-group takes.
        public var blocks: Int
        public var blocksEach: Int

        /// Whether sums of blocks are added by a launch of their own.
        var isSplit: Bool { blocksEach < blocks }
        fileprivate var parts: Int { blocks.dividedUp(by: blocksEach) }

        public init(tile: Tile, depth: Int, blocksEach: Int) {
            self.tile = tile
            blocks = depth.dividedUp(by: TiledGemm.blockDepth)
            self.blocksEach = min(blocks, blocksEach)
        }
    }

    /// A product, as kernels are told of it.
    struct Shape {
        var product: Gemm.Product
        /// Columns of one item, which are neighbours, and elements of C from one item to the next.
        var pixels: Int
        var itemStride = 0
        /// Whether windows reach into no padding.
        var isBare = true
        /// What follows the sums.
        var after: ConvolutionAfter
        /// Floats from one matrix to the next.
        var aStride: Int
        var bStride: Int
    }

    /// Steps of the depth whose products are summed up by themselves.
    static let blockDepth = 256
    /// As many rows are computed each by itself.
    static let loneRowsMax = 2
    /// Bytes of the sums of blocks at most.
    private static let sumsBytesMax = 64 << 20

    public let tile: Tile
    public let use: Use
    let device: any ComputeDevice
    let program: any ComputeProgram

    public init(
        on device: any ComputeDevice, tile: Tile, for use: Use
    ) throws(Failure) {
        self.device = device
        (self.tile, self.use) = (tile, use)
        let depth = tile.depth(localMemoryBytes: device.description.localMemoryBytes)
        var defines = [
            "RIGOR_NARROW": "1", "TILE_ROWS": "\(tile.rows)", "TILE_COLUMNS": "\(tile.columns)",
            "TILE_EACH": "\(tile.eachSide)", "TILE_DEPTH": "\(depth)", "TILE_UNROLL": "8",
        ]
        switch use {
        case .panels: defines["TILE_PACKS"] = "1"
        case .planes: defines["TILE_CONVOLVES"] = "1"
        case .matrices: break
        }
        program = try device.program(
            ProgramSource(
                "inference/tile-\(use)-\(tile.rows)-\(tile.columns)",
                files: ["exact/divide.cl"]
                    + ["activate", "gemm_tile", "convolve_tail", "layout", "tile"].map {
                        "inference/\($0).cl"
                    },
                defines: defines))
    }

    /// Whether a device can have it at all.
    static func suits(_ device: DeviceDescription) -> Bool {
        device.kind == .gpu && device.workGroupItemsMax >= 256
            && device.localMemoryBytes >= 24 << 10
    }

    /// What keeps all of a card busy: the largest tiles of which there are enough, each by several
    /// groups where there still are too few. The bounds were measured on one NVIDIA H200.
    public static func cut(
        rows: Int, columns: Int, depth: Int, matrices: Int = 1, on device: DeviceDescription
    ) -> Cut {
        let blocks = depth.dividedUp(by: blockDepth)
        func groups(_ tile: Tile) -> Int { tile.groups(rows, columns) * matrices }
        let tile: Tile =
            if rows <= Tile.thin.rows, columns > Tile.small.columns {
                .thin
            } else if rows > Tile.medium.rows,
                groups(.large) * blocks >= 3 * device.computeUnits
            {
                .large
            } else if rows > Tile.small.rows, columns > Tile.small.columns,
                groups(.medium) * blocks >= 2 * device.computeUnits
            {
                .medium
            } else {
                .small
            }
        let parts = min(blocks, (8 * device.computeUnits).dividedUp(by: groups(tile)))
        let cut = Cut(tile: tile, depth: depth, blocksEach: blocks.dividedUp(by: parts))
        let sumsBytes = sumsCount(cut, rows: rows, columns: columns, matrices: matrices) * 4
        return sumsBytes <= min(sumsBytesMax, device.allocationBytesMax / 4)
            ? cut : Cut(tile: tile, depth: depth, blocksEach: blocks)
    }

    /// Floats of the sums of a cut's blocks; none where no launch adds them.
    public static func sumsCount(_ cut: Cut, rows: Int, columns: Int, matrices: Int) -> Int {
        cut.isSplit
            ? cut.blocks * matrices * rows * columns.roundedUp(to: cut.tile.columns) : 0
    }

    // MARK: Panels

    /// Floats that one matrix of A takes, or a group's weights.
    public func packedCountA(rows: Int, depth: Int) -> Int { rows.roundedUp(to: tile.rows) * depth }
    /// Floats that one matrix of B takes.
    public func packedCountB(columns: Int, depth: Int) -> Int {
        columns.roundedUp(to: tile.columns) * depth
    }

    /// Packs matrices of A, or a convolution's weights, one after the other.
    public func packA(
        _ matrix: Gemm.Matrix, rows: Int, depth: Int, into panels: any ComputeBuffer
    ) throws(Failure) {
        try pack(matrix, width: tile.rows, lines: rows, depth: depth, into: panels)
    }

    /// Packs matrices of B, one after the other.
    public func packB(
        _ matrix: Gemm.Matrix, columns: Int, depth: Int, into panels: any ComputeBuffer
    ) throws(Failure) {
        try pack(matrix, width: tile.columns, lines: columns, depth: depth, into: panels)
    }

    private func pack(
        _ matrix: Gemm.Matrix, width: Int, lines: Int, depth: Int, into panels: any ComputeBuffer
    ) throws(Failure) {
        let padded = lines.roundedUp(to: width)
        // Neighbouring work-items read neighbouring elements.
        let isByLines = matrix.lineStride == 1
        let sides = [depth, padded / 4]
        try device.launch(
            "tile_pack", of: program,
            global: [
                sides[isByLines ? 1 : 0].inGroups, sides[isByLines ? 0 : 1], matrix.matrixCount,
            ], local: nil,
            arguments: [
                .buffer(matrix.buffer), .buffer(panels), .int(Int32(width)), .int(Int32(lines)),
                .int(Int32(depth)), .ulong(UInt64(matrix.lineStride)),
                .ulong(UInt64(matrix.depthStride)), .ulong(UInt64(matrix.offset)),
                .ulong(UInt64(matrix.matrixStride)), .ulong(UInt64(padded * depth)),
                .int(isByLines ? 1 : 0),
            ])
    }

    // MARK: Products

    /// Multiplies matrices.
    ///
    /// - Parameters:
    ///   - bias: as of ``Gemm/multiply(_:a:b:bias:into:)``.
    ///   - sums: ``sumsCount(_:rows:columns:matrices:)`` floats; any buffer where those are none.
    /// - Precondition: `cut.tile` is `tile`, and factors lie as the kernels have them.
    public func multiply(
        _ product: Gemm.Product, by cut: Cut, a: Factor, b: Factor,
        bias: (any ComputeBuffer)? = nil, sums: any ComputeBuffer, into c: any ComputeBuffer
    ) throws(Failure) {
        precondition(product.bias == .none || bias != nil, "a bias needs its values")
        let left = a.matrix(packedCountA(rows: product.rows, depth: product.depth))
        let right = b.matrix(packedCountB(columns: product.columns, depth: product.depth))
        let name: String
        switch (use, a, b) {
        case (.panels, .panels, .panels): name = "gemm_tiled"
        case (.matrices, .matrix, .panels): name = "gemm_left"
        case (.matrices, .matrix, .matrix): name = "gemm_lying"
        default: preconditionFailure("factors that another program takes")
        }
        let bStride = product.sharesB ? 0 : right.matrixStride
        let shape = Shape(
            product, any: left.buffer, aStride: left.matrixStride, bStride: bStride)
        try launch(
            name, shape, cut, [left.buffer, right.buffer, bias ?? left.buffer],
            [.bytes(left.strides), .bytes(right.strides)], sums: sums, into: c)
    }

    /// A convolution: `a` has its weights packed, `x` its planes, and `taps` what
    /// ``WindowShape/tileTaps(channels:)`` gives.
    func convolve(
        _ shape: Shape, by cut: Cut, a: any ComputeBuffer, x: any ComputeBuffer,
        bias: any ComputeBuffer, window: WindowShape, taps: any ComputeBuffer,
        sums: any ComputeBuffer, into c: any ComputeBuffer
    ) throws(Failure) {
        try launch(
            "conv_tiled", shape, cut, [a, x, bias], [.bytes(window.bytes), .buffer(taps)],
            sums: sums, into: c, after: [shape.after.table, shape.after.other])
    }

    /// - Parameters:
    ///   - factors: A, B and the bias.
    ///   - rest: how they lie.
    private func launch(
        _ kernel: String, _ shape: Shape, _ cut: Cut, _ factors: [any ComputeBuffer],
        _ rest: [KernelArgument], sums: any ComputeBuffer, into c: any ComputeBuffer,
        after: [any ComputeBuffer] = []
    ) throws(Failure) {
        precondition(cut.tile == tile, "another program's")
        let product = shape.product
        let columns = product.columns.dividedUp(by: tile.columns)
        let sides = tile.groupSides
        try device.launch(
            cut.isSplit ? "\(kernel)_blocks" : kernel, of: program,
            global: [
                columns * sides[0], product.rows.dividedUp(by: tile.rows) * sides[1],
                product.matrices * cut.parts,
            ], local: sides + [1],
            arguments: (factors + [cut.isSplit ? sums : c] + after).map { .buffer($0) }
                + [.bytes(shape.bytes(cut.blocksEach))] + rest)
        if cut.isSplit { try join(shape, bias: factors[2], sums: sums, into: c) }
    }

    /// Adds the sums of blocks.
    private func join(
        _ shape: Shape, bias: any ComputeBuffer, sums: any ComputeBuffer,
        into c: any ComputeBuffer
    ) throws(Failure) {
        let product = shape.product
        try device.launch(
            "tile_join", of: program,
            global: [
                product.columns.dividedUp(by: 4).inGroups, product.rows, product.matrices,
            ], local: nil,
            arguments: [sums, bias, c, shape.after.table, shape.after.other].map { .buffer($0) }
                + [
                    .bytes(shape.bytes(1)),
                    .int(Int32(product.columns.roundedUp(to: tile.columns))),
                ])
    }

    /// Multiplies a row or two of A, read as it lies, by a packed B.
    ///
    /// - Parameter sums: floats for each block, where there are several, of as many columns as the
    ///   panels have.
    func multiplyRows(
        _ product: Gemm.Product, a: Gemm.Matrix, b: any ComputeBuffer,
        bias: (any ComputeBuffer)?, sums: any ComputeBuffer, into c: any ComputeBuffer
    ) throws(Failure) {
        let shape = Shape(
            product, any: a.buffer, aStride: a.matrixStride,
            bStride: packedCountB(columns: product.columns, depth: product.depth))
        let blocks = product.depth.dividedUp(by: Self.blockDepth)
        let bias = bias ?? a.buffer
        try device.launch(
            "tile_rows", of: program,
            global: [
                product.columns.dividedUp(by: 4).inGroups, blocks,
                product.rows * product.matrices,
            ], local: nil,
            arguments: [a.buffer, b, bias, blocks > 1 ? sums : c].map { .buffer($0) } + [
                .bytes(shape.bytes(1)), .bytes(a.strides),
                .int(Int32(product.columns.roundedUp(to: tile.columns))),
            ])
        if blocks > 1 { try join(shape, bias: bias, sums: sums, into: c) }
    }
}

extension TiledGemm.Shape {
    /// A product of matrices, with nothing behind its sums but what it names itself.
    ///
    /// - Parameter any: stands for what there is not.
    init(_ product: Gemm.Product, any: any ComputeBuffer, aStride: Int, bStride: Int) {
        self.product = product
        pixels = product.columns
        after = ConvolutionAfter(product.activation, any: any)
        self.aStride = aStride
        self.bStride = product.sharesB ? 0 : bStride
    }

    /// As `tile_shape` lies in memory.
    func bytes(_ blocksEach: Int) -> Bytes {
        let p = product
        let ints = [
            p.rows, p.columns, p.depth, pixels, p.matrices, p.aCount, blocksEach,
            Int(p.bias.rawValue), after.activation, after.parts, after.stride,
        ]
        let strides = [
            aStride, bStride, p.offset, p.leading, itemStride, p.matrixStride,
        ]
        return ints.flatMap { Int32($0).littleEndianBytes }
            + [after.low, after.high].flatMap { $0.bitPattern.littleEndianBytes }
            + Int32(isBare ? 1 : 0).littleEndianBytes
            + strides.flatMap { UInt64($0).littleEndianBytes }
    }
}

extension TiledGemm.Factor {
    /// - Parameter packedCount: floats of a matrix in panels.
    fileprivate func matrix(_ packedCount: Int) -> Gemm.Matrix {
        switch self {
        case .matrix(let matrix): matrix
        case .panels(let panels):
            Gemm.Matrix(
                buffer: panels, lineStride: 0, depthStride: 0, matrixStride: packedCount)
        }
    }
}

extension Gemm.Matrix {
    /// As `tile_strides` lie in memory.
    fileprivate var strides: Bytes {
        [offset, lineStride, depthStride].flatMap { UInt64($0).littleEndianBytes }
    }
}

extension WindowShape {
    /// Whether ``tileTaps(channels:)`` can count so far.
    func isCountedByTiles(channels: Int) -> Bool {
        let reach = max((kernelHeight - 1) * dilationY, (kernelWidth - 1) * dilationX)
        return reach < 1 << 15
            && channels * pixels + reach * width + reach <= Int(Int32.max)
    }

    /// For each k of a convolution of so many channels, up to a whole block: how far its tap lies
    /// from the first one, and its row << 16 and column.
    func tileTaps(channels: Int) -> [Int32] {
        var taps: [Int32] = []
        for channel in 0..<channels {
            for ky in 0..<kernelHeight {
                for kx in 0..<kernelWidth {
                    let (row, column) = (ky * dilationY, kx * dilationX)
                    taps.append(Int32(channel * pixels + row * width + column))
                    taps.append(Int32(row << 16 | column))
                }
            }
        }
        let count = (taps.count / 2).roundedUp(to: TiledGemm.blockDepth) * 2
        return taps + Array(repeating: 0, count: count - taps.count)
    }

    /// Whether no window reaches into padding.
    var isBare: Bool {
        top + left == 0
            && (outHeight - 1) * strideY + (kernelHeight - 1) * dilationY < height
            && (outWidth - 1) * strideX + (kernelWidth - 1) * dilationX < width
    }
}
