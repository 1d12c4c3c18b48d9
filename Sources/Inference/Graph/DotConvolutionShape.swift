internal import Core
internal import Exact

/// A convolution of 8-bit integers less their zero points, modulo 2³².
public struct DotConvolutionShape: Hashable, Sendable {
    /// Neither bias nor activation.
    public var convolution = ConvolutionShape()
    /// Whether elements of planes and of weights are int8; uint8 otherwise.
    public var xIsSigned = false, wIsSigned = false
    /// One for all of x at most; of weights perhaps one for each channel of the output.
    public var xZeros = DotShape.Zeros.none, wZeros = DotShape.Zeros.none

    public init() {}

    public var ints: [Int] {
        convolution.ints + [
            xIsSigned ? 1 : 0, wIsSigned ? 1 : 0, xZeros.rawValue, wZeros.rawValue,
        ]
    }

    init?(_ i: [Int]) {
        guard i.count > 4, let convolution = ConvolutionShape(Array(i.dropLast(4))),
            i.suffix(4).prefix(2).allSatisfy({ $0 == 0 || $0 == 1 }),
            let xZeros = DotShape.Zeros(rawValue: i[i.count - 2]), xZeros != .lines,
            let wZeros = DotShape.Zeros(rawValue: i[i.count - 1]),
            convolution.bias == 0, convolution.activation == 0
        else { return nil }
        self.convolution = convolution
        (xIsSigned, wIsSigned) = (i[i.count - 4] == 1, i[i.count - 3] == 1)
        (self.xZeros, self.wZeros) = (xZeros, wZeros)
    }

    /// Words of four channels that a group's planes and weights have.
    var words: Int { convolution.channels.dividedUp(by: 4) }
    /// Channels of the output, of all groups.
    var outChannels: Int { convolution.groups * convolution.outChannels }
}

/// Sums of integers that become 8-bit integers of another scale: `planes` of `pixels`.
public struct RequantizeShape: Hashable, Sendable {
    public var planes = 1, channels = 1, pixels = 1
    /// Whether the result is int8; uint8 otherwise.
    public var isSigned = false
    public var hasBias = false
    /// Whether each channel has a factor of its own.
    public var isByChannel = false

    public init() {}

    public var ints: [Int] {
        [planes, channels, pixels, isSigned ? 1 : 0, hasBias ? 1 : 0, isByChannel ? 1 : 0]
    }

    init?(_ i: [Int]) {
        guard i.count == 6, i[3...].allSatisfy({ $0 == 0 || $0 == 1 }) else { return nil }
        (planes, channels, pixels) = (i[0], i[1], i[2])
        (isSigned, hasBias, isByChannel) = (i[3] == 1, i[4] == 1, i[5] == 1)
    }
}

// MARK: - Bounds

extension Step {
    func dotConvolveExtent() throws(Failure) -> StepExtent {
        guard let shape = DotConvolutionShape(ints) else { throw Self.broken }
        let s = shape.convolution
        guard [s.items, s.groups, s.channels, s.outChannels].allSatisfy({ $0 > 0 }) else {
            throw Self.broken
        }
        try Self.check(s.window)
        guard try Self.product([s.channels + 3, s.window.taps]) <= Self.numberMax else {
            throw Self.broken
        }
        var operands = [
            try Self.product([s.items, s.groups, s.channels, s.window.pixels]),
            try Self.product([s.groups, s.outChannels, s.depth]),
        ]
        if shape.xZeros != .none { operands.append(1) }
        if shape.wZeros != .none {
            operands.append(shape.wZeros == .one ? 1 : shape.outChannels)
        }
        try expect(operands: operands.count)
        return StepExtent(
            operands: operands,
            result: try Self.product(
                [s.items, s.groups, s.outChannels, s.window.outPixels, 4]))
    }

    func requantizeExtent() throws(Failure) -> StepExtent {
        guard let s = RequantizeShape(ints),
            [s.planes, s.channels, s.pixels].allSatisfy({ $0 > 0 }),
            s.pixels <= Self.numberMax / 2
        else { throw Self.broken }
        try expect(operands: s.hasBias ? 5 : 4)
        let count = try Self.product([s.planes, s.pixels])
        return StepExtent(
            operands: [try Self.product([count, 4])] + (s.hasBias ? [s.channels * 4] : [])
                + [s.isByChannel ? s.channels * 4 : 4, 4, 1],
            result: count)
    }
}

// MARK: - Reference

extension HostSteps {
    /// Tap by tap.
    static func dotConvolve(_ step: Step, _ operands: [Tensor], shape: [Int]) -> Tensor {
        guard let s = DotConvolutionShape(step.ints) else { preconditionFailure("a convolution") }
        let (c, w) = (s.convolution, s.convolution.window)
        let (x, weights) = (integers(operands[0]), integers(operands[1]))
        let xZero = s.xZeros == .none ? 0 : integers(operands[2])[0]
        let wZero = s.wZeros == .none ? [0] : integers(operands[operands.count - 1])
        func sum(_ plane: Int, _ row: Int, _ column: Int) -> Int64 {
            let (item, out) = (plane / s.outChannels, plane % s.outChannels)
            let group = item * c.groups + out / c.outChannels
            let zero = wZero[s.wZeros == .lines ? out : 0]
            var sum: Int64 = 0
            for k in 0..<c.depth {
                let (channel, tap) = (k / w.taps, k % w.taps)
                let y = row * w.strideY + tap / w.kernelWidth * w.dilationY - w.top
                let at = column * w.strideX + tap % w.kernelWidth * w.dilationX - w.left
                guard (0..<w.height).contains(y), (0..<w.width).contains(at) else { continue }
                let place = ((group * c.channels + channel) * w.height + y) * w.width + at
                sum += (x[place] - xZero) * (weights[out * c.depth + k] - zero)
            }
            return sum
        }
        var out: [Int64] = []
        for plane in 0..<(c.items * s.outChannels) {
            for row in 0..<w.outHeight {
                for column in 0..<w.outWidth { out.append(sum(plane, row, column)) }
            }
        }
        return Tensor(out, type: .int32, shape: shape)
    }

    static func requantize(_ step: Step, _ operands: [Tensor], shape: [Int]) -> Tensor {
        guard let s = RequantizeShape(step.ints) else { preconditionFailure("a shape") }
        let sums = integers(operands[0])
        let bias = s.hasBias ? integers(operands[1]) : []
        let rest = operands.suffix(3).map(\.self)
        let (factors, unit) = (floats(rest[0]), floats(rest[1])[0])
        let zero = integers(rest[2])[0]
        let type = s.isSigned ? ElementType.int8 : .uint8
        let out = sums.indices.map { index -> Int64 in
            let channel = index / s.pixels % s.channels
            let sum = Int32(truncatingIfNeeded: sums[index] &+ (s.hasBias ? bias[channel] : 0))
            let scaled = Float(sum) * factors[s.isByChannel ? channel : 0]
            let v = Float.clip(
                Exact.div(scaled, unit).rounded(.toNearestOrEven), -255, 255)
            let whole = v.isNaN ? 0 : Int64(v)
            return min(max(whole + zero, type.limits.low), type.limits.high)
        }
        return Tensor(out, type: type, shape: shape)
    }
}
