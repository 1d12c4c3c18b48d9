import Core
import Foundation
import RigorTestKit
import Serving
import ServingHTTP
import Testing

/// The front over real sockets.
@Suite(.serialized) struct HTTPTests {
    private static let dense = Served.denseTarget
    private static let request = Served.denseRequest

    @Test func tellsWhatThereIs() async throws {
        try await Served.withFront { front in
            let client = try RawClient(port: front.port)
            for path in [
                "/v2/health/live", "/v2/health/ready", "/v2/models/dense/ready",
                "/v2/models/dense/versions/1/ready",
            ] {
                #expect(client.get(path)?.status == 200, "\(path)")
            }
            #expect(try client.get("/v2")?.object()["name"] as? String == "rigor")
            let metadata = try #require(client.get("/v2/models/types?x=1")).object()
            #expect(metadata["versions"] as? [String] == ["1"])
            let inputs = try #require(metadata["inputs"] as? [[String: Any]])
            #expect(inputs.count == 13 && inputs[12]["datatype"] as? String == "BF16")
            #expect(inputs[12]["shape"] as? [Int] == [-1, 2])
            let outputs = try #require(metadata["outputs"] as? [[String: Any]])
            #expect(outputs[0]["datatype"] as? String == "BOOL")
            let index = try #require(client.post("/v2/repository/index", "{}"))
            #expect(index.text.contains("\"name\":\"state\"") && index.text.contains("READY"))
            let stats = try #require(client.get("/v2/models/dense/versions/1/stats"))
            #expect(stats.text.contains("\"execution_count\":0"), "\(stats.text)")
            #expect(client.get("/v2/models/stats")?.status == 200)
        }
    }

    @Test func answersAndSaysWhatIsWrong() async throws {
        try await Served.withFront { front in
            let client = try RawClient(port: front.port)
            let good = try #require(client.post(Self.dense, Self.request))
            #expect(good.status == 200, "\(good.text)")
            #expect(try good.object()["id"] as? String == "7")
            #expect(good.headers["content-type"] == "application/json")
            let wrong: [(String, String, Int, String)] = [
                ("/v2/models/nowhere/infer", Self.request, 404, "nowhere"),
                ("/v2/models/dense/versions/9/infer", Self.request, 404, "version"),
                ("/v3", "", 404, "path"), ("/v2/models//infer", "", 404, "path"),
                ("/v2/%zz", "", 404, "path"), ("/v2/models/dense", "", 405, "GET"),
                (Self.dense, "{", 400, "JSON"),
                (Self.dense, Self.request.replacingOccurrences(of: "FP32", with: "FP64"), 400, "x"),
                (
                    Self.dense, Self.request.replacingOccurrences(of: "[1,4]", with: "[1,5]"), 400,
                    "5 expected"
                ),
            ]
            for (path, body, status, piece) in wrong {
                let answer = try #require(try RawClient(port: front.port).post(path, body))
                #expect(answer.status == status, "\(path): \(answer.text)")
                #expect(try answer.error().contains(piece), "\(path): \(answer.text)")
            }
            #expect(try RawClient(port: front.port).get(Self.dense)?.status == 405)
            let packed = try RawClient(port: front.port)
                .post(Self.dense, "x", ["Content-Encoding: gzip"])
            #expect(packed?.status == 415)
            let length = try RawClient(port: front.port)
                .post(Self.dense, "{}", ["Inference-Header-Content-Length: 1x"])
            #expect(length?.status == 400)
            // The connection is as good as before.
            #expect(client.post(Self.dense, Self.request)?.body == good.body)
        }
    }

    @Test func bytesComeAsTheyGo() async throws {
        try await Served.withFront { front in
            let tail = [Float](arrayLiteral: 1, .nan, -0.0, 4).withUnsafeBytes { Bytes($0) }
            let header = Bytes(
                ("{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[2,2],"
                    + "\"parameters\":{\"binary_data_size\":16}}],"
                    + "\"parameters\":{\"binary_data_output\":true}}").utf8)
            let answer = try #require(
                try RawClient(port: front.port).post(
                    "/v2/models/wide/infer", header + tail,
                    ["Inference-Header-Content-Length: \(header.count)"]))
            #expect(answer.status == 200, "\(answer.text)")
            let count = try #require(
                Int(answer.headers["inference-header-content-length"] ?? ""))
            #expect(answer.body.count == count + 16)
            let state = try #require(
                try RawClient(port: front.port).post(
                    "/v2/models/state/infer",
                    "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[2,1,3],"
                        + "\"data\":[1,2,3,4,5,6]},{\"name\":\"state\",\"datatype\":\"FP32\","
                        + "\"shape\":[2,1,3],\"data\":[1,1,1,1,1,1]}]}"))
            #expect(state.text.contains("\"data\":[2.0,3.0,4.0,5.0,6.0,7.0]"), "\(state.text)")
            #expect(state.text.contains("\"data\":[27.0]"))
        }
    }

    /// Many clients at once, some of whom are wrong: each gets its own answer.
    @Test func clientsDoNotDisturbEachOther() async throws {
        try await Served.withFront { front in
            let port = front.port
            let alone = try #require(try RawClient(port: port).post(Self.dense, Self.request))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for index in 0..<12 {
                    tasks.addTask {
                        let client = try RawClient(port: port)
                        for round in 0..<10 {
                            if index % 3 == 1, round % 2 == 0 {
                                let answer = client.post(Self.dense, "{\"inputs\":[]}")
                                #expect(answer?.status == 400)
                            } else {
                                let answer = client.post(Self.dense, Self.request)
                                #expect(answer?.body == alone.body, "\(answer?.text ?? "none")")
                            }
                        }
                    }
                }
                try await tasks.waitForAll()
            }
        }
    }

    @Test func limitsHold() async throws {
        var limits = HTTPFront.Limits()
        limits.bodyBytesMax = 4096
        limits.bodiesBytesMax = 6000
        limits.connectionsMax = 6
        limits.bodySeconds = 0.6
        limits.idleSeconds = 1
        try await Served.withFront(limits) { front in
            let port = front.port
            // Said to be too long, and longer than was said.
            let long = try RawClient(port: port)
            long.send(RawClient.head("POST", Self.dense, 4097))
            #expect(long.answer()?.status == 413)
            let chunked = try RawClient(port: port)
            chunked.send(
                "POST \(Self.dense) HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            chunked.send("1001\r\n" + String(repeating: " ", count: 4097) + "\r\n0\r\n\r\n")
            #expect(chunked.answer()?.status == 413)
            let head = try RawClient(port: port)
            head.send("GET /v2 HTTP/1.1\r\nX: \(String(repeating: "x", count: 20_000))\r\n\r\n")
            #expect(head.answer()?.status == 431)
            // A slow body is waited for no longer than that, and holds its room till then.
            let slow = try RawClient(port: port)
            slow.send(RawClient.head("POST", Self.dense, 4000) + "{")
            usleep(100_000)
            let crowded = try RawClient(port: port).post(
                Self.dense, Self.request + String(repeating: " ", count: 3000))
            #expect(crowded?.status == 503 && crowded?.headers["retry-after"] == "1")
            #expect(slow.answer()?.status == 408)
            #expect(try RawClient(port: port).post(Self.dense, Self.request)?.status == 200)
            // Who says nothing is let go.
            let silent = try RawClient(port: port)
            #expect(silent.isEnded())
            usleep(2_200_000)
            var clients: [RawClient] = []
            for _ in 0..<6 {
                let client = try RawClient(port: port)
                #expect(client.get("/v2/health/live")?.status == 200)
                clients.append(client)
            }
            let surplus = try RawClient(port: port)
            #expect(surplus.answer()?.status == 503)
            #expect(surplus.isEnded())
        }
    }

    @Test func garbageIsRefused() async throws {
        try await Served.withFront { front in
            for text in [
                "\u{16}\u{3}\u{1}garbage\r\n\r\n", "GET /v2 HTTP/9.9\r\n\r\n", "\0\0\0\r\n\r\n",
            ] {
                let client = try RawClient(port: front.port)
                client.send(text)
                let answer = client.answer()
                #expect(answer == nil || [400, 505].contains(answer?.status ?? 0), "\(text)")
                #expect(client.isEnded())
            }
            #expect(try RawClient(port: front.port).get("/v2")?.status == 200)
        }
    }

    @Test func halfClosedClientsAreAnswered() async throws {
        try await Served.withFront { front in
            let client = try RawClient(port: front.port)
            client.send(RawClient.head("POST", Self.dense, Self.request.utf8.count) + Self.request)
            client.closeWriting()
            #expect(client.answer()?.status == 200)
            #expect(client.isEnded())
            // Half a request is none.
            let half = try RawClient(port: front.port)
            half.send(RawClient.head("POST", Self.dense, 1000) + "{")
            half.closeWriting()
            let answer = half.answer()
            #expect(answer?.status == 400)
            #expect(try answer?.error() == "the connection's end before the request's")
            #expect(half.isEnded())
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        try await Served.withFront { front in
            let client = try RawClient(port: front.port)
            let one = RawClient.head("POST", Self.dense, Self.request.utf8.count) + Self.request
            client.send(one + "GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n" + one)
            #expect(client.answer()?.text.contains("\"y\"") == true)
            #expect(client.answer()?.text.contains("extensions") == true)
            #expect(client.answer()?.text.contains("\"y\"") == true)
            client.send(
                RawClient.head(
                    "POST", Self.dense, Self.request.utf8.count, ["Expect: 100-continue"]))
            #expect(client.answer()?.status == 100)
            client.send(Self.request)
            #expect(client.answer()?.status == 200)
        }
    }

    /// What RFC 9110 and 9112 let a chunked request look like, and what they do not.
    @Test func chunkedRequestsAreReadAsTheyMayBeWritten() async throws {
        try await Served.withFront { front in
            func status(
                _ coding: String, _ chunk: String = "", version: String = "1.1", cut: Bool = false
            ) throws -> Int? {
                let client = try RawClient(port: front.port)
                let size = String(Self.request.utf8.count, radix: 16)
                let text =
                    "POST \(Self.dense) HTTP/\(version)\r\nHost: x\r\n"
                    + "Transfer-Encoding:\(coding)\r\n\r\n"
                    + "\(size)\(chunk)\r\n\(Self.request)\r\n0\(chunk)\r\n\r\n"
                if cut {
                    for byte in text.utf8 { client.send([byte]) }
                } else {
                    client.send(text)
                }
                return client.answer()?.status
            }
            func expect(_ status: Int, _ found: Int?, _ text: String) {
                #expect(found == status, "\(text)")
            }
            for coding in [
                "chunked", " chunked,", " , ,chunked", " Chunked\t", "\tchunked \t,\t, ",
            ] {
                try expect(200, status(coding), "\(coding)")
                try expect(200, status(coding, cut: true), "\(coding)")
            }
            for chunk in [";a", ";a=b", " ;a", "\t ; a = b ;c", " ; a=\"b c\""] {
                try expect(200, status(" chunked", chunk), "\(chunk)")
                try expect(200, status(" chunked", chunk, cut: true), "\(chunk)")
            }
            for chunk in [" ", "\t", " a", " 1"] {
                try expect(400, status(" chunked", chunk), "\(chunk)")
            }
            for coding in [" gzip, chunked", " chunked, gzip", " chunked, chunked", " gzip", ","] {
                let found = try status(coding) ?? 0
                #expect([400, 501].contains(found), "\(coding)")
            }
            for none in ["", " "] { try expect(400, status(none), "nothing") }
            try expect(400, status(" chunked", version: "1.0"), "1.0")
        }
    }

    /// A long answer is taken whole, whatever was sent behind its request.
    @Test func theLastAnswerIsNotCutOff() async throws {
        try await Served.withFront { front in
            let client = try RawClient(port: front.port)
            let count = 600_000
            let values = (0..<count).map { "\($0 % 7)" }.joined(separator: ",")
            let body =
                "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1,\(count)],"
                + "\"data\":[\(values)]}]}"
            let target = "/v2/models/wide/infer"
            client.send(
                RawClient.head("POST", target, body.utf8.count, ["Connection: close"]) + body
                    + "GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n")
            usleep(1_000_000)
            // What the client sends now is not read any more.
            client.send("GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n")
            let answer = client.answer()
            #expect(answer?.status == 200)
            #expect(answer?.text.hasSuffix("]}]}") == true)
            #expect(client.isEnded())
        }
    }

    /// What has come is answered; then nobody listens.
    @Test func closingAnswersWhatIsInFlight() async throws {
        var limits = ModelServer.Limits()
        limits.batchWaitSeconds = 0.5
        guard let server = try Served.server(["dense"], limits) else { return }
        let front = try Served.front(server)
        let clients = try (0..<3).map { _ in try RawClient(port: front.port) }
        for client in clients {
            client.send(RawClient.head("POST", Self.dense, Self.request.utf8.count) + Self.request)
        }
        let slow = try RawClient(port: front.port)
        slow.send(RawClient.head("POST", Self.dense, Self.request.utf8.count))
        slow.send(Self.request.prefix(10).description)
        usleep(200_000)
        let closing = Task.detached { front.close() }
        usleep(100_000)
        slow.send(Self.request.dropFirst(10).description)
        for client in clients + [slow] {
            let answer = client.answer()
            #expect(answer?.status == 200, "\(answer?.text ?? "none")")
            #expect(answer?.headers["connection"] == "close")
            #expect(client.isEnded())
        }
        await closing.value
        #expect(throws: (any Error).self) { try RawClient(port: front.port) }
    }

    /// Requests that have come behind the one in progress are answered as well.
    @Test func closingAnswersWhatIsPipelined() async throws {
        var limits = ModelServer.Limits()
        limits.batchWaitSeconds = 0.5
        guard let server = try Served.server(["dense"], limits) else { return }
        let front = try Served.front(server)
        let client = try RawClient(port: front.port)
        let one = RawClient.head("POST", Self.dense, Self.request.utf8.count) + Self.request
        client.send(one + "GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n" + one)
        usleep(200_000)
        let closing = Task.detached { front.close() }
        usleep(100_000)
        // What comes by now is too late.
        client.send(one)
        for (index, piece) in ["\"y\"", "extensions", "\"y\""].enumerated() {
            let answer = client.answer()
            #expect(answer?.status == 200 && answer?.text.contains(piece) == true, "\(index)")
            #expect((answer?.headers["connection"] == "close") == (index == 2), "\(index)")
        }
        #expect(client.isEnded())
        await closing.value
    }

    /// Who has sent half a request is not waited for when the server ends.
    @Test func halfARequestDoesNotKeepTheServer() async throws {
        guard let server = try Served.server(["dense"]) else { return }
        let front = try Served.front(server)
        let half = try RawClient(port: front.port)
        half.send(RawClient.head("POST", Self.dense, 1000) + "{")
        let head = try RawClient(port: front.port)
        head.send("GET /v2 HTTP/1.1\r\n")
        usleep(200_000)
        let start = ContinuousClock.now
        front.close()
        #expect(ContinuousClock.now - start < .seconds(5))
        #expect(half.answer()?.status == 503)
        #expect(half.isEnded() && head.isEnded())
    }

    /// Answers are sent in parts.
    @Test func longAnswersComeWhole() async throws {
        try await Served.withFront { front in
            let count = 300_000
            let values = (0..<count).map { Float($0 % 1000) / 64 }
            let header = Bytes(
                ("{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1,\(count)],"
                    + "\"parameters\":{\"binary_data_size\":\(4 * count)}}],"
                    + "\"outputs\":[{\"name\":\"y\",\"parameters\":{\"binary_data\":true}}]}").utf8)
            let text = String(decoding: header, as: UTF8.self)
                .replacingOccurrences(of: "true", with: "false")
            func answer(_ header: Bytes) throws -> RawClient.Answer {
                let client = try RawClient(port: front.port)
                let body = header + values.withUnsafeBytes { Bytes($0) }
                let answer = try #require(
                    client.post(
                        "/v2/models/wide/infer", body,
                        ["Inference-Header-Content-Length: \(header.count)"]))
                #expect(answer.status == 200)
                // The connection is as good as before.
                #expect(client.get("/v2/health/live")?.status == 200)
                return answer
            }
            let binary = try answer(header)
            let start = try #require(
                Int(binary.headers["inference-header-content-length"] ?? ""))
            let expected = binary.body[start...].withUnsafeBytes { bytes in
                (0..<count).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
            }
            let json = try answer(Bytes(text.utf8))
            #expect(json.body.count > 3 << 20)
            let outputs = try #require(try json.object()["outputs"] as? [[String: Any]])
            let found = try #require(outputs[0]["data"] as? [NSNumber])
            #expect(found.map(\.floatValue) == expected)
        }
    }

    /// Memory that is not there may be there later: nobody's request is at fault.
    @Test func missingMemoryIsUnavailable() async throws {
        guard let test = TestDevices.any else { return }
        let device = FlakyDevice(try test.open(), [.memory(400_000)])
        let front = try Served.front(try ModelServer([try Served.model("wide")], on: [device]))
        defer { front.close(graceSeconds: 0) }
        func body(_ count: Int) -> String {
            "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1,\(count)],"
                + "\"data\":\([Float](repeating: 0.5, count: count))}]}"
        }
        let client = try RawClient(port: front.port)
        let wide = "/v2/models/wide/infer"
        let answer = try #require(client.post(wide, body(200_000)))
        #expect(answer.status == 503 && answer.headers["retry-after"] == "1", "\(answer.text)")
        #expect(try answer.error().contains("out of memory"))
        #expect(client.post(wide, body(4))?.status == 200)
    }

    @Test func longAnswersAreNotSent() async throws {
        var limits = HTTPFront.Limits()
        limits.answerBytesMax = 400
        limits.answersBytesMax = 400
        try await Served.withFront(limits) { front in
            func body(_ count: Int) -> String {
                "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1,\(count)],"
                    + "\"data\":\([Float](repeating: 0.5, count: count))}]}"
            }
            let client = try RawClient(port: front.port)
            let wide = "/v2/models/wide/infer"
            #expect(client.post(wide, body(4))?.status == 200)
            let long = try #require(client.post(wide, body(300)))
            #expect(long.status == 422, "\(long.text)")
            #expect(try long.error().contains("400 bytes"))
            // Its room is free again.
            for _ in 0..<3 { #expect(client.post(wide, body(4))?.status == 200) }
        }
    }
}
