internal import Core
internal import Exact

extension HostSteps {
    /// Blocks of 256 k; in each a chain of fma from +0; the blocks' sums added upward.
    static func sumOfProducts(
        _ count: Int, _ a: (Int) -> Float, _ b: (Int) -> Float
    ) -> Float {
        var total: Float = 0
        for block in Swift.stride(from: 0, to: count, by: 256) {
            var sum: Float = 0
            for k in block..<min(count, block + 256) { sum = sum.addingProduct(a(k), b(k)) }
            total = block == 0 ? sum : total + sum
        }
        return total
    }

    /// Sixteen lanes, element e in lane e % 16, then the tree +8, +4, +2, +1.
    static func lanes(
        _ values: [Float], neutral: Float, _ combine: (Float, Float) -> Float
    ) -> Float {
        var lanes = [Float](repeating: neutral, count: 16)
        for (index, value) in values.enumerated() {
            lanes[index % 16] = index < 16 ? value : combine(lanes[index % 16], value)
        }
        for width in [8, 4, 2, 1] {
            for lane in 0..<width { lanes[lane] = combine(lanes[lane], lanes[lane + width]) }
        }
        return lanes[0]
    }

    private static func activate(_ x: Float, _ activation: Int, _ floats: [Float]) -> Float {
        switch activation {
        case 1: x < 0 ? 0 : x
        case 2: clip(x, floats[0], floats[1])
        default: x
        }
    }

    static func gemm(_ step: Step, _ operands: [[Float]]) -> [Float] {
        guard let s = MatrixShape(step.ints) else { preconditionFailure("a matrix shape") }
        let a = operands[0]
        let b = operands[1]
        var out: [Float] = []
        for matrix in 0..<s.matrices {
            for row in 0..<s.rows {
                for column in 0..<s.columns {
                    let pa = matrix * s.aMatrix + row * s.aLine
                    let pb = matrix * s.bMatrix + column * s.bLine
                    var x = sumOfProducts(
                        s.depth, { a[pa + $0 * s.aDepth] }, { b[pb + $0 * s.bDepth] })
                    if s.bias == 1 { x = x + operands[2][row] }
                    if s.bias == 2 { x = x + operands[2][column] }
                    out.append(activate(x, s.activation, step.floats))
                }
            }
        }
        return out
    }

    static func convolve(_ step: Step, _ operands: [[Float]]) -> [Float] {
        guard let s = ConvolutionShape(step.ints) else { preconditionFailure("a convolution") }
        let x = operands[0]
        let weights = operands[1]
        let w = s.window
        var out: [Float] = []
        for item in 0..<s.items {
            for channel in 0..<(s.groups * s.outChannels) {
                let firstPlane = (item * s.groups + channel / s.outChannels) * s.channels
                for pixel in 0..<w.outPixels {
                    let y0 = pixel / w.outWidth * w.strideY - w.top
                    let x0 = pixel % w.outWidth * w.strideX - w.left
                    var sum = sumOfProducts(s.depth) {
                        weights[channel * s.depth + $0]
                    } _: { k in
                        let iy = y0 + k / w.kernelWidth % w.kernelHeight * w.dilationY
                        let ix = x0 + k % w.kernelWidth * w.dilationX
                        guard (0..<w.height).contains(iy), (0..<w.width).contains(ix) else {
                            return 0
                        }
                        return x[((firstPlane + k / w.taps) * w.height + iy) * w.width + ix]
                    }
                    if s.bias == 1 { sum = sum + operands[2][channel] }
                    out.append(activate(sum, s.activation, step.floats))
                }
            }
        }
        return out
    }

    static func pool(_ step: Step, _ x: [Float]) -> [Float] {
        guard let s = PoolShape(step.ints) else { preconditionFailure("a pool") }
        let w = s.window
        var out: [Float] = []
        for plane in 0..<s.planes {
            for pixel in 0..<w.outPixels {
                var elements: [Float] = []
                var padded = 0
                for tap in 0..<w.taps {
                    let iy =
                        pixel / w.outWidth * w.strideY - w.top + tap / w.kernelWidth * w.dilationY
                    let ix =
                        pixel % w.outWidth * w.strideX - w.left + tap % w.kernelWidth * w.dilationX
                    if iy < w.height + s.bottom, ix < w.width + s.right { padded += 1 }
                    if (0..<w.height).contains(iy), (0..<w.width).contains(ix) {
                        elements.append(x[(plane * w.height + iy) * w.width + ix])
                    }
                }
                if s.averages == 1 {
                    let divisor = s.countsPadding == 1 ? padded : elements.count
                    out.append(Exact.div(lanes(elements, neutral: 0, +), Float(divisor)))
                } else {
                    out.append(elements.reduce(-Float.infinity, maximum))
                }
            }
        }
        return out
    }

    static func axis(_ step: Step, _ x: [Float], shape: [Int]) -> Tensor {
        let (outer, count, inner) = (step.ints[1], step.ints[2], step.ints[3])
        func line(_ result: Int) -> [Int] {
            let first = result / inner * count * inner + result % inner
            return (0..<count).map { first + $0 * inner }
        }
        switch step.kind {
        case .argument:
            let picks = (0..<outer * inner).map { result -> Int64 in
                // Zeros of both signs are one value here.
                let keys = line(result).map { key(x[$0] == 0 ? 0 : x[$0]) }
                let best = step.ints[0] == 1 ? keys.min() : keys.max()
                return Int64(keys.firstIndex { $0 == best } ?? 0)
            }
            return Tensor(picks, type: .int64, shape: shape)
        case .softmax:
            var out = x
            for result in 0..<outer * inner {
                let line = line(result)
                let top = line.dropFirst().reduce(x[line[0]]) { maximum($0, x[$1]) }
                let powers = line.map { Exact.exp(x[$0] - top) }
                let sum = lanes(powers, neutral: 0, +)
                for (at, power) in zip(line, powers) {
                    out[at] =
                        step.ints[0] == 1 ? (x[at] - top) - Exact.log(sum) : Exact.div(power, sum)
                }
            }
            return Tensor(out, shape: shape)
        default:
            guard let operation = ReduceOperation(rawValue: step.ints[0]) else {
                preconditionFailure("a known reduction")
            }
            return Tensor(
                (0..<outer * inner).map { reduce(operation, line($0).map { x[$0] }) }, shape: shape)
        }
    }

    private static func reduce(_ operation: ReduceOperation, _ values: [Float]) -> Float {
        switch operation {
        case .sum: lanes(values, neutral: 0, +)
        case .mean: Exact.div(lanes(values, neutral: 0, +), Float(values.count))
        case .prod: lanes(values, neutral: 1, *)
        case .max: lanes(values, neutral: -.infinity, maximum)
        case .min: lanes(values, neutral: .infinity, minimum)
        }
    }

    static func lrn(_ step: Step, _ x: [Float]) -> [Float] {
        let (channels, pixels) = (step.ints[1], step.ints[2])
        return x.indices.map { index in
            let channel = index / pixels % channels
            let first = max(0, channel - step.ints[3])
            let last = min(channels - 1, channel + step.ints[4])
            let base = index - channel * pixels
            let sum = sumOfProducts(
                last - first + 1, { x[base + (first + $0) * pixels] },
                { x[base + (first + $0) * pixels] })
            let scale = step.floats[2].addingProduct(step.floats[0], sum)
            return Exact.div(x[index], Exact.pow(scale, step.floats[1]))
        }
    }
}
