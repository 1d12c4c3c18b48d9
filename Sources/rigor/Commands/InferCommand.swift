internal import ArgumentParser
internal import Compute
internal import Core
internal import Digest
internal import Files
internal import Foundation
internal import Inference

/// `rigor infer`: one ONNX model, run here.
struct InferCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "infer",
        abstract: "Run an ONNX model on a device of this machine.",
        discussion: """
            Inputs are .npy arrays, or PNG and JPEG pictures of the size the model takes: \
            [1, channels, height, width], red, green, blue or grey by BT.601, each channel as \
            (value / 255 - mean) / std; of 16 bits a channel the higher 8, on which models are \
            trained. Files given for one input are stacked along its first axis. With --batch, \
            or from a folder, they are computed some at a time, and each gives what it gives \
            alone: one by one, unless the model's steps prove that its items do not depend on \
            each other. The digest is the Merkle root over every item's outputs; it is \
            the same on every device, and for every --batch. Of a model whose items depend on \
            each other, or whose steps depend on what inputs hold, files that are stacked are \
            one input, and have another digest than alone. Several devices (--device all) \
            compute all of it each, and their digests must be equal. A NaN \
            in an input goes on as IEEE 754 says (Relu and Clip let it pass, maxima give it) and \
            comes out as 0x7fc00000.

            EXAMPLES
              rigor infer digits.onnx --input image=seven.png --top 3 --labels labels.txt
              rigor infer model.onnx --input x=x.npy -o out.npz
              rigor infer model.onnx --input x=x.npy --repeat 20 --device gpu --json
              rigor infer model.onnx --input batch.npz -o out.npz
              rigor infer digits.onnx --input image=photos --top 1 -o results/
            """)

    @Argument(help: "The model.", completion: .file(extensions: ["onnx"]))
    var model: String
    @OptionGroup var inputs: ModelInputOptions
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Write all outputs to an .npz archive; with / at its end, to a folder with one for "
                + "each file.", valueName: "file"),
        completion: .file(extensions: ["npz"]), transform: Accepted.fileOrFolder(ending: ["npz"]))
    var output: String?
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            """
            Compute so many items at a time, and each file as if it were alone. (default: files \
            that are named are one input, all at once; 16 of a folder)
            """, valueName: "n"),
        transform: Accepted.whole(1...65_536))
    var batch: Int?
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Say the best classes of each item's first output.", valueName: "n"),
        transform: Accepted.whole(1...1000))
    var top: Int?
    @Option(
        name: .customLong("repeat"), parsing: .unconditional,
        help: ArgumentHelp(
            "Run so often, and say the median after the first. (default: 1)", valueName: "n"),
        transform: Accepted.whole(1...1_000_000))
    var repeats = 1
    @Flag(name: .long, help: "Have the driver measure each kernel, and say where time went.")
    var kernels = false
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Write the hash of every value of the model that the device computes, as JSON; "
                + "`rigor dispute model` finds where two part.", valueName: "file"),
        completion: .file(extensions: ["json"]), transform: Accepted.file(ending: ["json"]))
    var trace: String?
    @OptionGroup var devices: DeviceOptions
    @OptionGroup var json: OutputOptions
    @OptionGroup var home: HomeOptions

    func validate() throws {
        guard inputs.labels == nil || top != nil else {
            throw ValidationError("--labels names the classes of --top, which is not there")
        }
        guard !isByFile || (repeats == 1 && trace == nil) else {
            throw ValidationError(
                "--repeat and --trace take one batch: no folder and no --batch expected")
        }
    }

    func run() async throws {
        let console = Console()
        if isByFile { return try await computeFiles(console) }
        if let output { try FileBytes.checkWritable(output) }
        if let trace { try FileBytes.checkWritable(trace) }
        let opened = try devices.open(home: home.given, isProfiling: kernels)
        // Compilers are slow, and much of what they are asked for does not depend on the model, or
        // on no more than its nodes.
        async let compiled: Void = Self.compileAhead(on: opened)
        var seconds = Seconds()
        let loaded = try load(&seconds, console)
        let families = KernelFamily.needed(by: loaded.model)
        async let compiledFamilies: Void = Self.compileAhead(families, on: opened)
        var ready = try makeReady(consume loaded, &seconds, console)
        let names = ready.names
        var watch = Lap()
        await compiled
        await compiledFamilies
        seconds.kernels = watch.next()

        var reports: [Report] = []
        for (place, device) in opened.enumerated() {
            // The last device has the weights for itself.
            let work = place == opened.count - 1 ? ready.work.take() : ready.work
            guard let work else { break }
            reports.append(try compute(consume work, names, on: device, seconds, console))
            guard let trace, let traced = ready.traced.take() else { continue }
            let entries = try ModelTrace(
                of: ModelSession(traced, on: device), try inputs.ordered(of: traced),
                seed: inputs.usedSeed)
            try FileBytes.write(Bytes(entries.json.text.utf8), to: trace)
        }
        console.endProgress()
        if json.json {
            console.write(.perDevice(reports.map(\.json)))
        } else {
            for report in reports { report.say(console) }
        }
        guard Set(reports.map(\.digest)).count == 1 else {
            throw Failure(.untrusted, "the devices' outputs differ: run `rigor certify`")
        }
    }

    /// What fails here fails again, and is said, when it is asked for.
    static func compileAhead(
        _ families: [KernelFamily] = [.products], on devices: [OpenCLDevice]
    ) async {
        for device in devices { try? Session.compileAhead(families, on: device) }
    }

    /// What there is before a device computes.
    private struct Ready {
        var work: Work?
        /// The model once more, where a trace of it is asked for.
        var traced: Model?
        var names: [String]?
    }

    /// What is in files.
    private struct Loaded {
        let model: Model
        let values: [String: Tensor]
        let names: [String]?
    }

    private func load(_ seconds: inout Seconds, _ console: Console) throws -> Loaded {
        var watch = Lap()
        console.progress("loading \(model)")
        let loaded = try ModelLoader.load(path: model)
        let files =
            try inputs.files(of: loaded).flatMap(\.sources).map(\.path)
            + [inputs.labels].compactMap(\.self)
        if let output { try FileBytes.checkApart(output, from: [model] + files) }
        let values = try inputs.values(of: loaded)
        let names = try inputs.labels.map { path throws(Failure) in try ClassLabels.read(path) }
        seconds.load = watch.next()
        return Loaded(model: loaded, values: values, names: names)
    }

    private func makeReady(
        _ loaded: consuming Loaded, _ seconds: inout Seconds, _ console: Console
    ) throws -> Ready {
        var watch = Lap()
        console.progress("preparing")
        let work = try Work(
            loaded.model, loaded.values, seed: inputs.usedSeed,
            named: (model as NSString).lastPathComponent)
        seconds.prepare = watch.next()
        return Ready(work: work, traced: trace == nil ? nil : loaded.model, names: loaded.names)
    }

    /// One device's run of the model, with its share of `seconds` filled in.
    private func compute(
        _ work: consuming Work, _ names: [String]?, on device: any ComputeDevice,
        _ before: Seconds, _ console: Console
    ) throws(Failure) -> Report {
        var watch = Lap()
        var seconds = before
        console.progress("compiling")
        let isByItem = work.isByItem
        var runner = try Runner(consume work, on: device)
        seconds.compile = watch.next()
        var runs: [Double] = []
        var named: [(name: String, tensor: Tensor)] = []
        for index in 0..<repeats {
            console.progress("run \(index + 1) of \(repeats)")
            // The next run's may lie where these do, which processors have at hand.
            named = []
            named = try runner.run()
            runs.append(watch.next())
        }
        seconds.compute = runs.reduce(0, +)
        // The leaves, and what they are put together from.
        let outputBytes = named.reduce(0) { $0 + $1.tensor.count * $1.tensor.type.byteCount }
        try HostRoom.check(3 * outputBytes, for: "outputs")
        let leaves = InferenceLeaves.leaves(named, isByItem: isByItem)
        let digest = MerkleTree(leaves: leaves).root
        if let names, let labels = inputs.labels {
            try ClassLabels.check(names, from: labels, for: named[0].tensor)
        }
        seconds.digest = watch.next()
        if let output { try FileBytes.write(try Archive.npz(named), to: output) }
        seconds.write = watch.next()
        let best = top.map { ClassLabels.best($0, of: named[0].tensor, labels: names) }
        return Report(
            device: device.description.label, digest: digest, outputs: named, items: runner.count,
            seconds: seconds, milliseconds: Report.median(runs).map { $0 * 1000 }, best: best,
            seed: runner.hasDrawn ? inputs.usedSeed : nil, file: output,
            kernels: (device as? OpenCLDevice)?.kernelTimes ?? [:])
    }

}

// MARK: - Work

extension InferCommand {
    /// A model made ready: as one plan, or where that depends on data, for a run in stages.
    enum Work {
        case plan(PreparedModel)
        case staged(Model, [String: Tensor], seed: UInt64)

        init(
            _ model: Model, _ values: [String: Tensor], seed: UInt64, named name: String
        ) throws(Failure) {
            do throws(Failure) {
                self = .plan(try PreparedModel(model, inputs: values, seed: seed))
            } catch  where error.code == .dependsOnData {
                self = .staged(model, values, seed: seed)
            } catch {
                throw error.at(name)
            }
        }

        var isByItem: Bool {
            if case .plan(let prepared) = self { prepared.plan.isByItem } else { false }
        }
    }

    /// Runs it on a device, as often as asked.
    struct Runner {
        private enum Session {
            case plan(Inference.Session, [Tensor])
            case staged(ModelSession, [String: ModelValue], [String], seed: UInt64)
        }

        private let session: Session
        let count: Int

        init(_ work: consuming Work, on device: any ComputeDevice) throws(Failure) {
            switch consume work {
            case .plan(var prepared):
                count = try prepared.itemCount()
                let inputs = prepared.inputs
                session = .plan(try Inference.Session(prepared.takePlan(), on: device), inputs)
            case .staged(let model, let values, let seed):
                session = .staged(
                    ModelSession(model, on: device), values.mapValues(ModelValue.tensor),
                    model.outputs, seed: seed)
                count = 1
            }
        }

        /// Whether the model drew random numbers.
        var hasDrawn: Bool {
            switch session {
            case .plan(let session, _): session.plan.draws
            case .staged(let session, _, _, _): session.hasDrawn
            }
        }

        mutating func run() throws(Failure) -> [(name: String, tensor: Tensor)] {
            switch session {
            case .plan(let session, let inputs):
                let outputs = try session.run(inputs, items: 0..<count)
                return zip(session.plan.outputs, outputs).map { (name: $0.name, tensor: $1) }
            case .staged(let session, let values, let names, let seed):
                var named: [(name: String, tensor: Tensor)] = []
                for (name, value) in zip(names, try session.run(values, seed: seed)) {
                    guard case .tensor(let tensor) = value else {
                        throw Failure(
                            .unsupported,
                            "output \"\(name.printable)\" is a sequence; a tensor expected")
                    }
                    named.append((name, tensor))
                }
                return named
            }
        }
    }
}

// MARK: - Report

extension InferCommand {
    struct Seconds {
        var load = 0.0, prepare = 0.0
        /// What was waited for the kernels that any model needs, after what the model itself took.
        var kernels = 0.0
        /// What this model needs besides, and its constants brought to the device.
        var compile = 0.0
        var compute = 0.0, digest = 0.0, write = 0.0

        var json: JSON {
            [
                "load": .seconds(load), "prepare": .seconds(prepare), "kernels": .seconds(kernels),
                "compile": .seconds(compile), "compute": .seconds(compute),
                "digest": .seconds(digest), "write": .seconds(write),
            ]
        }
    }

    /// Seconds from one call to the next.
    struct Lap {
        private let clock = SystemClock()
        private var mark: Double

        init() { mark = clock.monotonicSeconds }

        mutating func next() -> Double {
            let now = clock.monotonicSeconds
            defer { mark = now }
            return now - mark
        }
    }

    struct Report {
        var device: String
        var digest: Hash256
        var outputs: [(name: String, tensor: Tensor)]
        var items: Int
        var seconds: Seconds
        /// Nil without a second run: the first one pays for warming up.
        var milliseconds: Double?
        var best: [[ClassLabels.Score]]?
        /// Nil where no random number was drawn.
        var seed: UInt64?
        var file: String?
        /// Launches and seconds on the device; empty where they were not measured.
        var kernels: [String: (launches: Int, seconds: Double)] = [:]

        /// Of the runs after the first; nil when there is none.
        static func median(_ runs: [Double]) -> Double? {
            guard runs.count > 1 else { return nil }
            let sorted = runs.dropFirst().sorted()
            let middle = sorted.count / 2
            return sorted.count % 2 == 1
                ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        }

        var json: JSON {
            var members: [JSON.Member] = [
                .init("device", .string(device)), .init("digest", .hash(digest)),
                .init(
                    "outputs",
                    .array(
                        outputs.map { output in
                            [
                                "name": .string(output.name),
                                "type": .string(output.tensor.type.name),
                                "shape": .array(output.tensor.shape.map { .int($0) }),
                            ]
                        })),
                .init("items", .int(items)),
                .init("seconds", seconds.json),
                .init("milliseconds", .optional(milliseconds) { .number($0, decimals: 3) }),
            ]
            if let best {
                members.append(
                    .init("top", .array(best.map { .array($0.map(\.json)) })))
            }
            if let seed { members.append(.init("seed", .string(String(seed)))) }
            if let file { members.append(.init("file", .string(file))) }
            if !kernels.isEmpty {
                members.append(.init("kernel_seconds", KernelTimes.json(kernels)))
            }
            return .object(members)
        }

        func say(_ console: Console) {
            for (item, scores) in (best ?? []).enumerated() {
                let text = scores.map { "\($0.label) \($0.score)" }.joined(separator: ", ")
                console.say(best?.count == 1 ? text : "item \(item): \(text)")
            }
            if best == nil {
                for output in outputs {
                    console.say(
                        "\(output.name) \(output.tensor.type.name) \(output.tensor.shape)")
                }
            }
            if let seed { console.say("drawn    with --seed \(seed)") }
            if let file { console.say("outputs: \(file)") }
            for line in KernelTimes.lines(kernels) { console.say(line) }
            console.say("digest   \(digest)")
            let time = milliseconds ?? seconds.compute * 1000
            if case .decimal(let text) = JSON.number(time, decimals: 3) {
                console.say(
                    "\(text) ms \(milliseconds == nil ? "for the first run " : "")on \(device)")
            }
        }
    }
}
