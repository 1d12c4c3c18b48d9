import Compute
import Core
import Inference
import RigorTestKit
import Testing

/// Products of 8-bit integers against the loop nest.
@Suite struct DotTests {
    /// One shape and values for it.
    private struct Case {
        var shape = DotShape()
        var a: [UInt8] = []
        var b: [UInt8] = []
        var zeros: (a: [UInt8], b: [UInt8]) = ([], [])

        init(
            _ rows: Int, _ columns: Int, _ depth: Int, _ generator: inout SplitMix64,
            isPlain: Bool = false
        ) {
            (shape.rows, shape.columns, shape.depth) = (rows, columns, depth)
            shape.aIsSigned = Bool.random(using: &generator)
            shape.bIsSigned = Bool.random(using: &generator)
            shape.aZeros = [.none, .one, .lines].randomElement(using: &generator) ?? .none
            shape.bZeros = [.none, .one, .lines].randomElement(using: &generator) ?? .none
            if isPlain {
                (shape.aIsSigned, shape.bIsSigned, shape.bZeros) = (false, true, .none)
                precondition(depth % 4 == 0, "whole words")
            }
            shape.matrices = Int.random(in: 1...3, using: &generator)
            if Bool.random(using: &generator) { shape.aMatrix = rows * depth }
            if Bool.random(using: &generator) { shape.bMatrix = depth * columns }
            // The largest products are the ones that overflow, where anything does.
            let isExtreme = Int.random(in: 0..<3, using: &generator) == 0
            func bytes(_ count: Int) -> [UInt8] {
                (0..<count).map { _ in
                    isExtreme
                        ? [0, 127, 128, 255].randomElement(using: &generator) ?? 0
                        : UInt8.random(in: 0...255, using: &generator)
                }
            }
            a = bytes(rows * depth * (shape.aMatrix == 0 ? 1 : shape.matrices))
            b = bytes(columns * depth * (shape.bMatrix == 0 ? 1 : shape.matrices))
            zeros.a = bytes(max(1, shape.aZeros == .lines ? rows : 1))
            zeros.b = bytes(max(1, shape.bZeros == .lines ? columns : 1))
        }

        var expected: [Int32] {
            func number(_ byte: UInt8, _ isSigned: Bool) -> Int {
                isSigned ? Int(Int8(bitPattern: byte)) : Int(byte)
            }
            func zero(_ bytes: [UInt8], _ kind: DotShape.Zeros, _ line: Int, _ signed: Bool) -> Int
            {
                kind == .none ? 0 : number(bytes[kind == .lines ? line : 0], signed)
            }
            var out: [Int32] = []
            for matrix in 0..<shape.matrices {
                for row in 0..<shape.rows {
                    let zeroA = zero(zeros.a, shape.aZeros, row, shape.aIsSigned)
                    for column in 0..<shape.columns {
                        let zeroB = zero(zeros.b, shape.bZeros, column, shape.bIsSigned)
                        var sum = 0
                        for k in 0..<shape.depth {
                            let x = a[matrix * shape.aMatrix + row * shape.depth + k]
                            let y = b[matrix * shape.bMatrix + k * shape.columns + column]
                            sum +=
                                (number(x, shape.aIsSigned) - zeroA)
                                * (number(y, shape.bIsSigned) - zeroB)
                        }
                        out.append(Int32(truncatingIfNeeded: sum))
                    }
                }
            }
            return out
        }

        func product(_ dot: DotProduct, on device: any ComputeDevice) throws -> [Int32] {
            let count = shape.matrices * shape.rows * shape.columns
            let a = try device.makeBuffer(
                byteCount: 4 * dot.packedCountA(shape) * (shape.aMatrix == 0 ? 1 : shape.matrices))
            let b = try device.makeBuffer(
                byteCount: 4 * dot.packedCountB(shape) * (shape.bMatrix == 0 ? 1 : shape.matrices))
            let c = try device.makeBuffer(byteCount: 4 * count)
            let plain = try device.makeBuffer(self.a)
            try dot.packA(shape, plain, into: a)
            try dot.packB(shape, try device.makeBuffer(self.b), into: b)
            try dot.multiply(
                shape, a: dot.readsRows(shape) ? plain : a, b: b,
                zeros: (try device.makeBuffer(zeros.a), try device.makeBuffer(zeros.b)), into: c)
            return try device.read(Int32.self, count: count, from: c)
        }
    }

    @Test(arguments: TestDevices.all)
    func agreesWithTheLoopNest(_ test: TestDevice) throws {
        let device = try test.open()
        let seed = UInt64.random(in: 0...UInt64.max)
        print("DotTests seed \(seed)")
        var generator = SplitMix64(seed: seed)
        var variants = [try DotProduct(on: device)]
        if device.description.prefersWideVectors {
            variants.append(try DotProduct(on: device, isNarrow: true))
            variants.append(try DotProduct(on: device, instructions: .vnni))
            variants.append(try DotProduct(on: device, instructions: []))
        }
        // The last ones have several blocks of k, and panels of columns, for tiles.
        let fixed =
            [(1, 1, 1), (8, 32, 256), (9, 33, 257), (3, 70, 1030)]
            + (test.isSlow ? [] : [(17, 40, 66), (33, 300, 2100), (100, 33, 63), (300, 514, 70)])
        let random = (0..<12).map { _ in
            (
                Int.random(in: 1...40, using: &generator),
                Int.random(in: 1...90, using: &generator),
                Int.random(in: 1...300, using: &generator)
            )
        }
        let plain =
            test.isSlow
            ? [(9, 33, 8)] : [(8, 32, 64), (13, 70, 1032), (1, 100, 300), (45, 520, 4104)]
        let packed = test.isSlow ? [(9, 33, 7)] : fixed + random
        for (index, (rows, columns, depth)) in (plain + packed).enumerated() {
            let item = Case(rows, columns, depth, &generator, isPlain: index < plain.count)
            let expected = item.expected
            for dot in variants {
                #expect(dot.readsRows(item.shape) || index >= plain.count)
                let found = try item.product(dot, on: device)
                #expect(
                    found == expected, "\(item.shape) narrow \(dot.isNarrow), seed \(seed)")
            }
        }
    }
}
