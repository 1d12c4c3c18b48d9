internal import Core

extension Operators {
    /// Operators that resample along axes.
    static let resampling: Table = [
        "Resize": value(1...4, from: 10, widens: true) { (lowering, op) throws(Failure) in
            try lowering.resize(op)
        },
        "Upsample": value(1...2) { (lowering, op) throws(Failure) in
            try lowering.resize(op)
        },
    ]
}

/// How one axis is resampled: which elements each new one is made of, and their weights.
private struct AxisSampling {
    var indices: [[Int]] = []
    var weights: [[Float]] = []
    /// New elements that lie outside and take a given value.
    var outside: [Bool] = []
}

/// Attributes of a resize, and coordinates in double: IEEE operations alone.
private struct Resampler {
    var mode = "nearest"
    var transformation = "half_pixel"
    var nearest = "round_prefer_floor"
    var cubicA = -0.75
    var excludesOutside = false
    var antialiases = false

    /// Where new element `x` lies among the old ones.
    func origin(
        _ x: Int, _ old: Int, _ new: Int, _ scale: Double, _ roi: (Double, Double)
    )
        -> Double
    {
        let x = Double(x)
        switch transformation {
        case "asymmetric": return x / scale
        case "align_corners":
            let last = scale * Double(old) - 1
            return new == 1 || last <= 0 ? 0 : x * Double(old - 1) / last
        case "pytorch_half_pixel": return new > 1 ? (x + 0.5) / scale - 0.5 : 0
        case "tf_half_pixel_for_nn": return (x + 0.5) / scale
        case "half_pixel_symmetric":
            let adjustment = Double(new) / (scale * Double(old))
            let offset = Double(old) / 2 * (1 - adjustment)
            return offset + (x + 0.5) / scale - 0.5
        case "tf_crop_and_resize":
            let last = Double(old - 1)
            return new > 1
                ? roi.0 * last + x * (roi.1 - roi.0) * last / Double(new - 1)
                : 0.5 * (roi.0 + roi.1) * last
        default: return (x + 0.5) / scale - 0.5
        }
    }

    private func cubic(_ t: Double) -> Double {
        let t = abs(t)
        let a = cubicA
        if t <= 1 { return ((a + 2) * t - (a + 3)) * t * t + 1 }
        return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0
    }

    /// Elements and weights of a new element at `x`.
    private func taps(_ x: Double, _ old: Int, _ scale: Double) -> [(Int, Double)] {
        // The element on the left is preferred.
        let base = x.rounded(.up) - 1
        let ratio = x - base
        let isCubic = mode == "cubic"
        let reach = isCubic ? 2.0 : 1.0
        let shrink = antialiases ? min(scale, 1) : 1
        let start = (-reach / shrink).rounded(.down) + 1
        let count = Int(2 - 2 * start)
        var taps = (0..<count).map { tap -> (Int, Double) in
            let offset = start + Double(tap)
            let t = (offset - ratio) * shrink
            let weight = isCubic ? cubic(t) : max(0, 1 - abs(t))
            return (Int(base + offset), weight)
        }
        if excludesOutside { taps.removeAll { !(0..<old).contains($0.0) } }
        let sum = taps.reduce(0) { $0 + $1.1 }
        if excludesOutside || antialiases { taps = taps.map { ($0.0, $0.1 / sum) } }
        return taps.map { (min(max($0.0, 0), old - 1), $0.1) }
    }

    private func nearest(_ x: Double, _ old: Int) -> Int {
        let index =
            switch nearest {
            case "floor": x.rounded(.down)
            case "ceil": x.rounded(.up)
            case "round_prefer_ceil": (x + 0.5).rounded(.down)
            default: (x - 0.5).rounded(.up)
            }
        return Int(min(max(index, 0), Double(old - 1)))
    }

    func sampling(
        _ old: Int, _ new: Int, _ scale: Double, _ roi: (Double, Double)
    ) -> AxisSampling {
        var sampling = AxisSampling()
        for x in 0..<new {
            let at = origin(x, old, new, scale, roi)
            sampling.outside.append(
                transformation == "tf_crop_and_resize" && (at < 0 || at > Double(old - 1)))
            if mode == "nearest" {
                sampling.indices.append([nearest(at, old)])
                sampling.weights.append([1])
            } else {
                let taps = taps(min(max(at, -Double(old)), 2 * Double(old)), old, scale)
                sampling.indices.append(taps.map(\.0))
                sampling.weights.append(taps.map { Float($0.1) })
            }
        }
        return sampling
    }
}

extension Lowering {
    fileprivate mutating func resize(_ op: Operator) throws(Failure) -> Value {
        let x = try op.input(0)
        let isOld = op.opset < 11 || op.node.type == "Upsample"
        var resampler = Resampler()
        resampler.mode = try op.string("mode") ?? "nearest"
        if resampler.mode == "bilinear" { resampler.mode = "linear" }
        resampler.transformation =
            isOld ? "asymmetric" : try op.string("coordinate_transformation_mode") ?? "half_pixel"
        resampler.nearest = isOld ? "floor" : try op.string("nearest_mode") ?? "round_prefer_floor"
        resampler.cubicA = Double(try op.float("cubic_coeff_a") ?? -0.75)
        resampler.excludesOutside = try op.flag("exclude_outside")
        resampler.antialiases = try op.flag("antialias")
        guard ["nearest", "linear", "cubic"].contains(resampler.mode),
            resampler.mode == "nearest" || x.type.isFloating, !x.shape.contains(0)
        else {
            throw Failure(
                .unsupported, "mode \(resampler.mode.printable) of \(x.type.name) \(x.shape.text)")
        }
        let axes =
            try op.ints("axes").map { (axes) throws(Failure) in
                try axes.map { (axis) throws(Failure) in try op.axis(axis, rank: x.shape.count) }
            } ?? Array(x.shape.indices)
        let (sizes, scales) = try target(op, x.shape, axes)
        let roi =
            try isOld
            ? nil
            : op.optional(1).map { (value) throws(Failure) in
                try op.data(value)
            }
        let region = roi?.floats?.map(Double.init) ?? []
        let outside = try op.float("extrapolation_value") ?? 0
        var value = x
        // Picks may be in any order: inner axes first, so that outer ones take whole rows.
        let isPick = resampler.mode == "nearest"
        for (index, axis) in axes.enumerated().sorted(by: { isPick && $0.1 > $1.1 }) {
            let isRegion = region.count == 2 * axes.count
            let bounds = isRegion ? (region[index], region[axes.count + index]) : (0, 1)
            let sampling = resampler.sampling(
                x.shape[axis], sizes[index], scales[index], bounds)
            value = try resampled(value, axis, sampling, outside)
        }
        return value
    }

    /// New sizes and scales of `axes`.
    private func target(
        _ op: Operator, _ shape: [Int], _ axes: [Int]
    ) throws(Failure) -> ([Int], [Double]) {
        var scales: [Double] = []
        if op.node.type == "Upsample", op.opset < 9 {
            scales = (try op.floatList("scales") ?? []).map(Double.init)
        } else {
            let place = op.opset < 11 || op.node.type == "Upsample" ? 1 : 2
            if let value = try op.optional(place) {
                scales = (try op.data(value).floats ?? []).map(Double.init)
            }
        }
        if !scales.isEmpty {
            guard scales.count == axes.count,
                scales.allSatisfy({ $0 > 0 && $0 < 1e6 })
            else { throw Failure(.malformed, "a scale above 0 for each axis expected") }
            return (
                zip(axes, scales).map { Int((Double(shape[$0]) * $1).rounded(.down)) }, scales
            )
        }
        guard var sizes = try op.constantIntegers(3), sizes.count == axes.count,
            sizes.allSatisfy({ (1...(1 << 24)).contains($0) })
        else { throw Failure(.malformed, "a scale or a size for each axis expected") }
        scales = zip(axes, sizes).map { Double($1) / Double(shape[$0]) }
        let policy = try op.string("keep_aspect_ratio_policy") ?? "stretch"
        if policy != "stretch" {
            guard ["not_larger", "not_smaller"].contains(policy) else {
                throw Failure(.malformed, "keep_aspect_ratio_policy \(policy.printable)")
            }
            let scale = (policy == "not_larger" ? scales.min() : scales.max()) ?? 1
            sizes = axes.map { Int((Double(shape[$0]) * scale + 0.5).rounded(.down)) }
            scales = axes.map { _ in scale }
        }
        return (sizes, scales)
    }

    /// Weighted sums of elements along an axis: each product and sum rounded, in the taps' order.
    private mutating func resampled(
        _ x: Value, _ axis: Int, _ sampling: AxisSampling, _ outside: Float
    ) throws(Failure) -> Value {
        let count = sampling.indices.count
        let tail = Array(repeating: 1, count: x.shape.count - 1 - axis)
        var sum: Value?
        for tap in 0..<(sampling.indices.map(\.count).max() ?? 0) {
            let weights = sampling.weights.map { tap < $0.count ? $0[tap] : 0 }
            if weights.allSatisfy({ $0 == 0 }) { continue }
            let indices = sampling.indices.map { tap < $0.count ? $0[tap] : 0 }
            var part = try picked(x, axis, indices)
            if weights.contains(where: { $0 != 1 }) {
                let factor = try cast(Value(Tensor(weights, shape: [count] + tail)), to: x.type)
                part = try binary(.mul, part, factor)
            }
            sum = try sum.map { (sum) throws(Failure) in try binary(.add, sum, part) } ?? part
        }
        guard let sum else {
            var shape = x.shape
            shape[axis] = count
            return try filled(try zero(x.type), shape)
        }
        guard sampling.outside.contains(true) else { return sum }
        let mask = Value(
            Tensor(sampling.outside.map { $0 ? 1 : 0 }, type: .bool, shape: [count] + tail))
        return try choose(mask, try cast(Value(Tensor([outside], shape: [1])), to: x.type), sum)
    }

    /// Some indices of an axis.
    mutating func picked(
        _ x: Value, _ axis: Int, _ indices: [Int]
    ) throws(Failure) -> Value {
        if indices == Array(0..<x.shape[axis]) { return x }
        let inner = x.shape[(axis + 1)...].reduce(1, *)
        let times = x.shape[axis] > 0 ? indices.count / x.shape[axis] : 0
        if times > 1, indices == (0..<x.shape[axis] * times).map({ $0 / times }) {
            // Each as often: a copy reads no table.
            var shape = x.shape
            shape[axis] = indices.count
            let rows = x.shape[...axis].reduce(1, *)
            let lists = inner == 1 ? [times, 1, 0] : [times, inner, inner, 0, 1]
            return try emit(
                .copy, [x], ints: [Int(x.type.rawValue), 0, rows] + lists, type: x.type,
                shape: shape)
        }
        let table = Tensor(indices.map(Int64.init), type: .int32, shape: [indices.count])
        return try gathered(x, Value(table), axis: axis)
    }
}
