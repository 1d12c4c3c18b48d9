internal import Contribution
public import Core
internal import Ethereum
internal import Files
internal import Foundation
internal import Glibc
internal import HostProtocol
internal import Ledger
internal import PoolProtocol
internal import Synchronization
internal import Wallet

/// A pool's door: one thread a connection, and one for the scheduler's duties.
public final class PoolServer: Sendable {
    private let pool: WorkerPool
    private let entropy: any Entropy
    private let listener: LocalSocket.Listener
    private let wake = DispatchSemaphore(value: 0)
    /// Why the pool cannot go on.
    private let end = Mutex<Failure?>(nil)
    private static let sendSecondsMax = 30.0

    public init(pool: WorkerPool, socketPath: String, entropy: any Entropy) throws(Failure) {
        self.pool = pool
        self.entropy = entropy
        listener = try LocalSocket.Listener(path: socketPath)
    }

    /// Serves until the process ends.
    ///
    /// - Parameter intervalSeconds: how long deadlines may pass unnoticed.
    /// - Throws: ``Failure`` when the door or the store fails: then a restart is what helps.
    public func run(intervalSeconds: Double) throws(Failure) {
        let duties = Thread { [self] in
            while true {
                do throws(Failure) {
                    try pool.performDuties()
                } catch {
                    pool.note("duties: \(error)")
                    stop(for: error)
                }
                _ = wake.wait(timeout: .now() + intervalSeconds)
            }
        }
        duties.start()
        while true {
            let channel: FrameChannel
            do throws(Failure) {
                channel = try listener.accept(name: "client")
            } catch {
                throw end.withLock { $0 } ?? error
            }
            Thread { [self] in serve(channel) }.start()
        }
    }

    /// A pool that cannot write what it must remember ends, and says why.
    private func stop(for failure: Failure) {
        guard failure.code == .storage else { return }
        end.withLock { $0 = $0 ?? failure }
        listener.stop()
    }

    private func serve(_ channel: FrameChannel) {
        let visitor = Visitor(
            pool: pool, challenge: entropy.bytes(32), wake: { [wake] in _ = wake.signal() })
        while true {
            do throws(Failure) {
                guard let value = try channel.receive(secondsMax: .greatestFiniteMagnitude) else {
                    break
                }
                let reply = visitor.answer(value)
                if case .failed(let failure) = reply { stop(for: failure) }
                try channel.send(reply.cbor, secondsMax: Self.sendSecondsMax)
            } catch {
                if error.code != .timeout { break }
            }
        }
        channel.close()
        visitor.leave()
    }
}

/// One connection's state and requests.
final class Visitor {
    private let pool: WorkerPool
    private let challenge: Bytes
    private let wake: () -> Void
    private var worker: Address?
    private var upload: Upload?

    private struct Upload {
        let content: TaskSpec.ContentID
        let path: String
        let descriptor: Int32
        var offset = 0
    }

    init(pool: WorkerPool, challenge: Bytes, wake: @escaping () -> Void) {
        self.pool = pool
        self.challenge = challenge
        self.wake = wake
    }

    /// Ends what the visitor left half done.
    func leave() {
        if let upload {
            _ = close(upload.descriptor)
            _ = unlink(upload.path)
        }
        upload = nil
    }

    func answer(_ value: CBOR) -> PoolReply {
        do throws(Failure) {
            return try answer(try PoolRequest(value))
        } catch {
            return .failed(error)
        }
    }

    private func answer(_ request: PoolRequest) throws(Failure) -> PoolReply {
        switch request {
        case .hello: return .hello(greeting)
        case .login(let worker, let signature):
            try login(worker, signature)
            return .ok
        case .time: return .time(seconds: pool.clock.nowSeconds)
        case .nonce(let address): return .nonce(try pool.ledger.nextNonce(of: address))
        case .submit(let envelope):
            let submission = try pool.ledger.submit(envelope, atSeconds: pool.clock.nowSeconds)
            wake()
            return .outcome(submission.outcome)
        case .announce(let spec):
            try pool.announce(spec)
            return .ok
        case .task(let id, let worker): return .task(try view(id, worker: worker))
        case .deal(let id): return .deal(try pool.ledger.hub().deal(id))
        case .account(let address): return .account(try pool.ledger.account(address))
        case .has(let content): return .has(pool.artifacts.contains(content))
        case .get(let hash, let offset, let byteCount):
            return .piece(try piece(hash, offset: offset, byteCount: byteCount))
        case .put(let content, let offset, let bytes):
            try put(content, offset: offset, bytes)
            return .ok
        case .countersign(let receipt, let signature):
            return .countersignature(try pool.countersign(receipt, signature: signature))
        case .receipts(let id): return .receipts(try pool.store.receipts(id))
        case .status(let id): return .status(try pool.status(id))
        case .poll, .refuse, .progress, .deliver: return try work(request)
        }
    }

    private func work(_ request: PoolRequest) throws(Failure) -> PoolReply {
        guard let worker else { throw Failure(.refused, "pool: a login is needed first") }
        switch request {
        case .poll(let offer, let holding):
            return try pool.poll(worker, offer, holding: Set(holding))
        case .refuse(let taskID, let reason):
            try pool.refuse(taskID, by: worker, reason: reason)
        case .progress(let taskID, let stage, let fraction):
            pool.progress(taskID, of: worker, stage: stage, fraction: fraction)
        case .deliver(let taskID, let leaves):
            try pool.deliver(taskID, leaves)
            wake()
        default: preconditionFailure("requests that need a login")
        }
        return .ok
    }

    private var greeting: PoolGreeting {
        PoolGreeting(
            version: PoolProtocol.version, chainID: pool.ledger.settings.chainID,
            market: pool.ledger.settings.market, workerpool: pool.workerpool,
            challenge: challenge)
    }

    private func login(_ worker: Address, _ signature: Bytes) throws(Failure) {
        let statement = PoolProtocol.loginStatement(greeting)
        let signer = try Signature(bytes: signature).signer(of: PersonalMessage.hash(statement))
        guard signer == worker else {
            throw Failure(.untrusted, "login: not signed by \(worker)")
        }
        self.worker = worker
    }

    private func view(_ id: Hash256, worker: Address) throws(Failure) -> TaskView {
        let hub = try pool.ledger.hub()
        let task = hub.task(id)
        return TaskView(
            nowSeconds: pool.clock.nowSeconds, task: task,
            deal: task.flatMap { hub.deal($0.dealID) },
            contribution: hub.contribution(id, by: worker))
    }

    // MARK: Artifacts

    private func piece(
        _ hash: Hash256, offset: Int, byteCount: Int
    ) throws(Failure) -> Bytes {
        guard byteCount <= PoolProtocol.pieceBytesMax else {
            throw Failure(
                .limit, "artifact: pieces of at most \(PoolProtocol.pieceBytesMax) bytes expected")
        }
        let descriptor = open(pool.artifacts.path(of: hash), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(.missing, "artifact \(hash): not here") }
        defer { _ = close(descriptor) }
        return Bytes(unsafeUninitializedCapacity: byteCount) { storage, filled in
            filled = max(pread(descriptor, storage.baseAddress, byteCount, off_t(offset)), 0)
        }
    }

    private func put(
        _ content: TaskSpec.ContentID, offset: Int, _ bytes: Bytes
    ) throws(Failure) {
        guard content.byteCount <= PoolProtocol.artifactBytesMax else {
            throw Failure(
                .limit, "artifact: at most \(PoolProtocol.artifactBytesMax) bytes expected")
        }
        if offset == 0 { try begin(content) }
        guard var upload, upload.content == content, upload.offset == offset,
            bytes.count <= PoolProtocol.pieceBytesMax,
            offset + bytes.count <= content.byteCount
        else {
            leave()
            throw Failure(.refused, "artifact: pieces in order, from the first, expected")
        }
        let status = FileBytes.writeAll(bytes, to: upload.descriptor)
        guard status == 0 else {
            leave()
            throw Failure(.storage, "artifact: cannot be written: \(systemMessage(status))")
        }
        upload.offset += bytes.count
        self.upload = upload
        guard upload.offset == content.byteCount else { return }
        _ = close(upload.descriptor)
        self.upload = nil
        try pool.artifacts.adopt(upload.path, expected: content)
    }

    private func begin(_ content: TaskSpec.ContentID) throws(Failure) {
        leave()
        let path = pool.artifacts.incomingPath()
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(.storage, "\(path): \(systemMessage(errno))") }
        upload = Upload(content: content, path: path, descriptor: descriptor)
    }
}
