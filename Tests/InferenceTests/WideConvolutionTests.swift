import Compute
import Core
import Inference
import RigorTestKit
import Testing

/// Windows of three by three neighbours, of which processors leave the taps in the padding out
/// where rows are tiles of places: some whole ones, or one that begins early at their end.
@Suite struct WideConvolutionTests {
    /// Items, width, height, and channels out: full panels, some that are not, and odd ones.
    private static let sizes = [
        [1, 28, 5, 20], [2, 56, 6, 20], [1, 84, 3, 12], [1, 112, 1, 40], [1, 56, 56, 20],
        [1, 7, 5, 40], [1, 7, 1, 16], [2, 14, 3, 32], [1, 21, 4, 20], [1, 13, 4, 33],
        [1, 26, 3, 20], [1, 27, 4, 40], [2, 41, 3, 20], [1, 55, 3, 64], [1, 30, 9, 20],
    ]

    @Test(arguments: TestDevices.quick) func haveTheBitsOfTheReference(_ test: TestDevice) throws {
        let device = try test.open()
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SplitMix64(seed: seed)
        for sizes in Self.sizes {
            let plan = Self.plan(Self.shape(sizes), &generator)
            let count = plan.buffers[0] / 4
            let input = Self.numbers(count, &generator)
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

    /// Panels of one vector and of three: two of a work-item's are then not neighbours.
    @Test(arguments: [16, 48]) func haveThemInPanelsOfAnyWidth(_ columns: Int) throws {
        guard let test = TestDevices.any else { return }
        var tuning = try test.open().tuning
        tuning[.gemmColumns] = columns
        var options = OpenCLDevice.Options(cacheFolder: TestDevices.programs)
        options.tuning = tuning
        let device = try test.open(options)
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SplitMix64(seed: seed)
        for sizes in [[1, 28, 3, 72], [1, 27, 3, 40], [1, 13, 13, 48], [1, 7, 7, 96]] {
            let plan = Self.plan(Self.shape(sizes), &generator)
            let input = Self.numbers(plan.buffers[0] / 4, &generator)
            let expected = ReferenceRun.run(plan, [input]).map(\.bytes)
            let session = try Session(plan, on: device)
            #expect(
                try session.run([input]).map(\.bytes) == expected, "seed \(seed), \(sizes)")
        }
    }

    /// More than one block of k.
    private static func shape(_ sizes: [Int]) -> ConvolutionShape {
        var shape = ConvolutionShape()
        (shape.items, shape.channels, shape.outChannels) = (sizes[0], 33, sizes[3])
        (shape.bias, shape.activation) = (1, sizes[2] % 2)
        var w = WindowShape()
        (w.width, w.height, w.outWidth, w.outHeight) = (sizes[1], sizes[2], sizes[1], sizes[2])
        (w.kernelHeight, w.kernelWidth, w.top, w.left) = (3, 3, 1, 1)
        shape.window = w
        return shape
    }

    private static func numbers(_ count: Int, _ generator: inout SplitMix64) -> Tensor {
        let values = (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }
        return Tensor(values, shape: [count])
    }

    private static func plan(_ shape: ConvolutionShape, _ generator: inout SplitMix64) -> Plan {
        let pixels = shape.window.height * shape.window.width
        let counts = [
            shape.items * shape.channels * pixels, shape.outChannels * shape.channels * 9,
            shape.outChannels, shape.items * shape.outChannels * pixels,
        ]
        return Plan(
            buffers: counts.map { $0 * 4 },
            constants: [1: numbers(counts[1], &generator), 2: numbers(counts[2], &generator)],
            inputs: [.init(name: "x", type: .float32, shape: [counts[0]], buffer: 0)],
            outputs: [.init(name: "y", type: .float32, shape: [counts[3]], buffer: 3)],
            steps: [
                Step(
                    .convolve, operands: [0, 1, 2], result: 3, ints: shape.ints, floats: [0, 0])
            ])
    }
}
