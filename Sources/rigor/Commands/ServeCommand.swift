internal import ArgumentParser
internal import Compute
internal import Core
internal import Foundation
internal import Inference
internal import Serving
internal import ServingHTTP

/// `rigor serve`: models behind the Open Inference Protocol.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve ONNX models over HTTP (Open Inference Protocol v2).",
        discussion: """
            Clients of KServe and Triton can talk to it; see docs/serving.md. Requests that wait \
            for one model are computed together where its first axis is open; no answer depends \
            on what else is asked. The server is ready once each model is compiled and, where \
            that takes no more than seconds, has run once. ctrl-C or SIGTERM answers what has \
            come, and ends.

            EXAMPLES
              rigor serve digits.onnx
              rigor serve --name det=a/model.onnx --name rec=b/model.onnx --port 0 --json
              curl http://127.0.0.1:8000/v2/models/digits
            """)

    @Argument(
        help: "Models, served under the names of their files.",
        completion: .file(extensions: ["onnx"]))
    var models: [String] = []
    @Option(
        name: .long,
        help: ArgumentHelp("A model under another name; may be repeated.", valueName: "name=model"),
        transform: Accepted.namedModel)
    var name: [String] = []
    @Option(name: .long, help: "Address to listen on.")
    var host = "127.0.0.1"
    @Option(
        name: .long, parsing: .unconditional,
        help: "Port to listen on; 0 takes one that is free. (default: 8000)",
        transform: Accepted.whole(0...65_535))
    var port = 8000
    @OptionGroup var limits: ServeLimitOptions
    @OptionGroup var devices: DeviceOptions
    @OptionGroup var json: OutputOptions
    @OptionGroup var home: HomeOptions

    func validate() throws {
        guard !(models + name).isEmpty else { throw ValidationError("a model expected") }
    }

    func run() throws {
        let console = Console()
        var served: [ServedModel] = []
        for (name, path) in named {
            console.progress("loading \(path)")
            let model = try ModelLoader.load(path: path)
            do throws(Failure) {
                served.append(try ServedModel(model, name: name))
            } catch {
                throw error.at(path)
            }
        }
        let opened = try devices.open(home: home.given)
        console.endProgress()
        let server = try ModelServer(served, on: opened, limits: limits.server) { line in
            Console().note(line)
        }
        let front = try HTTPFront(server, host: host, port: port, limits: limits.front)
        // Before anybody is told: who reads the line may ask for the end at once.
        try Interruption.watched { () throws(Failure) in
            announce(front, served, opened, console)
            while !Interruption.isAsked { usleep(Self.pollMicroseconds) }
            console.note("shutting down")
            front.close()
        }
    }

    private static let pollMicroseconds: UInt32 = 20_000

    /// Names and files.
    private var named: [(name: String, path: String)] {
        models.map { path in
            let file = (path as NSString).lastPathComponent as NSString
            return (file.deletingPathExtension, path)
        }
            + name.map { pair in
                let sign = pair.firstIndex(of: "=") ?? pair.endIndex
                return (String(pair[..<sign]), String(pair[sign...].dropFirst()))
            }
    }

    private func announce(
        _ front: HTTPFront, _ models: [ServedModel], _ devices: [any ComputeDevice],
        _ console: Console
    ) {
        let host = host.contains(":") ? "[\(host)]" : host
        let url = "http://\(host):\(front.port)"
        guard json.json else {
            for device in devices { console.note("on \(device.description.label)") }
            for model in models { console.note("model \(model.name)") }
            return console.say("listening on \(url)")
        }
        console.write([
            "url": .string(url), "port": .int(front.port),
            "models": .array(models.map { .string($0.name) }),
            "devices": .array(devices.map { .string($0.description.label) }),
        ])
    }
}

/// What protects the machine from clients.
struct ServeLimitOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Items that are computed together; 1 joins no requests. (default: 16)", valueName: "n"),
        transform: Accepted.whole(1...4096))
    var batchMax = 16
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "How long a request waits for others to be joined with. (default: 2)",
            valueName: "ms"),
        transform: Accepted.decimal(0...1000))
    var batchWait = 2.0
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("The largest body of a request. (default: 64)", valueName: "MiB"),
        transform: Accepted.whole(1...2047))
    var bodyLimit = 64
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "The largest answer; a longer one is not sent. (default: 128)", valueName: "MiB"),
        transform: Accepted.whole(1...2047))
    var answerLimit = 128
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Requests that wait or are computed; more are answered 503. (default: 256)",
            valueName: "n"),
        transform: Accepted.whole(1...65_536))
    var queueMax = 256

    var server: ModelServer.Limits {
        var limits = ModelServer.Limits()
        limits.batchMax = batchMax
        limits.batchWaitSeconds = batchWait / 1000
        limits.queueMax = queueMax
        return limits
    }

    var front: HTTPFront.Limits {
        var limits = HTTPFront.Limits()
        limits.bodyBytesMax = bodyLimit << 20
        // Four of the largest at a time.
        limits.bodiesBytesMax = 4 * limits.bodyBytesMax
        limits.answerBytesMax = answerLimit << 20
        limits.answersBytesMax = 4 * limits.answerBytesMax
        return limits
    }
}
