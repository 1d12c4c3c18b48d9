internal import Contribution
internal import Core
internal import Digest
internal import Foundation
internal import HostProtocol
internal import PoolProtocol
internal import Synchronization

/// Computes one task at a time on a thread of its own, so that reveals of other tasks are not late
/// while a device works.
final class TaskRunner: Sendable {
    /// How a run ended.
    enum End: Sendable {
        case result(TaskResult)
        /// A host died or a driver failed: the same run may succeed with a new host.
        case hostFailed(Failure)
        /// The pool was away; nothing is wrong here.
        case poolAway(Failure)
        /// This rig's disk is full or cannot be written: no other host will do better.
        case diskFailed(Failure)
        /// It cannot succeed, whoever tries.
        case impossible(Failure)
    }

    private enum State {
        case idle
        case running(Hash256)
        case ended(Hash256, End)
    }

    private let state = Mutex<State>(.idle)
    private let folder: String
    private let store: ArtifactStore
    private let pool: PoolClient
    private let clock: any Clock
    /// Used by the runner's thread alone, of which there is at most one at a time.
    nonisolated(unsafe) private let slot: DeviceSlot
    private static let prepareSecondsMax = 3600.0
    private static let scrubSecondsMax = 60.0
    private static let sliceSeconds = 0.05

    init(
        folder: String, store: ArtifactStore, pool: PoolClient, slot: DeviceSlot, clock: any Clock
    ) {
        self.folder = folder
        self.store = store
        self.pool = pool
        self.slot = slot
        self.clock = clock
    }

    // MARK: State

    var isIdle: Bool {
        state.withLock { if case .idle = $0 { true } else { false } }
    }

    /// What became of the task's run; nil while it runs, or when there was none. Asking takes it.
    func takeEnd(of taskID: Hash256) -> End? {
        state.withLock { state in
            guard case .ended(taskID, let end) = state else { return nil }
            state = .idle
            return end
        }
    }

    /// Starts a run.
    ///
    /// - Precondition: the runner is idle.
    func start(
        _ assignment: Assignment, _ spec: TaskSpec, program: Program,
        certificate: CertificateReport
    ) {
        state.withLock { state in
            guard case .idle = state else { preconditionFailure("one run at a time") }
            state = .running(assignment.taskID)
        }
        let thread = Thread { [self] in
            let end = run(assignment, spec, program: program, certificate: certificate)
            state.withLock { $0 = .ended(assignment.taskID, end) }
        }
        thread.name = "task"
        thread.start()
    }

    // MARK: Steps

    private func run(
        _ assignment: Assignment, _ spec: TaskSpec, program: Program,
        certificate: CertificateReport
    ) -> End {
        let inputs = "\(folder)/inputs/\(assignment.taskID.bytes.hex)"
        defer { try? FileManager.default.removeItem(atPath: inputs) }
        var seconds: [String: Double] = [:]
        do throws(Failure) {
            report(assignment, "fetch", 0)
            try timed(&seconds["fetch", default: 0]) { () throws(Failure) in
                try fetch(spec, into: inputs)
            }
        } catch {
            if error.code == .storage { return .diskFailed(error) }
            return error.code == .io || error.code == .timeout
                ? .poolAway(error) : .impossible(error)
        }
        do throws(Failure) {
            report(assignment, "prepare", 0)
            let blob = try timed(&seconds["prepare", default: 0]) { () throws(Failure) in
                try prepare(assignment, spec, inputs: inputs, program)
            }
            return .result(
                try compute(assignment, spec, blob, seconds, program, certificate))
        } catch {
            if error.code == .storage { return .diskFailed(error) }
            let mayPass: Set<Failure.Code> = [.io, .timeout, .device]
            return mayPass.contains(error.code) ? .hostFailed(error) : .impossible(error)
        }
    }

    /// Puts every input file under its path; hard links, since the store's files never change.
    private func fetch(_ spec: TaskSpec, into inputs: String) throws(Failure) {
        let files = FileManager.default
        try? files.removeItem(atPath: inputs)
        for (path, content) in spec.inputs.sorted(by: { $0.key < $1.key }) {
            try pool.fetch(content, into: store)
            let target = "\(inputs)/\(path)"
            do {
                try files.createDirectory(
                    atPath: (target as NSString).deletingLastPathComponent,
                    withIntermediateDirectories: true)
                try files.linkItem(atPath: store.path(of: content.sha256), toPath: target)
            } catch {
                // A stranger's paths may be impossible; that must not look like our disk's fault.
                let code = (error as? CocoaError)?.code
                let isDisk = code == .fileWriteOutOfSpace || code == .fileWriteVolumeReadOnly
                throw Failure(
                    isDisk ? .storage : .limit, "input \(path): cannot be laid out under \(inputs)")
            }
        }
        try? files.createDirectory(atPath: inputs, withIntermediateDirectories: true)
    }

    /// The task's blob: from the cache, or by a prepare host, which lives for this alone.
    private func prepare(
        _ assignment: Assignment, _ spec: TaskSpec, inputs: String, _ program: Program
    ) throws(Failure) -> TaskSpec.ContentID {
        // Parts of one frame share a blob.
        let frame = try spec.part(assignment.index).frame
        let key = SHA256.hash(
            program.hash.bytes + UInt64(frame).bigEndianBytes + assignment.spec
        ).bytes.hex
        let record = "\(folder)/prepared/\(key)"
        if let known = Self.preparedBlob(record), store.contains(known) { return known }
        let host = try HostLink.start(
            .prepare, executable: program.path, expected: program.hash,
            logPath: "\(folder)/prepare-host.log")
        defer { host.stop() }
        let output = store.incomingPath()
        let reply = try host.ask(
            .prepare(
                PrepareOrder(
                    spec: assignment.spec, frame: frame, inputsPath: inputs, outputPath: output)),
            secondsMax: Self.prepareSecondsMax)
        guard case .prepared(let report) = reply else {
            throw Failure(.malformed, "prepare host: a blob expected")
        }
        try store.adopt(output, expected: report.blob)
        try FileHash.writeDurably(
            CBOR.array([.bytes(report.blob.sha256.bytes), CBOR(report.blob.byteCount)]).encoded,
            to: record)
        return report.blob
    }

    private static func preparedBlob(_ path: String) -> TaskSpec.ContentID? {
        guard let bytes = try? FileHash.contents(path: path, bytesMax: 100),
            let pair = (try? CBOR(decoding: bytes))?.array, pair.count == 2,
            let hash = pair[0].bytes.flatMap({ Hash256($0) }), let count = pair[1].int
        else { return nil }
        return TaskSpec.ContentID(sha256: hash, byteCount: count)
    }

    private func compute(
        _ assignment: Assignment, _ spec: TaskSpec, _ blob: TaskSpec.ContentID,
        _ seconds: [String: Double], _ program: Program, _ certificate: CertificateReport
    ) throws(Failure) -> TaskResult {
        report(assignment, "compute", 0)
        let host = try slot.host(program)
        let path = store.incomingPath()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let writer = try LeafFileWriter(path: path)
        var storeSeconds = 0.0
        let reply = try host.ask(
            .run(
                RunOrder(
                    spec: assignment.spec, part: assignment.index,
                    blobPath: store.path(of: blob.sha256), blob: blob,
                    sliceSeconds: Self.sliceSeconds)),
            secondsMax: Double(assignment.runSecondsMax)
        ) { (event) throws(Failure) in
            switch event {
            case .leaf(let leaf):
                try timed(&storeSeconds) { () throws(Failure) in try writer.append(leaf) }
            case .progress(let stage, let fraction): report(assignment, stage, fraction)
            default: break
            }
        }
        guard case .done(let done) = reply else {
            throw Failure(.device, "device host: the end of a run expected")
        }
        let tree = try writer.finish()
        guard tree.root == done.merkleRoot, tree.leafCount == done.leafCount else {
            throw Failure(.device, "device host: its root \(done.merkleRoot) is not its leaves'")
        }
        // The next buyer finds no trace of this one; a host that cannot do that is started anew.
        if (try? host.ask(.scrub, secondsMax: Self.scrubSecondsMax)) == nil { slot.close() }
        let digest = ResultDigest(appVersion: assignment.appVersion, spec: spec, tree: tree)
        let leaves = try timed(&storeSeconds) { () throws(Failure) in
            try store.adopt(path, expected: nil)
        }
        var seconds = seconds.merging(done.seconds) { $1 }
        seconds["store"] = storeSeconds
        return TaskResult(
            digest: digest, leaves: leaves, app: spec.app, device: certificate.device.label,
            conformance: certificate.conformance, seconds: seconds)
    }

    private func timed<T>(
        _ seconds: inout Double, _ body: () throws(Failure) -> T
    ) throws(Failure) -> T {
        let start = clock.monotonicSeconds
        defer { seconds += clock.monotonicSeconds - start }
        return try body()
    }

    /// Tells the pool how far the work is; it is for people, so failures do not matter.
    private func report(_ assignment: Assignment, _ stage: String, _ fraction: Double) {
        _ = try? pool.ask(
            .progress(taskID: assignment.taskID, stage: stage, fraction: fraction))
    }
}
