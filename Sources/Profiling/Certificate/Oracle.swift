internal import SoftFloat

/// Right answers by bits, from integer arithmetic that shares nothing with any device, nor with
/// the host's own floating-point unit.
package enum Oracle {
    package static let nan: UInt32 = 0x7fc0_0000

    package static func add(_ a: UInt32, _ b: UInt32) -> UInt32 { SoftFloat.add(a, b) }
    package static func subtract(_ a: UInt32, _ b: UInt32) -> UInt32 { SoftFloat.subtract(a, b) }
    package static func multiply(_ a: UInt32, _ b: UInt32) -> UInt32 { SoftFloat.multiply(a, b) }
    package static func divide(_ a: UInt32, _ b: UInt32) -> UInt32 { SoftFloat.divide(a, b) }
    package static func squareRoot(_ a: UInt32) -> UInt32 { SoftFloat.squareRoot(a) }
    package static func fma(_ a: UInt32, _ b: UInt32, _ c: UInt32) -> UInt32 {
        SoftFloat.fma(a, b, c)
    }

    /// binary16 of a float, ties to even.
    package static func half(_ bits: UInt32) -> UInt32 {
        SoftFloat.convert(bits, from: .binary32, to: .binary16)
    }

    /// bfloat16 of a float, ties to even.
    package static func bfloat16(_ bits: UInt32) -> UInt32 {
        SoftFloat.convert(bits, from: .binary32, to: .bfloat16)
    }

    package static func widened(half bits: UInt32) -> UInt32 {
        SoftFloat.convert(bits & 0xffff, from: .binary16, to: .binary32)
    }

    package static func widened(bfloat16 bits: UInt32) -> UInt32 {
        SoftFloat.convert(bits & 0xffff, from: .bfloat16, to: .binary32)
    }

    package static func float(_ value: Int64) -> UInt32 { SoftFloat.fromInteger(value) }

    package static func float(_ value: UInt64) -> UInt32 {
        if let signed = Int64(exactly: value) { return SoftFloat.fromInteger(signed) }
        // Half of it, with what is dropped kept as a sticky digit, then doubled: exact.
        return SoftFloat.multiply(SoftFloat.fromInteger(Int64(value >> 1 | value & 1)), 0x4000_0000)
    }
}
