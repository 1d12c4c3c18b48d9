public import Core
internal import Digest
internal import HostProtocol
internal import PoolProtocol

extension AssignmentRecord {
    /// As it lies in the journal.
    public var cbor: CBOR {
        [
            "assignment": .map(assignment.fields), "stage": .text(stage.rawValue),
            "result": result?.cbor ?? .null, "attempts": CBOR(attempts),
            "boot": boot.map { .text($0) } ?? .null,
            "reason": reason.map { .text($0) } ?? .null,
            "journal_microseconds": .seconds(journalSeconds),
        ]
    }

    /// - Throws: ``Failure`` naming the field that is missing or of another form.
    public init(_ cbor: CBOR) throws(Failure) {
        let fields = try MessageFields(cbor, place: "journal")
        guard let stage = Stage(rawValue: try fields.text("stage")) else {
            throw Failure(.malformed, "journal: a stage expected")
        }
        self.init(
            assignment: try Assignment(
                MessageFields(try fields.value("assignment"), place: "journal: assignment")),
            stage: stage, attempts: try fields.count("attempts"),
            reason: fields.optional("reason")?.text)
        boot = fields.optional("boot")?.text
        if let value = fields.optional("result") { result = try TaskResult(value) }
        journalSeconds = try fields.seconds("journal_microseconds")
    }
}

extension TaskResult {
    var cbor: CBOR {
        [
            "app_version": .bytes(digest.appVersion.bytes),
            "task_spec": .bytes(digest.taskSpec.bytes), "leaf_count": CBOR(digest.leafCount),
            "merkle_root": .bytes(digest.merkleRoot.bytes), "leaves": .map(leaves.fields),
            "app": .text(app), "device": .text(device),
            "conformance": .bytes(conformance.bytes),
            "microseconds": .map(seconds.mapValues { .seconds($0) }),
        ]
    }

    init(_ cbor: CBOR) throws(Failure) {
        let fields = try MessageFields(cbor, place: "journal: result")
        let times = try MessageFields(
            try fields.value("microseconds"), place: "journal: result: microseconds")
        var seconds: [String: Double] = [:]
        for stage in times.keys { seconds[stage] = try times.seconds(stage) }
        self.init(
            digest: ResultDigest(
                appVersion: try fields.hash("app_version"),
                taskSpec: try fields.hash("task_spec"),
                leafCount: try fields.count("leaf_count"),
                merkleRoot: try fields.hash("merkle_root")),
            leaves: try TaskSpec.ContentID(
                MessageFields(try fields.value("leaves"), place: "journal: leaves")),
            app: try fields.text("app"), device: try fields.text("device"),
            conformance: try fields.hash("conformance"), seconds: seconds)
    }
}
