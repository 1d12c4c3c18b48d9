public import Core
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
public import Serving
internal import Synchronization

/// A model server's front: the Open Inference Protocol v2 over HTTP/1.1.
public final class HTTPFront: Sendable {
    public struct Limits: Hashable, Sendable {
        /// Of one request.
        public var bodyBytesMax = 64 << 20
        /// Of all requests that are read or computed.
        public var bodiesBytesMax = 256 << 20
        /// Of one answer.
        public var answerBytesMax = 128 << 20
        /// Of all answers that are written.
        public var answersBytesMax = 512 << 20
        public var connectionsMax = 256
        public var headerBytesMax = 16 << 10
        /// Without a request, or while a request's head comes.
        public var idleSeconds = 60.0
        /// For a request's body.
        public var bodySeconds = 30.0
        /// For a client to take its answer.
        public var writeSeconds = 30.0
        /// For the rest of a request, once the server is to end.
        public var restSeconds = 1.0
        public init() {}
    }

    public let host: String
    /// The one that was asked for, or that the system chose.
    public let port: Int
    private let shared: FrontShared
    private let listener: any Channel
    private let group: MultiThreadedEventLoopGroup

    private static let threadCount = 2
    private static let backlog: Int32 = 128

    /// Listens.
    ///
    /// - Parameter port: 0 lets the system choose.
    /// - Throws: ``Failure`` where the address is not to be had.
    public init(
        _ server: ModelServer, host: String, port: Int, limits: Limits = Limits()
    ) throws(Failure) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: Self.threadCount)
        let shared = FrontShared(
            server: server, limits: limits, pool: NIOThreadPool(numberOfThreads: Self.threadCount),
            longPool: NIOThreadPool(numberOfThreads: 1))
        for pool in shared.pools { pool.start() }
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try shared.prepare(channel) }
            }
        do {
            listener = try bootstrap.bind(host: host, port: port).wait()
        } catch {
            try? group.syncShutdownGracefully()
            for pool in shared.pools { try? pool.syncShutdownGracefully() }
            throw Failure(.io, "\(host.printable):\(port): cannot listen: \(Self.reason(error))")
        }
        self.host = host
        self.port = listener.localAddress?.port ?? port
        self.shared = shared
        self.group = group
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as IOError:
            switch error.errnoCode {
            case EADDRINUSE: "the port is in use"
            case EADDRNOTAVAIL: "no address of this machine"
            default: String(cString: strerror(error.errnoCode))
            }
        case is SocketAddressError, is SocketAddressError.UnknownHost:
            "no address, nor a host's name that is known"
        default: "the system refuses"
        }
    }

    /// Takes no more connections, answers every request that comes within
    /// ``Limits/restSeconds``, and ends.
    ///
    /// - Parameter graceSeconds: for clients to take their answers.
    public func close(graceSeconds: Double = 10) {
        let limits = shared.limits
        try? listener.close().wait()
        shared.quiesce()
        shared.waitForConnections(seconds: min(graceSeconds, limits.restSeconds))
        // What is computed now is answered however long it takes.
        shared.server.close()
        shared.waitForConnections(seconds: min(graceSeconds, limits.writeSeconds))
        try? group.syncShutdownGracefully()
        for pool in shared.pools { try? pool.syncShutdownGracefully() }
    }
}

/// What all connections share.
final class FrontShared: Sendable {
    let server: ModelServer
    let limits: HTTPFront.Limits
    private let pool: NIOThreadPool
    /// For what takes long, so that nobody else waits behind it.
    private let longPool: NIOThreadPool
    /// Bytes of bodies that are read or computed.
    let bodies: Budget
    /// Bytes of answers that are written.
    let answers: Budget
    private let state = Mutex(State())

    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isQuiescing = false
    }

    /// What is read or written as JSON within some milliseconds.
    private static let shortBytesMax = 1 << 20

    init(
        server: ModelServer, limits: HTTPFront.Limits, pool: NIOThreadPool, longPool: NIOThreadPool
    ) {
        self.server = server
        self.limits = limits
        self.pool = pool
        self.longPool = longPool
        bodies = Budget(limits.bodiesBytesMax)
        answers = Budget(limits.answersBytesMax)
    }

    var pools: [NIOThreadPool] { [pool, longPool] }

    /// Where so many bytes of JSON are read or written.
    func pool(for byteCount: Int) -> NIOThreadPool {
        byteCount > Self.shortBytesMax ? longPool : pool
    }

    /// Puts the handlers of a new connection in place.
    func prepare(_ channel: any Channel) throws {
        let isTaken = state.withLock { state in
            guard state.channels.count < limits.connectionsMax, !state.isQuiescing else {
                return false
            }
            state.channels[ObjectIdentifier(channel)] = channel
            return true
        }
        guard isTaken else {
            return try channel.pipeline.syncOperations.addHandler(RefusalHandler())
        }
        channel.closeFuture.whenComplete { _ in
            self.state.withLock { _ = $0.channels.removeValue(forKey: ObjectIdentifier(channel)) }
        }
        var decoder = NIOHTTPDecoderLimitConfiguration()
        decoder.maxHeaderFieldSize = limits.headerBytesMax
        decoder.maxHeaderListSize = limits.headerBytesMax
        let requests = ChunkGuard(
            bytesMax: limits.bodyBytesMax, lineBytesMax: limits.headerBytesMax)
        try channel.pipeline.syncOperations.addHandler(requests)
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withPipeliningAssistance: true, withErrorHandling: false,
            withEncoderConfiguration: .init(), withDecoderLimitConfiguration: decoder)
        try channel.pipeline.syncOperations.addHandler(
            ConnectionHandler(self, behind: requests))
    }

    var isQuiescing: Bool { state.withLock(\.isQuiescing) }

    func quiesce() {
        let channels = state.withLock { state in
            state.isQuiescing = true
            return Array(state.channels.values)
        }
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(Quiesce()) }
    }

    /// No more requests than the one that has begun.
    struct Quiesce: Sendable {}

    func waitForConnections(seconds: Double) {
        let end = NIODeadline.now() + .milliseconds(Int64(seconds * 1000))
        while NIODeadline.now() < end, state.withLock({ !$0.channels.isEmpty }) { usleep(5_000) }
    }
}

/// Says that there are too many connections.
final class RefusalHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let lingerSeconds: Int64 = 1

    func channelActive(context: ChannelHandlerContext) {
        let body = "{\"error\":\"too many connections; try again later\"}"
        let text =
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(body.utf8.count)\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
            + body
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        context.close(mode: .output, promise: nil)
        // Closed at once, what the client still sends would take the answer from it.
        context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(Self.lingerSeconds)) {
            context.close(promise: nil)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
