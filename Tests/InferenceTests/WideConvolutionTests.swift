import Compute
import Core
import Inference
import RigorTestKit
import Testing

/// Windows of three by three neighbours over planes whose rows are some tiles wide, of which
/// processors leave the taps in the padding out.
@Suite struct WideConvolutionTests {
    @Test(
        arguments: TestDevices.quick,
        [[1, 28, 5], [2, 56, 6], [1, 84, 3], [1, 112, 1], [1, 56, 56]])
    func haveTheBitsOfTheReference(_ test: TestDevice, _ sizes: [Int]) throws {
        let device = try test.open()
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SplitMix64(seed: seed)
        // More than one block of k, and channels that are no whole panels.
        var shape = ConvolutionShape()
        (shape.items, shape.channels, shape.outChannels) = (sizes[0], 33, 20)
        (shape.bias, shape.activation) = (1, sizes[2] % 2)
        var w = WindowShape()
        (w.width, w.height, w.outWidth, w.outHeight) = (sizes[1], sizes[2], sizes[1], sizes[2])
        (w.kernelHeight, w.kernelWidth, w.top, w.left) = (3, 3, 1, 1)
        shape.window = w
        let pixels = w.height * w.width
        let counts = [
            shape.items * shape.channels * pixels, shape.outChannels * shape.channels * 9,
            shape.outChannels, shape.items * shape.outChannels * pixels,
        ]
        func numbers(_ count: Int) -> Tensor {
            Tensor(
                (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }, shape: [count]
            )
        }
        let plan = Plan(
            buffers: counts.map { $0 * 4 },
            constants: [1: numbers(counts[1]), 2: numbers(counts[2])],
            inputs: [.init(name: "x", type: .float32, shape: [counts[0]], buffer: 0)],
            outputs: [.init(name: "y", type: .float32, shape: [counts[3]], buffer: 3)],
            steps: [
                Step(
                    .convolve, operands: [0, 1, 2], result: 3, ints: shape.ints, floats: [0, 0])
            ])
        let input = numbers(counts[0])
        let expected = ReferenceRun.run(plan, [input]).map(\.bytes)
        for device in device.kinds {
            for isNarrow in device.forms {
                let session = try Session(plan, on: device, isNarrow: isNarrow)
                #expect(
                    try session.run([input]).map(\.bytes) == expected,
                    "seed \(seed), \(device.description.kind), narrow \(isNarrow), \(sizes)")
            }
        }
    }
}
