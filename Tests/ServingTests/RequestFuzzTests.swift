import Core
import Foundation
import Serving
import ServingHTTP
import Testing

/// Damaged requests get a right answer or a clear refusal; `RIGOR_FUZZ_SECONDS` for longer.
@Suite struct RequestFuzzTests {
    private let seconds =
        ProcessInfo.processInfo.environment["RIGOR_FUZZ_SECONDS"].flatMap(Double.init) ?? 1

    private static var seeds: [(json: String, tail: Bytes)] {
        let floats = [Float](arrayLiteral: 1, 2, 3, 4, 5, 6, 7, 8).withUnsafeBytes { Bytes($0) }
        return [
            (
                "{\"id\":\"a\\u00e9\",\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\","
                    + "\"shape\":[1,4],\"data\":[1.5,-2e3,NaN,0]}]}", []
            ),
            (
                "{\"inputs\":[{\"name\":\"x\",\"shape\":[2,4],\"datatype\":\"FP32\",\"parameters\":"
                    + "{\"binary_data_size\":32}}],\"outputs\":[{\"name\":\"y\",\"parameters\":"
                    + "{\"binary_data\":true}}]}", floats
            ),
            (
                "{\"inputs\":[{\"data\":[[1,2,3,4]],\"name\":\"x\",\"datatype\":\"FP32\","
                    + "\"shape\":[1,4]}],\"parameters\":{\"binary_data_output\":true}}", []
            ),
        ]
    }

    private static let pieces = [
        "0", "-1", "1e999", "99999999999999999999", "null", "[]", "{}", "\"x\"", "true", "[[[[",
        "]", "}", ",", ":", "\\", "\"", "2147483648", "NaN",
    ]

    private func damage(_ bytes: inout Bytes, _ generator: inout SplitMix64) {
        guard bytes.count > 2 else { return }
        let at = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: bytes = Bytes(bytes.prefix(at))
        case 2:
            let piece = Self.pieces.randomElement(using: &generator) ?? ""
            bytes.insert(contentsOf: piece.utf8, at: at)
        case 3:
            let end = min(bytes.count, at + Int.random(in: 1...8, using: &generator))
            bytes.removeSubrange(at..<end)
        default:
            let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) }
            guard let first = bytes[at...].firstIndex(where: isDigit) else { return }
            let piece = Self.pieces.randomElement(using: &generator) ?? ""
            bytes.replaceSubrange(first..<(first + 1), with: piece.utf8)
        }
    }

    @Test func codecTakesAnything() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("codecTakesAnything seed \(seed)")
        var generator = SplitMix64(seed: seed)
        let end = ContinuousClock.now + .seconds(seconds)
        var (tried, taken) = (0, 0)
        while ContinuousClock.now < end {
            let chosen = Self.seeds[Int.random(in: 0..<3, using: &generator)]
            var body = Bytes(chosen.json.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator) { damage(&body, &generator) }
            let count = body.count
            body += chosen.tail
            tried += 1
            do throws(Failure) {
                _ = try InferRequest(
                    decoding: body, headerCount: chosen.tail.isEmpty ? nil : count)
                taken += 1
            } catch {
                let isClear =
                    !error.message.isEmpty && error.message.count < 400
                    && error.message.unicodeScalars.allSatisfy { $0.value >= 32 }
                #expect(isClear, "\(error.message.debugDescription)")
            }
        }
        print("codecTakesAnything: \(tried) requests, \(taken) taken")
        #expect(tried > 100 && taken > 0 && taken < tried)
    }

    /// Whole HTTP requests, damaged anywhere; a sound one after each is answered right.
    @Test func serverTakesAnything() throws {
        guard let server = try Served.server(["dense"]) else { return }
        var limits = HTTPFront.Limits()
        limits.bodySeconds = 0.2
        limits.idleSeconds = 0.5
        let front = try Served.front(server, limits)
        defer { front.close(graceSeconds: 0) }
        let seed = UInt64.random(in: 0...UInt64.max)
        print("serverTakesAnything seed \(seed)")
        var generator = SplitMix64(seed: seed)
        let sound = Self.seeds[1]
        func message(_ chosen: (json: String, tail: Bytes)) -> Bytes {
            let json = Bytes(chosen.json.utf8)
            let headers =
                chosen.tail.isEmpty ? [] : ["Inference-Header-Content-Length: \(json.count)"]
            return Bytes(
                RawClient.head(
                    "POST", "/v2/models/dense/infer", json.count + chosen.tail.count, headers
                ).utf8) + json + chosen.tail
        }
        let first = try RawClient(port: front.port)
        first.send(message(sound))
        let expected = try #require(first.answer())
        #expect(expected.status == 200)
        let end = ContinuousClock.now + .seconds(seconds)
        var statuses: [Int: Int] = [:]
        while ContinuousClock.now < end {
            var bytes = message(Self.seeds[Int.random(in: 0..<3, using: &generator)])
            for _ in 0..<Int.random(in: 1...3, using: &generator) { damage(&bytes, &generator) }
            let client = try RawClient(port: front.port)
            client.send(bytes)
            client.closeWriting()
            let answer = client.answer()
            statuses[answer?.status ?? 0, default: 0] += 1
            if let answer, answer.status != 200, answer.status != 100 {
                #expect((400..<500).contains(answer.status) || answer.status == 503)
                _ = try answer.error()
            }
            let other = try RawClient(port: front.port)
            other.send(message(sound))
            #expect(other.answer()?.body == expected.body)
        }
        print("serverTakesAnything: \(statuses.sorted { $0.key < $1.key })")
        #expect(statuses.count > 1)
    }
}
