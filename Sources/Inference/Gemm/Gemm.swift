public import Compute
public import Core

/// Matrix products on a device, by the rule for sums of products: C = A B, each output one chain
/// per block of 256 k.
///
/// B is packed into panels first, and A where its rows do not lie whole. Weights are packed once
/// and used many times. Tile sizes, places and the narrow variant change speed alone.
public struct Gemm: Sendable {
    /// How many rows and columns a panel has.
    public struct Tiles: Hashable, Sendable {
        /// Rows of A in a panel: accumulator rows of one work-item.
        public var rows: Int
        /// Columns of B in a panel: a multiple of 16.
        public var columns: Int

        /// - Precondition: `rows` > 0, and `columns` is a positive multiple of 16.
        public init(rows: Int, columns: Int) {
            precondition(rows > 0 && columns > 0 && columns % 16 == 0, "whole float16 vectors")
            self.rows = rows
            self.columns = columns
        }
    }

    /// A matrix that lies strided in a buffer, or several that follow one another.
    public struct Matrix: Sendable {
        public var buffer: any ComputeBuffer
        /// In elements.
        public var offset = 0
        /// Elements from one row of A (column of B) to the next.
        public var lineStride: Int
        /// Elements from one k to the next.
        public var depthStride: Int
        /// Elements from one matrix to the next.
        public var matrixStride = 0
        public var matrixCount = 1

        public init(
            buffer: any ComputeBuffer, offset: Int = 0, lineStride: Int, depthStride: Int,
            matrixStride: Int = 0, matrixCount: Int = 1
        ) {
            self.buffer = buffer
            self.offset = offset
            self.lineStride = lineStride
            self.depthStride = depthStride
            self.matrixStride = matrixStride
            self.matrixCount = matrixCount
        }
    }

    /// Where a product's A is.
    public enum Left: Sendable {
        case panels(any ComputeBuffer)
        /// As it lies; only what ``Gemm/readsRows(of:rows:)`` allows.
        case rows(Matrix)
    }

    public enum Bias: Int32, Sendable {
        case none, row, column
    }

    /// What follows the sum and the bias; a fused one has the bits of a separate one.
    public enum Activation: Hashable, Sendable {
        case none
        case relu
        case clip(low: Float, high: Float)

        var arguments: [KernelArgument] {
            switch self {
            case .none: [.int(0), .float(0), .float(0)]
            case .relu: [.int(1), .float(0), .float(0)]
            case .clip(let low, let high): [.int(2), .float(low), .float(high)]
            }
        }
    }

    /// One launch: `matrices` products C = A B of one shape.
    public struct Product: Sendable {
        public var rows: Int
        public var columns: Int
        public var depth: Int
        public var matrices = 1
        /// Product z takes matrix z % aCount of A, and that matrix's row biases.
        public var aCount = 1
        /// Whether B has one matrix that all products share.
        public var sharesB = false
        /// Elements of C: where the first lies, from row to row, from matrix to matrix.
        public var offset = 0
        public var leading: Int
        public var matrixStride = 0
        public var bias = Bias.none
        public var activation = Activation.none

        public init(rows: Int, columns: Int, depth: Int) {
            self.rows = rows
            self.columns = columns
            self.depth = depth
            leading = columns
        }

        /// What kernels of products take behind their buffers.
        ///
        /// - Parameters:
        ///   - aStride: floats from one packed matrix of A to the next.
        ///   - bStride: of B, likewise.
        func arguments(aStride: Int, bStride: Int) -> [KernelArgument] {
            [
                .int(Int32(rows)), .int(Int32(columns)), .int(Int32(depth)), .int(Int32(leading)),
                .int(Int32(aCount)), .ulong(UInt64(aStride)), .ulong(UInt64(sharesB ? 0 : bStride)),
                .ulong(UInt64(offset)), .ulong(UInt64(matrixStride)), .int(bias.rawValue),
            ] + activation.arguments
        }
    }

    public let tiles: Tiles
    public let isNarrow: Bool
    let device: any ComputeDevice
    let program: any ComputeProgram

    /// Compiles the kernels.
    ///
    /// - Parameters:
    ///   - tiles: nil takes those of the device's profile.
    ///   - isNarrow: whether to use no vector wider than float4 though the device prefers wide
    ///     ones; on others there is no choice.
    public init(
        on device: any ComputeDevice, tiles: Tiles? = nil, isNarrow: Bool = false
    ) throws(Failure) {
        let tiles =
            tiles ?? Tiles(rows: device.tuning[.gemmRows], columns: device.tuning[.gemmColumns])
        self.device = device
        self.tiles = tiles
        self.isNarrow = isNarrow || !device.description.prefersWideVectors
        program = try device.program(
            KernelFamily.products.source(
                tiles, isNarrow: self.isNarrow, device.description))
    }

    /// Neighbouring outputs of a row that one work-item computes.
    var tileWidth: Int { isNarrow ? 4 : tiles.columns }
    /// Floats of a vector in the kernels.
    var lanes: Int { isNarrow ? 4 : 16 }
    /// Channels that a work-item of `conv_lanes` computes.
    var laneChannels: Int { isNarrow ? lanes : 2 * lanes }

    /// Seconds the build took, and whether a stored binary served.
    public var buildSeconds: Double { program.buildSeconds }

    /// So few rows are computed each on its own: filling them up to a tile costs more.
    private static let loneRowsMax = 2

    /// Whether A can be read where it lies, which saves packing it, where each row's elements are
    /// neighbours: a row or two, and with wide vectors from a whole tile on.
    public func readsRows(of matrix: Matrix, rows: Int) -> Bool {
        matrix.depthStride == 1
            && (rows <= Self.loneRowsMax || !isNarrow && rows >= tiles.rows)
    }

    /// Floats that one packed matrix of `rows` × `depth` takes.
    public func packedCountA(rows: Int, depth: Int) -> Int {
        rows.roundedUp(to: tiles.rows) * depth
    }

    /// Floats that one packed matrix of `depth` × `columns` takes.
    public func packedCountB(columns: Int, depth: Int) -> Int {
        columns.roundedUp(to: tiles.columns) * depth
    }

    /// Packs `rows` × `depth` matrices into `panels`, one after the other.
    public func packA(
        _ matrix: Matrix, rows: Int, depth: Int, into panels: any ComputeBuffer
    ) throws(Failure) {
        try pack(matrix, width: tiles.rows, lines: rows, depth: depth, into: panels)
    }

    /// Packs `depth` × `columns` matrices into `panels`, one after the other.
    public func packB(
        _ matrix: Matrix, columns: Int, depth: Int, into panels: any ComputeBuffer
    ) throws(Failure) {
        try pack(matrix, width: tiles.columns, lines: columns, depth: depth, into: panels)
    }

    /// Steps of the depth that a work-item packs with wide vectors: `PACK_DEPTH` in `pack.cl`.
    private static let packedEach = 64

    private func pack(
        _ matrix: Matrix, width: Int, lines: Int, depth: Int, into panels: any ComputeBuffer
    ) throws(Failure) {
        let panelCount = lines.dividedUp(by: width)
        let stride = panelCount * width * depth
        let items = isNarrow ? depth.inGroups : depth.dividedUp(by: Self.packedEach)
        try device.launch(
            "gemm_pack", of: program,
            global: [items, panelCount, matrix.matrixCount],
            local: isNarrow ? Launch.local(device) : [1, 1, 1],
            arguments: [
                .buffer(matrix.buffer), .buffer(panels), .int(Int32(width)), .int(Int32(lines)),
                .int(Int32(depth)), .ulong(UInt64(matrix.lineStride)),
                .ulong(UInt64(matrix.depthStride)), .ulong(UInt64(matrix.offset)),
                .ulong(UInt64(matrix.matrixStride)), .ulong(UInt64(stride)),
            ])
    }

    /// Multiplies matrices of which B is packed.
    ///
    /// - Parameters:
    ///   - bias: `rows` floats per matrix of A, or `columns` floats; ignored without a bias.
    public func multiply(
        _ product: Product, a: Left, b: any ComputeBuffer, bias: (any ComputeBuffer)? = nil,
        into c: any ComputeBuffer
    ) throws(Failure) {
        precondition(product.bias == .none || bias != nil, "a bias needs its values")
        let rowPanels = product.rows.roundedUp(to: tiles.rows) / tiles.rows
        let columnTiles = product.columns.roundedUp(to: tileWidth) / tileWidth
        let bStride = packedCountB(columns: product.columns, depth: product.depth)
        let left: any ComputeBuffer
        let aStride: Int
        var kernel = "gemm"
        var global =
            isNarrow
            ? [columnTiles.inGroups, rowPanels, product.matrices]
            : [rowPanels, columnTiles, product.matrices]
        var place: [KernelArgument] = []
        switch a {
        case .panels(let panels):
            left = panels
            aStride = packedCountA(rows: product.rows, depth: product.depth)
        case .rows(let matrix):
            precondition(readsRows(of: matrix, rows: product.rows), "rows that lie whole")
            (kernel, left, aStride) = ("gemm_rows", matrix.buffer, matrix.matrixStride)
            if product.rows <= Self.loneRowsMax {
                kernel = "gemm_row"
                // Wide, a work-item takes two tiles.
                global[0] = isNarrow ? columnTiles.inGroups : columnTiles.dividedUp(by: 2)
                global[1] = product.rows
            }
            place = [.ulong(UInt64(matrix.offset)), .ulong(UInt64(matrix.lineStride))]
        }
        try device.launch(
            kernel, of: program, global: global,
            local: isNarrow ? Launch.local(device) : [1, 1, 1],
            arguments: [left, b, bias ?? left, c].map { .buffer($0) }
                + product.arguments(aStride: aStride, bStride: bStride) + place)
    }
}
