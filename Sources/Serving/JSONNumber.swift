internal import Foundation

/// A number of a stranger's JSON, as it is written; it is rounded once, to what it is asked for as.
struct JSONNumber {
    /// Where it lies.
    var text: Range<Int>
    /// Its digits as a whole number, the point left out; wrapped where that needs more than 64
    /// bits.
    var digits: UInt64
    /// Zeros in front are counted too.
    var digitCount: Int
    /// The power of ten that the digits are multiplied by.
    var exponent: Int
    var isNegative: Bool
    /// Whether it has neither point nor exponent.
    var isWhole: Bool

    /// Digits that 64 bits hold whatever they are.
    private static let digitsMax = 19
    /// Beyond this nobody writes one in earnest, and reading it would take long.
    private static let textMax = 4096

    /// Digits without zeros in front.
    private func significantCount(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var count = digitCount
        for byte in bytes[text] {
            switch byte {
            case UInt8(ascii: "0"): count -= 1
            case UInt8(ascii: "1")...UInt8(ascii: "9"): return count
            case UInt8(ascii: "-"), UInt8(ascii: "."): continue
            default: return 0
            }
        }
        return 0
    }

    private func areDigitsKnown(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        digitCount <= Self.digitsMax || significantCount(bytes) <= Self.digitsMax
    }

    // MARK: Whole

    /// Nil where it is no whole number of the type; -0 is 0.
    func integer<T: FixedWidthInteger>(
        _ type: T.Type, in bytes: UnsafeBufferPointer<UInt8>
    ) -> T? {
        guard isWhole else { return nil }
        if digitCount <= Self.digitsMax {
            if !isNegative { return T(exactly: digits) }
            // The least number of 64 bits has 19 digits.
            return digits <= 1 << 63 ? T(exactly: Int64(truncatingIfNeeded: 0 &- digits)) : nil
        }
        guard text.count <= Self.digitsMax + 2 else { return nil }
        return T(String(decoding: bytes[text], as: UTF8.self))
    }

    // MARK: Binary

    /// Powers of five that 64 bits hold, each shifted until its highest bit is set, and by how
    /// much.
    private static let powers: [(value: UInt64, shift: Int)] = {
        var powers: [(value: UInt64, shift: Int)] = []
        var power: UInt64 = 1
        for _ in 0...27 {
            let shift = power.leadingZeroBitCount
            powers.append((power << UInt64(shift), shift))
            power = power &* 5
        }
        return powers
    }()

    /// The magnitude as `significand`·2^`exponent`: 63 or 64 bits, of which the lowest is set where
    /// more follow. So it can be rounded to any type of fewer bits, and is rounded once.
    ///
    /// - Returns: nil where the digits or the power of ten are beyond 64 bits, or all is zero.
    private func scaled(
        _ bytes: UnsafeBufferPointer<UInt8>
    ) -> (significand: UInt64, exponent: Int)? {
        guard digits != 0, exponent.magnitude < Self.powers.count, areDigitsKnown(bytes) else {
            return nil
        }
        let shift = digits.leadingZeroBitCount
        let top = digits << UInt64(shift)
        let power = Self.powers[Int(exponent.magnitude)]
        if exponent >= 0 {
            let product = top.multipliedFullWidth(by: power.value)
            return (
                product.high | (product.low == 0 ? 0 : 1), 64 - shift - power.shift + exponent
            )
        }
        // The dividend is halved, as the quotient must fit.
        let (quotient, rest) = power.value.dividingFullWidth((top >> 1, top << 63))
        return (quotient | (rest == 0 ? 0 : 1), power.shift - shift - 63 + exponent)
    }

    /// 2 to a power that ``scaled(_:)`` gives.
    private static func power(_ exponent: Int) -> Double {
        Double(bitPattern: UInt64(1023 + exponent) << 52)
    }

    private func signed<T: BinaryFloatingPoint>(_ magnitude: T) -> T {
        isNegative ? -magnitude : magnitude
    }

    private func string(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        text.count <= Self.textMax ? String(decoding: bytes[text], as: UTF8.self) : nil
    }

    private func isZero(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        digits == 0 && (digitCount <= Self.digitsMax || significantCount(bytes) == 0)
    }

    // MARK: Rounded

    /// The nearest value; infinity where it is beyond the type, nil where it is too long.
    func double(in bytes: UnsafeBufferPointer<UInt8>) -> Double? {
        if let scaled = scaled(bytes) {
            return signed(Double(scaled.significand) * Self.power(scaled.exponent))
        }
        if isZero(bytes) { return signed(0.0) }
        return string(bytes).flatMap { strtod($0, nil) }
    }

    /// The nearest value; infinity where it is beyond the type, nil where it is too long.
    func float(in bytes: UnsafeBufferPointer<UInt8>) -> Float? {
        if exponent == 0, digitCount <= Self.digitsMax { return signed(Float(digits)) }
        if let scaled = scaled(bytes) {
            // Rounded here; what follows is exact, or beyond the type.
            let rounded = Double(Float(scaled.significand))
            return signed(Float(rounded * Self.power(scaled.exponent)))
        }
        if isZero(bytes) { return signed(0) }
        return string(bytes).flatMap { strtof($0, nil) }
    }

    /// Its first 24 bits, the last of them set where more follow: what is rounded from this to 16
    /// bits is rounded once.
    ///
    /// - Returns: nil where it is too long.
    func oddFloat(in bytes: UnsafeBufferPointer<UInt8>) -> Float? {
        if let scaled = scaled(bytes) {
            let shift = scaled.significand.leadingZeroBitCount
            let top = scaled.significand << UInt64(shift)
            let first = top >> 40 | (top << 24 == 0 ? 0 : 1)
            return signed(Float(Double(first) * Self.power(scaled.exponent + 40 - shift)))
        }
        if isZero(bytes) { return signed(0) }
        guard let string = string(bytes) else { return nil }
        let mode = fegetround()
        defer { fesetround(mode) }
        fesetround(FE_TOWARDZERO)
        let inner = strtof(string, nil)
        fesetround(FE_UPWARD)
        let upper = strtof(string, nil)
        fesetround(FE_DOWNWARD)
        let isExact = strtof(string, nil) == upper
        return isExact ? inner : Float(bitPattern: inner.bitPattern | 1)
    }
}
