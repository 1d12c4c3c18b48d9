internal import Core
internal import Files
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Serving

/// One connection: reads a request within limits, has it answered, and reads the next.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Phase {
        case idle
        /// A request comes. Where it is refused already, its body is not kept.
        case reading(Route?, refusal: Reply?)
        case answering
        /// The answer is sent, the rest of the request is let go by, then the connection ends.
        case discarding
        /// The last answer is sent. Requests behind it are let go by.
        case ended
        case closed
    }

    private static let lingerSeconds = 2.0
    /// Bytes of memory for each of a body, until it is answered.
    private static let bytesOfBody = 4

    private let shared: FrontShared
    private let requests: ChunkGuard
    /// Requests that began.
    private var begunCount = 0
    /// Requests that are answered though the server is to end: those that were there by then.
    private var owedCount = Int.max
    private var context: ChannelHandlerContext?
    private var phase = Phase.idle
    private var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")
    private var body = Bytes()
    private var reservedBytes = 0
    private var isLast = false
    private var isInputClosed = false
    /// Whether the request is HEAD: its answer has no body.
    private var isHead = false
    /// Whether a chunk was too long: of the last request that is to come, when all before it are
    /// answered.
    private var isChunkTooLong = false
    private var isSending = false
    private var ticket: ModelServer.Ticket?
    private var timer: Scheduled<Void>?

    /// - Parameter requests: sees them come.
    init(_ shared: FrontShared, behind requests: ChunkGuard) {
        (self.shared, self.requests) = (shared, requests)
    }

    private var limits: HTTPFront.Limits { shared.limits }

    // MARK: Connection

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        setTimer(limits.idleSeconds) { $0.end() }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelInactive(context: ChannelHandlerContext) {
        phase = .closed
        timer?.cancel()
        ticket?.cancel()
        forgetBody()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is FrontShared.Quiesce:
            owedCount = requests.headCount
            isLast = isLast || isLastOwed
            switch phase {
            case .idle where isLast, .discarding: if !isSending { end() }
            case .reading: waitForRest(limits.restSeconds, .serviceUnavailable)
            default: break
            }
        case ChannelEvent.inputClosed:
            (isLast, isInputClosed) = (true, true)
            // Who has sent all of a request may close, and still wants the answer.
            if case .answering = phase { return }
            if !isSending { end() }
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is ChunkGuard.TooLong {
            isChunkTooLong = true
            return refuseLongChunk()
        }
        guard let error = error as? HTTPParserError else { return end() }
        switch phase {
        case .idle, .reading:
            isLast = true
            switch error {
            case .headerOverflow:
                send(
                    Reply(
                        .requestHeaderFieldsTooLarge,
                        error: "headers beyond \(limits.headerBytesMax) bytes"))
            case .invalidEOFState:
                send(Reply(.badRequest, error: "the connection's end before the request's"))
            default: send(Reply(.badRequest, error: "not an HTTP/1.1 request"))
            }
        // What comes behind a request is not that one's fault: its answer is sent.
        case .answering: isLast = true
        case .ended: break
        default: end()
        }
    }

    private func end() {
        phase = .closed
        timer?.cancel()
        context?.close(promise: nil)
    }

    /// Says that there will be no more, and closes when the client has or after a while: closed at
    /// once, what the client still sends would take the answer from it.
    private func endWhenTaken() {
        if isInputClosed { return end() }
        phase = .ended
        context?.close(mode: .output, promise: nil)
        setTimer(limits.restSeconds) { $0.end() }
    }

    private func setTimer(_ seconds: Double, _ action: @escaping (ConnectionHandler) -> Void) {
        timer?.cancel()
        guard let loop = context?.eventLoop.assumeIsolated() else { return }
        timer = loop.scheduleTask(in: .milliseconds(Int64(seconds * 1000))) { [weak self] in
            if let self { action(self) }
        }
    }

    /// Whether the server is to end and no request that has come is behind this one.
    private var isLastOwed: Bool { shared.isQuiescing && begunCount >= owedCount }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): begin(head)
        case .body(let part): read(part)
        case .end: finishReading()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        refuseLongChunk()
        context.fireChannelReadComplete()
    }

    /// What is not all there, though all has been delivered, is what the chunk belongs to.
    private func refuseLongChunk() {
        if isChunkTooLong { refuse(tooLarge) }
    }

    private func waitForRest(_ seconds: Double, _ status: HTTPResponseStatus) {
        setTimer(seconds) { handler in
            handler.refuse(Reply(status, error: "the request did not come in time"))
        }
    }

    private func begin(_ head: HTTPRequestHead) {
        guard case .idle = phase else { return }
        self.head = head
        isHead = head.method == .HEAD
        begunCount += 1
        isLast = !head.isKeepAlive || isLastOwed
        body = []
        if shared.isQuiescing {
            waitForRest(limits.restSeconds, .serviceUnavailable)
        } else {
            waitForRest(limits.bodySeconds, .requestTimeout)
        }
        guard Self.isHostGiven(head) else {
            return expect(nil, Reply(.badRequest, error: "Host: one expected"))
        }
        // Who speaks HTTP/1.0 knows no codings: what it means by one is not known.
        let isCoded = head.headers.contains(name: "Transfer-Encoding")
        guard head.version != .http1_0 || !isCoded else {
            isLast = true
            return expect(
                nil, Reply(.badRequest, error: "Transfer-Encoding in a request of HTTP/1.0"))
        }
        let codings = head.headers[canonicalForm: "Transfer-Encoding"]
        guard !isCoded || codings.count == 1 && codings[0].lowercased() == "chunked" else {
            // Where it is not the last one, and that one alone, nothing says where the body ends.
            if codings.first?.lowercased().hasPrefix("chunked") ?? true {
                isLast = true
                return expect(nil, Reply(.badRequest, error: "Transfer-Encoding: chunked last"))
            }
            return expect(
                nil, Reply(.notImplemented, error: "Transfer-Encoding: chunked alone expected"))
        }
        let route: Route
        do throws(Route.Refusal) {
            route = try Route.find(head.method.rawValue, head.uri)
        } catch {
            return expect(nil, Self.reply(error))
        }
        guard case .infer = route else { return expect(route, nil) }
        let encoding = head.headers[canonicalForm: "Content-Encoding"]
        guard encoding.allSatisfy({ $0.lowercased() == "identity" }) else {
            return expect(
                route,
                Reply(
                    .unsupportedMediaType,
                    error: "Content-Encoding: compressed bodies are not taken; identity expected"))
        }
        // What is no Int is too long.
        let count = head.headers.first(name: "Content-Length").map { Int($0) ?? .max }
        let refusal = reserve(count ?? 0)
        if refusal == nil, let count { body.reserveCapacity(count) }
        expect(route, refusal)
    }

    /// Whether the request says once, and plainly, whom it is for (RFC 9112, 3.2).
    private static func isHostGiven(_ head: HTTPRequestHead) -> Bool {
        let hosts = head.headers["Host"]
        guard let host = hosts.first else { return head.version != .http1_1 }
        return hosts.count == 1
            && host.utf8.allSatisfy { byte in
                Character(Unicode.Scalar(byte)).isLetter && byte < 0x80
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || "-._~%!$&'()*+,;=:[]".utf8.contains(byte)
            }
    }

    private var tooLarge: Reply {
        Reply(.payloadTooLarge, error: "a body of at most \(limits.bodyBytesMax) bytes expected")
    }

    private static func reply(_ refusal: Route.Refusal) -> Reply {
        switch refusal {
        case .notFound: return Reply(.notFound, error: "no such path; see GET /v2")
        case .misdirected(let scheme):
            return Reply(.misdirectedRequest, error: "\(scheme): this server speaks http alone")
        case .malformed:
            return Reply(.badRequest, error: "no target of a request; see GET /v2")
        case .notAllowed(let allowed):
            var reply = Reply(.methodNotAllowed, error: "\(allowed) expected")
            reply.headers.append(("Allow", allowed))
            return reply
        }
    }

    /// Makes room for more of a body.
    private func reserve(_ count: Int) -> Reply? {
        guard count <= limits.bodyBytesMax - reservedBytes else {
            return tooLarge
        }
        do throws(Failure) {
            // The body, and the tensors that are made of it.
            try HostRoom.check(Self.bytesOfBody * (reservedBytes + count), for: "a body")
        } catch {
            return Reply(error)
        }
        guard shared.bodies.reserve(count) else {
            return Reply(.serviceUnavailable, error: "too much is being read; try again later")
        }
        reservedBytes += count
        return nil
    }

    private func expect(_ route: Route?, _ refusal: Reply?) {
        phase = .reading(route, refusal: refusal)
        let hasBody =
            head.headers.contains(name: "Transfer-Encoding")
            || (head.headers.first(name: "Content-Length") ?? "0") != "0"
        if let refusal, hasBody { return refuse(refusal) }
        guard refusal == nil, head.headers.first(name: "Expect")?.lowercased() == "100-continue"
        else { return }
        let go = HTTPResponseHead(version: head.version, status: .continue)
        context?.writeAndFlush(wrapOutboundOut(.head(go)), promise: nil)
    }

    /// Answers before all of the request is there.
    private func refuse(_ reply: Reply) {
        guard case .reading = phase else { return }
        isLast = true
        send(reply, isWhole: false)
    }

    private func read(_ part: ByteBuffer) {
        guard case .reading(.infer?, nil) = phase else {
            // No other request has a body that matters; a little of one is let by.
            if case .reading = phase {
                body += part.readableBytesView
                if body.count > limits.headerBytesMax {
                    refuse(Reply(.payloadTooLarge, error: "a request without a body expected"))
                }
            }
            return
        }
        let missing = body.count + part.readableBytes - reservedBytes
        if missing > 0, let refusal = reserve(missing) { return refuse(refusal) }
        body += part.readableBytesView
    }

    private func finishReading() {
        switch phase {
        case .reading(let route, let refusal):
            timer?.cancel()
            phase = .answering
            if let refusal { return send(refusal) }
            guard let route else { return end() }
            answer(route)
        case .discarding: end()
        default: break
        }
    }

    private func forgetBody() {
        body = []
        shared.bodies.release(reservedBytes)
        reservedBytes = 0
    }

    // MARK: Answering

    private func answer(_ route: Route) {
        guard case .infer(let name, let version) = route else {
            return send(ControlPlane(server: shared.server).reply(to: route))
        }
        let model: ServedModel
        do throws(Failure) {
            model = try shared.server.model(name, version: version)
        } catch {
            return send(Reply(.notFound, error: error.message))
        }
        infer(model)
    }

    private func infer(_ model: ServedModel) {
        guard let loop = context?.eventLoop else { return }
        let headerLength = head.headers.first(name: Reply.headerLength)
        let (body, shared) = (body, shared)
        self.body = []
        let me = NIOLoopBound(self, eventLoop: loop)
        let finish: @Sendable (Reply) -> Void = { reply in
            loop.execute { me.value.send(reply) }
        }
        // Reading and writing JSON takes its time: not on the thread that serves connections.
        shared.pool(for: headerLength.flatMap { Int($0) } ?? body.count).submit { state in
            guard case .active = state else { return }
            do throws(Failure) {
                let request = try Self.request(body, headerLength)
                var asked = request
                asked.inputs = []
                let ticket = try shared.server.submit(request, to: model) { [asked] result in
                    let byteCount = (try? result.get())?.textBytes(for: asked) ?? 0
                    shared.pool(for: byteCount).submit { _ in
                        finish(Self.reply(result, to: asked, shared))
                    }
                }
                loop.execute { me.value.keep(ticket) }
            } catch {
                finish(Reply(error))
            }
        }
    }

    private static func request(
        _ body: Bytes, _ headerLength: String?
    ) throws(Failure) -> InferRequest {
        guard let headerLength else { return try InferRequest(decoding: body) }
        guard let count = Int(headerLength) else {
            throw Failure(
                .malformed,
                "\(Reply.headerLength): \"\(headerLength.printable)\"; a whole number "
                    + "expected")
        }
        return try InferRequest(decoding: body, headerCount: count)
    }

    private static func reply(
        _ result: Result<InferResponse, Failure>, to request: InferRequest,
        _ shared: FrontShared
    ) -> Reply {
        let answer: InferResponse
        do throws(Failure) {
            answer = try result.get()
        } catch {
            return Reply(error)
        }
        do throws(Failure) {
            var reply = Reply(
                try answer.body(for: request, bytesMax: shared.limits.answerBytesMax))
            guard shared.answers.reserve(reply.body.count) else {
                return Reply(
                    .serviceUnavailable, error: "too much is being written; try again later")
            }
            reply.reservedBytes = reply.body.count
            return reply
        } catch {
            return error.code == .limit
                ? Reply(.unprocessableEntity, error: error.message) : Reply(error)
        }
    }

    private func keep(_ ticket: ModelServer.Ticket) {
        if case .closed = phase { ticket.cancel() } else { self.ticket = ticket }
    }

    /// - Parameter isWhole: whether all of the request is there.
    private func send(_ reply: Reply, isWhole: Bool = true) {
        guard let context, context.channel.isActive else {
            return shared.answers.release(reply.reservedBytes)
        }
        forgetBody()
        ticket = nil
        isLast = isLast || isLastOwed
        let body = isHead ? [] : reply.body
        isHead = false
        var headers = HTTPHeaders(reply.headers)
        headers.add(name: "Content-Length", value: "\(reply.body.count)")
        if isLast { headers.add(name: "Connection", value: "close") }
        let isLast = isLast
        // What is written may bring the next request at once.
        phase = !isWhole ? .discarding : isLast ? .answering : .idle
        isSending = true
        setTimer(limits.writeSeconds) { $0.end() }
        let answer = HTTPResponseHead(version: .http1_1, status: reply.status, headers: headers)
        context.write(wrapOutboundOut(.head(answer)), promise: nil)
        let sent = context.eventLoop.makePromise(of: Void.self)
        let (shared, reservedBytes) = (shared, reply.reservedBytes)
        sent.futureResult.assumeIsolated().whenComplete { [weak self] _ in
            shared.answers.release(reservedBytes)
            self?.finishSending(isWhole: isWhole, isLast: isLast)
        }
        write(body, from: 0, then: sent)
    }

    private static let partBytes = 1 << 20

    /// Writes a body a part at a time: no copy of all of it waits to be sent.
    private func write(_ body: Bytes, from first: Int, then sent: EventLoopPromise<Void>) {
        guard let context else { return sent.fail(ChannelError.ioOnClosedChannel) }
        let part = body[first...].prefix(Self.partBytes)
        let next = first + part.count
        let isLast = next == body.count
        let written = isLast ? nil : context.eventLoop.makePromise(of: Void.self)
        if !part.isEmpty {
            let buffer = ByteBuffer(bytes: part)
            context.write(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: written)
        }
        guard let written else {
            return context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: sent)
        }
        written.futureResult.assumeIsolated().whenComplete { [weak self] result in
            guard let self, case .success = result else {
                return sent.fail(ChannelError.ioOnClosedChannel)
            }
            self.write(body, from: next, then: sent)
        }
        context.flush()
    }

    private func finishSending(isWhole: Bool, isLast: Bool) {
        isSending = false
        if !isWhole {
            let seconds = Self.lingerSeconds
            setTimer(shared.isQuiescing ? min(seconds, limits.restSeconds) : seconds) { $0.end() }
        } else if isLast {
            endWhenTaken()
        } else if case .idle = phase {
            // Asked to end meanwhile.
            if self.isLast { return end() }
            setTimer(limits.idleSeconds) { $0.end() }
        }
    }
}
