import Core
import Foundation
import Serving
import ServingHTTP
import Testing

/// Requests as HTTP/1.1 may and may not have them (RFC 9110, RFC 9112).
@Suite(.serialized) struct MessageTests {
    private static let dense = Served.denseTarget
    private static let request = Served.denseRequest

    /// RFC 9112, 3.2.
    @Test func eachRequestNamesOneHost() async throws {
        try await Served.withFront { front in
            let cases: [(String, Int)] = [
                ("GET /v2 HTTP/1.1\r\n", 400), ("GET /v2 HTTP/1.1\r\nHost: a\r\nHost: a\r\n", 400),
                ("GET /v2 HTTP/1.1\r\nHost: a\r\nhost: b\r\n", 400),
                ("GET /v2 HTTP/1.1\r\nHost: a b\r\n", 400),
                ("GET /v2 HTTP/1.1\r\nHost: a/b\r\n", 400), ("GET /v2 HTTP/1.0\r\n", 200),
                ("GET /v2 HTTP/1.0\r\nHost: a\r\nHost: a\r\n", 400),
                ("GET /v2 HTTP/1.1\r\nHost:\r\n", 200),
                ("GET /v2 HTTP/1.1\r\nHost: [::1]:80\r\n", 200),
                ("POST \(Self.dense) HTTP/1.1\r\nContent-Length: 2\r\n", 400),
            ]
            for (head, status) in cases {
                let client = try RawClient(port: front.port)
                client.send(head + "\r\n")
                let answer = client.answer()
                #expect(answer?.status == status, "\(head)")
                if status == 400 { #expect(try answer?.error().contains("Host") == true) }
            }
        }
    }

    /// A chunk that says it is longer than a body may be is not waited for.
    @Test func longChunksAreRefusedAtOnce() async throws {
        var limits = Served.patient
        limits.bodyBytesMax = 1 << 20
        try await Served.withFront(limits) { front in
            let head =
                "POST \(Self.dense) HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            let sizes = [
                "ffffffffffffffff", "7fffffffffffffff", "8000000000000000", "FFFFFFFFFFFFFFFFFF",
                "100001", "0000000000000000000100001", "fffffffff;x=1",
            ]
            for size in sizes {
                let start = ContinuousClock.now
                let client = try RawClient(port: front.port)
                client.send(head + size + "\r\n")
                let status = client.answer()?.status
                #expect(status == 413, "\(size)")
                // The rest of it would be let go by.
                client.closeWriting()
                #expect(client.isEnded())
                #expect(ContinuousClock.now - start < .seconds(5), "\(size)")
            }
            // In pieces, behind another chunk, and behind another request.
            let client = try RawClient(port: front.port)
            let good = RawClient.head("POST", Self.dense, Self.request.utf8.count) + Self.request
            client.send(good + head + "1\r\n{\r\n")
            for piece in ["f", "f", "fffff"] {
                usleep(20_000)
                client.send(piece)
            }
            #expect(client.answer()?.status == 200)
            #expect(client.answer()?.status == 413)
            client.closeWriting()
            #expect(client.isEnded())
            let count = try RawClient(port: front.port)
            count.send(
                "POST \(Self.dense) HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551615"
                    + "\r\n\r\n")
            let status = count.answer()?.status
            #expect(status == 413 || status == 400)
        }
    }

    /// Chunks of all sizes, with what may stand beside them, are a body like any other.
    @Test func chunksComeTogether() async throws {
        try await Served.withFront { front in
            let client = try RawClient(port: front.port)
            let alone = client.post(Self.dense, Self.request)?.body
            var generator = SplitMix64(seed: 3)
            for _ in 0..<20 {
                var text =
                    "POST \(Self.dense) HTTP/1.1\r\nHost: x\r\ntransfer-encoding: Chunked\r\n\r\n"
                var rest = Self.request[...]
                while !rest.isEmpty {
                    let part = rest.prefix(Int.random(in: 1...40, using: &generator))
                    rest = rest.dropFirst(part.count)
                    let size = String(part.utf8.count, radix: 16, uppercase: rest.count % 2 == 0)
                    text += "\(size)\(rest.count % 3 == 0 ? ";a=b" : "")\r\n\(part)\r\n"
                }
                text += "0\r\n\(Bool.random(using: &generator) ? "X: ffffffffff\r\n" : "")\r\n"
                var bytes = Bytes(text.utf8)[...]
                while !bytes.isEmpty {
                    let part = bytes.prefix(Int.random(in: 1...200, using: &generator))
                    client.send(part)
                    bytes = bytes.dropFirst(part.count)
                }
                let answer = client.answer()
                #expect(
                    answer?.status == 200 && answer?.body == alone,
                    "\(text): \(answer.map { "\($0.status) \($0.text)" } ?? "none")")
            }
        }
    }

    /// What is no size at all is not one that is too large.
    @Test func malformedChunksAreBadRequests() async throws {
        try await Served.withFront { front in
            let head =
                "POST \(Self.dense) HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            for chunk in ["zz\r\n{}\r\n", "-1\r\n{}\r\n", "2\r\n{}}\r\n", "\r\n\r\n"] {
                let client = try RawClient(port: front.port)
                client.send(head + chunk)
                #expect(client.answer()?.status == 400, "\(chunk)")
                #expect(client.isEnded())
            }
        }
    }

    /// RFC 9112, 6.1.
    @Test func chunkedIsTheOnlyTransferCoding() async throws {
        try await Served.withFront { front in
            let cases = [
                ("gzip, chunked", 501), ("gzip,chunked", 501), ("chunked, chunked", 400),
                ("gzip\r\nTransfer-Encoding: chunked", 501), ("Chunked", 200),
            ]
            for (codings, status) in cases {
                let client = try RawClient(port: front.port)
                client.send(
                    "POST \(Self.dense) HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \(codings)"
                        + "\r\n\r\n\(String(Self.request.utf8.count, radix: 16))\r\n"
                        + Self.request + "\r\n0\r\n\r\n")
                let answer = client.answer()
                #expect(answer?.status == status, "\(codings)")
                if status == 501 {
                    #expect(try answer?.error().contains("Transfer-Encoding") == true)
                }
            }
        }
    }

    /// RFC 9110, 9.3.2: as GET, without the body.
    @Test func headIsAnsweredWithoutABody() async throws {
        try await Served.withFront { front in
            let client = try RawClient(port: front.port)
            for path in ["/v2", "/v2/models/dense", "/v2/health/live", "/v3", Self.dense] {
                client.send("HEAD \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
                let head = try #require(client.answer(hasBody: false), "\(path)")
                // What comes next is the next answer, and no body.
                let full = try #require(client.get(path), "\(path)")
                #expect(head.status == full.status && head.headers == full.headers, "\(path)")
                if path == "/v2" { #expect(full.body.count > 10) }
            }
            client.send("HEAD /v2/repository/index HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(client.answer(hasBody: false)?.headers["allow"] == "POST")
            #expect(client.post("/v2", "")?.headers["allow"] == "GET, HEAD")
            // One that is refused while it comes, too.
            client.send("HEAD /v2 HTTP/1.1\r\n\r\nGET /v2 HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(client.answer(hasBody: false)?.status == 400)
            #expect(client.answer()?.status == 200)
        }
    }

    /// RFC 9112, 3.2.2: as proxies write it.
    @Test func targetsMayNameTheHost() async throws {
        try await Served.withFront { front in
            let client = try RawClient(port: front.port)
            let cases = [
                ("http://x/v2/health/live", 200), ("HTTP://x:80/v2/health/live?a=/b", 200),
                ("https://x/v2/health/live", 421), ("http://x", 404), ("http://x?/v2", 404),
                ("http://x/v3", 404), ("ftp://x/v2", 421), ("http:///v2", 400),
                ("http://:80/v2", 400), ("*", 400),
            ]
            for (target, status) in cases {
                #expect(client.get(target)?.status == status, "\(target)")
            }
            let answer = client.post("http://x" + Self.dense, Self.request)
            #expect(answer?.status == 200)
            client.send("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")
            let all = client.answer()
            #expect(all?.status == 405)
            #expect(all?.headers["allow"] == "GET, HEAD, POST")
        }
    }

    /// A request is answered whatever is sent behind it.
    @Test func bytesBehindARequestDoNotTakeItsAnswer() async throws {
        try await Served.withFront { front in
            for connection in ["close", "keep-alive"] {
                for behind in ["junk", "\u{1}\r\n\r\n", "GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n"] {
                    let client = try RawClient(port: front.port)
                    client.send(
                        "POST \(Self.dense) HTTP/1.1\r\nHost: x\r\nConnection: \(connection)\r\n"
                            + "Content-Length: \(Self.request.utf8.count)\r\n\r\n"
                            + Self.request + behind)
                    #expect(client.answer()?.status == 200, "\(connection), \(behind)")
                }
            }
        }
    }
}
