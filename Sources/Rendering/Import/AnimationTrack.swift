internal import Core

/// What one animation sampler says, as functions of time (glTF 2.0 §3.11 and appendix C).
///
/// Doubles by + − × ÷ √ alone. Before the first key the first value holds, after the last the last.
struct AnimationTrack {
    enum Interpolation: String {
        case step = "STEP"
        case linear = "LINEAR"
        case cubic = "CUBICSPLINE"

        /// Values in a row for each key: a cubic one has tangents before and behind its value.
        var valuesPerKey: Int { self == .cubic ? 3 : 1 }
    }

    /// Seconds, not falling; at least one.
    let times: [Float]
    /// `times.count * interpolation.valuesPerKey` values of `lanes` numbers.
    let values: [Float]
    let lanes: Int
    let interpolation: Interpolation

    /// The value at `seconds`, each lane by itself.
    func value(at seconds: Double) -> [Double] {
        let (key, fraction, span) = place(of: seconds)
        guard fraction > 0, interpolation != .step else { return self.value(key) }
        if interpolation == .cubic { return cubic(key, fraction, span) }
        let rest = 1 - fraction
        return zip(self.value(key), self.value(key + 1)).map { rest * $0 + fraction * $1 }
    }

    /// The rotation at `seconds`, of unit length; nil where a key has no direction.
    func rotation(at seconds: Double) -> [Double]? {
        let (key, fraction, span) = place(of: seconds)
        guard let here = Quaternion(self.value(key)) else { return nil }
        guard fraction > 0, interpolation != .step else { return here.lanes }
        // A spline may pass through zero, where there is no direction to turn to.
        if interpolation == .cubic {
            return (Quaternion(cubic(key, fraction, span)) ?? here).lanes
        }
        guard let next = Quaternion(self.value(key + 1)) else { return nil }
        return here.turned(toward: next, by: fraction).lanes
    }

    /// The last key at or before `seconds`, how far the way to the next is gone, and its length.
    private func place(of seconds: Double) -> (key: Int, fraction: Double, span: Double) {
        var low = 0
        var high = times.count
        while low < high {
            let middle = (low + high) / 2
            if Double(times[middle]) <= seconds { low = middle + 1 } else { high = middle }
        }
        guard low > 0, low < times.count else { return (max(low - 1, 0), 0, 0) }
        let start = Double(times[low - 1])
        let span = Double(times[low]) - start
        return (low - 1, (seconds - start) / span, span)
    }

    private func value(_ key: Int) -> [Double] {
        numbers(interpolation == .cubic ? 3 * key + 1 : key)
    }

    private func numbers(_ index: Int) -> [Double] {
        values[index * lanes..<(index + 1) * lanes].map(Double.init)
    }

    private func cubic(_ key: Int, _ t: Double, _ span: Double) -> [Double] {
        let (from, out) = (numbers(3 * key + 1), numbers(3 * key + 2))
        let (into, to) = (numbers(3 * key + 3), numbers(3 * key + 4))
        let t2 = t * t
        let t3 = t2 * t
        return (0..<lanes).map { lane in
            let start = (2 * t3 - 3 * t2 + 1) * from[lane] + (t3 - 2 * t2 + t) * span * out[lane]
            let end = (3 * t2 - 2 * t3) * to[lane] + (t3 - t2) * span * into[lane]
            return start + end
        }
    }
}

/// A rotation as a unit quaternion x, y, z, w.
struct Quaternion {
    private var value: SIMD4<Double>

    /// Nil where the numbers have no direction.
    init?(_ lanes: [Double]) {
        self.init(SIMD4(lanes[0], lanes[1], lanes[2], lanes[3]))
    }

    private init?(_ value: SIMD4<Double>) {
        let length = Self.dot(value, value).squareRoot()
        guard length > 1e-6, length < 1e6 else { return nil }
        self.value = SIMD4(
            value.x / length, value.y / length, value.z / length, value.w / length)
    }

    var lanes: [Double] { [value.x, value.y, value.z, value.w] }

    private static func dot(_ a: SIMD4<Double>, _ b: SIMD4<Double>) -> Double {
        (a.x * b.x + a.y * b.y) + (a.z * b.z + a.w * b.w)
    }

    /// Spherical linear interpolation along the shorter arc, without a sine.
    ///
    /// The normalised sum of two unit quaternions lies exactly half way, so halving the arc leads
    /// to any fraction; after 16 halvings the arc is under 0.00003 rad, and the straight line
    /// differs from it by less than a double's last bits.
    func turned(toward other: Quaternion, by fraction: Double) -> Quaternion {
        var low = self
        var high = other
        if Self.dot(low.value, high.value) < 0 { high.value = -high.value }
        var rest = fraction
        for _ in 0..<16 {
            guard let middle = Quaternion(low.value + high.value) else { return self }
            rest *= 2
            if rest >= 1 {
                rest -= 1
                low = middle
            } else {
                high = middle
            }
        }
        return Quaternion(low.value * (1 - rest) + high.value * rest) ?? self
    }
}
