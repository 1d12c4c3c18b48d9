import Core
import Foundation
import Glibc
import ProgramTestKit
import RigorTestKit
import Serving
import ServingHTTP
import Testing

/// `rigor serve` as its users meet it.
@Suite(.serialized) struct ProgramTests {
    /// The built program, serving until it is asked to end.
    private final class Program {
        let process = Process()
        let output = Pipe()
        let errors: String

        init(_ arguments: [String], _ environment: [String: String] = [:]) throws {
            let folder = NSTemporaryDirectory() + "/serve-\(UUID().uuidString)"
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
            errors = folder + "/stderr"
            try Data().write(to: URL(fileURLWithPath: errors))
            process.executableURL = URL(fileURLWithPath: try BuiltProgram.path())
            process.arguments = ["serve"] + arguments
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = output
            process.standardError = FileHandle(forWritingAtPath: errors)
            try process.run()
        }

        deinit {
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
            try? FileManager.default.removeItem(
                atPath: (errors as NSString).deletingLastPathComponent)
        }

        /// What standard output has so far, until `end` is in it.
        func read(until end: String) -> String {
            var text = ""
            while !text.contains(end) {
                let data = output.fileHandleForReading.availableData
                if data.isEmpty { break }
                text += String(decoding: data, as: UTF8.self)
            }
            return text
        }

        func wait(seconds: Double = 30) -> Int32? {
            let end = ProcessInfo.processInfo.systemUptime + seconds
            while process.isRunning, ProcessInfo.processInfo.systemUptime < end { usleep(5000) }
            guard !process.isRunning else { return nil }
            process.waitUntilExit()
            return process.terminationReason == .exit ? process.terminationStatus : nil
        }

        var errorText: String { (try? String(contentsOfFile: errors, encoding: .utf8)) ?? "" }
    }

    private static let request =
        "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1,4],\"data\":[1,2,3,4]}]}"

    @Test(arguments: [SIGTERM, SIGINT])
    func servesUntilItIsAsked(_ signal: Int32) throws {
        guard TestDevices.any != nil else { return }
        let program = try Program([
            Served.path("dense"), "--name", "other=\(Served.path("wide"))", "--port", "0",
            "--batch-wait", "500", "--json",
        ])
        let text = program.read(until: "\n}\n")
        let line = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        let document = try #require(line, "\(text) \(program.errorText)")
        #expect(document["models"] as? [String] == ["dense", "other"])
        let port = try #require(document["port"] as? Int)
        #expect(document["url"] as? String == "http://127.0.0.1:\(port)")
        let client = try RawClient(port: port)
        client.send(
            RawClient.head("POST", "/v2/models/dense/infer", Self.request.utf8.count)
                + Self.request)
        usleep(200_000)
        kill(program.process.processIdentifier, signal)
        #expect(client.answer()?.status == 200)
        #expect(program.wait() == 0, "\(program.errorText)")
    }

    @Test func saysWhereItListens() throws {
        guard TestDevices.any != nil else { return }
        let program = try Program([Served.path("dense"), "--port", "0"])
        let text = program.read(until: "\n")
        #expect(text.hasPrefix("listening on http://127.0.0.1:"), "\(text) \(program.errorText)")
        let port = try #require(Int(text.split(separator: ":").last?.dropLast() ?? ""))
        // The port is taken now.
        let second = try Program([Served.path("dense"), "--port", "\(port)"])
        #expect(second.wait() == 1)
        let line = "error: 127.0.0.1:\(port): cannot listen: the port is in use"
        #expect(second.errorText.contains(line), "\(second.errorText)")
        kill(program.process.processIdentifier, SIGTERM)
        #expect(program.wait() == 0)
    }

    /// No address of this machine, and none at all.
    @Test(arguments: [("192.0.2.1", "no address of this machine"), ("no such host", "no address")])
    func wrongAddressesAreSaid(_ host: String, _ piece: String) throws {
        guard TestDevices.any != nil else { return }
        let program = try Program([Served.path("dense"), "--host", host, "--port", "0"])
        #expect(program.wait() == 1)
        let line = "error: \(host):0: cannot listen: \(piece)"
        #expect(program.errorText.contains(line), "\(program.errorText)")
        #expect(!program.errorText.contains("Error"), "\(program.errorText)")
    }

    @Test func wrongCommandLinesAreRefused() throws {
        let cases: [([String], Int32, String)] = [
            ([], 64, "a model expected"), (["--port", "70000", "x.onnx"], 64, "0 to 65535"),
            (["--name", "x", "a.onnx"], 64, "NAME"), (["nowhere.onnx"], 1, "nowhere.onnx"),
            ([Served.path("dense"), Served.path("dense")], 64, "two models are named dense"),
            (["--name", "a/b=\(Served.path("dense"))"], 1, "letters, digits"),
        ]
        for (arguments, status, piece) in cases {
            let program = try Program(arguments)
            #expect(program.wait() == status, "\(arguments): \(program.errorText)")
            #expect(program.errorText.contains(piece), "\(arguments): \(program.errorText)")
        }
    }

    /// PyPI's tritonclient, which `make install-test` puts into .build/triton-client.
    @Test func tritonClientsAreAnswered() throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let python = tests.deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent(".build/triton-client/bin/python").path
        guard FileManager.default.isExecutableFile(atPath: python) else {
            return TestDevices.skip("tritonclient is not installed: make install-test")
        }
        guard let server = try Served.server() else { return }
        let front = try Served.front(server)
        defer { front.close(graceSeconds: 0) }
        let end = ContinuousClock.now + .seconds(60)
        while !server.isReady, ContinuousClock.now < end { usleep(10_000) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = [
            tests.appendingPathComponent("triton_client.py").path, "127.0.0.1:\(front.port)",
        ]
        let output = Pipe()
        (process.standardOutput, process.standardError) = (output, output)
        try process.run()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(String(decoding: said, as: UTF8.self))")
    }

    /// What a driver compiles when a kernel is first launched, it has compiled once the server is
    /// ready.
    @Test func nothingIsCompiledForTheFirstRequest() throws {
        guard TestDevices.named("PoCL") != nil else { return }
        let cache = NSTemporaryDirectory() + "/pocl-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: cache, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: cache) }
        let program = try Program(
            [Served.path("dense"), "--port", "0", "--device", "Portable"],
            ["POCL_CACHE_DIR": cache])
        let text = program.read(until: "\n")
        let port = try #require(
            Int(text.split(separator: ":").last?.dropLast() ?? ""), "\(program.errorText)")
        let client = try RawClient(port: port)
        let end = ContinuousClock.now + .seconds(60)
        while client.get("/v2/health/ready")?.status != 200, ContinuousClock.now < end {
            usleep(20_000)
        }
        func files() -> Set<String> {
            Set(FileManager.default.enumerator(atPath: cache)?.compactMap { $0 as? String } ?? [])
        }
        let before = files()
        #expect(!before.isEmpty)
        #expect(client.post("/v2/models/dense/infer", Self.request)?.status == 200)
        #expect(files() == before)
        kill(program.process.processIdentifier, SIGTERM)
        #expect(program.wait() == 0, "\(program.errorText)")
    }
}
