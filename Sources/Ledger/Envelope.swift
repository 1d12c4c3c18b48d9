public import Contribution
public import Core
public import Ethereum

/// A call to a market on a ledger, signed by its sender (EIP-712).
///
/// It names the market it is for, its sender and the sender's nonce, and all of that is signed: a
/// changed byte, another market or a second use cannot pass.
public struct Envelope: Hashable, Sendable {
    public let chainID: UInt256
    public let market: Address
    public let sender: Address
    /// 0 for a sender's first call, then one more each time.
    public let nonce: Int
    /// The call's deterministic CBOR.
    public let call: Bytes
    /// r ‖ s ‖ v, 65 bytes.
    public let signature: Bytes

    /// Signs a call.
    ///
    /// - Parameter sign: signs a digest with `sender`'s key.
    public init(
        _ call: Call, from sender: Address, nonce: Int, in settings: Hub.Settings,
        sign: (Hash256) -> Signature
    ) {
        precondition(nonce >= 0, "nonces count from 0")
        chainID = settings.chainID
        market = settings.market
        self.sender = sender
        self.nonce = nonce
        self.call = call.encoded
        signature =
            sign(Self.digest(chainID, market, sender: sender, nonce: nonce, call: self.call)).bytes
    }

    static let type = TypedData.Struct(
        "Call", [.init("sender", .address), .init("nonce", .uint256), .init("call", .bytes)])

    /// The EIP-712 domain of calls: name "Rigor Market", version "1".
    public static func domain(chainID: UInt256, market: Address) -> TypedData.Domain {
        .init(name: "Rigor Market", version: "1", chainID: chainID, verifyingContract: market)
    }

    /// What the sender signs, and what tells one call from another.
    public var digest: Hash256 {
        Self.digest(chainID, market, sender: sender, nonce: nonce, call: call)
    }

    private static func digest(
        _ chainID: UInt256, _ market: Address, sender: Address, nonce: Int, call: Bytes
    ) -> Hash256 {
        TypedData.hash(
            domain(chainID: chainID, market: market), type,
            [.address(sender), .uint256(UInt256(UInt64(nonce))), .bytes(call)])
    }

    /// The call, once market and signature hold.
    ///
    /// - Throws: ``Failure`` (untrusted) for another market or a signature that is not the
    ///   sender's; (malformed) when the sender signed something that is no call.
    public func verify(for settings: Hub.Settings) throws(Failure) -> VerifiedCall {
        guard chainID == settings.chainID, market == settings.market else {
            throw Failure(
                .untrusted,
                "call for market \(market) on chain \(chainID), this is \(settings.market) on "
                    + "\(settings.chainID)")
        }
        guard signature.count == 65 else {
            throw Failure(.untrusted, "call: a signature of 65 bytes expected")
        }
        let signer = try Signature(bytes: signature).signer(of: digest)
        guard signer == sender else {
            throw Failure(.untrusted, "call: not signed by its sender \(sender)")
        }
        return VerifiedCall(verifiedSender: sender, call: try Call(decoding: call))
    }
}

// MARK: - Bytes

extension Envelope {
    static let format = 1
    /// Longer envelopes are refused unread.
    public static let bytesMax = 524_288

    /// Deterministic CBOR: [format, chain, market, sender, nonce, call, signature].
    public var encoded: Bytes {
        CBOR.array([
            CBOR(Self.format), CBOR(chainID), CBOR(market), CBOR(sender), CBOR(nonce),
            .bytes(call), .bytes(signature),
        ]).encoded
    }

    /// Reads ``encoded`` back. Nothing is verified yet.
    ///
    /// - Throws: ``Failure`` saying what was expected.
    public init(decoding bytes: Bytes) throws(Failure) {
        guard bytes.count <= Self.bytesMax else {
            throw Failure(
                .limit, "call: \(bytes.count) bytes, at most \(Self.bytesMax) expected")
        }
        var reader = try RecordReader(try CBOR(decoding: bytes), "signed call")
        guard try reader.int() == Self.format else {
            throw Failure(.unsupported, "signed call: format \(Self.format) expected")
        }
        chainID = try reader.uint()
        market = try reader.address()
        sender = try reader.address()
        nonce = try reader.count()
        call = try reader.bytes()
        signature = try reader.bytes()
        try reader.end()
    }
}
