import Compute
import Core
import Inference
import RigorTestKit
import Testing

@Suite struct GemmTests {
    /// C = A B + bias, then the activation, word by word, and one NaN.
    static func reference(
        _ a: [Float], _ b: [Float], rows: Int, columns: Int, depth: Int, bias: [Float]?,
        relu: Bool
    ) -> [Float] {
        (0..<rows * columns).map { index in
            let (row, column) = (index / columns, index % columns)
            var x = sumOfProducts(depth, { a[row * depth + $0] }, { b[$0 * columns + column] })
            if let bias { x = x + bias[row] }
            return x.isNaN ? .nan : relu && x < 0 ? 0 : x
        }
    }

    private static let otherNaN = Float(bitPattern: 0xffc1_2345)

    /// - Parameter padding: elements between A's rows, of which none may count.
    static func product(
        _ gemm: Gemm, on device: any ComputeDevice, _ a: [Float], _ b: [Float], rows: Int,
        columns: Int, depth: Int, bias: [Float]?, relu: Bool, isPacked: Bool, padding: Int = 0
    ) throws -> [Float] {
        let spaced = (0..<rows).flatMap { row in
            a[(row * depth)..<((row + 1) * depth)] + Array(repeating: .nan, count: padding)
        }
        let left = Gemm.Matrix(
            buffer: try device.makeBuffer(Array(repeating: .nan, count: 3) + spaced), offset: 3,
            lineStride: depth + padding, depthStride: 1)
        let panelsA = try device.makeBuffer(
            byteCount: gemm.packedCountA(rows: rows, depth: depth) * 4)
        let panelsB = try device.makeBuffer(
            byteCount: gemm.packedCountB(columns: columns, depth: depth) * 4)
        let c = try device.makeBuffer(byteCount: rows * columns * 4)
        try gemm.packA(left, rows: rows, depth: depth, into: panelsA)
        try gemm.packB(
            .init(buffer: try device.makeBuffer(b), lineStride: 1, depthStride: columns),
            columns: columns, depth: depth, into: panelsB)
        var product = Gemm.Product(rows: rows, columns: columns, depth: depth)
        product.bias = bias == nil ? .none : .row
        product.activation = relu ? .relu : .none
        try gemm.multiply(
            product, a: isPacked ? .panels(panelsA) : .rows(left), b: panelsB,
            bias: try bias.map { try device.makeBuffer($0) }, into: c)
        return try device.read(Float.self, count: rows * columns, from: c)
    }

    @Test(arguments: TestDevices.all)
    func agreesWithTheLoopNest(_ test: TestDevice) throws {
        let device = try test.open()
        let seed = UInt64.random(in: 0...UInt64.max)
        print("GemmTests seed \(seed)")
        var generator = SplitMix64(seed: seed)
        var variants = [
            try Gemm(on: device), try Gemm(on: device, tiles: .init(rows: 5, columns: 16)),
        ]
        if device.description.prefersWideVectors {
            variants.append(try Gemm(on: device, isNarrow: true))
            variants.append(try Gemm(on: device, tiles: .init(rows: 6, columns: 64)))
        }
        let fixed = [
            (1, 1, 1), (1, 100, 700), (2, 129, 257), (8, 32, 256), (9, 33, 257), (17, 100, 700),
        ]
        let random = (0..<4).map { _ in
            (
                Int.random(in: 1...40, using: &generator),
                Int.random(in: 1...90, using: &generator),
                Int.random(in: 1...600, using: &generator)
            )
        }
        let sizes = test.isSlow ? [(9, 33, 3), (2, 3, 257)] : fixed + random
        for (index, (rows, columns, depth)) in sizes.enumerated() {
            var a = generator.floats(rows * depth)
            let b = generator.floats(depth * columns)
            if rows > 1 { a[depth] = Self.otherNaN }
            let bias = index % 2 == 0 ? generator.floats(rows) : nil
            let relu = index % 3 == 0
            let expected = Self.reference(
                a, b, rows: rows, columns: columns, depth: depth, bias: bias, relu: relu)
            for gemm in variants {
                for isPacked in [true, false] {
                    let shape = Gemm.Matrix(
                        buffer: try device.makeBuffer(byteCount: 4), lineStride: depth,
                        depthStride: 1)
                    guard isPacked || gemm.readsRows(of: shape, rows: rows) else { continue }
                    let found = try Self.product(
                        gemm, on: device, a, b, rows: rows, columns: columns, depth: depth,
                        bias: bias, relu: relu, isPacked: isPacked, padding: index % 3)
                    #expect(
                        found.bits == expected.bits,
                        """
                        \(rows)x\(columns)x\(depth) tiles \(gemm.tiles) narrow \(gemm.isNarrow) \
                        packed \(isPacked)
                        """)
                }
            }
        }
    }

    /// From every kernel that a number of rows takes, one row's too.
    @Test(arguments: TestDevices.all)
    func notANumberHasOnePattern(_ test: TestDevice) throws {
        let device = try test.open()
        var generator = SplitMix64(seed: 23)
        var variants = [try Gemm(on: device)]
        if device.description.prefersWideVectors {
            variants.append(try Gemm(on: device, isNarrow: true))
        }
        let patterns: [UInt32] = [0x7f80_0001, 0xffc1_2345, 0x7fff_ffff, 0xff80_0001]
        let (columns, depth) = test.isSlow ? (3, 5) : (67, 300)
        let counts = test.isSlow ? [1, 2] : [1, 2, 3, 19]
        for (index, rows) in counts.enumerated() {
            var a = generator.floats(rows * depth)
            let b = generator.floats(depth * columns)
            let row = rows - 1
            a[row * depth + (index * 97) % depth] = Float(bitPattern: patterns[index])
            let expected = Self.reference(
                a, b, rows: rows, columns: columns, depth: depth, bias: nil, relu: false)
            for gemm in variants {
                let plain = Gemm.Matrix(
                    buffer: try device.makeBuffer(byteCount: 4), lineStride: depth, depthStride: 1)
                for isPacked in [true, false]
                where isPacked || gemm.readsRows(of: plain, rows: rows) {
                    let found = try Self.product(
                        gemm, on: device, a, b, rows: rows, columns: columns, depth: depth,
                        bias: nil, relu: false, isPacked: isPacked)
                    #expect(found.bits == expected.bits, "\(rows) rows, packed \(isPacked)")
                    #expect(found[(row * columns)...].allSatisfy { $0.bitPattern == 0x7fc0_0000 })
                }
            }
        }
    }

    /// The kernel for graphics cards, on whatever is at hand.
    @Test(arguments: TestDevices.quick)
    func tilesAgreeWithTheLoopNest(_ test: TestDevice) throws {
        let device = try test.open()
        guard device.description.workGroupItemsMax >= 256 else { return }
        let seed = UInt64.random(in: 0...UInt64.max)
        print("GemmTests tiled seed \(seed)")
        var generator = SplitMix64(seed: seed)
        // Each takes ten seconds to compile.
        let tiles = TiledGemm.Tile.all
        for tile in device.description.runsTapes ? [tiles[1], tiles[3]] : [tiles[2]] {
            let (tiled, packed) = (
                try TiledGemm(on: device, tile: tile, for: .matrices),
                try TiledGemm(on: device, tile: tile, for: .panels)
            )
            for (rows, columns, depth) in [
                (1, 1, 1), (70, 130, 261), (128, 65, 512), (33, 9, 777),
            ] {
                let a = generator.floats(rows * depth)
                var b = generator.floats(depth * columns)
                if columns > 1 { b[columns - 1] = Self.otherNaN }
                let bias = generator.floats(rows)
                let expected = Self.reference(
                    a, b, rows: rows, columns: columns, depth: depth, bias: bias, relu: true)
                for blocksEach in [4, 2, 1] {
                    let cut = TiledGemm.Cut(tile: tile, depth: depth, blocksEach: blocksEach)
                    let found = try Self.product(
                        tiled, packed, cut, on: device, a, b, rows: rows, columns: columns,
                        depth: depth,
                        bias: bias)
                    #expect(
                        found.bits == expected.bits,
                        "\(rows)x\(columns)x\(depth), \(cut), seed \(seed)")
                }
            }
        }
    }

    private static func product(
        _ tiled: TiledGemm, _ packed: TiledGemm, _ cut: TiledGemm.Cut, on device: any ComputeDevice,
        _ a: [Float],
        _ b: [Float], rows: Int, columns: Int, depth: Int, bias: [Float]
    ) throws -> [Float] {
        let panelsB = try device.makeBuffer(
            byteCount: tiled.packedCountB(columns: columns, depth: depth) * 4)
        let c = try device.makeBuffer(byteCount: rows * columns * 4)
        let sums = TiledGemm.sumsCount(cut, rows: rows, columns: columns, matrices: 1)
        let left = Gemm.Matrix(
            buffer: try device.makeBuffer(a), lineStride: depth, depthStride: 1)
        let right = Gemm.Matrix(
            buffer: try device.makeBuffer(b), lineStride: 1, depthStride: columns)
        try tiled.packB(right, columns: columns, depth: depth, into: panelsB)
        var product = Gemm.Product(rows: rows, columns: columns, depth: depth)
        product.bias = .row
        product.activation = .relu
        let panelsA = try device.makeBuffer(
            byteCount: tiled.packedCountA(rows: rows, depth: depth) * 4)
        try tiled.packA(left, rows: rows, depth: depth, into: panelsA)
        var found: [[Float]] = []
        let ways: [(TiledGemm, TiledGemm.Factor, TiledGemm.Factor)] = [
            (packed, .panels(panelsA), .panels(panelsB)),
            (tiled, .matrix(left), .panels(panelsB)), (tiled, .matrix(left), .matrix(right)),
        ]
        for (tiled, a, b) in ways {
            try tiled.multiply(
                product, by: cut, a: a, b: b, bias: try device.makeBuffer(bias),
                sums: try device.makeBuffer(byteCount: max(4, sums * 4)), into: c)
            found.append(try device.read(Float.self, count: rows * columns, from: c))
        }
        #expect(found.allSatisfy { $0.bits == found[0].bits }, "packed and as they lie")
        return found[0]
    }
}
