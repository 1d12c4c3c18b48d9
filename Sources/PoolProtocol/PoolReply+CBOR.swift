internal import Contribution
public import Core
internal import Ethereum
package import HostProtocol

extension PoolReply {
    public var cbor: CBOR {
        switch self {
        case .hello(let greeting): greeting.cbor
        case .ok: Self.map("ok")
        case .time(let seconds): Self.map("time", ["seconds": CBOR(seconds)])
        case .nonce(let nonce): Self.map("nonce", ["nonce": CBOR(nonce)])
        case .outcome(let outcome):
            Self.map("outcome", ["events": .array(outcome.events.map(\.cbor))])
        case .task(let view):
            Self.map(
                "task",
                [
                    "now": CBOR(view.nowSeconds), "task": view.task?.cbor ?? .null,
                    "deal": view.deal?.cbor ?? .null,
                    "contribution": view.contribution?.cbor ?? .null,
                ])
        case .deal(let deal): Self.map("deal", ["deal": deal?.cbor ?? .null])
        case .account(let account): Self.map("account", ["account": account.cbor])
        case .assignment(let assignment): Self.map("assignment", assignment.fields)
        case .idle(let reason): Self.map("idle", ["reason": .text(reason)])
        case .has(let has): Self.map("has", ["has": .bool(has)])
        case .piece(let bytes): Self.map("piece", ["bytes": .bytes(bytes)])
        case .countersignature(let bytes):
            Self.map("countersignature", ["signature": .bytes(bytes)])
        case .receipts(let list): Self.map("receipts", ["receipts": .array(list.map(\.cbor))])
        case .status(let list): Self.map("status", ["workers": .array(list.map(\.cbor))])
        case .failed(let failure):
            Self.map(
                "failed",
                ["code": .text(failure.code.rawValue), "message": .text(failure.message)])
        }
    }

    private static func map(_ kind: String, _ fields: [String: CBOR] = [:]) -> CBOR {
        .map(fields.merging(["kind": .text(kind)]) { $1 })
    }

    /// - Throws: ``Failure``: `malformed`, or `unsupported` for a message of a kind not known here.
    public init(_ cbor: CBOR) throws(Failure) {
        let kind = try MessageFields(cbor, place: "pool reply").text("kind")
        let fields = try MessageFields(cbor, place: "pool reply \(kind)")
        switch kind {
        case "hello": self = .hello(try PoolGreeting(fields))
        case "ok": self = .ok
        case "time": self = .time(seconds: try fields.count("seconds"))
        case "nonce": self = .nonce(try fields.count("nonce"))
        case "outcome":
            var outcome = Outcome(events: [], transfers: [])
            for value in try fields.array("events") { outcome.events.append(try Event(value)) }
            self = .outcome(outcome)
        case "task": self = .task(try TaskView(fields))
        case "deal":
            self = .deal(
                try fields.optional("deal").map { (value) throws(Failure) in
                    try Hub.Deal(value)
                })
        case "account": self = .account(try Hub.Account(try fields.value("account")))
        case "assignment": self = .assignment(try Assignment(fields))
        case "idle": self = .idle(reason: try fields.text("reason"))
        case "has": self = .has(try fields.bool("has"))
        case "piece": self = .piece(try fields.bytes("bytes"))
        case "countersignature": self = .countersignature(try fields.bytes("signature"))
        case "receipts":
            var list: [SignedReceipt] = []
            for value in try fields.array("receipts") { list.append(try SignedReceipt(value)) }
            self = .receipts(list)
        case "status":
            var list: [WorkStatus] = []
            for value in try fields.array("workers") { list.append(try WorkStatus(value)) }
            self = .status(list)
        case "failed":
            let code = Failure.Code(rawValue: try fields.text("code"))
            self = .failed(Failure(code, try fields.text("message")))
        default:
            throw Failure(
                .unsupported,
                "pool reply \(kind): not known to pool protocol \(PoolProtocol.version)")
        }
    }
}

extension PoolGreeting {
    var cbor: CBOR {
        [
            "kind": .text("hello"), "version": CBOR(version), "chain": .bytes(chainID.bytes),
            "market": .bytes(market.bytes), "workerpool": .bytes(workerpool.bytes),
            "challenge": .bytes(challenge),
        ]
    }

    init(_ fields: MessageFields) throws(Failure) {
        self.init(
            version: try fields.count("version"), chainID: UInt256(try fields.hash("chain")),
            market: try fields.address("market"), workerpool: try fields.address("workerpool"),
            challenge: try fields.bytes("challenge"))
    }
}

extension TaskView {
    init(_ fields: MessageFields) throws(Failure) {
        self.init(
            nowSeconds: try fields.count("now"), task: nil, deal: nil, contribution: nil)
        if let value = fields.optional("task") { task = try Hub.Task(value) }
        if let value = fields.optional("deal") { deal = try Hub.Deal(value) }
        if let value = fields.optional("contribution") {
            contribution = try Hub.Contribution(value)
        }
    }
}

extension Assignment {
    package var fields: [String: CBOR] {
        [
            "task": .bytes(taskID.bytes), "deal": .bytes(dealID.bytes), "index": CBOR(index),
            "authorization": .bytes(authorization), "app_version": .bytes(appVersion.bytes),
            "params": .text(params), "spec": .bytes(spec),
            "contribution_deadline": CBOR(contributionDeadlineSeconds),
            "run_seconds_max": CBOR(runSecondsMax), "price": .bytes(price.bytes),
            "stake": .bytes(stake.bytes),
        ]
    }

    package init(_ fields: MessageFields) throws(Failure) {
        self.init(
            taskID: try fields.hash("task"), dealID: try fields.hash("deal"),
            index: try fields.count("index"), authorization: try fields.bytes("authorization"),
            appVersion: try fields.hash("app_version"), params: try fields.text("params"),
            spec: try fields.bytes("spec"),
            contributionDeadlineSeconds: try fields.count("contribution_deadline"),
            runSecondsMax: try fields.count("run_seconds_max"),
            price: UInt256(try fields.hash("price")), stake: UInt256(try fields.hash("stake")))
    }
}

extension WorkStatus {
    var cbor: CBOR {
        [
            "worker": .bytes(worker.bytes), "device": .text(device), "stage": .text(stage),
            "millionths": .fraction(fraction), "refusal": refusal.map { .text($0) } ?? .null,
        ]
    }

    init(_ value: CBOR) throws(Failure) {
        let fields = try MessageFields(value, place: "work status")
        self.init(
            worker: try fields.address("worker"), device: try fields.text("device"),
            stage: try fields.text("stage"), fraction: try fields.fraction("millionths"),
            refusal: fields.optional("refusal")?.text)
    }
}
