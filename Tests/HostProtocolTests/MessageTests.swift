import Core
import HostProtocol
import Testing

private let hash = Hash256(Bytes(1...32)) ?? .zero
private let content = TaskSpec.ContentID(sha256: hash, byteCount: 77)
private let device = DeviceReport(
    index: 1, platform: "Portable", platformVersion: "OpenCL 3.0", name: "cpu", driver: "3.1",
    kind: "cpu", computeUnits: 2, memoryBytes: 1 << 33)
private let card = DeviceReport(
    index: 2, platform: "Portable", name: "gpu", driver: "3.1", pciAddress: "0000:01:00.0",
    kind: "gpu", computeUnits: 2, memoryBytes: 1 << 33)

@Suite struct MessageTests {
    static let requests: [HostRequest] = [
        .hello(version: 1), .ping, .describe, .cancel, .scrub,
        .certify(DeviceSelection(index: 2)),
        .ask(AskOrder(device: DeviceSelection(index: 2), question: "add", native: 3)),
        .open(DeviceSelection(index: 0, share: 1, shareCount: 2)),
        .run(
            RunOrder(
                spec: [1, 2], part: 3, blobPath: "/tmp/b", blob: content, sliceSeconds: 0.05)),
        .prepare(PrepareOrder(spec: [9], frame: 7, inputsPath: "/in", outputPath: "/out")),
    ]
    static let replies: [HostReply] = [
        .hello(
            HostGreeting(version: 1, binary: hash, processID: 12, confinement: ["no network"])),
        .pong, .scrubbed, .devices([device, card]), .opened(device),
        .certificate(
            CertificateReport(
                device: device, verdict: .exactNormal, conformance: hash, reasons: ["subnormals"])),
        .certificate(
            CertificateReport(
                device: card, verdict: .exact, conformance: hash, reasons: [], certificate: [7, 8])
        ),
        .answer(AnswerReport(words: [], reason: "refused", isMissing: true)),
        .answer(AnswerReport(values: [1, 0x0203_0405], reason: nil)),
        .answer(AnswerReport(words: [], reason: "2 words wrong")),
        .progress(stage: "compute", fraction: 0.25),
        .leaf(Leaf(index: 4, name: "chunk/4", bytes: [0, 255])),
        .done(RunReport(merkleRoot: hash, leafCount: 9, seconds: ["compute": 1.5])),
        .prepared(PrepareReport(blob: content, seconds: 0.125)),
        .failed(Failure(.device, "lost")),
    ]

    @Test(arguments: requests) func requestsComeBack(request: HostRequest) throws {
        #expect(try HostRequest(CBOR(decoding: request.cbor.encoded)) == request)
    }

    @Test(arguments: replies) func repliesComeBack(reply: HostReply) throws {
        #expect(try HostReply(CBOR(decoding: reply.cbor.encoded)) == reply)
    }

    @Test func unknownKindsAreRefusedByName() {
        let strange: CBOR = ["kind": .text("dance")]
        #expect {
            try HostRequest(strange)
        } throws: {
            ($0 as? Failure)?.code == .unsupported && "\($0)".contains("dance")
        }
        #expect(throws: Failure.self) { try HostReply(strange) }
        #expect(throws: Failure.self) { try HostReply(.null) }
    }

    @Test(arguments: requests.filter { $0.cbor.map?.count ?? 0 > 1 })
    func missingFieldsAreNamed(request: HostRequest) throws {
        let whole = try #require(request.cbor.map)
        for key in whole.keys where key != "kind" {
            var partial = whole
            partial[key] = nil
            #expect {
                try HostRequest(.map(partial))
            } throws: {
                ($0 as? Failure)?.code == .malformed && "\($0)".contains(key)
            }
        }
    }

    @Test func aShareBeyondTheCountIsRefused() {
        let wrong = HostRequest.open(DeviceSelection(index: 0, share: 2, shareCount: 2)).cbor
        #expect(throws: Failure.self) { try HostRequest(wrong) }
    }
}
