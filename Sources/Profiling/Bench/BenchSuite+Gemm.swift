internal import Compute
internal import Core
internal import Digest
internal import Inference

// Matrix products, as the inference app runs them with constant weights: B packed beforehand, one
// defined order of sums.

extension BenchSuite {
    static let gemm = Item("gemm_square", unit: "GFLOP/s", run: gemmSquare)

    /// A small product whose every size is odd to the tiles: 17 × 41, depth 300 (two blocks of k).
    private static let fixedShape = (rows: 17, columns: 41, depth: 300)

    /// The small product's matrix.
    static func gemmHash(on device: any ComputeDevice) throws(Failure) -> Hash256 {
        let small = fixedShape
        let product = try GemmOperands(
            Gemm(on: device), device, rows: small.rows, columns: small.columns, depth: small.depth)
        try product.multiply()
        return SHA256.hash(
            try device.read(UInt8.self, count: small.rows * small.columns * 4, from: product.c))
    }

    private static func gemmSquare(_ stopwatch: Stopwatch) throws(Failure) -> Measured {
        let device = stopwatch.device
        let gemm = try Gemm(on: device)
        let hash = try gemmHash(on: device)
        let limit = min(device.description.allocationBytesMax, device.description.memoryBytes / 8)
        let sides = [64, 128, 256, 512, 1024, 1536, 2048, 4096]
            .filter { $0 == 64 || $0 * $0 * 4 <= limit }
        var samples: [Double] = []
        // Operations are the amount of work, and each size has operands of its own.
        for side in stopwatch.fit(sides) {
            let own = try GemmOperands(gemm, device, rows: side, columns: side, depth: side)
            let operations = 2 * side * side * side
            samples = try stopwatch.rates(amounts: [operations]) { _ throws(Failure) in
                try own.multiply()
            }
            // The best run decides, since any one may have been disturbed.
            let seconds = Double(operations) / (samples.max() ?? .infinity)
            if seconds >= stopwatch.runSecondsMin { break }
        }
        return Measured(samples: samples.map { $0 / 1e9 }, hash: hash)
    }
}

/// Operands of one product, ready to be multiplied, filled with numbers that a hash of their place
/// gives.
private struct GemmOperands {
    let gemm: Gemm
    /// On graphics cards.
    let tiled: Tiled?
    let shape: Gemm.Product
    let a: Gemm.Left
    let b: any ComputeBuffer
    let c: any ComputeBuffer

    init(
        _ gemm: Gemm, _ device: any ComputeDevice, rows: Int, columns: Int, depth: Int
    ) throws(Failure) {
        self.gemm = gemm
        let isTiled = device.description.kind == .gpu && rows >= 128
        tiled = isTiled ? try Tiled(device, rows: rows, columns: columns, depth: depth) : nil
        shape = Gemm.Product(rows: rows, columns: columns, depth: depth)
        c = try device.makeBuffer(byteCount: rows * columns * 4)
        let left = Gemm.Matrix(
            buffer: try device.makeBuffer(Self.numbers(rows * depth, salt: 1)), lineStride: depth,
            depthStride: 1)
        let right = try device.makeBuffer(Self.numbers(depth * columns, salt: 2))
        let columnsOfB = Gemm.Matrix(buffer: right, lineStride: 1, depthStride: columns)
        if let tiled {
            let gemm = tiled.gemm
            let panels = try device.makeBuffer(
                byteCount: gemm.packedCountA(rows: rows, depth: depth) * 4)
            try gemm.packA(left, rows: rows, depth: depth, into: panels)
            a = .panels(panels)
            b = try device.makeBuffer(
                byteCount: gemm.packedCountB(columns: columns, depth: depth) * 4)
            try gemm.packB(columnsOfB, columns: columns, depth: depth, into: b)
            try device.finish()
            return
        }
        b = try device.makeBuffer(byteCount: gemm.packedCountB(columns: columns, depth: depth) * 4)
        if gemm.readsRows(of: left, rows: rows) {
            a = .rows(left)
        } else {
            let panels = try device.makeBuffer(
                byteCount: gemm.packedCountA(rows: rows, depth: depth) * 4)
            try gemm.packA(left, rows: rows, depth: depth, into: panels)
            a = .panels(panels)
        }
        try gemm.packB(columnsOfB, columns: columns, depth: depth, into: b)
        try device.finish()
    }

    func multiply() throws(Failure) {
        if let tiled, case .panels(let panels) = a {
            return try tiled.gemm.multiply(
                shape, by: tiled.cut, a: .panels(panels), b: .panels(b), sums: tiled.sums, into: c)
        }
        try gemm.multiply(shape, a: a, b: b, into: c)
    }

    /// A product by tiles, and room for the sums of its blocks.
    struct Tiled {
        let cut: TiledGemm.Cut
        let gemm: TiledGemm
        let sums: any ComputeBuffer

        init(
            _ device: any ComputeDevice, rows: Int, columns: Int, depth: Int
        ) throws(Failure) {
            cut = TiledGemm.cut(rows: rows, columns: columns, depth: depth, on: device.description)
            gemm = try TiledGemm(on: device, tile: cut.tile, for: .panels)
            let count = TiledGemm.sumsCount(cut, rows: rows, columns: columns, matrices: 1)
            sums = try device.makeBuffer(byteCount: max(4, count * 4))
        }
    }

    /// Multiples of 2^-16 in [-1, 1): no sum of their products comes near a subnormal number.
    private static func numbers(_ count: Int, salt: UInt32) -> [Float] {
        (0..<count).map { index in
            var mixed = UInt32(truncatingIfNeeded: index) &* 0x9e37_79b9 &+ salt &* 0x85eb_ca6b
            mixed ^= mixed >> 15
            mixed = mixed &* 0x2c1b_3c6d
            mixed ^= mixed >> 12
            return Float(Int32(bitPattern: mixed) >> 15) * 0x1p-16
        }
    }
}
