public import Core
package import HostProtocol

/// What agents, owners and requesters say to a pool: version, limits.
public enum PoolProtocol {
    public static let version = 1
    /// Artifacts travel in pieces of at most this size.
    public static let pieceBytesMax = 1 << 20
    /// The largest artifact a pool takes.
    public static let artifactBytesMax = 1 << 30
    /// What an EIP-191 login signs: keccak256 of this text, the pool's address and the challenge.
    /// A specification is small: it names files, and holds none.
    public static let specBytesMax = 1 << 20
    static let loginText = Bytes("Rigor pool login".utf8)
}

/// What is asked of a pool. Everything that moves money is a signed envelope within `submit`; the
/// rest needs at most a login.
public enum PoolRequest: Hashable, Sendable {
    case hello(version: Int)
    /// Who the connection speaks for: a signature of the greeting's challenge.
    case login(worker: Address, signature: Bytes)
    case time
    /// The nonce of the address's next envelope.
    case nonce(Address)
    /// A signed envelope for the ledger. The same envelope twice has the effect and answer of one.
    case submit(envelope: Bytes)
    /// Canonical bytes of a task specification, for deals that will name it.
    case announce(spec: Bytes)
    /// A task, its deal, and one worker's contribution.
    case task(Hash256, worker: Address)
    case deal(Hash256)
    case account(Address)
    /// Is there work? Says which device would do it, and which tasks the worker has in its journal
    /// already. Needs a login.
    case poll(DeviceOffer, holding: [Hash256])
    /// The worker will not do a task that it was given, and why. Needs a login.
    case refuse(taskID: Hash256, reason: String)
    /// The worker still works on it: the pool waits on. Needs a login.
    case progress(taskID: Hash256, stage: String, fraction: Double)
    /// Does the pool hold that artifact?
    case has(TaskSpec.ContentID)
    case get(Hash256, offset: Int, byteCount: Int)
    /// The next piece of an artifact; the last one completes it.
    case put(TaskSpec.ContentID, offset: Int, bytes: Bytes)
    /// The leaves of a revealed task are in the store. Needs a login.
    case deliver(taskID: Hash256, leaves: TaskSpec.ContentID)
    /// A receipt signed by its worker, to be signed by the workerpool too.
    case countersign(receipt: Bytes, signature: Bytes)
    /// All receipts with both signatures.
    case receipts(taskID: Hash256)
    /// How a task goes, for people: who works on it, on what, how far.
    case status(taskID: Hash256)
}

/// The device that an agent would work on.
public struct DeviceOffer: Hashable, Sendable {
    public var label: String
    public var verdict: Verdict
    public var conformance: Hash256

    public init(label: String, verdict: Verdict, conformance: Hash256) {
        self.label = label
        self.verdict = verdict
        self.conformance = conformance
    }
}

// MARK: - Wire form

extension PoolRequest {
    public var cbor: CBOR {
        switch self {
        case .hello(let version): Self.map("hello", ["version": CBOR(version)])
        case .login(let worker, let signature):
            Self.map("login", ["worker": .bytes(worker.bytes), "signature": .bytes(signature)])
        case .time: Self.map("time")
        case .nonce(let address): Self.map("nonce", ["address": .bytes(address.bytes)])
        case .submit(let envelope): Self.map("submit", ["envelope": .bytes(envelope)])
        case .announce(let spec): Self.map("announce", ["spec": .bytes(spec)])
        case .task(let id, let worker):
            Self.map("task", ["task": .bytes(id.bytes), "worker": .bytes(worker.bytes)])
        case .deal(let id): Self.map("deal", ["deal": .bytes(id.bytes)])
        case .account(let address): Self.map("account", ["address": .bytes(address.bytes)])
        case .poll(let offer, let holding):
            Self.map(
                "poll",
                offer.fields.merging([
                    "holding": .array(holding.map { .bytes($0.bytes) })
                ]) { $1 })
        case .refuse(let id, let reason):
            Self.map("refuse", ["task": .bytes(id.bytes), "reason": .text(reason)])
        case .progress(let id, let stage, let fraction):
            Self.map(
                "progress",
                [
                    "task": .bytes(id.bytes), "stage": .text(stage),
                    "millionths": .fraction(fraction),
                ])
        case .has(let content): Self.map("has", content.fields)
        case .get(let hash, let offset, let byteCount):
            Self.map(
                "get",
                ["sha256": .bytes(hash.bytes), "offset": CBOR(offset), "count": CBOR(byteCount)])
        case .put(let content, let offset, let bytes):
            Self.map(
                "put",
                content.fields.merging(["offset": CBOR(offset), "piece": .bytes(bytes)]) { $1 })
        case .deliver(let id, let leaves):
            Self.map("deliver", leaves.fields.merging(["task": .bytes(id.bytes)]) { $1 })
        case .countersign(let receipt, let signature):
            Self.map(
                "countersign", ["receipt": .bytes(receipt), "signature": .bytes(signature)])
        case .receipts(let id): Self.map("receipts", ["task": .bytes(id.bytes)])
        case .status(let id): Self.map("status", ["task": .bytes(id.bytes)])
        }
    }

    private static func map(_ kind: String, _ fields: [String: CBOR] = [:]) -> CBOR {
        .map(fields.merging(["kind": .text(kind)]) { $1 })
    }

    /// - Throws: ``Failure``: `malformed`, or `unsupported` for a message of a kind not known here.
    public init(_ cbor: CBOR) throws(Failure) {
        let kind = try MessageFields(cbor, place: "pool request").text("kind")
        let fields = try MessageFields(cbor, place: "pool request \(kind)")
        switch kind {
        case "hello": self = .hello(version: try fields.count("version"))
        case "login":
            self = .login(
                worker: try fields.address("worker"), signature: try fields.bytes("signature"))
        case "time": self = .time
        case "nonce": self = .nonce(try fields.address("address"))
        case "submit": self = .submit(envelope: try fields.bytes("envelope"))
        case "announce": self = .announce(spec: try fields.bytes("spec"))
        case "task":
            self = .task(try fields.hash("task"), worker: try fields.address("worker"))
        case "deal": self = .deal(try fields.hash("deal"))
        case "account": self = .account(try fields.address("address"))
        case "has": self = .has(try TaskSpec.ContentID(fields))
        case "get":
            self = .get(
                try fields.hash("sha256"), offset: try fields.count("offset"),
                byteCount: try fields.count("count"))
        case "put":
            self = .put(
                try TaskSpec.ContentID(fields), offset: try fields.count("offset"),
                bytes: try fields.bytes("piece"))
        case "countersign":
            self = .countersign(
                receipt: try fields.bytes("receipt"), signature: try fields.bytes("signature"))
        case "receipts": self = .receipts(taskID: try fields.hash("task"))
        case "status": self = .status(taskID: try fields.hash("task"))
        default: self = try Self.work(kind, fields)
        }
    }

    private static func work(
        _ kind: String, _ fields: MessageFields
    ) throws(Failure) -> PoolRequest {
        switch kind {
        case "poll":
            var holding: [Hash256] = []
            for value in try fields.array("holding") {
                guard let id = value.bytes.flatMap({ Hash256($0) }) else {
                    throw Failure(.malformed, "pool request poll: task identifiers expected")
                }
                holding.append(id)
            }
            return .poll(try DeviceOffer(fields), holding: holding)
        case "refuse":
            return .refuse(taskID: try fields.hash("task"), reason: try fields.text("reason"))
        case "progress":
            return .progress(
                taskID: try fields.hash("task"), stage: try fields.text("stage"),
                fraction: try fields.fraction("millionths"))
        case "deliver":
            return .deliver(
                taskID: try fields.hash("task"), leaves: try TaskSpec.ContentID(fields))
        default:
            throw Failure(
                .unsupported,
                "pool request \(kind): not known to pool protocol \(PoolProtocol.version)")
        }
    }
}

extension DeviceOffer {
    package var fields: [String: CBOR] {
        [
            "device": .text(label), "verdict": .text(verdict.rawValue),
            "conformance": .bytes(conformance.bytes),
        ]
    }

    package init(_ fields: MessageFields) throws(Failure) {
        guard let verdict = Verdict(rawValue: try fields.text("verdict")) else {
            throw Failure(
                .malformed, "\(fields.place): field verdict: exact, exact-normal or no expected")
        }
        self.init(
            label: try fields.text("device"), verdict: verdict,
            conformance: try fields.hash("conformance"))
    }
}

extension TaskSpec.ContentID {
    package var fields: [String: CBOR] {
        ["sha256": .bytes(sha256.bytes), "bytes": CBOR(byteCount)]
    }

    package init(_ fields: MessageFields) throws(Failure) {
        self.init(
            sha256: try fields.hash("sha256"), byteCount: try fields.count("bytes"))
    }
}
