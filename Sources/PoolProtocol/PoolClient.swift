public import Contribution
public import Core
internal import Digest
public import Ethereum
internal import Files
internal import Glibc
internal import HostProtocol
public import Ledger
internal import Synchronization

/// A pool as its clients see it. Connects when it is first needed and again after the pool was
/// away; a call that finds nobody throws a ``Failure`` with code `io` or `timeout`, and may be
/// repeated: every request has the same effect once or twice.
public final class PoolClient: Sendable {
    /// Whom the connection speaks for.
    public struct Identity: Sendable {
        public let address: Address
        /// Signs a 32-byte statement as a personal message (EIP-191).
        public let signPersonal: @Sendable (Hash256) -> Signature

        public init(
            address: Address, signPersonal: @escaping @Sendable (Hash256) -> Signature
        ) {
            self.address = address
            self.signPersonal = signPersonal
        }
    }

    private let socketPath: String
    private let identity: Identity?
    private let connection = Mutex<Connection?>(nil)
    private static let answerSecondsMax = 30.0

    private struct Connection {
        let channel: FrameChannel
        let greeting: PoolGreeting
    }

    public init(socketPath: String, identity: Identity?) {
        self.socketPath = socketPath
        self.identity = identity
    }

    /// What the pool says of itself.
    public func greeting() throws(Failure) -> PoolGreeting {
        try connection.withLock { (connection) throws(Failure) in
            try connect(&connection).greeting
        }
    }

    // MARK: Asking

    /// Sends one request and gives its answer, never `failed`.
    ///
    /// - Throws: ``Failure``: what the pool answered, or `io`/`timeout` when it is away.
    public func ask(_ request: PoolRequest) throws(Failure) -> PoolReply {
        let reply = try connection.withLock { (connection) throws(Failure) in
            let channel = try connect(&connection).channel
            do throws(Failure) {
                return try Self.exchange(request, on: channel)
            } catch {
                // Whatever went wrong, the next answer on this channel may be this one's.
                connection = nil
                throw error
            }
        }
        if case .failed(let failure) = reply {
            // The pool's disk is not ours: whoever runs the pool has to mend it.
            throw failure.code == .storage ? Failure(.io, "pool: \(failure.message)") : failure
        }
        return reply
    }

    private static func exchange(
        _ request: PoolRequest, on channel: FrameChannel
    ) throws(Failure) -> PoolReply {
        try channel.send(request.cbor, secondsMax: answerSecondsMax)
        guard let answer = try channel.receive(secondsMax: answerSecondsMax) else {
            throw Failure(.io, "pool: went away")
        }
        return try PoolReply(answer)
    }

    private func connect(_ connection: inout Connection?) throws(Failure) -> Connection {
        if let connection { return connection }
        let channel = try LocalSocket.connect(path: socketPath, name: "pool")
        let hello = try Self.exchange(.hello(version: PoolProtocol.version), on: channel)
        if case .failed(let failure) = hello { throw failure }
        guard case .hello(let greeting) = hello, greeting.version == PoolProtocol.version else {
            throw Failure(.unsupported, "pool: protocol \(PoolProtocol.version) expected")
        }
        if let identity {
            let statement = PoolProtocol.loginStatement(greeting)
            let login = PoolRequest.login(
                worker: identity.address, signature: identity.signPersonal(statement).bytes)
            if case .failed(let failure) = try Self.exchange(login, on: channel) { throw failure }
        }
        let made = Connection(channel: channel, greeting: greeting)
        connection = made
        return made
    }

    private static func strange(_ reply: PoolReply, to what: String) -> Failure {
        Failure(.malformed, "pool: not an answer to \(what)")
    }

    // MARK: The market

    /// The ledger's time, in seconds since 1970.
    public func timeSeconds() throws(Failure) -> Int {
        let reply = try ask(.time)
        guard case .time(let seconds) = reply else { throw Self.strange(reply, to: "time") }
        return seconds
    }

    public func nextNonce(of address: Address) throws(Failure) -> Int {
        let reply = try ask(.nonce(address))
        guard case .nonce(let nonce) = reply else { throw Self.strange(reply, to: "nonce") }
        return nonce
    }

    /// Sends a signed call.
    public func submit(_ envelope: Envelope) throws(Failure) -> Outcome {
        let reply = try ask(.submit(envelope: envelope.encoded))
        guard case .outcome(let outcome) = reply else { throw Self.strange(reply, to: "submit") }
        return outcome
    }

    /// A task as `worker` needs to see it.
    public func task(_ id: Hash256, worker: Address = .zero) throws(Failure) -> TaskView {
        let reply = try ask(.task(id, worker: worker))
        guard case .task(let view) = reply else { throw Self.strange(reply, to: "task") }
        return view
    }

    public func account(_ address: Address) throws(Failure) -> Hub.Account {
        let reply = try ask(.account(address))
        guard case .account(let account) = reply else { throw Self.strange(reply, to: "account") }
        return account
    }

    /// Market and chain, as calls must name them.
    ///
    /// Calls are signed over these two; owner and enclave broker are not part of a signature.
    public func settings() throws(Failure) -> Hub.Settings {
        let greeting = try greeting()
        return Hub.Settings(
            chainID: greeting.chainID, market: greeting.market, owner: .zero)
    }

    // MARK: Artifacts

    /// Gets an artifact into `store`, unless it is there; checked by its hash.
    public func fetch(
        _ content: TaskSpec.ContentID, into store: ArtifactStore
    ) throws(Failure) {
        guard !store.contains(content) else { return }
        let path = store.incomingPath()
        defer { _ = unlink(path) }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(.storage, "\(path): \(systemMessage(errno))") }
        do throws(Failure) {
            try copy(content, to: descriptor, path)
            _ = close(descriptor)
        } catch {
            _ = close(descriptor)
            throw error
        }
        try store.adopt(path, expected: content)
    }

    private func copy(
        _ content: TaskSpec.ContentID, to descriptor: Int32, _ path: String
    ) throws(Failure) {
        var offset = 0
        while offset < content.byteCount {
            let count = min(content.byteCount - offset, PoolProtocol.pieceBytesMax)
            let reply = try ask(.get(content.sha256, offset: offset, byteCount: count))
            guard case .piece(let piece) = reply, piece.count == count else {
                throw Self.strange(reply, to: "get")
            }
            let status = FileBytes.writeAll(piece, to: descriptor)
            guard status == 0 else {
                throw Failure(.storage, "\(path): \(systemMessage(status))")
            }
            offset += count
        }
    }

    /// Gives an artifact of `store` to the pool, unless it has it.
    public func send(
        _ content: TaskSpec.ContentID, from store: ArtifactStore
    ) throws(Failure) {
        if case .has(true) = try ask(.has(content)) { return }
        let bytes = try store.contents(content)
        var offset = 0
        repeat {
            let end = min(offset + PoolProtocol.pieceBytesMax, bytes.count)
            let reply = try ask(.put(content, offset: offset, bytes: Bytes(bytes[offset..<end])))
            guard case .ok = reply else { throw Self.strange(reply, to: "put") }
            offset = end
        } while offset < bytes.count
    }
}

extension PoolProtocol {
    /// What a login signs as a personal message.
    public static func loginStatement(_ greeting: PoolGreeting) -> Hash256 {
        Keccak256.hash(loginText + greeting.workerpool.bytes + greeting.challenge)
    }
}
