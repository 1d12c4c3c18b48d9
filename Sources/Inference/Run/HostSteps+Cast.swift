internal import Core

extension HostSteps {
    /// Floats become integers by truncation, saturating, NaN giving 0; integers wrap; what becomes
    /// a float is rounded to nearest, ties to even, integers on the way to narrow floats to float32
    /// first.
    static func cast(
        _ tensor: Tensor, to type: ElementType, shape: [Int], saturates: Bool = true
    ) -> Tensor {
        switch tensor.elements {
        case .floats(let values):
            return cast(values, to: type, shape) { value in
                type == .double ? 0 : NarrowFloat.round(value, type, saturates: saturates)
            }
        case .doubles(let values):
            return cast(values, to: type, shape) { value in
                type == .float32
                    ? Float(value)
                    : NarrowFloat.round(value.roundedToOdd, type, saturates: saturates)
            }
        case .integers(let values):
            let isWide = tensor.type == .uint64
            if type == .bool {
                return Tensor(values.map { $0 != 0 ? 1 : 0 }, type: type, shape: shape)
            }
            if type.isInteger { return Tensor(values, type: type, shape: shape) }
            if type == .double {
                return Tensor(
                    doubles: values.map { isWide ? Double(UInt64(bitPattern: $0)) : Double($0) },
                    shape: shape)
            }
            let floats = values.map { isWide ? Float(UInt64(bitPattern: $0)) : Float($0) }
            if type == .float32 { return Tensor(floats, shape: shape) }
            return Tensor(floats, rounding: type, shape: shape)
        }
    }

    private static func cast<T: HostReal>(
        _ values: [T], to type: ElementType, _ shape: [Int], narrow: (T) -> Float
    ) -> Tensor {
        if type == .bool {
            return Tensor(values.map { $0 != 0 ? 1 : 0 }, type: type, shape: shape)
        }
        if type == .double { return Tensor(doubles: values.map { Double($0) }, shape: shape) }
        if type.isFloat { return Tensor(values.map(narrow), shape: shape, as: type) }
        return Tensor(values.map { integer($0, type) }, type: type, shape: shape)
    }

    /// By truncation, saturating; NaN gives 0.
    private static func integer<T: HostReal>(_ value: T, _ type: ElementType) -> Int64 {
        if value.isNaN { return 0 }
        if type == .uint64 {
            if value <= 0 { return 0 }
            return value >= 0x1p64 ? -1 : Int64(bitPattern: UInt64(value))
        }
        // Integers of less than a byte wrap here too.
        let (low, high) = type.bitCount < 8 ? ElementType.int64.limits : type.limits
        if value <= T(low) { return low }
        if value >= T(high) { return high }
        return Int64(value)
    }
}

extension Double {
    /// The nearest Float whose last bit is odd where it is not exact: rounding that once more gives
    /// what rounding the double once gives. Source: Boldo and Melquiond, "Emulation of FMA and
    /// correctly rounded sums" (2008).
    var roundedToOdd: Float {
        let near = Float(self)
        guard near.isFinite, Double(near) != self else { return near }
        let isDown = Double(near.magnitude) < magnitude
        let bits = near.magnitude.bitPattern
        if bits & 1 == 1 { return near }
        let odd = Float(bitPattern: isDown ? bits + 1 : bits - 1)
        return sign == .minus ? -odd : odd
    }
}
