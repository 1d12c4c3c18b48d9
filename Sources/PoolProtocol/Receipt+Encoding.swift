public import Core
internal import Ethereum
internal import Foundation
internal import HostProtocol

extension Receipt {
    /// Fields under the names that JSON uses.
    public var cbor: CBOR {
        [
            "dealid": .bytes(dealID.bytes), "index": CBOR(index), "taskid": .bytes(taskID.bytes),
            "app": .text(app), "app_version": .bytes(appVersion.bytes),
            "task_spec": .bytes(taskSpec.bytes), "leaf_count": CBOR(leafCount),
            "merkle_root": .bytes(merkleRoot.bytes),
            "result_digest": .bytes(resultDigest.bytes),
            "result_hash": .bytes(resultHash.bytes), "result_seal": .bytes(resultSeal.bytes),
            "worker": .bytes(worker.bytes), "workerpool": .bytes(workerpool.bytes),
            "requester": .bytes(requester.bytes), "device": .text(device),
            "conformance": .bytes(conformance.bytes), "trust": .text("\(trust)"),
            "paid": .text("\(paid)"), "finalized": CBOR(finalizedSeconds),
        ]
    }

    public init(_ cbor: CBOR) throws(Failure) {
        try self.init(MessageFields(cbor, place: "receipt"))
    }

    init(_ fields: MessageFields) throws(Failure) {
        self.init(
            dealID: try fields.hash("dealid"), index: try fields.count("index"),
            taskID: try fields.hash("taskid"), app: try fields.text("app"),
            appVersion: try fields.hash("app_version"), taskSpec: try fields.hash("task_spec"),
            leafCount: try fields.count("leaf_count"),
            merkleRoot: try fields.hash("merkle_root"),
            resultDigest: try fields.hash("result_digest"),
            resultHash: try fields.hash("result_hash"),
            resultSeal: try fields.hash("result_seal"), worker: try fields.address("worker"),
            workerpool: try fields.address("workerpool"),
            requester: try fields.address("requester"), device: try fields.text("device"),
            conformance: try fields.hash("conformance"),
            trust: try Self.number("trust", fields), paid: try Self.number("paid", fields),
            finalizedSeconds: try fields.count("finalized"))
    }

    private static func number(
        _ key: String, _ fields: MessageFields
    ) throws(Failure) -> UInt256 {
        guard let value = UInt256(try fields.text(key)) else {
            throw Failure(.malformed, "\(fields.place): field \(key): decimal digits expected")
        }
        return value
    }
}

extension SignedReceipt {
    public var cbor: CBOR {
        [
            "receipt": receipt.cbor, "worker_signature": .bytes(workerSignature),
            "workerpool_signature": .bytes(workerpoolSignature),
        ]
    }

    public init(_ cbor: CBOR) throws(Failure) {
        let fields = try MessageFields(cbor, place: "signed receipt")
        self.init(
            receipt: try Receipt(try fields.value("receipt")),
            workerSignature: try fields.bytes("worker_signature"),
            workerpoolSignature: try fields.bytes("workerpool_signature"))
    }

    // MARK: JSON

    /// Version of the file's layout.
    private static let format = 1
    private static let order = [
        "dealid", "index", "taskid", "app", "app_version", "task_spec", "leaf_count",
        "merkle_root", "result_digest", "result_hash", "result_seal", "worker", "workerpool",
        "requester", "device", "conformance", "trust", "paid", "finalized",
    ]
    private static let fileBytesMax = 1 << 16

    /// The receipt as people keep it.
    public var json: JSON {
        let fields = receipt.cbor
        let members = Self.order.map { key -> JSON.Member in
            switch fields[key] {
            case .bytes(let bytes): JSON.Member(key, .string(bytes.hex0x))
            case .text(let text): JSON.Member(key, .string(text))
            case .some(let value): JSON.Member(key, .int(value.int ?? 0))
            case nil: preconditionFailure("every field has its place")
            }
        }
        return [
            "format": .int(Self.format), "receipt": .object(members),
            "signatures": [
                "worker": .string(workerSignature.hex0x),
                "workerpool": .string(workerpoolSignature.hex0x),
            ],
        ]
    }

    /// Reads a receipt file.
    ///
    /// - Throws: ``Failure`` naming the field that is missing, unknown or of another form.
    public init(json bytes: Bytes) throws(Failure) {
        guard bytes.count <= Self.fileBytesMax,
            let object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
        else { throw Failure(.malformed, "receipt: a JSON object expected") }
        guard object["format"] as? Int == Self.format else {
            throw Failure(.unsupported, "receipt: format \(Self.format) expected")
        }
        guard let receipt = object["receipt"] as? [String: Any],
            let signatures = object["signatures"] as? [String: Any],
            object.count == 3, signatures.count == 2,
            let worker = (signatures["worker"] as? String).flatMap({ Hex.decode($0) }),
            let pool = (signatures["workerpool"] as? String).flatMap({ Hex.decode($0) })
        else { throw Failure(.malformed, "receipt: receipt and two signatures expected") }
        let texts: Set<String> = ["app", "device", "trust", "paid"]
        var fields: [String: CBOR] = [:]
        for (key, value) in receipt {
            guard Self.order.contains(key) else {
                throw Failure(.malformed, "receipt: field \(key) is not known")
            }
            if let text = value as? String {
                fields[key] = texts.contains(key)
                    ? .text(text) : Hex.decode(text).map { .bytes($0) } ?? .text(text)
            } else if let number = value as? Int {
                fields[key] = CBOR(number)
            } else {
                throw Failure(.malformed, "receipt: field \(key): text or integer expected")
            }
        }
        self.init(
            receipt: try Receipt(.map(fields)), workerSignature: worker,
            workerpoolSignature: pool)
    }
}
