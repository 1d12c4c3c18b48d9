public import Compute
public import Core
internal import Digest
public import HostProtocol

/// Where a device host finds its devices.
public protocol DeviceShelf: Sendable {
    /// All devices, in the order of their indices.
    func list() throws(Failure) -> [DeviceReport]
    /// Opens a device, or a share of its compute units.
    func open(_ selection: DeviceSelection) throws(Failure) -> any ComputeDevice
    /// Runs the known-answer battery; `progress` gets a test's name and the part done.
    func certify(
        _ selection: DeviceSelection,
        progress: (String, Double) throws(Failure) -> Void
    ) throws(Failure) -> CertificateReport
    /// Asks one question of the battery.
    func ask(_ order: AskOrder) throws(Failure) -> AnswerReport
}

/// The process that drives a device: prepared blobs go in, leaves come out. It has no key and no
/// network; when its driver fails, it is the only one that dies.
public final class DeviceHost {
    private let session: HostSession
    private let shelf: any DeviceShelf
    private let apps: [any App]
    private let clock: any Clock
    private var selection: DeviceSelection?
    private var device: (any ComputeDevice)?

    public init(
        session: HostSession, shelf: any DeviceShelf, apps: [any App], clock: any Clock
    ) {
        self.session = session
        self.shelf = shelf
        self.apps = apps
        self.clock = clock
    }

    /// Serves requests until the agent hangs up.
    public func serve() {
        while let request = session.next() {
            let reply: HostReply
            do throws(Failure) { reply = try answer(request) } catch { reply = .failed(error) }
            do throws(Failure) { try session.send(reply) } catch { return }
        }
    }

    private func answer(_ request: HostRequest) throws(Failure) -> HostReply {
        switch request {
        case .describe: return .devices(try shelf.list())
        case .certify(let selection):
            return .certificate(
                try shelf.certify(selection) { (stage, fraction) throws(Failure) in
                    try session.send(.progress(stage: stage, fraction: fraction))
                })
        case .ask(let order): return .answer(try shelf.ask(order))
        case .open(let selection):
            let report = try report(selection)
            device = nil
            device = try shelf.open(selection)
            self.selection = selection
            return .opened(report)
        case .run(let order): return .done(try run(order))
        case .scrub:
            // A context's memory goes back to the driver with it; new buffers begin as zeros.
            device = nil
            if let selection { device = try shelf.open(selection) }
            return .scrubbed
        case .prepare, .hello, .ping, .cancel:
            throw Failure(.unsupported, "device host: does not serve this request")
        }
    }

    private func report(_ selection: DeviceSelection) throws(Failure) -> DeviceReport {
        let all = try shelf.list()
        guard let report = all.first(where: { $0.index == selection.index }) else {
            throw Failure(.missing, "device \(selection.index): this machine has \(all.count)")
        }
        return report
    }

    private func run(_ order: RunOrder) throws(Failure) -> RunReport {
        guard let device else { throw Failure(.refused, "device host: no device is open") }
        let spec = try TaskSpec(canonical: order.spec)
        let app = try apps.named(spec.app, version: spec.appVersion)
        guard spec.parts.indices.contains(order.part) else {
            throw Failure(.malformed, "part \(order.part) of \(spec.parts.count)")
        }
        let start = clock.monotonicSeconds
        let blob = try FileHash.contents(path: order.blobPath, expected: order.blob)
        let loaded = clock.monotonicSeconds
        let observer = RunObserver(session: session, clock: clock)
        let seconds = try app.run(
            AppRun(
                spec: spec, part: order.part, blob: blob, sliceSeconds: order.sliceSeconds,
                clock: clock),
            on: device, observer: observer)
        let tree = try observer.tree()
        return RunReport(
            merkleRoot: tree.root, leafCount: tree.leafCount,
            seconds: [
                "load": loaded - start, "compile": seconds.compile, "compute": seconds.compute,
                "digest": observer.digestSeconds,
            ])
    }
}

/// Passes leaves and progress on to the agent, and the agent's wish to stop on to the app.
private final class RunObserver: AppObserver {
    private let session: HostSession
    private let clock: any Clock
    private var leafHashes: [Hash256] = []
    private var lastProgressSeconds = -Double.infinity
    private(set) var digestSeconds = 0.0
    private static let progressSeconds = 0.25

    init(session: HostSession, clock: any Clock) {
        self.session = session
        self.clock = clock
    }

    func advance(_ fraction: Double) throws(Failure) {
        if session.isCancelRequested { throw Failure(.cancelled, "stopped by its agent") }
        let now = clock.monotonicSeconds
        guard now - lastProgressSeconds >= Self.progressSeconds else { return }
        lastProgressSeconds = now
        try session.send(.progress(stage: "compute", fraction: fraction))
    }

    func leaf(_ leaf: Leaf) throws(Failure) {
        precondition(leaf.index == leafHashes.count, "leaves come in order, without gaps")
        guard leaf.bytes.count <= HostProtocol.leafBytesMax else {
            throw Failure(
                .limit,
                "leaf \(leaf.name): \(leaf.bytes.count) bytes; at most "
                    + "\(HostProtocol.leafBytesMax) expected")
        }
        let start = clock.monotonicSeconds
        leafHashes.append(MerkleTree.leafHash(leaf))
        digestSeconds += clock.monotonicSeconds - start
        try session.send(.leaf(leaf))
    }

    func tree() throws(Failure) -> MerkleTree {
        guard !leafHashes.isEmpty else { throw Failure(.device, "the app gave no leaf") }
        let start = clock.monotonicSeconds
        defer { digestSeconds += clock.monotonicSeconds - start }
        return MerkleTree(leafHashes: leafHashes)
    }
}
