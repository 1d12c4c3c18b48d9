import Compute
import Core
import DeviceHost
import Digest
import Foundation
import Glibc
import HostProtocol
import PrepareHost
import Testing
import Toy

struct StillClock: Core.Clock {
    var nowSeconds: Int { 1_700_000_000 }
    var monotonicSeconds: Double { ProcessInfo.processInfo.systemUptime }
}

/// Both hosts in this process, each behind its channel.
private final class Hosts {
    let folder: String
    let prepare: FrameChannel
    let device: FrameChannel

    init() throws {
        folder = NSTemporaryDirectory() + "hosts-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: folder + "/in", withIntermediateDirectories: true)
        prepare = try Self.serve { session in
            PrepareHost.serve(session, apps: [HashApp()], clock: StillClock())
        }
        device = try Self.serve { session in
            let shelf = OpenCLShelf(cacheFolder: nil, clock: StillClock())
            DeviceHost(session: session, shelf: shelf, apps: [HashApp()], clock: StillClock())
                .serve()
        }
    }

    deinit {
        prepare.close()
        device.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    private static func serve(
        _ body: @escaping @Sendable (HostSession) -> Void
    ) throws
        -> FrameChannel
    {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let far = FrameChannel(input: ends[1], output: ends[1], name: "agent")
        Thread { body(HostSession(channel: far)) }.start()
        return FrameChannel(input: ends[0], output: ends[0], name: "host")
    }

    func ask(_ channel: FrameChannel, _ request: HostRequest) throws -> (HostReply, [HostReply]) {
        try channel.send(request.cbor, secondsMax: 5)
        var events: [HostReply] = []
        while true {
            let value = try #require(try channel.receive(secondsMax: 60))
            let reply = try HostReply(value)
            if reply.isFinal { return (reply, events) }
            events.append(reply)
        }
    }

    func spec(
        _ content: Bytes, chunkBytes: Int, rounds: Int, parts: [TaskSpec.Part]
    ) throws
        -> TaskSpec
    {
        try FileHash.writeDurably(content, to: folder + "/in/data")
        return TaskSpec(
            app: "hash", appVersion: "0.1",
            parameters: ["chunk_bytes": .int(chunkBytes), "rounds": .int(rounds)],
            inputs: [
                "data": .init(sha256: SHA256.hash(content), byteCount: content.count)
            ], parts: parts)
    }
}

@Suite(.serialized) struct HostTests {
    @Test(arguments: [0, 1, 55, 56, 63, 64, 65, 1000, 4096, 10_000])
    func theToyAppHashesChunks(byteCount: Int) throws {
        let hosts = try Hosts()
        let content = Bytes((0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 89 &+ 3) })
        let spec = try hosts.spec(content, chunkBytes: 1000, rounds: 3, parts: [.init()])
        let blobPath = hosts.folder + "/blob"
        let (prepared, _) = try hosts.ask(
            hosts.prepare,
            .prepare(
                PrepareOrder(
                    spec: spec.canonical, frame: 0, inputsPath: hosts.folder + "/in",
                    outputPath: blobPath)))
        guard case .prepared(let report) = prepared else {
            Issue.record("\(prepared)")
            return
        }
        guard case .opened = try hosts.ask(hosts.device, .open(.init(index: 0))).0 else {
            Issue.record("no device opened")
            return
        }
        let (reply, events) = try hosts.ask(
            hosts.device,
            .run(
                RunOrder(
                    spec: spec.canonical, part: 0, blobPath: blobPath, blob: report.blob,
                    sliceSeconds: 0.05)))
        let leaves = events.compactMap { if case .leaf(let leaf) = $0 { leaf } else { nil } }
        let expected = stride(from: 0, to: max(byteCount, 1), by: 1000).enumerated().map {
            var hash = SHA256.hash(content[$0.element..<min($0.element + 1000, byteCount)])
            for _ in 0..<3 { hash = SHA256.hash(hash.bytes) }
            return Leaf(index: $0.offset, name: "chunk/\($0.offset)", bytes: hash.bytes)
        }
        #expect(leaves == expected)
        guard case .done(let done) = reply else {
            Issue.record("\(reply)")
            return
        }
        #expect(done.merkleRoot == MerkleTree(leaves: expected).root)
        #expect(done.leafCount == expected.count)
    }

    @Test func aRunStopsBetweenSlicesWhenAsked() throws {
        let hosts = try Hosts()
        let spec = try hosts.spec([1], chunkBytes: 64, rounds: 1_000_000_000, parts: [.init()])
        let blobPath = hosts.folder + "/blob"
        let (prepared, _) = try hosts.ask(
            hosts.prepare,
            .prepare(
                PrepareOrder(
                    spec: spec.canonical, frame: 0, inputsPath: hosts.folder + "/in",
                    outputPath: blobPath)))
        guard case .prepared(let report) = prepared else {
            Issue.record("\(prepared)")
            return
        }
        _ = try hosts.ask(hosts.device, .open(.init(index: 0)))
        try hosts.device.send(
            HostRequest.run(
                RunOrder(
                    spec: spec.canonical, part: 0, blobPath: blobPath, blob: report.blob,
                    sliceSeconds: 0.02)
            ).cbor, secondsMax: 5)
        var reply: HostReply
        repeat {
            let value = try #require(try hosts.device.receive(secondsMax: 60))
            reply = try HostReply(value)
            if case .progress = reply {
                try hosts.device.send(HostRequest.cancel.cbor, secondsMax: 5)
            }
        } while !reply.isFinal
        guard case .failed(let failure) = reply else {
            Issue.record("\(reply)")
            return
        }
        #expect(failure.code == .cancelled)
        #expect(try hosts.ask(hosts.device, .scrub).0 == .scrubbed)
    }

    @Test func aBlobThatIsNotTheAgreedOneIsNotRun() throws {
        let hosts = try Hosts()
        let spec = try hosts.spec([1], chunkBytes: 64, rounds: 0, parts: [.init()])
        try FileHash.writeDurably(Bytes("not it".utf8), to: hosts.folder + "/blob")
        _ = try hosts.ask(hosts.device, .open(.init(index: 0)))
        let (reply, _) = try hosts.ask(
            hosts.device,
            .run(
                RunOrder(
                    spec: spec.canonical, part: 0, blobPath: hosts.folder + "/blob",
                    blob: .init(sha256: .zero, byteCount: 6), sliceSeconds: 0.05)))
        guard case .failed(let failure) = reply else {
            Issue.record("\(reply)")
            return
        }
        #expect(failure.code == .untrusted)
    }

    @Test func damagedBlobsAreRefusedBeforeTheDeviceSeesThem() throws {
        let hosts = try Hosts()
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var state = seed
        let content = Bytes(repeating: 5, count: 300)
        let spec = try hosts.spec(content, chunkBytes: 100, rounds: 1, parts: [.init()])
        let good = try HashApp().prepare(spec, inputs: hosts.folder + "/in")
        let device = try OpenCLShelf(cacheFolder: nil, clock: StillClock()).open(.init(index: 0))
        for _ in 0..<200 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            var bad = good
            let place = Int(state >> 33) % 48
            bad[place] ^= UInt8(truncatingIfNeeded: state >> 20) | 1
            let run = AppRun(
                spec: spec, part: 0, blob: bad, sliceSeconds: 0.05, clock: StillClock())
            // Either refused, or still within its own blocks: the one thing it may not do is crash.
            do { _ = try HashApp().run(run, on: device, observer: Silent()) } catch {
                #expect((error as Failure).code == .malformed)
            }
        }
    }

    private final class Silent: AppObserver {
        var rounds = 0
        func advance(_ fraction: Double) throws(Failure) {
            rounds += 1
            // A flipped bit may ask for a billion rounds: stopping it is what a host would do.
            if rounds > 3 { throw Failure(.malformed, "enough") }
        }
        func leaf(_ leaf: Leaf) throws(Failure) {}
    }

    @Test func unknownAppsAndChangedInputsAreRefused() throws {
        let hosts = try Hosts()
        var spec = try hosts.spec([1], chunkBytes: 64, rounds: 0, parts: [.init()])
        func order(_ spec: TaskSpec) -> HostRequest {
            .prepare(
                PrepareOrder(
                    spec: spec.canonical, frame: 0, inputsPath: hosts.folder + "/in",
                    outputPath: hosts.folder + "/blob"))
        }
        try FileHash.writeDurably([2], to: hosts.folder + "/in/data")
        guard case .failed(let changed) = try hosts.ask(hosts.prepare, order(spec)).0 else {
            Issue.record("a changed input was taken")
            return
        }
        #expect(changed.code == .untrusted)
        spec.app = "mine"
        guard case .failed(let unknown) = try hosts.ask(hosts.prepare, order(spec)).0 else {
            Issue.record("an unknown app was taken")
            return
        }
        #expect(unknown.code == .unsupported && unknown.message.contains("hash 0.1"))
    }
}
