internal import Core

/// What a pool makes of a window.
enum PoolKind {
    case max, average
    /// The p-norm.
    case power
}

/// Windows over any number of axes, from gathered elements and products of matrices.
extension Lowering {
    /// Every window's elements: [planes, positions, taps].
    private mutating func windows(
        _ x: Value, _ volume: Volume, fill: Float
    ) throws(Failure) -> Value {
        let outer = x.shape[0] * x.shape[1]
        var places = try volume.places()
        guard places.contains(nil) else {
            return try taken(
                x, outer: outer, places, shape: [outer, volume.positions, volume.taps])
        }
        // One more element in each plane stands for the padding.
        let count = volume.axes.reduce(1, *)
        places = places.map { $0 ?? count }
        let planes = try reshaped(x, [outer, count])
        let bits = try scalar(fill, x.type).constant?.bits ?? [0]
        let filled = try padded(planes, [0, 0], [0, 1], .constant(bits[0]))
        return try taken(
            filled, outer: outer, places, shape: [outer, volume.positions, volume.taps])
    }

    mutating func poolVolume(
        _ op: Operator, _ x: Value, _ kernel: [Int], _ kind: PoolKind
    ) throws(Failure) -> Value {
        let volume = try Volume(op, axes: Array(x.shape[2...]), kernel: kernel)
        let shape = Array(x.shape[..<2]) + volume.outAxes
        let fill: Float = kind == .max ? -.infinity : 0
        var elements = try windows(x, volume, fill: fill)
        let power = try op.int("p") ?? 2
        if kind == .power { elements = try powers(elements, power) }
        let operation: ReduceOperation = kind == .max ? .max : .sum
        let outer = elements.shape[0] * elements.shape[1]
        var result = try emit(
            .reduce, [elements],
            ints: [operation.rawValue, outer, volume.taps, 1, Int(x.type.rawValue)], type: x.type,
            shape: shape)
        if kind == .power { return try root(result, power) }
        if kind == .average {
            let divisors = volume.divisors(countsPadding: try op.flag("count_include_pad"))
            let divisor = Value(Tensor(divisors.map { Float($0) }, shape: volume.outAxes))
            result = try binary(.div, result, try cast(divisor, to: x.type))
        }
        return result
    }

    /// |x|^p.
    private mutating func powers(_ x: Value, _ power: Int) throws(Failure) -> Value {
        let magnitude = try unary(.abs, x)
        guard (1...64).contains(power) else {
            throw Failure(.unsupported, "a norm of p \(power); 1 to 64 expected")
        }
        return power == 1 ? magnitude : try unary(.power, magnitude, Float(power))
    }

    /// x^(1/p).
    private mutating func root(_ x: Value, _ power: Int) throws(Failure) -> Value {
        switch power {
        case 1: return x
        case 2: return try unary(.sqrt, x)
        default:
            let one = try scalar(1, x.type)
            let exponent = try binary(.div, one, try scalar(Float(power), x.type))
            return try binary(.pow, x, exponent)
        }
    }

    mutating func globalPowerPool(_ op: Operator) throws(Failure) -> Value {
        let x = try op.floats(0)
        guard x.shape.count >= 3 else { throw Failure(.malformed, "planes expected") }
        let power = try op.int("p") ?? 2
        let sum = try emit(
            .reduce, [try powers(x, power)],
            ints: [
                ReduceOperation.sum.rawValue, x.shape[0] * x.shape[1], x.shape[2...].reduce(1, *),
                1, Int(x.type.rawValue),
            ], type: x.type, shape: Array(x.shape[..<2]) + x.shape[2...].map { _ in 1 })
        return try root(sum, power)
    }

    // MARK: Convolutions

    mutating func convolvedVolume(
        _ op: Operator, _ x: Value, _ weights: Value, _ bias: Value?, _ epilogue: Epilogue,
        groups: Int
    ) throws(Failure) -> Value {
        let volume = try Volume(
            op, axes: Array(x.shape[2...]), kernel: Array(weights.shape[2...]))
        let (items, channels) = (x.shape[0], weights.shape[1])
        let (positions, taps) = (volume.positions, volume.taps)
        // Taps are the slower axis of a matrix's columns.
        let places = try volume.places()
        let turned = (0..<taps * positions).map { places[$0 % positions * taps + $0 / positions] }
        let columns = try taken(
            x, outer: items * groups * channels, turned,
            shape: [items, groups, channels * taps, positions])
        let factors = try reshaped(
            weights, [groups, weights.shape[0] / groups, channels * taps])
        var result = try reshaped(
            try multiply(factors, columns), [items, weights.shape[0]] + volume.outAxes)
        if let bias {
            let ones = volume.axes.map { _ in 1 }
            result = try binary(.add, result, try reshaped(bias, [weights.shape[0]] + ones))
        }
        switch epilogue.activation {
        case .none: return result
        case .relu: return try unary(.relu, result)
        case .clip(let low, let high): return try unary(.clip, result, low, high)
        }
    }

    mutating func convolveTransposed(_ op: Operator) throws(Failure) -> Value {
        let x = try op.floats(0)
        let weights = try op.floats(1)
        let groups = try op.int("group") ?? 1
        guard x.shape.count >= 3, weights.shape.count == x.shape.count, groups > 0,
            x.shape[1] == weights.shape[0], weights.shape[0] % groups == 0,
            !weights.shape.contains(0), !x.shape.contains(0)
        else {
            throw Failure(.malformed, "input \(x.shape.text), weights \(weights.shape.text)")
        }
        let fold = try Fold(op, axes: Array(x.shape[2...]), kernel: Array(weights.shape[2...]))
        let (items, channels) = (x.shape[0], x.shape[1] / groups)
        let outChannels = weights.shape[1]
        let taps = fold.kernel.reduce(1, *)
        let matrices = try reshaped(weights, [groups, channels, outChannels * taps])
        let turned = try transposed(matrices, [0, 2, 1])
        let columns = try reshaped(x, [items, groups, channels, fold.positions])
        let products = try multiply(turned, columns)
        var result = try folded(
            products, outer: items * groups * outChannels, fold,
            shape: [items, groups * outChannels] + fold.image)
        if let bias = try op.optional(2) {
            let ones = fold.image.map { _ in 1 }
            result = try binary(.add, result, try reshaped(bias, [groups * outChannels] + ones))
        }
        return result
    }

    mutating func columnsToImage(_ op: Operator) throws(Failure) -> Value {
        let x = try op.input(0)
        guard let image = try op.constantIntegers(1), let block = try op.constantIntegers(2),
            x.shape.count == 3, image.count == block.count, !image.isEmpty,
            (image + block).allSatisfy({ (1...(1 << 24)).contains($0) })
        else { throw Failure(.malformed, "columns, an image's and a block's shape expected") }
        let rank = image.count
        let pads = try op.ints("pads") ?? Array(repeating: 0, count: 2 * rank)
        let dilations = try op.sizes("dilations", rank: rank)
        let strides = try op.sizes("strides", rank: rank)
        guard pads.count == 2 * rank, pads.allSatisfy({ (0...(1 << 24)).contains($0) }) else {
            throw Failure(.malformed, "attribute \"pads\"")
        }
        let counts = (0..<rank).map { axis in
            let reach = (block[axis] - 1) * dilations[axis] + 1
            return (image[axis] + pads[axis] + pads[rank + axis] - reach) / strides[axis] + 1
        }
        let fold = Fold(
            axes: counts, kernel: block, strides: strides, dilations: dilations,
            begins: Array(pads[..<rank]), image: image)
        let taps = block.reduce(1, *)
        guard x.shape[1] % taps == 0, counts.allSatisfy({ $0 > 0 }), x.shape[2] == fold.positions
        else { throw Failure(.malformed, "\(x.shape.text); \(fold.positions) blocks expected") }
        let channels = x.shape[1] / taps
        return try folded(
            x, outer: x.shape[0] * channels, fold, shape: [x.shape[0], channels] + image)
    }

    /// Adds what falls on each element of an image, in the order of taps, from +0.
    private mutating func folded(
        _ x: Value, outer: Int, _ fold: Fold, shape: [Int]
    ) throws(Failure) -> Value {
        var sum: Value?
        for places in try fold.places() {
            let part = try taken(x, outer: outer, places, shape: shape)
            sum = try sum.map { (sum) throws(Failure) in try binary(.add, sum, part) } ?? part
        }
        guard let sum else { return try filled(try zero(x.type), shape) }
        return sum
    }
}

extension Volume {
    /// Elements of each window that count for its average.
    func divisors(countsPadding: Bool) -> [Int] {
        (0..<positions).map { position in
            let at = zip(outAxes.strides, outAxes).map { position / $0 % $1 }
            return axes.indices.reduce(1) { product, axis in
                let inside = (0..<kernel[axis]).filter { tap in
                    let index = at[axis] * strides[axis] - begins[axis] + tap * dilations[axis]
                    return countsPadding
                        ? index < axes[axis] + ends[axis] : (0..<axes[axis]).contains(index)
                }
                return product * inside.count
            }
        }
    }
}

/// Windows that give instead of taking: a transposed convolution, or columns made an image.
private struct Fold {
    /// Positions of the window.
    var axes: [Int]
    var kernel: [Int]
    var strides: [Int]
    var dilations: [Int]
    var begins: [Int]
    var image: [Int]

    var positions: Int { axes.reduce(1, *) }

    init(
        axes: [Int], kernel: [Int], strides: [Int], dilations: [Int], begins: [Int], image: [Int]
    ) {
        (self.axes, self.kernel, self.strides) = (axes, kernel, strides)
        (self.dilations, self.begins, self.image) = (dilations, begins, image)
    }

    /// Of a transposed convolution.
    init(_ op: Operator, axes: [Int], kernel: [Int]) throws(Failure) {
        let rank = axes.count
        let strides = try op.sizes("strides", rank: rank)
        let dilations = try op.sizes("dilations", rank: rank)
        let extra = try op.ints("output_padding") ?? Array(repeating: 0, count: rank)
        var pads = try op.ints("pads") ?? Array(repeating: 0, count: 2 * rank)
        guard extra.count == rank, pads.count == 2 * rank,
            (extra + pads).allSatisfy({ (0...(1 << 20)).contains($0) })
        else { throw Failure(.malformed, "pads and output_padding from 0 for each axis expected") }
        let whole = (0..<rank).map { axis -> Int in
            let reach = (kernel[axis] - 1) * dilations[axis] + 1
            return strides[axis] * (axes[axis] - 1) + extra[axis] + reach
        }
        let mode = try op.string("auto_pad") ?? "NOTSET"
        var image = (0..<rank).map { axis -> Int in
            whole[axis] - pads[axis] - pads[rank + axis]
        }
        let isSame = mode.hasPrefix("SAME")
        if let given = try op.ints("output_shape") {
            guard given.count >= rank else { throw Failure(.malformed, "output_shape") }
            image = Array(given.suffix(rank))
        } else if isSame {
            image = (0..<rank).map { axes[$0] * strides[$0] }
        }
        if isSame || op.node.attributes["output_shape"] != nil {
            for axis in 0..<rank {
                let total = max(0, whole[axis] - image[axis])
                pads[axis] = mode == "SAME_UPPER" ? total / 2 : total - total / 2
            }
        }
        guard image.allSatisfy({ (1...(1 << 24)).contains($0) }) else {
            throw Failure(.malformed, "an image of \(image.text)")
        }
        self.init(
            axes: axes, kernel: kernel, strides: strides, dilations: dilations,
            begins: Array(pads[..<rank]), image: image)
    }

    /// Tables of places among [taps, positions] that fall on each element of the image: the first
    /// table has each element's first, and so on.
    func places() throws(Failure) -> [[Int?]] {
        let taps = kernel.reduce(1, *)
        let (size, _) = image.reduce(1, *).multipliedReportingOverflow(by: 1)
        guard size <= Lowering.foldedElementsMax, taps * positions <= Lowering.foldedElementsMax
        else { throw Failure(.limit, "an image of \(image.text)") }
        var counts = [Int](repeating: 0, count: size)
        var tables: [[Int?]] = []
        let imageStrides = image.strides
        for tap in 0..<taps {
            let k = zip(kernel.strides, kernel).map { tap / $0 % $1 }
            for position in 0..<positions {
                let at = zip(axes.strides, axes).map { position / $0 % $1 }
                var place = 0
                var isInside = true
                for axis in axes.indices {
                    let index = at[axis] * strides[axis] - begins[axis] + k[axis] * dilations[axis]
                    isInside = isInside && (0..<image[axis]).contains(index)
                    place += index * imageStrides[axis]
                }
                guard isInside else { continue }
                if counts[place] == tables.count {
                    tables.append([Int?](repeating: nil, count: size))
                }
                tables[counts[place]][place] = tap * positions + position
                counts[place] += 1
            }
        }
        return tables
    }
}

// MARK: - On the host

extension Lowering {
    /// Maxima of any numbers, and where they were.
    mutating func maximaOnHost(_ op: Operator, _ isIndexed: Bool) throws(Failure) {
        let x = try op.data(try op.input(0))
        guard x.shape.count >= 3, let kernel = try op.ints("kernel_shape") else {
            throw Failure(.malformed, "items, channels, planes and a kernel_shape expected")
        }
        let volume = try Volume(op, axes: Array(x.shape[2...]), kernel: kernel)
        let isByColumn = try op.flag("storage_order")
        let places = try volume.places()
        let plane = volume.axes.reduce(1, *)
        let keys = x.keys
        var picked: [Int] = []
        for base in stride(from: 0, to: x.count, by: plane) {
            for position in 0..<volume.positions {
                var best: Int?
                for tap in 0..<volume.taps {
                    guard let place = places[position * volume.taps + tap] else { continue }
                    if best.map({ keys[base + place] > keys[base + $0] }) ?? true { best = place }
                }
                guard let best else { throw Failure(.malformed, "a window in the padding alone") }
                picked.append(base + best)
            }
        }
        let shape = Array(x.shape[..<2]) + volume.outAxes
        try define(op, Value(x.taking(picked, shape: shape)))
        guard isIndexed else { return }
        let indices = picked.map { place -> Int64 in
            isByColumn ? Self.byColumn(place, plane, volume.axes) : Int64(place)
        }
        try define(op, Value(Tensor(indices, type: .int64, shape: shape)), at: 1)
    }

    /// A place among planes whose first axis is the fastest.
    private static func byColumn(_ place: Int, _ plane: Int, _ axes: [Int]) -> Int64 {
        var turned = place / plane * plane
        var step = 1
        for (axis, stride) in zip(axes, axes.strides) {
            turned += place % plane / stride % axis * step
            step *= axis
        }
        return Int64(turned)
    }

    /// A product of matrices of integers, modulo their width.
    mutating func multiplyWhole(
        _ a: Value, _ b: Value, _ op: Operator
    ) throws(Failure) -> Value {
        let left = try op.data(a)
        let right = try op.data(b)
        guard left.shape.count >= 1, right.shape.count >= 1 else {
            throw Failure(.malformed, "scalars; matrices expected")
        }
        let aShape = left.shape.count == 1 ? [1] + left.shape : left.shape
        let bShape = right.shape.count == 1 ? right.shape + [1] : right.shape
        let (rows, depth) = (aShape[aShape.count - 2], aShape[aShape.count - 1])
        let columns = bShape[bShape.count - 1]
        guard bShape[bShape.count - 2] == depth else {
            throw Failure(.malformed, "\(left.shape.text) times \(right.shape.text)")
        }
        let batch = try Broadcast([Array(aShape.dropLast(2)), Array(bShape.dropLast(2))])
        let starts = batch.strides.map { HostSteps.positions(batch.axes, $0, 0) }
        let x = left.integers ?? []
        let y = right.integers ?? []
        var out: [Int64] = []
        for (i, j) in zip(starts[0], starts[1]) {
            for row in 0..<rows {
                for column in 0..<columns {
                    out.append(
                        (0..<depth).reduce(0) {
                            $0 &+ x[(i * rows + row) * depth + $1]
                                &* y[(j * depth + $1) * columns + column]
                        })
                }
            }
        }
        let shape =
            batch.shape + (left.shape.count == 1 ? [] : [rows])
            + (right.shape.count == 1 ? [] : [columns])
        return Value(Tensor(out, type: a.type, shape: shape))
    }
}

enum Pooling {
    /// Puts maxima back where they were.
    static func unpool(_ op: Operator, _ inputs: [Tensor?]) throws(Failure) -> Tensor {
        guard let x = inputs[0], let places = inputs[1]?.integers, x.shape.count >= 3,
            places.count == x.count, let kernel = try op.ints("kernel_shape")
        else { throw Failure(.malformed, "maxima and their indices expected") }
        let rank = x.shape.count - 2
        let strides = try op.sizes("strides", rank: rank)
        let pads = try op.ints("pads") ?? Array(repeating: 0, count: 2 * rank)
        guard kernel.count == rank, pads.count == 2 * rank else {
            throw Failure(.malformed, "a kernel_shape and pads for each axis expected")
        }
        let natural =
            Array(x.shape[..<2])
            + (0..<rank).map {
                (x.shape[2 + $0] - 1) * strides[$0] - pads[$0] - pads[rank + $0] + kernel[$0]
            }
        var shape = natural
        if inputs.count > 2, let given = inputs[2]?.integers { shape = given.map(Int.init) }
        shape = try Shape.checked(shape)
        guard shape.count == natural.count, shape.elementCount <= Lowering.foldedElementsMax else {
            throw Failure(.malformed, "an output of \(shape.text)")
        }
        var bits = [UInt64](repeating: 0, count: shape.elementCount)
        for (place, value) in zip(places, x.bits) {
            // Indices count in the natural shape, at whose start a larger one holds the same axes.
            let at = zip(natural.strides, natural).map { Int(place) / $0 % $1 }
            let to = zip(at, shape.strides).reduce(0) { $0 + $1.0 * $1.1 }
            guard place >= 0, place < natural.elementCount, to < bits.count else {
                throw Failure(.malformed, "index \(place) outside of \(natural.text)")
            }
            bits[to] = value
        }
        return Tensor(bits: bits, type: x.type, shape: shape)
    }
}
