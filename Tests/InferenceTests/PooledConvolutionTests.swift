import Compute
import Core
import Inference
import RigorTestKit
import Testing

/// Convolutions of few channels of which only maxima of windows are read: processors compute both
/// band by band.
@Suite struct PooledConvolutionTests {
    @Test(arguments: TestDevices.quick)
    func haveTheBitsOfTheReference(_ test: TestDevice) throws {
        let device = try test.open()
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SplitMix64(seed: seed)
        for turn in 0..<40 {
            let (convolution, pool) = Self.shapes(turn, &generator)
            let net = Self.plan(convolution, pool, tail: turn % 3, &generator)
            let count = convolution.channels * convolution.items
            let window = convolution.window
            let input = Tensor(
                (0..<count * window.height * window.width).map { _ in
                    Self.value(&generator, rare: turn % 4 == 3)
                }, shape: [count * window.height * window.width])
            let expected = ReferenceRun.run(net, [input]).map(\.bytes)
            for isNarrow in device.forms {
                let session = try Session(
                    net, on: device, isNarrow: isNarrow,
                    tapes: .init(fromRun: 4, launchesMin: 1))
                let isPooled = device.description.kind == .cpu && !isNarrow && turn % 8 != 7
                #expect(session.pooledConvolutions == (isPooled ? 1 : 0), "\(convolution) \(pool)")
                // Launched, remembered, repeated, on a tape.
                for run in 1...5 {
                    #expect(
                        try session.run([input]).map(\.bytes) == expected,
                        "seed \(seed), turn \(turn), run \(run), \(convolution), \(pool)")
                }
                if isPooled, device.description.runsTapes {
                    #expect(session.tapedKernels == ["conv_pool"])
                }
            }
        }
    }

    private static func value(_ generator: inout SplitMix64, rare: Bool) -> Float {
        let specials: [Float] = [
            .nan, .infinity, -.infinity, -0.0, 0, 3e38, Float(bitPattern: 700),
        ]
        if rare, Int.random(in: 0..<200, using: &generator) == 0 {
            return specials.randomElement(using: &generator) ?? 0
        }
        return Float.random(in: -1...1, using: &generator)
    }

    private static func shapes(
        _ turn: Int, _ generator: inout SplitMix64
    ) -> (ConvolutionShape, PoolShape) {
        func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
        var shape = ConvolutionShape()
        (shape.items, shape.channels, shape.outChannels) = (number(1...2), 3, number(1...20))
        (shape.bias, shape.activation) = (turn & 1, turn % 3 == 0 ? turn / 3 % 3 : 0)
        var w = WindowShape()
        (w.kernelHeight, w.kernelWidth) = (number(1...5), number(1...5))
        (w.strideY, w.strideX) = (number(1...3), number(1...3))
        (w.dilationY, w.dilationX) = (1, turn % 5 == 0 ? 2 : 1)
        (w.top, w.left) = (number(0...w.kernelHeight - 1), number(0...w.kernelWidth - 1))
        // Every eighth time a row has fewer places than a tile.
        (w.outHeight, w.outWidth) = (number(4...40), turn % 8 == 7 ? 20 : number(32...70))
        let (spareY, spareX) = (number(0...w.top), number(0...w.left))
        let reachY = (w.outHeight - 1) * w.strideY + (w.kernelHeight - 1) * w.dilationY + 1
        let reachX = (w.outWidth - 1) * w.strideX + (w.kernelWidth - 1) * w.dilationX + 1
        (w.height, w.width) = (max(1, reachY - w.top - spareY), max(1, reachX - w.left - spareX))
        shape.window = w
        var pool = PoolShape()
        var p = WindowShape()
        (p.height, p.width) = (w.outHeight, w.outWidth)
        (p.kernelHeight, p.kernelWidth) = (number(2...3), number(2...3))
        (p.strideY, p.strideX) = (number(1...2), number(1...2))
        (p.top, p.left) = (number(0...p.kernelHeight - 1), number(0...p.kernelWidth - 1))
        // Down or up: then the last windows reach beyond the end.
        let (upY, upX) = (number(0...p.strideY - 1), number(0...p.strideX - 1))
        p.outHeight = (p.height + p.top - p.kernelHeight + upY) / p.strideY + 1
        p.outWidth = (p.width + p.left - p.kernelWidth + upX) / p.strideX + 1
        pool.planes = shape.items * shape.outChannels
        pool.window = p
        return (shape, pool)
    }

    /// - Parameter tail: of 0 steps between the convolution and its maxima, of 1, or of 3.
    private static func plan(
        _ shape: ConvolutionShape, _ pool: PoolShape, tail: Int, _ generator: inout SplitMix64
    ) -> Plan {
        func numbers(_ count: Int) -> Tensor {
            Tensor((0..<count).map { _ in value(&generator, rare: false) }, shape: [count])
        }
        let w = shape.window
        let (pixels, channels) = (w.outHeight * w.outWidth, shape.outChannels)
        let results = shape.items * channels * pixels
        let windows = pool.planes * pool.window.outHeight * pool.window.outWidth
        let inputs = shape.items * shape.channels * w.height * w.width
        let depth = shape.channels * w.kernelHeight * w.kernelWidth
        // The input, weights, bias, factors, addends, results of the four steps, and windows.
        let counts = [
            inputs, channels * depth, channels, channels, channels, results, results, results,
            results, windows,
        ]
        let whole = [shape.items, channels, pixels, channels * pixels, pixels, 1, 0, 1, 0]
        let type = Int(ElementType.float32.rawValue)
        var steps = [
            Step(
                .convolve, operands: shape.bias == 1 ? [0, 1, 2] : [0, 1], result: 5,
                ints: shape.ints, floats: [-0.25, 0.5])
        ]
        if tail == 1 {
            for (operation, constant) in [(BinaryOperation.mul, 3), (.add, 4)] {
                let last = steps.count + 4
                steps.append(
                    Step(
                        .binary, operands: [last, constant], result: last + 1,
                        ints: [operation.rawValue, type] + whole))
            }
        }
        if tail > 0 {
            let last = steps.count + 4
            steps.append(
                Step(
                    .unary, operands: [last], result: last + 1,
                    ints: [UnaryOperation.relu.rawValue, results, type], floats: [0, 0]))
        }
        steps.append(Step(.pool, operands: [steps.count + 4], result: 9, ints: pool.ints))
        return Plan(
            buffers: counts.map { $0 * 4 },
            constants: [
                1: numbers(channels * depth), 2: numbers(channels), 3: numbers(channels),
                4: numbers(channels),
            ],
            inputs: [.init(name: "x", type: .float32, shape: [inputs], buffer: 0)],
            outputs: [.init(name: "y", type: .float32, shape: [windows], buffer: 9)], steps: steps)
    }
}
