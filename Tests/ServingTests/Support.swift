import Compute
import Core
import Foundation
import Glibc
import Inference
import RigorTestKit
import Serving
import ServingHTTP
import Testing

enum Served {
    static func path(_ name: String) -> String {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        return tests.appendingPathComponent("Fixtures/\(name).onnx").path
    }

    static func model(_ name: String) throws -> ServedModel {
        try ServedModel(try ModelLoader.load(path: path(name)), name: name)
    }

    static let all = ["dense", "mixed", "nonzero", "state", "types", "wide"]

    /// Nil, with a line that says so, where there is no device.
    static func server(
        _ names: [String] = all, _ limits: ModelServer.Limits = .init()
    ) throws -> ModelServer? {
        guard let test = TestDevices.any else { return nil }
        return try ModelServer(try names.map(model), on: [try test.open()], limits: limits)
    }

    static func front(
        _ server: ModelServer, _ limits: HTTPFront.Limits = patient
    ) throws -> HTTPFront {
        try HTTPFront(server, host: "127.0.0.1", port: 0, limits: limits)
    }

    static let denseTarget = "/v2/models/dense/infer"
    static let denseRequest =
        "{\"id\":\"7\",\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1,4],"
        + "\"data\":[1,2,3,4]}]}"

    /// Of tests in which nobody is meant to be late: on a busy machine a client may stand still for
    /// longer than the server waits for strangers.
    static let patient: HTTPFront.Limits = {
        var limits = HTTPFront.Limits()
        (limits.idleSeconds, limits.bodySeconds, limits.writeSeconds) = (600, 600, 600)
        return limits
    }()

    /// Nothing, where there is no device.
    static func withFront(
        _ limits: HTTPFront.Limits = patient, _ serverLimits: ModelServer.Limits = .init(),
        _ body: (HTTPFront) async throws -> Void
    ) async throws {
        guard let server = try Served.server(all, serverLimits) else { return }
        let front = try Served.front(server, limits)
        let end = ContinuousClock.now + .seconds(60)
        while !server.isReady, ContinuousClock.now < end { usleep(10_000) }
        #expect(server.isReady, "models are compiled in time")
        do { try await body(front) } catch {
            front.close(graceSeconds: 0)
            throw error
        }
        front.close(graceSeconds: 0)
    }
}

extension InferRequest {
    /// One float32 input as JSON.
    init(_ name: String, _ shape: [Int], _ values: [Float]) throws {
        let text =
            "{\"inputs\":[{\"name\":\"\(name)\",\"datatype\":\"FP32\",\"shape\":\(shape),"
            + "\"data\":\(values)}]}"
        try self.init(decoding: Bytes(text.utf8))
    }
}

/// A client that may misbehave.
final class RawClient {
    struct Answer {
        var status: Int
        var headers: [String: String]
        var body: Bytes

        var text: String { String(decoding: body, as: UTF8.self) }

        /// The one line of an error.
        func error() throws -> String {
            let value = try JSONSerialization.jsonObject(with: Data(body))
            let object = try #require(value as? [String: Any])
            let line = try #require(object["error"] as? String)
            #expect(!line.isEmpty && !line.contains("\n") && line.count < 500, "\(line)")
            return line
        }

        func object() throws -> [String: Any] {
            let value = try JSONSerialization.jsonObject(with: Data(body))
            return try #require(value as? [String: Any])
        }
    }

    private let descriptor: Int32
    private var pending = Bytes()

    init(port: Int, secondsMax: Int = 60) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var limit = timeval(tv_sec: secondsMax, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            throw Failure(.io, "connect: \(String(cString: strerror(errno)))")
        }
    }

    deinit { Glibc.close(descriptor) }

    func closeWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// False where the server does not listen any more.
    @discardableResult
    func send(_ bytes: some Collection<UInt8>) -> Bool {
        let bytes = Bytes(bytes)
        var sent = 0
        while sent < bytes.count {
            let count = uninterrupted {
                bytes[sent...].withUnsafeBytes {
                    Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Bytes(text.utf8)) }

    /// A call that waits at most so long ends when any signal comes, whoever takes it.
    private func uninterrupted(_ call: () -> Int) -> Int {
        while true {
            let count = call()
            if count >= 0 || errno != EINTR { return count }
        }
    }

    private func fill() -> Bool {
        var part = Bytes(repeating: 0, count: 1 << 16)
        let count = uninterrupted {
            part.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
        }
        guard count > 0 else { return false }
        pending += part[..<count]
        return true
    }

    /// The next answer; nil where the connection ends, or nothing comes in time.
    ///
    /// - Parameter hasBody: false behind HEAD.
    func answer(hasBody: Bool = true) -> Answer? {
        let mark = Bytes("\r\n\r\n".utf8)
        var end: Int?
        while end == nil {
            end = pending.indices.first { pending[$0...].starts(with: mark) }
            if end == nil, !fill() { return nil }
        }
        let head = String(decoding: pending[..<(end ?? 0)], as: UTF8.self)
        pending.removeFirst((end ?? 0) + 4)
        var headers: [String: String] = [:]
        let lines = head.components(separatedBy: "\r\n")
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        let status = Int(lines[0].split(separator: " ").dropFirst().first ?? "") ?? 0
        let count = hasBody ? Int(headers["content-length"] ?? "") ?? 0 : 0
        while pending.count < count { if !fill() { return nil } }
        let body = Bytes(pending[..<count])
        pending.removeFirst(count)
        return Answer(status: status, headers: headers, body: body)
    }

    /// Whether the server has closed the connection.
    func isEnded() -> Bool { !fill() && pending.isEmpty }

    func get(_ path: String) -> Answer? {
        send("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
        return answer()
    }

    func post(_ path: String, _ body: some Collection<UInt8>, _ headers: [String] = []) -> Answer? {
        send(Self.head("POST", path, body.count, headers))
        send(body)
        return answer()
    }

    func post(_ path: String, _ body: String, _ headers: [String] = []) -> Answer? {
        post(path, Bytes(body.utf8), headers)
    }

    static func head(
        _ method: String, _ path: String, _ count: Int, _ headers: [String] = []
    ) -> String {
        (["\(method) \(path) HTTP/1.1", "Host: x", "Content-Length: \(count)"] + headers)
            .joined(separator: "\r\n") + "\r\n\r\n"
    }
}

extension SplitMix64 {
    mutating func floats(_ count: Int) -> [Float] {
        (0..<count).map { _ in Float(Int32.random(in: -1_000_000...1_000_000, using: &self)) / 4096
        }
    }
}
