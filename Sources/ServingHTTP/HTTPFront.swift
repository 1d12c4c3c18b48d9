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
        let pool = NIOThreadPool(numberOfThreads: Self.threadCount)
        pool.start()
        let shared = FrontShared(server: server, limits: limits, pool: pool)
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
            try? pool.syncShutdownGracefully()
            throw Failure(.io, "\(host.printable):\(port): cannot listen: \(Self.reason(error))")
        }
        self.host = host
        self.port = listener.localAddress?.port ?? port
        self.shared = shared
        self.group = group
    }

    private static func reason(_ error: any Error) -> String {
        if let error = error as? IOError { return String(cString: strerror(error.errnoCode)) }
        return "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    /// Takes no more connections, answers every request that has begun to come, and ends.
    ///
    /// - Parameter graceSeconds: for what is still being read.
    public func close(graceSeconds: Double = 10) {
        try? listener.close().wait()
        shared.quiesce()
        shared.waitForConnections(seconds: graceSeconds)
        // What is computed now is answered however long it takes.
        shared.server.close()
        shared.waitForConnections(seconds: min(graceSeconds, shared.limits.writeSeconds))
        try? group.syncShutdownGracefully()
        try? shared.pool.syncShutdownGracefully()
    }
}

/// What all connections share.
final class FrontShared: Sendable {
    let server: ModelServer
    let limits: HTTPFront.Limits
    let pool: NIOThreadPool
    private let state = Mutex(State())

    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var bodiesBytes = 0
        var answersBytes = 0
        var isQuiescing = false
    }

    init(server: ModelServer, limits: HTTPFront.Limits, pool: NIOThreadPool) {
        self.server = server
        self.limits = limits
        self.pool = pool
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
        try channel.pipeline.syncOperations.addHandler(
            ChunkGuard(bytesMax: limits.bodyBytesMax, lineBytesMax: limits.headerBytesMax))
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withPipeliningAssistance: true, withErrorHandling: false,
            withEncoderConfiguration: .init(), withDecoderLimitConfiguration: decoder)
        try channel.pipeline.syncOperations.addHandler(ConnectionHandler(self))
    }

    /// Room for that many bytes of a body; false where there is none.
    func reserve(_ count: Int) -> Bool {
        state.withLock { state in
            guard count <= limits.bodiesBytesMax - state.bodiesBytes else { return false }
            state.bodiesBytes += count
            return true
        }
    }

    func release(_ count: Int) { state.withLock { $0.bodiesBytes -= count } }

    /// The same of an answer.
    func reserveAnswer(_ count: Int) -> Bool {
        state.withLock { state in
            guard count <= limits.answersBytesMax - state.answersBytes else { return false }
            state.answersBytes += count
            return true
        }
    }

    func releaseAnswer(_ count: Int) { state.withLock { $0.answersBytes -= count } }

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
