public import Core

/// An unsigned 256-bit integer, as contracts count. Arithmetic is total: what does not fit is nil.
public struct UInt256: Hashable, Sendable {
    /// Four 64-bit limbs, least significant first.
    let limbs: (UInt64, UInt64, UInt64, UInt64)

    init(limbs: (UInt64, UInt64, UInt64, UInt64)) { self.limbs = limbs }

    public init(_ value: UInt64) { limbs = (value, 0, 0, 0) }

    /// nil when `value` is negative.
    public init?(exactly value: Int) {
        guard let value = UInt64(exactly: value) else { return nil }
        self.init(value)
    }

    public static let zero = UInt256(0)
    public static let max = UInt256(limbs: (.max, .max, .max, .max))

    public var isZero: Bool { self == .zero }

    /// The value, when it fits.
    public var int: Int? { uint64.flatMap { Int(exactly: $0) } }

    /// The value, when it fits.
    public var uint64: UInt64? {
        limbs.1 == 0 && limbs.2 == 0 && limbs.3 == 0 ? limbs.0 : nil
    }

    public static func == (left: UInt256, right: UInt256) -> Bool { left.limbs == right.limbs }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(limbs.0)
        hasher.combine(limbs.1)
        hasher.combine(limbs.2)
        hasher.combine(limbs.3)
    }
}

extension UInt256: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: UInt64) { self.init(value) }
}

extension UInt256: Comparable {
    public static func < (left: UInt256, right: UInt256) -> Bool {
        if left.limbs.3 != right.limbs.3 { return left.limbs.3 < right.limbs.3 }
        if left.limbs.2 != right.limbs.2 { return left.limbs.2 < right.limbs.2 }
        if left.limbs.1 != right.limbs.1 { return left.limbs.1 < right.limbs.1 }
        return left.limbs.0 < right.limbs.0
    }
}

// MARK: - Arithmetic

extension UInt256 {
    /// `self + other`; nil when it does not fit.
    public func adding(_ other: UInt256) -> UInt256? {
        let (sum, carry) = addingWithCarry(other)
        return carry == 0 ? sum : nil
    }

    /// `self − other`; nil when it would be negative.
    public func subtracting(_ other: UInt256) -> UInt256? {
        self < other ? nil : wrappingSubtracting(other)
    }

    /// `self · other`; nil when it does not fit.
    public func multiplied(by other: UInt256) -> UInt256? {
        let (left, right) = (words, other.words)
        var product = [UInt64](repeating: 0, count: 8)
        for (i, x) in left.enumerated() where x != 0 {
            var carry: UInt64 = 0
            for (j, y) in right.enumerated() {
                let (high, low) = x.multipliedFullWidth(by: y)
                let (first, overflow) = low.addingReportingOverflow(product[i + j])
                let (second, overflowToo) = first.addingReportingOverflow(carry)
                product[i + j] = second
                carry = high + (overflow ? 1 : 0) + (overflowToo ? 1 : 0)
            }
            product[i + 4] = carry
        }
        guard product[4...].allSatisfy({ $0 == 0 }) else { return nil }
        return UInt256(limbs: (product[0], product[1], product[2], product[3]))
    }

    /// Floor division; nil when `divisor` is zero. Schoolbook: one bit a step.
    public func quotientAndRemainder(
        dividingBy divisor: UInt256
    ) -> (quotient: UInt256, remainder: UInt256)? {
        guard !divisor.isZero else { return nil }
        if let small = divisor.uint64 {
            let (quotient, remainder) = divided(bySmall: small)
            return (quotient, UInt256(remainder))
        }
        var quotient = [UInt64](repeating: 0, count: 4)
        var remainder = UInt256.zero
        let words = words
        for bit in (0..<256).reversed() {
            let (doubled, carry) = remainder.addingWithCarry(remainder)
            let next = words[bit / 64] >> UInt64(bit % 64) & 1
            remainder = UInt256(
                limbs: (doubled.limbs.0 | next, doubled.limbs.1, doubled.limbs.2, doubled.limbs.3))
            if carry == 1 || remainder >= divisor {
                remainder = remainder.wrappingSubtracting(divisor)
                quotient[bit / 64] |= 1 << UInt64(bit % 64)
            }
        }
        return (
            UInt256(limbs: (quotient[0], quotient[1], quotient[2], quotient[3])), remainder
        )
    }

    /// The largest n with 2ⁿ ≤ self; nil of zero.
    public var floorLog2: Int? {
        for (index, word) in words.enumerated().reversed() where word != 0 {
            return index * 64 + 63 - word.leadingZeroBitCount
        }
        return nil
    }

    var words: [UInt64] { [limbs.0, limbs.1, limbs.2, limbs.3] }

    func divided(bySmall divisor: UInt64) -> (quotient: UInt256, remainder: UInt64) {
        var words = words
        var remainder: UInt64 = 0
        for index in (0..<4).reversed() {
            (words[index], remainder) = divisor.dividingFullWidth((remainder, words[index]))
        }
        return (UInt256(limbs: (words[0], words[1], words[2], words[3])), remainder)
    }

    private func addingWithCarry(_ other: UInt256) -> (UInt256, carry: UInt64) {
        var sum = words
        var carry: UInt64 = 0
        for (index, word) in other.words.enumerated() {
            let (first, overflow) = sum[index].addingReportingOverflow(word)
            let (second, overflowToo) = first.addingReportingOverflow(carry)
            sum[index] = second
            carry = overflow || overflowToo ? 1 : 0
        }
        return (UInt256(limbs: (sum[0], sum[1], sum[2], sum[3])), carry)
    }

    private func wrappingSubtracting(_ other: UInt256) -> UInt256 {
        var difference = words
        var borrow: UInt64 = 0
        for (index, word) in other.words.enumerated() {
            let (first, overflow) = difference[index].subtractingReportingOverflow(word)
            let (second, overflowToo) = first.subtractingReportingOverflow(borrow)
            difference[index] = second
            borrow = overflow || overflowToo ? 1 : 0
        }
        return UInt256(limbs: (difference[0], difference[1], difference[2], difference[3]))
    }
}

// MARK: - Text and bytes

extension UInt256: LosslessStringConvertible {
    /// Decimal digits.
    public var description: String {
        var value = self
        var groups: [UInt64] = []
        repeat {
            let (quotient, remainder) = value.divided(bySmall: Self.group)
            groups.append(remainder)
            value = quotient
        } while !value.isZero
        var text = String(groups.removeLast())
        for group in groups.reversed() {
            let digits = String(group)
            text += String(repeating: "0", count: Self.groupDigits - digits.count) + digits
        }
        return text
    }

    /// Reads decimal digits, nothing else, without leading zeros; nil when they do not fit.
    public init?(_ decimal: String) {
        let digits = Array(decimal.utf8)
        guard !digits.isEmpty, digits.count <= 78, digits.count == 1 || digits[0] != 0x30 else {
            return nil
        }
        var value = UInt256.zero
        for digit in digits {
            guard (0x30...0x39).contains(digit),
                let next = value.multiplied(by: 10)?.adding(UInt256(UInt64(digit - 0x30)))
            else { return nil }
            value = next
        }
        self = value
    }

    private static let group: UInt64 = 10_000_000_000_000_000_000
    private static let groupDigits = 19
}

extension UInt256 {
    /// 32 bytes, most significant first: the ABI's word.
    public var bytes: Bytes { words.reversed().flatMap(\.bigEndianBytes) }

    /// Most significant first, without leading zeros: nothing for zero.
    public var shortBytes: Bytes { Bytes(bytes.drop { $0 == 0 }) }

    /// Reads at most 32 bytes, most significant first; nil when there are more.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count <= 32 else { return nil }
        let padded = Bytes(repeating: 0, count: 32 - bytes.count) + bytes
        func limb(_ index: Int) -> UInt64 {
            padded[index * 8..<index * 8 + 8].reduce(0) { $0 << 8 | UInt64($1) }
        }
        self.init(limbs: (limb(3), limb(2), limb(1), limb(0)))
    }

    /// A hash read as a number.
    public init(_ hash: Hash256) {
        guard let value = UInt256(bytes: hash.bytes) else { preconditionFailure("32 bytes") }
        self = value
    }

    /// `0x` and the shortest lower-case hexadecimal, as JSON-RPC writes quantities.
    public var hexQuantity: String {
        let digits = bytes.hex.drop { $0 == "0" }
        return "0x" + (digits.isEmpty ? "0" : digits)
    }

    /// Reads `0x` and 1 to 64 digits; nil otherwise.
    public init?(hexQuantity text: some StringProtocol) {
        let digits = text.dropFirst(2)
        guard text.hasPrefix("0x"), (1...64).contains(digits.utf8.count),
            let bytes = Hex.decode((digits.utf8.count % 2 == 0 ? "00" : "0") + digits)
        else { return nil }
        self.init(bytes: bytes.suffix(32))
    }
}
