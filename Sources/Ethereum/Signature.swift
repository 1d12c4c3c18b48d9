public import Core

/// An ECDSA signature on secp256k1 from which the signer can be recovered.
///
/// Only canonical ones exist: r and s in 1..<n, s in the lower half of the order (EIP-2), v 27 or
/// 28.
public struct Signature: Hashable, Sendable, CustomStringConvertible {
    public let r: Hash256
    public let s: Hash256
    /// 27 or 28: the parity of the nonce point's y, plus 27.
    public let v: UInt8

    /// - Throws: ``Failure`` (untrusted) when a part is out of its range, with the range.
    public init(r: Hash256, s: Hash256, v: UInt8) throws(Failure) {
        guard v == 27 || v == 28 else {
            throw Failure(.untrusted, "signature: v is \(v), 27 or 28 expected")
        }
        guard UInt256(r) > .zero, r < Self.order else {
            throw Failure(.untrusted, "signature: r is outside 1..<n")
        }
        guard UInt256(s) > .zero, s <= Self.halfOrder else {
            throw Failure(.untrusted, "signature: s is outside 1...n/2 (a high s is refused)")
        }
        self.r = r
        self.s = s
        self.v = v
    }

    /// Reads r ‖ s ‖ v (65 bytes) or r ‖ yParityAndS (64 bytes, EIP-2098).
    ///
    /// - Throws: ``Failure`` (untrusted) for another length or a part out of its range.
    public init(bytes: some Collection<UInt8>) throws(Failure) {
        let bytes = Bytes(bytes)
        guard bytes.count == 64 || bytes.count == 65, let r = Hash256(bytes[..<32]) else {
            throw Failure(.untrusted, "signature: \(bytes.count) bytes, 65 or 64 expected")
        }
        var second = Bytes(bytes[32..<64])
        let v: UInt8
        if bytes.count == 65 {
            v = bytes[64]
        } else {
            v = 27 + second[0] >> 7
            second[0] &= 0x7f
        }
        guard let s = Hash256(second) else { preconditionFailure("32 bytes") }
        try self.init(r: r, s: s, v: v)
    }

    /// r ‖ s ‖ v, 65 bytes.
    public var bytes: Bytes { r.bytes + s.bytes + [v] }

    /// r ‖ yParityAndS, 64 bytes (EIP-2098).
    public var compactBytes: Bytes {
        var out = r.bytes + s.bytes
        out[32] |= (v - 27) << 7
        return out
    }

    /// `0x` and 130 digits.
    public var description: String { bytes.hex0x }

    /// Who signed `digest`.
    ///
    /// - Throws: ``Failure`` (untrusted) when no public key fits.
    public func signer(of digest: Hash256) throws(Failure) -> Address {
        Address(publicKey: try Secp256k1.recover(self, digest: digest))
    }

    static let order = constant("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
    static let halfOrder = constant(
        "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0")

    private static func constant(_ hex: String) -> Hash256 {
        guard let value = Hash256(hex: hex) else { preconditionFailure("64 digits") }
        return value
    }
}
