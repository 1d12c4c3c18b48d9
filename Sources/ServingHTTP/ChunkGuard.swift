internal import Core
internal import NIOCore

/// Looks at bytes before they are parsed for a chunk that says it is longer than a body may be: the
/// parser tells of a chunk's bytes, not of the size before them, and would wait for them in vain.
///
/// Spellings that the parser does not know are rewritten, byte for byte: empty elements and tabs
/// around `chunked` become blanks (RFC 9110, 5.6.1), and blanks in a chunk's extensions (RFC 9112,
/// 7.1.1) names that nobody reads. What is not HTTP goes through: the parser refuses it.
final class ChunkGuard: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// A chunk says that it is longer than a body may be.
    struct TooLong: Error {}

    private enum State {
        case head
        /// Bytes of a body, or of a chunk, that are still to come.
        case body(Int)
        case chunk(Int)
        case chunkSize(Int)
        /// Blanks behind a size, which an extension has to follow.
        case chunkBlank(Int)
        /// What may follow a size.
        case chunkExtension(Int)
        case chunkEnd
        case trailer
        /// Nothing is looked at any more.
        case off
        /// A chunk was too long; nothing goes through any more.
        case refused
    }

    private let bytesMax: Int
    private let lineBytesMax: Int
    private var state = State.head
    private var line = Bytes()
    private var lineCount = 0
    private var isChunked = false
    private var bodyCount = 0
    /// Of how many requests the head is there.
    private(set) var headCount = 0

    /// - Parameters:
    ///   - bytesMax: of a chunk.
    ///   - lineBytesMax: what the parser takes as a header.
    init(bytesMax: Int, lineBytesMax: Int) {
        self.bytesMax = bytesMax
        self.lineBytesMax = lineBytesMax
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .refused = state { return }
        if case .off = state { return context.fireChannelRead(data) }
        var buffer = unwrapInboundIn(data)
        let count = buffer.withUnsafeMutableReadableBytes { look(at: $0) }
        guard case .refused = state else {
            return context.fireChannelRead(wrapInboundOut(buffer))
        }
        // Nor does the parser get a size that it cannot hold.
        if let before = buffer.readSlice(length: count) {
            context.fireChannelRead(wrapInboundOut(before))
        }
        context.fireErrorCaught(TooLong())
    }

    /// - Returns: how many bytes come before the digit by which a chunk is too long; all, where
    ///   there is none.
    private func look(at bytes: UnsafeMutableRawBufferPointer) -> Int {
        var at = 0
        while at < bytes.count {
            switch state {
            case .off: return bytes.count
            case .refused: return at - 1
            case .body(let rest):
                let count = min(rest, bytes.count - at)
                at += count
                state = count == rest ? .head : .body(rest - count)
            case .chunk(let rest):
                let count = min(rest, bytes.count - at)
                at += count
                state = count == rest ? .chunkEnd : .chunk(rest - count)
            default:
                bytes[at] = take(bytes[at])
                at += 1
            }
        }
        if case .refused = state { return at - 1 }
        return at
    }

    /// - Returns: what the parser gets for it.
    private func take(_ byte: UInt8) -> UInt8 {
        let isEnd = byte == UInt8(ascii: "\n")
        let isBlank = byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
        switch state {
        case .chunkSize(let size):
            if let digit = Self.digit(byte) {
                // The size is no more than the limit, which leaves room for a digit.
                let next = size << 4 | digit
                state = next > bytesMax ? .refused : .chunkSize(next)
            } else if isBlank {
                state = .chunkBlank(size)
                return Self.semicolon
            } else {
                state = isEnd ? Self.behind(size) : .chunkExtension(size)
            }
        case .chunkBlank(let size):
            if isBlank { return Self.filler }
            state = isEnd ? Self.behind(size) : .chunkExtension(size)
            // Without an extension they are an error, as they are to the parser.
            return byte == Self.semicolon ? Self.filler : 0
        case .chunkExtension(let size):
            if isBlank { return Self.filler }
            if isEnd { state = Self.behind(size) }
        case .chunkEnd: if isEnd { state = .chunkSize(0) }
        case .head, .trailer:
            guard isEnd else {
                let given = isInCoding ? plainCoding(byte) : byte
                line.append(given)
                if line.count > lineBytesMax { state = .off }
                return given
            }
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            finishLine()
            line.removeAll(keepingCapacity: true)
        default: break
        }
        return byte
    }

    private static let semicolon = UInt8(ascii: ";")
    /// Of a name that nobody reads.
    private static let filler = UInt8(ascii: "x")
    private static let codingStart = Bytes("transfer-encoding:".utf8)

    /// Whether the line is so far a header's that says how a body is sent.
    private var isInCoding: Bool {
        guard case .head = state, line.count >= Self.codingStart.count else { return false }
        return zip(line, Self.codingStart).allSatisfy { $0 | 0x20 == $1 | 0x20 }
    }

    /// A byte of that header's value. Elements of a list may be empty; those behind another coding
    /// than `chunked` stay for the refusal.
    private func plainCoding(_ byte: UInt8) -> UInt8 {
        let blank = UInt8(ascii: " ")
        if byte == UInt8(ascii: "\t") { return blank }
        guard byte == UInt8(ascii: ",") else { return byte }
        let value = line[Self.codingStart.count...].filter { $0 != blank }
        let isAlone =
            value.isEmpty || String(decoding: value, as: UTF8.self).lowercased() == "chunked"
        return isAlone ? blank : byte
    }

    private static func digit(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte & 15)
        case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"):
            Int(byte & 15) + 9
        default: nil
        }
    }

    private static func behind(_ size: Int) -> State { size == 0 ? .trailer : .chunk(size) }

    private func finishLine() {
        if case .trailer = state {
            if line.isEmpty { state = .head }
            return
        }
        if line.isEmpty {
            // Empty lines before a request are let by.
            guard lineCount > 0 else { return }
            headCount += 1
            state = isChunked ? .chunkSize(0) : bodyCount > 0 ? .body(bodyCount) : .head
            (lineCount, isChunked, bodyCount) = (0, false, 0)
            return
        }
        lineCount += 1
        let text = String(decoding: line, as: UTF8.self).lowercased()
        if lineCount == 1 {
            // What follows is another protocol's.
            if text.hasPrefix("connect ") { state = .off }
            return
        }
        let parts = text.split(separator: ":", maxSplits: 1)
        guard parts.count == 2 else { return }
        let value = parts[1].filter { $0 != " " && $0 != "\t" }
        switch parts[0] {
        case "transfer-encoding": isChunked = isChunked || value.hasSuffix("chunked")
        case "content-length": bodyCount = Int(value) ?? .max
        case "upgrade": state = .off
        default: break
        }
    }
}
