internal import Core

extension Operators {
    /// Operators on signals. Angles are parts of a whole turn, exact before they are rounded.
    static let signal: Table = [
        "BlackmanWindow": window([0.42, -0.5, 0.08]),
        "DFT": value(1...3) { (lowering, op) throws(Failure) in try lowering.transform(op) },
        "HammingWindow": window([25.0 / 46, -21.0 / 46]),
        "HannWindow": window([0.5, -0.5]),
        "MelWeightMatrix": host(5...5) { (op, inputs) throws(Failure) in
            [try Mel(op, inputs).matrix()]
        },
        "STFT": value(2...4) { (lowering, op) throws(Failure) in
            try lowering.shortTransform(op)
        },
    ]

    /// A window as a sum of cosines.
    private static func window(_ coefficients: [Double]) -> Entry {
        host(1...1) { (op, inputs) throws(Failure) in
            guard let size = inputs[0]?.integers?.first.map(Int.init),
                (0...(1 << 24)).contains(size)
            else { throw Failure(.malformed, "a size of one integer expected") }
            let isPeriodic = try op.flag("periodic", default: true)
            let turn = max(isPeriodic ? size : size - 1, 1)
            let values = (0..<size).map { n in
                coefficients.enumerated().reduce(0.0) {
                    $0 + $1.element * Turn.cosine($1.offset * n, turn)
                }
            }
            let code = try op.int("output_datatype") ?? 1
            guard let type = UInt8(exactly: code).flatMap(ElementType.init) else {
                throw Failure(.unsupported, "output_datatype \(code)")
            }
            return [HostSteps.cast(Tensor(doubles: values, shape: [size]), to: type, shape: [size])]
        }
    }
}

/// Sines and cosines of parts of a turn, in double, by Taylor's series on an eighth of a turn.
enum Turn {
    private static let tau = 6.283185307179586

    static func cosine(_ k: Int, _ n: Int) -> Double { parts(k, n).cosine }
    static func sine(_ k: Int, _ n: Int) -> Double { parts(k, n).sine }

    private static func series(_ x: Double, _ first: Double, _ from: Int) -> Double {
        var term = first
        var sum = first
        for i in stride(from: from, to: from + 22, by: 2) {
            term = -term * x * x / Double((i + 1) * (i + 2))
            sum += term
        }
        return sum
    }

    private static func parts(_ k: Int, _ n: Int) -> (cosine: Double, sine: Double) {
        let rest = ((k % n) + n) % n
        // Eighths of a turn: the angle is (eighth + part) / 8.
        let eighth = 8 * rest / n
        let part = 8 * rest - eighth * n
        let isOdd = eighth % 2 == 1
        let x = Double(isOdd ? n - part : part) / Double(8 * n) * tau
        let cosine = series(x, 1, 0)
        let sine = series(x, x, 1)
        let quarter = (eighth + 1) / 2 % 4
        let (c, s) = (cosine, isOdd ? -sine : sine)
        switch quarter {
        case 0: return (c, s)
        case 1: return (-s, c)
        case 2: return (-c, -s)
        default: return (s, -c)
        }
    }
}

extension Lowering {
    /// A Fourier transform as a product with the matrix of its roots of unity.
    fileprivate mutating func transform(_ op: Operator) throws(Failure) -> Value {
        var x = try op.floats(0)
        let given = try op.opset < 20 ? op.int("axis") ?? 1 : op.constantIntegers(2)?.first ?? -2
        let rank = x.shape.count
        let axis = try op.axis(given, rank: rank)
        guard rank >= 2, let kinds = x.shape.last, kinds == 1 || kinds == 2, axis < rank - 1 else {
            throw Failure(.malformed, "\(x.shape.text): a last axis of 1 or 2 expected")
        }
        let length = try op.constantIntegers(1)?.first ?? x.shape[axis]
        guard (1...(1 << 14)).contains(length) else {
            throw Failure(.limit, "a transform of \(length); at most 16384 expected")
        }
        x = try fitted(x, axis, length)
        // [outer, length, inner, kinds] → [outer · inner, length · kinds]
        let outer = x.shape[..<axis].reduce(1, *)
        let inner = x.shape[(axis + 1)...].dropLast().reduce(1, *)
        let lined = try transposed(try reshaped(x, [outer, length, inner, kinds]), [0, 2, 1, 3])
        let isInverse = try op.flag("inverse")
        let isOneSided = try op.flag("onesided")
        let isHermitian = isOneSided && isInverse
        let count = isOneSided && !isInverse ? length / 2 + 1 : length
        guard !isHermitian else { throw Failure(.unsupported, "a one-sided inverse transform") }
        let matrix = try roots(
            length, count, kinds: kinds, isInverse: isInverse, x.type, window: nil)
        let product = try multiply(
            try reshaped(lined, [outer * inner, length * kinds]), matrix)
        let split = try transposed(
            try reshaped(product, [outer, inner, count, 2]), [0, 2, 1, 3])
        var shape = x.shape
        shape[axis] = count
        shape[rank - 1] = 2
        return try reshaped(split, shape)
    }

    /// An axis cut, or filled with zeros, to a length.
    private mutating func fitted(
        _ x: Value, _ axis: Int, _ length: Int
    ) throws(Failure) -> Value {
        let size = x.shape[axis]
        if size > length { return try sliced(x, axis, 0, length) }
        var ends = Array(repeating: 0, count: x.shape.count)
        let begins = ends
        ends[axis] = length - size
        return try padded(x, begins, ends, .constant(0))
    }

    /// [length · kinds, count · 2]: what a part of an element adds to a part of a frequency.
    private func roots(
        _ length: Int, _ count: Int, kinds: Int, isInverse: Bool, _ type: ElementType,
        window: [Double]?
    ) throws(Failure) -> Value {
        guard length * kinds * count * 2 <= Self.foldedElementsMax else {
            throw Failure(.limit, "a transform of \(length)")
        }
        var matrix: [Double] = []
        matrix.reserveCapacity(length * kinds * count * 2)
        let scale = isInverse ? 1 / Double(length) : 1
        for n in 0..<length {
            let factor = scale * (window?[n] ?? 1)
            for kind in 0..<kinds {
                for k in 0..<count {
                    let c = Turn.cosine(n * k % length, length) * factor
                    let s = Turn.sine(n * k % length, length) * (isInverse ? factor : -factor)
                    matrix += kind == 0 ? [c, s] : [-s, c]
                }
            }
        }
        let shape = [length * kinds, count * 2]
        let tensor = Tensor(doubles: matrix, shape: shape)
        return Value(type == .double ? tensor : HostSteps.cast(tensor, to: type, shape: shape))
    }

    /// Transforms of overlapping frames.
    fileprivate mutating func shortTransform(_ op: Operator) throws(Failure) -> Value {
        var x = try op.floats(0)
        if x.shape.count == 2 { x = try reshaped(x, x.shape + [1]) }
        let window = try op.optional(2).map { (value) throws(Failure) in try op.data(value) }
        let length = try op.constantIntegers(3)?.first ?? window?.count ?? 0
        guard x.shape.count == 3, let step = try op.constantIntegers(1)?.first, step > 0,
            length > 0, length <= min(1 << 14, x.shape[1]), window?.count ?? length == length
        else { throw Failure(.malformed, "a signal, a step and a frame's length expected") }
        let frames = (x.shape[1] - length) / step + 1
        let kinds = x.shape[2]
        let places = (0..<frames).flatMap { frame in
            (0..<length * kinds).map { frame * step * kinds + $0 }
        }
        let cut = try taken(
            x, outer: x.shape[0], places, shape: [x.shape[0], frames, length * kinds])
        let isOneSided = try op.flag("onesided", default: true) && kinds == 1
        let count = isOneSided ? length / 2 + 1 : length
        let weights = window?.floats?.map(Double.init) ?? window?.doubles
        let matrix = try roots(
            length, count, kinds: kinds, isInverse: false, x.type, window: weights)
        return try reshaped(
            try multiply(cut, matrix), [x.shape[0], frames, count, 2])
    }
}

/// Triangular filters on the mel scale.
private struct Mel {
    let bins: Int
    let length: Int
    let rate: Int
    let low: Float
    let high: Float
    let type: ElementType

    init(_ op: Operator, _ inputs: [Tensor?]) throws(Failure) {
        guard let bins = inputs[0]?.integers?.first, let length = inputs[1]?.integers?.first,
            let rate = inputs[2]?.integers?.first, let low = inputs[3]?.floats?.first,
            let high = inputs[4]?.floats?.first, (1...4096).contains(bins),
            (1...(1 << 20)).contains(length), (1...(1 << 30)).contains(rate)
        else { throw Failure(.malformed, "sizes, a rate and two frequencies expected") }
        (self.bins, self.length, self.rate) = (Int(bins), Int(length), Int(rate))
        (self.low, self.high) = (low, high)
        let code = try op.int("output_datatype") ?? 1
        guard let type = UInt8(exactly: code).flatMap(ElementType.init) else {
            throw Failure(.unsupported, "output_datatype \(code)")
        }
        self.type = type
    }

    /// 2595 log10(1 + f/700), and its inverse, by the exact functions.
    private func mel(_ f: Float) -> Float {
        2595 * (Float.function(.log, 1 + f / 700, 0, 0) ?? 0) * 0x1.bcb7b2p-2
    }
    private func frequency(_ mel: Float) -> Float {
        700 * (Float.power(10, mel / 2595) - 1)
    }

    func matrix() -> Tensor {
        let spectrum = length / 2 + 1
        let (bottom, top) = (mel(low), mel(high))
        let step = (top - bottom) / Float(bins + 2)
        let edges = (0..<(bins + 2)).map { index -> Int in
            let at = frequency(Float(index) * step + bottom) * Float(length + 1) / Float(rate)
            return Int(min(max(at.rounded(.down), 0), Float(spectrum)))
        }
        var weights = [Float](repeating: 0, count: spectrum * bins)
        for bin in 0..<bins {
            let (left, middle, right) = (edges[bin], edges[bin + 1], edges[bin + 2])
            if middle == left, middle < spectrum { weights[middle * bins + bin] = 1 }
            for j in left..<max(left, min(middle + 1, spectrum)) where middle > left {
                weights[j * bins + bin] = Float(j - left) / Float(middle - left)
            }
            for j in middle..<max(middle, min(right, spectrum)) where right > middle {
                weights[j * bins + bin] = Float(right - j) / Float(right - middle)
            }
        }
        let tensor = Tensor(weights, shape: [spectrum, bins])
        return HostSteps.cast(tensor, to: type, shape: tensor.shape)
    }
}
