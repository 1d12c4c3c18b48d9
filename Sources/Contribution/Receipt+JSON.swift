public import Core
internal import Ethereum

extension SignedReceipt {
    static let format = 1
    /// Files longer than this are not receipts.
    public static let fileBytesMax = 16_384
    /// Names of devices are at most this long.
    static let deviceBytesMax = 1024
    /// Names of verdicts are at most this long.
    static let verdictBytesMax = 64

    /// The receipt as a document: numbers beyond 2⁵³ never, so amounts are decimal text.
    public var json: JSON {
        let receipt = receipt
        return [
            "format": .int(Self.format),
            "chain_id": .string(receipt.chainID.description),
            "market": .address(receipt.market),
            "dealid": .hash(receipt.dealID),
            "taskid": .hash(receipt.taskID),
            "index": .string(receipt.index.description),
            "app": .address(receipt.app),
            "app_version": .hash(receipt.appVersion),
            "task_spec": .hash(receipt.taskSpec),
            "leaf_count": .int(receipt.leafCount),
            "merkle_root": .hash(receipt.merkleRoot),
            "result_digest": .hash(receipt.resultDigest),
            "result_hash": .hash(receipt.resultHash),
            "result_seal": .hash(receipt.resultSeal),
            "worker": .address(receipt.worker),
            "workerpool": .address(receipt.workerpool),
            "workerpool_owner": .address(receipt.workerpoolOwner),
            "paid": .string(receipt.paid.description),
            "requester": .address(receipt.requester),
            "trust": .string(receipt.trust.description),
            "device": .string(receipt.device),
            "verdict": .string(receipt.verdict),
            "conformance": .hash(receipt.conformance),
            "contributed_at": .int(receipt.contributedSeconds),
            "finalized_at": .int(receipt.finalizedSeconds),
            "worker_signature": .string(workerSignature.description),
            "workerpool_signature": .string(workerpoolSignature.description),
        ]
    }

    /// Reads a receipt file's bytes. Nothing is believed yet: see ``verify(against:)``.
    ///
    /// - Throws: ``Failure`` naming the field and what was expected.
    public init(json bytes: Bytes) throws(Failure) {
        guard bytes.count <= Self.fileBytesMax else {
            throw Failure(
                .limit, "receipt: \(bytes.count) bytes, at most \(Self.fileBytesMax) expected")
        }
        do throws(Failure) {
            self = try Self(strictly: bytes)
        } catch {
            throw error.at("receipt")
        }
    }

    private init(strictly bytes: Bytes) throws(Failure) {
        var fields = ReceiptFields(document: try FlatDocument(bytes))
        guard try fields.document.number("format") == Self.format else {
            throw Failure(.unsupported, "format \(Self.format) expected")
        }
        // As the file says it, the digest too: the checks find out what is true.
        let receipt = Receipt(
            chainID: try fields.amount("chain_id"), market: try fields.address("market"),
            dealID: try fields.hash("dealid"), taskID: try fields.hash("taskid"),
            index: try fields.amount("index"), app: try fields.address("app"),
            appVersion: try fields.hash("app_version"), taskSpec: try fields.hash("task_spec"),
            leafCount: try fields.count("leaf_count", from: 1),
            merkleRoot: try fields.hash("merkle_root"),
            resultDigest: try fields.hash("result_digest"),
            resultHash: try fields.hash("result_hash"),
            resultSeal: try fields.hash("result_seal"), worker: try fields.address("worker"),
            workerpool: try fields.address("workerpool"),
            workerpoolOwner: try fields.address("workerpool_owner"),
            paid: try fields.amount("paid"), requester: try fields.address("requester"),
            trust: try fields.amount("trust"),
            device: try fields.text("device", bytesMax: Self.deviceBytesMax),
            verdict: try fields.text("verdict", bytesMax: Self.verdictBytesMax),
            conformance: try fields.hash("conformance"),
            contributedSeconds: try fields.count("contributed_at"),
            finalizedSeconds: try fields.count("finalized_at"))
        self.init(
            receipt: receipt, workerSignature: try fields.signature("worker_signature"),
            workerpoolSignature: try fields.signature("workerpool_signature"))
        try fields.document.finish()
    }
}

/// The kinds of field that a receipt's file has.
private struct ReceiptFields {
    var document: FlatDocument

    mutating func hash(_ key: String) throws(Failure) -> Hash256 { try document.hash(key) }

    mutating func address(_ key: String) throws(Failure) -> Address { try document.address(key) }

    mutating func amount(_ key: String) throws(Failure) -> UInt256 {
        guard let value = UInt256(try document.text(key)) else {
            throw Failure(.malformed, "\(key): a decimal number as text expected")
        }
        return value
    }

    mutating func count(_ key: String, from least: Int = 0) throws(Failure) -> Int {
        let value = try document.number(key)
        guard value >= least else {
            throw Failure(.malformed, "\(key): \(value), at least \(least) expected")
        }
        return value
    }

    mutating func text(_ key: String, bytesMax: Int) throws(Failure) -> String {
        let text = try document.text(key)
        guard text.utf8.count <= bytesMax else {
            throw Failure(.limit, "\(key): at most \(bytesMax) bytes expected")
        }
        return text
    }

    mutating func signature(_ key: String) throws(Failure) -> Signature {
        let text = try document.text(key)
        guard text.hasPrefix("0x"), let bytes = Hex.decode(text) else {
            throw Failure(.malformed, "\(key): 0x and 130 hexadecimal digits expected")
        }
        do { return try Signature(bytes: bytes) } catch { throw error.at(key) }
    }
}

extension FlatDocument {
    mutating func hash(_ key: String) throws(Failure) -> Hash256 {
        let text = try text(key)
        guard text.hasPrefix("0x"), let value = Hash256(hex: text) else {
            throw Failure(.malformed, "\(key): 0x and 64 hexadecimal digits expected")
        }
        return value
    }

    mutating func address(_ key: String) throws(Failure) -> Address {
        let text = try text(key)
        do { return try Address(checking: text) } catch { throw error.at(key) }
    }
}
