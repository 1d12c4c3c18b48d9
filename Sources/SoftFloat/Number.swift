extension SoftFloat {
    /// ± digits · 2^exponent, exactly.
    struct Number {
        var isNegative: Bool
        var digits: UInt128
        var exponent: Int

        var isZero: Bool { digits == 0 }

        /// For digits of at most 64 bits each.
        static func * (a: Number, b: Number) -> Number {
            Number(
                isNegative: a.isNegative != b.isNegative, digits: a.digits * b.digits,
                exponent: a.exponent + b.exponent)
        }

        /// For digits of at most 48 bits each. Where the exponents are further than 75 apart, the
        /// lower number is only a sticky bit: no rounding to 24 bits can see more of it.
        static func + (a: Number, b: Number) -> Number {
            // A zero would only spread the exponents.
            if a.isZero { return b.isZero ? sumOfZeros(a, b) : b }
            if b.isZero { return a }
            let (high, low) = a.exponent >= b.exponent ? (a, b) : (b, a)
            let distance = high.exponent - low.exponent
            let shift = min(distance, 75)
            let upper = high.digits << UInt128(shift)
            let lower = distance > 75 ? 1 : low.digits
            var sum = high
            sum.exponent -= shift
            if high.isNegative == low.isNegative {
                sum.digits = upper + lower
            } else if upper > lower {
                sum.digits = upper - lower
            } else if upper < lower {
                sum.digits = lower - upper
                sum.isNegative = low.isNegative
            } else {
                sum = Number(isNegative: false, digits: 0, exponent: 0)
            }
            return sum
        }

        private static func sumOfZeros(_ a: Number, _ b: Number) -> Number {
            Number(isNegative: a.isNegative && b.isNegative, digits: 0, exponent: 0)
        }
    }

    /// What bits mean.
    enum Meaning {
        case nan
        case infinity
        case finite(Number)

        var isNaN: Bool { if case .nan = self { true } else { false } }
        var isInfinite: Bool { if case .infinity = self { true } else { false } }
        var isZero: Bool { if case .finite(let number) = self { number.isZero } else { false } }
    }

    /// A binary interchange format: a sign, an exponent, and the digits below the leading one.
    public struct Format: Hashable, Sendable {
        let exponentBits: Int
        let fractionBits: Int

        public static let binary32 = Format(exponentBits: 8, fractionBits: 23)
        public static let binary16 = Format(exponentBits: 5, fractionBits: 10)
        public static let bfloat16 = Format(exponentBits: 8, fractionBits: 7)

        var width: Int { 1 + exponentBits + fractionBits }
        private var bias: Int { 1 << (exponentBits - 1) - 1 }
        private var exponentField: UInt32 {
            (1 << UInt32(exponentBits) - 1) << UInt32(fractionBits)
        }

        /// The canonical NaN: no sign, and the first digit alone.
        var nan: UInt32 { exponentField | 1 << UInt32(fractionBits - 1) }

        func zero(_ isNegative: Bool) -> UInt32 { isNegative ? 1 << UInt32(width - 1) : 0 }
        func infinity(_ isNegative: Bool) -> UInt32 { zero(isNegative) | exponentField }

        func decode(_ bits: UInt32) -> Meaning {
            let field = Int((bits & exponentField) >> UInt32(fractionBits))
            let fraction = bits & (1 << UInt32(fractionBits) - 1)
            if field == 1 << exponentBits - 1 { return fraction == 0 ? .infinity : .nan }
            let leading: UInt32 = field == 0 ? 0 : 1 << UInt32(fractionBits)
            return .finite(
                Number(
                    isNegative: bits >> UInt32(width - 1) & 1 == 1,
                    digits: UInt128(leading | fraction),
                    exponent: max(field, 1) - bias - fractionBits))
        }

        /// The nearest number of this format, ties to even.
        func encode(_ number: Number) -> UInt32 {
            let sign = zero(number.isNegative)
            if number.isZero { return sign }
            // The exponent of the last digit that is kept.
            let top = 127 - number.digits.leadingZeroBitCount + number.exponent
            var last = max(top - fractionBits, 1 - bias - fractionBits)
            let shift = last - number.exponent
            var kept: UInt128
            if shift <= 0 {
                kept = number.digits << UInt128(-shift)
            } else if shift > 127 {
                kept = 0
            } else {
                kept = number.digits >> UInt128(shift)
                let rest = number.digits - kept << UInt128(shift)
                let half: UInt128 = 1 << UInt128(shift - 1)
                if rest > half || (rest == half && kept & 1 == 1) { kept += 1 }
            }
            if kept == 1 << UInt128(fractionBits + 1) {
                kept >>= 1
                last += 1
            }
            if kept < 1 << UInt128(fractionBits) { return sign | UInt32(kept) }
            let field = last + bias + fractionBits
            if field >= 1 << exponentBits - 1 { return infinity(number.isNegative) }
            return sign | UInt32(field) << UInt32(fractionBits)
                | UInt32(kept) & (1 << UInt32(fractionBits) - 1)
        }
    }
}
