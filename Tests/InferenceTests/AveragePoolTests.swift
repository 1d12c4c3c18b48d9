import Compute
import Core
import Inference
import RigorTestKit
import Testing

/// Averages of windows that reach beyond their planes on some sides, or on none.
@Suite struct AveragePoolTests {
    @Test(arguments: TestDevices.quick)
    func haveTheBitsOfTheReference(_ test: TestDevice) throws {
        let device = try test.open()
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SplitMix64(seed: seed)
        for turn in 0..<80 {
            let shape = Self.shape(turn, &generator)
            let count = shape.planes * shape.window.height * shape.window.width
            let input = Tensor(
                (0..<count).map { _ in Float.random(in: -1...1, using: &generator) },
                shape: [count])
            let results = shape.planes * shape.window.outHeight * shape.window.outWidth
            let plan = Plan(
                buffers: [count * 4, results * 4], constants: [:],
                inputs: [.init(name: "x", type: .float32, shape: [count], buffer: 0)],
                outputs: [.init(name: "y", type: .float32, shape: [results], buffer: 1)],
                steps: [Step(.pool, operands: [0], result: 1, ints: shape.ints)])
            try plan.check()
            let expected = ReferenceRun.run(plan, [input]).map(\.bytes)
            for isNarrow in device.forms {
                let found = try Session(plan, on: device, isNarrow: isNarrow).run([input])
                #expect(
                    found.map(\.bytes) == expected, "seed \(seed), narrow \(isNarrow), \(shape)")
            }
        }
    }

    /// Mostly windows of 3x3 that begin one place before the plane.
    private static func shape(_ turn: Int, _ generator: inout SplitMix64) -> PoolShape {
        func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
        var shape = PoolShape()
        var window = WindowShape()
        (window.kernelHeight, window.kernelWidth) = (3, 3)
        (window.strideY, window.strideX) = (turn % 2 + 1, turn % 2 + 1)
        if turn % 4 == 0 {
            (window.kernelHeight, window.kernelWidth) = (number(1...4), number(1...4))
            (window.strideY, window.strideX) = (1, number(1...3))
        }
        (window.top, window.left) = turn % 7 == 0 ? (number(0...1), 0) : (1, 1)
        window.top = min(window.top, window.kernelHeight - 1)
        window.left = min(window.left, window.kernelWidth - 1)
        shape.bottom = number(0...window.kernelHeight - 1)
        shape.right = number(0...window.kernelWidth - 1)
        window.height = number(4...37)
        window.width = number(4...(turn % 5 == 0 ? 90 : 37))
        window.outHeight =
            (window.height + window.top + shape.bottom - window.kernelHeight) / window.strideY + 1
        window.outWidth =
            (window.width + window.left + shape.right - window.kernelWidth) / window.strideX + 1
        (shape.planes, shape.averages, shape.countsPadding) = (number(1...40), 1, turn / 2 % 2)
        shape.window = window
        return shape
    }
}
