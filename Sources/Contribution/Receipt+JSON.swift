public import Core
internal import Ethereum
internal import Foundation

extension SignedReceipt {
    static let format = 1
    /// Files longer than this are not receipts.
    public static let fileBytesMax = 16_384
    /// Names of devices are at most this long.
    static let deviceBytesMax = 1024

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
        let document: Document
        do { document = try JSONDecoder().decode(Document.self, from: Data(bytes)) } catch {
            throw Failure(.malformed, "receipt: \(Document.describe(error))")
        }
        guard document.format == Self.format else {
            throw Failure(
                .unsupported, "receipt: format \(document.format), \(Self.format) expected")
        }
        let receipt = try document.receipt()
        self.init(
            receipt: receipt,
            workerSignature: try Document.signature(document.worker_signature, "worker_signature"),
            workerpoolSignature: try Document.signature(
                document.workerpool_signature, "workerpool_signature"))
    }
}

/// The file's keys, as they stand in it.
private struct Document: Decodable {
    let format: Int
    let chain_id: String
    let market: String
    let dealid: String
    let taskid: String
    let index: String
    let app: String
    let app_version: String
    let task_spec: String
    let leaf_count: Int
    let merkle_root: String
    let result_digest: String
    let result_hash: String
    let result_seal: String
    let worker: String
    let workerpool: String
    let workerpool_owner: String
    let paid: String
    let requester: String
    let trust: String
    let device: String
    let verdict: String
    let conformance: String
    let contributed_at: Int
    let finalized_at: Int
    let worker_signature: String
    let workerpool_signature: String

    func receipt() throws(Failure) -> Receipt {
        guard leaf_count > 0, contributed_at >= 0, finalized_at >= 0 else {
            throw Failure(.malformed, "receipt: counts and times that are not negative expected")
        }
        guard device.utf8.count <= SignedReceipt.deviceBytesMax else {
            throw Failure(.limit, "receipt: device: a shorter name expected")
        }
        // As the file says it, the digest too: the checks find out what is true.
        return Receipt(
            chainID: try Self.number(chain_id, "chain_id"),
            market: try Self.address(market, "market"), dealID: try Self.hash(dealid, "dealid"),
            taskID: try Self.hash(taskid, "taskid"), index: try Self.number(index, "index"),
            app: try Self.address(app, "app"),
            appVersion: try Self.hash(app_version, "app_version"),
            taskSpec: try Self.hash(task_spec, "task_spec"), leafCount: leaf_count,
            merkleRoot: try Self.hash(merkle_root, "merkle_root"),
            resultDigest: try Self.hash(result_digest, "result_digest"),
            resultHash: try Self.hash(result_hash, "result_hash"),
            resultSeal: try Self.hash(result_seal, "result_seal"),
            worker: try Self.address(worker, "worker"),
            workerpool: try Self.address(workerpool, "workerpool"),
            workerpoolOwner: try Self.address(workerpool_owner, "workerpool_owner"),
            paid: try Self.number(paid, "paid"),
            requester: try Self.address(requester, "requester"),
            trust: try Self.number(trust, "trust"), device: device, verdict: verdict,
            conformance: try Self.hash(conformance, "conformance"),
            contributedSeconds: contributed_at, finalizedSeconds: finalized_at)
    }

    static func hash(_ text: String, _ name: String) throws(Failure) -> Hash256 {
        guard text.hasPrefix("0x"), let value = Hash256(hex: text) else {
            throw Failure(.malformed, "receipt: \(name): 0x and 64 hexadecimal digits expected")
        }
        return value
    }

    static func address(_ text: String, _ name: String) throws(Failure) -> Address {
        do { return try Address(checking: text) } catch { throw error.at("receipt: \(name)") }
    }

    static func number(_ text: String, _ name: String) throws(Failure) -> UInt256 {
        guard let value = UInt256(text) else {
            throw Failure(.malformed, "receipt: \(name): a decimal number as text expected")
        }
        return value
    }

    static func signature(_ text: String, _ name: String) throws(Failure) -> Signature {
        guard text.hasPrefix("0x"), let bytes = Hex.decode(text) else {
            throw Failure(.malformed, "receipt: \(name): 0x and 130 hexadecimal digits expected")
        }
        do { return try Signature(bytes: bytes) } catch { throw error.at("receipt: \(name)") }
    }

    static func describe(_ error: any Error) -> String {
        func place(_ context: DecodingError.Context) -> String {
            context.codingPath.map(\.stringValue).joined(separator: ".")
        }
        switch error {
        case DecodingError.keyNotFound(let key, _): return "\(key.stringValue) is missing"
        case DecodingError.typeMismatch(let type, let context),
            DecodingError.valueNotFound(let type, let context):
            let name = place(context)
            return "\(name.isEmpty ? "the document" : name): \(type) expected"
        default: return "not JSON, or a number out of range"
        }
    }
}
