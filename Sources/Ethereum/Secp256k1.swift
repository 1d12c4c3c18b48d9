internal import CSecp256k1
internal import Core

/// The public half of libsecp256k1: recovery. The secret half is in `Wallet`.
enum Secp256k1 {
    /// One context for the process. It is written only here, before anyone can see it, and the
    /// library lets any number of threads read it.
    private final class Context: @unchecked Sendable {
        let pointer: OpaquePointer

        init() {
            guard let pointer = secp256k1_context_create(UInt32(SECP256K1_CONTEXT_NONE)) else {
                preconditionFailure("libsecp256k1 gives no context")
            }
            // By default an illegal argument aborts the process. Here every return code is checked
            // instead, so that a stranger's signature can never be more than refused.
            secp256k1_context_set_illegal_callback(pointer, { @Sendable _, _ in }, nil)
            self.pointer = pointer
        }
    }

    private static let context = Context()

    /// The uncompressed public key without its 0x04, 64 bytes.
    static func recover(_ signature: Signature, digest: Hash256) throws(Failure) -> Bytes {
        var recoverable = secp256k1_ecdsa_recoverable_signature()
        guard
            secp256k1_ecdsa_recoverable_signature_parse_compact(
                context.pointer, &recoverable, signature.r.bytes + signature.s.bytes,
                Int32(signature.v) - 27) == 1
        else { throw Failure(.untrusted, "signature: not a point of the curve") }
        var key = secp256k1_pubkey()
        guard secp256k1_ecdsa_recover(context.pointer, &key, &recoverable, digest.bytes) == 1 else {
            throw Failure(.untrusted, "signature: no public key fits it")
        }
        var out = Bytes(repeating: 0, count: 65)
        var count = out.count
        guard
            secp256k1_ec_pubkey_serialize(
                context.pointer, &out, &count, &key, UInt32(SECP256K1_EC_UNCOMPRESSED)) == 1,
            count == 65
        else { throw Failure(.untrusted, "signature: the public key cannot be written") }
        return Bytes(out.dropFirst())
    }
}
