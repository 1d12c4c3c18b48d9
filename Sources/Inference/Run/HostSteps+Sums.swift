internal import Core

extension HostSteps {
    /// Blocks of 256 k; in each a chain of fma from +0; the blocks' sums added upward.
    static func sumOfProducts<T: HostReal>(
        _ count: Int, _ a: (Int) -> T, _ b: (Int) -> T
    ) -> T {
        var total: T = 0
        for block in Swift.stride(from: 0, to: count, by: 256) {
            var sum: T = 0
            for k in block..<min(count, block + 256) { sum = sum.addingProduct(a(k), b(k)) }
            total = block == 0 ? sum : total + sum
        }
        return total
    }

    /// Sixteen lanes, element e in lane e % 16, then the tree +8, +4, +2, +1.
    static func lanes<T>(_ values: [T], neutral: T, _ combine: (T, T) -> T) -> T {
        var lanes = [T](repeating: neutral, count: 16)
        for (index, value) in values.enumerated() {
            lanes[index % 16] = index < 16 ? value : combine(lanes[index % 16], value)
        }
        for width in [8, 4, 2, 1] {
            for lane in 0..<width { lanes[lane] = combine(lanes[lane], lanes[lane + width]) }
        }
        return lanes[0]
    }

    private static func activate<T: HostReal>(
        _ x: T, _ activation: Int, _ floats: [Float]
    ) -> T {
        switch activation {
        case 1: x < 0 ? 0 : x
        case 2: T.clip(x, T(floats[0]), T(floats[1]))
        default: x
        }
    }

    static func gemm<T: HostReal>(_ step: Step, _ operands: [[T]]) -> [T] {
        guard let s = MatrixShape(step.ints) else { preconditionFailure("a matrix shape") }
        let a = operands[0]
        let b = operands[1]
        var out: [T] = []
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

    static func convolve<T: HostReal>(_ step: Step, _ operands: [[T]]) -> [T] {
        guard let s = ConvolutionShape(step.ints) else { preconditionFailure("a convolution") }
        let x = operands[0]
        let weights = operands[1]
        let w = s.window
        var out: [T] = []
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

    static func pool<T: HostReal>(_ step: Step, _ x: [T]) -> [T] {
        guard let s = PoolShape(step.ints) else { preconditionFailure("a pool") }
        let w = s.window
        var out: [T] = []
        for plane in 0..<s.planes {
            for pixel in 0..<w.outPixels {
                var elements: [T] = []
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
                    out.append(T.quotient(lanes(elements, neutral: 0, +), T(divisor)))
                } else {
                    out.append(elements.reduce(-T.infinity, T.larger))
                }
            }
        }
        return out
    }

    /// Positions of the elements that each result of a step over an axis is made of.
    private static func lines(_ step: Step) -> [[Int]] {
        let (outer, count, inner) = (step.ints[1], step.ints[2], step.ints[3])
        return (0..<outer * inner).map { result in
            let first = result / inner * count * inner + result % inner
            return (0..<count).map { first + $0 * inner }
        }
    }

    /// Of equal elements the first; zeros of both signs are one value here.
    static func picks<T: HostReal>(_ step: Step, _ x: [T]) -> [Int64] {
        lines(step).map { line in
            let keys = line.map { T.key(x[$0] == 0 ? 0 : x[$0]) }
            let best = step.ints[0] == 1 ? keys.min() : keys.max()
            return Int64(keys.firstIndex { $0 == best } ?? 0)
        }
    }

    static func softmax<T: HostReal>(_ step: Step, _ x: [T]) -> [T] {
        var out = x
        for line in lines(step) {
            let top = line.dropFirst().reduce(x[line[0]]) { T.larger($0, x[$1]) }
            let powers = line.map { unary(.exp, x[$0] - top, 0, 0) }
            let sum = lanes(powers, neutral: 0, +)
            for (at, power) in zip(line, powers) {
                out[at] =
                    step.ints[0] == 1
                    ? (x[at] - top) - unary(.log, sum, 0, 0) : T.quotient(power, sum)
            }
        }
        return out
    }

    static func reduce<T: HostReal>(_ step: Step, _ x: [T]) -> [T] {
        guard let operation = ReduceOperation(rawValue: step.ints[0]) else {
            preconditionFailure("a known reduction")
        }
        return lines(step).map { line in
            let values = line.map { x[$0] }
            switch operation {
            case .sum: return lanes(values, neutral: 0, +)
            case .mean: return T.quotient(lanes(values, neutral: 0, +), T(values.count))
            case .prod: return lanes(values, neutral: 1, *)
            case .max: return lanes(values, neutral: -.infinity, T.larger)
            case .min: return lanes(values, neutral: .infinity, T.smaller)
            }
        }
    }

    /// Reductions of integers wrap, so their order is free.
    static func integerAxis(
        _ step: Step, _ x: Tensor, type: ElementType, shape: [Int]
    ) -> Tensor {
        let values = integers(x)
        let least: BinaryOperation = step.ints[0] == 1 ? .min : .max
        let results = lines(step).map { line -> Int64 in
            let first = values[line[0]]
            let rest = line.dropFirst()
            func folded(_ operation: BinaryOperation) -> Int64 {
                rest.reduce(first) { x.type.wrapped(integer(operation, $0, values[$1], x.type)) }
            }
            if step.kind == .argument {
                let best = folded(least)
                return Int64(line.firstIndex { values[$0] == best } ?? 0)
            }
            switch ReduceOperation(rawValue: step.ints[0]) {
            case .prod: return folded(.mul)
            case .max: return folded(.max)
            case .min: return folded(.min)
            default: return folded(.add)
            }
        }
        return Tensor(results, type: type, shape: shape)
    }

    static func lrn<T: HostReal>(_ step: Step, _ x: [T]) -> [T] {
        let (channels, pixels) = (step.ints[1], step.ints[2])
        return x.indices.map { index in
            let channel = index / pixels % channels
            let first = max(0, channel - step.ints[3])
            let last = min(channels - 1, channel + step.ints[4])
            let base = index - channel * pixels
            let sum = sumOfProducts(
                last - first + 1, { x[base + (first + $0) * pixels] },
                { x[base + (first + $0) * pixels] })
            let scale = T(step.floats[2]).addingProduct(T(step.floats[0]), sum)
            return T.quotient(x[index], T.power(scale, T(step.floats[1])))
        }
    }
}
