import Compute
import Core
import Inference
import RigorTestKit
import Testing

/// Windows that reach beyond their planes on some sides, or on none.
@Suite struct PoolingTests {
    @Test(arguments: TestDevices.quick)
    func averagesHaveTheBitsOfTheReference(_ test: TestDevice) throws {
        try haveTheBitsOfTheReference(test, averages: 1) { Float.random(in: -1...1, using: &$0) }
    }

    /// Maxima, of which zeros have an order and NaNs of either sign one pattern.
    @Test(arguments: TestDevices.quick)
    func maximaHaveTheBitsOfTheReference(_ test: TestDevice) throws {
        let rare: [UInt32] = [
            0, 0x8000_0000, 1, 0x8000_0001, 0x7f7f_ffff, 0xff7f_ffff, 0x7f80_0000, 0xff80_0000,
            0x7f80_0001, 0xff80_0001, 0x7fc0_0000, 0xffc0_0000, 0x7fff_ffff, 0xffff_ffff,
        ]
        try haveTheBitsOfTheReference(test, averages: 0) {
            switch Int.random(in: 0..<16, using: &$0) {
            case 0: Float(bitPattern: rare.randomElement(using: &$0) ?? 0)
            case 1: Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &$0))
            case 2...4: Float(bitPattern: UInt32.random(in: 0...1, using: &$0) << 31)
            default: Float.random(in: -1...0.1, using: &$0)
            }
        }
    }

    private func haveTheBitsOfTheReference(
        _ test: TestDevice, averages: Int, value: (inout SplitMix64) -> Float
    ) throws {
        let device = try test.open()
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SplitMix64(seed: seed)
        for turn in 0..<80 {
            let shape = Self.shape(turn, averages: averages, &generator)
            let count = shape.planes * shape.window.height * shape.window.width
            let input = Tensor((0..<count).map { _ in value(&generator) }, shape: [count])
            let results = shape.planes * shape.window.outHeight * shape.window.outWidth
            let plan = Plan(
                Step(.pool, operands: [0], result: 1, ints: shape.ints), of: count, to: results)
            try plan.check()
            try expectReferenceBits(plan, [input], on: device.kinds, "seed \(seed), \(shape)")
        }
    }

    /// Mostly windows of 3x3, or 2x2, that begin one place before the plane; some of maxima are
    /// wider than a vector.
    private static func shape(
        _ turn: Int, averages: Int, _ generator: inout SplitMix64
    ) -> PoolShape {
        func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
        var shape = PoolShape()
        var window = WindowShape()
        let side = turn % 3 == 0 ? 2 : 3
        (window.kernelHeight, window.kernelWidth) = (side, side)
        (window.strideY, window.strideX) = (turn % 2 + 1, turn % 2 + 1)
        if turn % 4 == 0 {
            let width = averages == 0 && turn % 16 == 0 ? 17 : number(1...4)
            (window.kernelHeight, window.kernelWidth) = (number(1...4), width)
            (window.strideY, window.strideX) = (1, turn % 32 == 0 ? 1 : number(1...3))
        }
        (window.top, window.left) = turn % 7 == 0 ? (number(0...1), 0) : (1, 1)
        window.top = min(window.top, window.kernelHeight - 1)
        window.left = min(window.left, window.kernelWidth - 1)
        shape.bottom = number(0...window.kernelHeight - 1)
        shape.right = number(0...window.kernelWidth - 1)
        window.height = number(4...37)
        window.width = number(max(4, window.kernelWidth)...(turn % 5 == 0 ? 90 : 37))
        window.outHeight =
            (window.height + window.top + shape.bottom - window.kernelHeight) / window.strideY + 1
        window.outWidth =
            (window.width + window.left + shape.right - window.kernelWidth) / window.strideX + 1
        (shape.planes, shape.averages) = (number(1...40), averages)
        shape.countsPadding = turn / 2 % 2
        shape.window = window
        return shape
    }
}
