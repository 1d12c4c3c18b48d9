public import Core

extension HostReply {
    public var cbor: CBOR {
        switch self {
        case .hello(let greeting): greeting.cbor
        case .pong: ["kind": .text("pong")]
        case .devices(let list):
            ["kind": .text("devices"), "devices": .array(list.map(\.cbor))]
        case .certificate(let report): report.cbor
        case .answer(let report):
            [
                "kind": .text("answer"), "words": .bytes(report.words),
                "reason": report.reason.map(CBOR.text) ?? .null,
                "missing": .bool(report.isMissing),
            ]
        case .opened(let device): ["kind": .text("opened"), "device": device.cbor]
        case .progress(let stage, let fraction):
            ["kind": .text("progress"), "stage": .text(stage), "millionths": .fraction(fraction)]
        case .leaf(let leaf):
            [
                "kind": .text("leaf"), "index": CBOR(leaf.index), "name": .text(leaf.name),
                "bytes": .bytes(leaf.bytes),
            ]
        case .done(let report): report.cbor
        case .scrubbed: ["kind": .text("scrubbed")]
        case .prepared(let report):
            [
                "kind": .text("prepared"), "blob_sha256": .bytes(report.blob.sha256.bytes),
                "blob_bytes": CBOR(report.blob.byteCount),
                "microseconds": .seconds(report.seconds),
            ]
        case .failed(let failure):
            [
                "kind": .text("failed"), "code": .text(failure.code.rawValue),
                "message": .text(failure.message),
            ]
        }
    }

    /// - Throws: ``Failure``: `malformed`, or `unsupported` for a message of a kind not known here.
    public init(_ cbor: CBOR) throws(Failure) {
        let kind = try MessageFields(cbor, place: "host reply").text("kind")
        let fields = try MessageFields(cbor, place: "host reply \(kind)")
        switch kind {
        case "hello": self = .hello(try HostGreeting(fields))
        case "pong": self = .pong
        case "devices":
            var list: [DeviceReport] = []
            for value in try fields.array("devices") { list.append(try DeviceReport(value)) }
            self = .devices(list)
        case "certificate": self = .certificate(try CertificateReport(fields))
        case "answer":
            self = .answer(
                AnswerReport(
                    words: try fields.bytes("words"), reason: fields.optional("reason")?.text,
                    isMissing: try fields.bool("missing")))
        case "opened": self = .opened(try DeviceReport(try fields.value("device")))
        case "progress":
            self = .progress(
                stage: try fields.text("stage"), fraction: try fields.fraction("millionths"))
        case "leaf":
            self = .leaf(
                Leaf(
                    index: try fields.count("index"), name: try fields.text("name"),
                    bytes: try fields.bytes("bytes")))
        case "done": self = .done(try RunReport(fields))
        case "scrubbed": self = .scrubbed
        case "prepared": self = .prepared(try PrepareReport(fields))
        case "failed":
            let code = Failure.Code(rawValue: try fields.text("code"))
            self = .failed(Failure(code, try fields.text("message")))
        default:
            throw Failure(
                .unsupported,
                "host reply \(kind): not known to host protocol \(HostProtocol.version)")
        }
    }
}

extension HostGreeting {
    var cbor: CBOR {
        [
            "kind": .text("hello"), "version": CBOR(version), "binary": .bytes(binary.bytes),
            "process": CBOR(processID), "confinement": .array(confinement.map { .text($0) }),
        ]
    }

    init(_ fields: MessageFields) throws(Failure) {
        self.init(
            version: try fields.count("version"), binary: try fields.hash("binary"),
            processID: try fields.count("process"),
            confinement: try fields.array("confinement").compactMap(\.text))
    }
}

extension DeviceReport {
    public var cbor: CBOR {
        [
            "index": CBOR(index), "platform": .text(platform), "name": .text(name),
            "driver": .text(driver), "type": .text(kind), "compute_units": CBOR(computeUnits),
            "memory_bytes": CBOR(memoryBytes),
            "platform_version": platformVersion.map(CBOR.text) ?? .null,
            "pci": pciAddress.map(CBOR.text) ?? .null,
        ]
    }

    public init(_ cbor: CBOR) throws(Failure) {
        let fields = try MessageFields(cbor, place: "device")
        self.init(
            index: try fields.count("index"), platform: try fields.text("platform"),
            platformVersion: fields.optional("platform_version")?.text,
            name: try fields.text("name"), driver: try fields.text("driver"),
            pciAddress: fields.optional("pci")?.text,
            kind: try fields.text("type"), computeUnits: try fields.count("compute_units"),
            memoryBytes: try fields.count("memory_bytes"))
    }
}

extension CertificateReport {
    public var cbor: CBOR {
        [
            "kind": .text("certificate"), "device": device.cbor,
            "verdict": .text(verdict.rawValue), "conformance": .bytes(conformance.bytes),
            "reasons": .array(reasons.map { .text($0) }),
            "certificate": certificate.map(CBOR.bytes) ?? .null,
        ]
    }

    public init(_ fields: MessageFields) throws(Failure) {
        guard let verdict = Verdict(rawValue: try fields.text("verdict")) else {
            throw Failure(
                .malformed, "\(fields.place): field verdict: exact, exact-normal or no expected")
        }
        self.init(
            device: try DeviceReport(try fields.value("device")), verdict: verdict,
            conformance: try fields.hash("conformance"),
            reasons: try fields.array("reasons").compactMap(\.text),
            certificate: fields.optional("certificate")?.bytes)
    }
}

extension RunReport {
    var cbor: CBOR {
        [
            "kind": .text("done"), "merkle_root": .bytes(merkleRoot.bytes),
            "leaf_count": CBOR(leafCount),
            "microseconds": .map(seconds.mapValues { .seconds($0) }),
        ]
    }

    init(_ fields: MessageFields) throws(Failure) {
        let times = try MessageFields(
            try fields.value("microseconds"), place: "\(fields.place): field microseconds")
        var seconds: [String: Double] = [:]
        for stage in times.keys { seconds[stage] = try times.seconds(stage) }
        self.init(
            merkleRoot: try fields.hash("merkle_root"), leafCount: try fields.count("leaf_count"),
            seconds: seconds)
    }
}

extension PrepareReport {
    init(_ fields: MessageFields) throws(Failure) {
        self.init(
            blob: TaskSpec.ContentID(
                sha256: try fields.hash("blob_sha256"),
                byteCount: try fields.count("blob_bytes")),
            seconds: try fields.seconds("microseconds"))
    }
}
