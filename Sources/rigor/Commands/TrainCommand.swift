internal import ArgumentParser
internal import Compute
internal import Core
internal import Digest
internal import Files
internal import Foundation
internal import Inference
internal import Training

/// `rigor train`: a small model, trained here.
struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a small ONNX model on a device of this machine.",
        discussion: """
            The model gives a number for each item and class; the loss is the cross entropy of \
            their softmax. Each step's items, the first weights and every sum have an order that \
            the seed and the options decide, so that losses and weights have the same bits on \
            every device: the digest is the Merkle root over them. The operators that can be \
            trained through are those of docs/training.md.

            EXAMPLES
              rigor train --example digits -o digits.onnx
              rigor train --preset mlp --data data.npz --epochs 20 -o model.onnx
              rigor train model.onnx --data data.npz --optimizer sgd --rate 0.01 --schedule cosine
              rigor train --example digits --checkpoint digits.ckpt --resume
            """)

    @OptionGroup var source: TrainSourceOptions
    @OptionGroup var training: TrainOptions
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Write the model with the trained weights.", valueName: "file"),
        completion: .file(extensions: ["onnx"]), transform: Accepted.file(ending: ["onnx"]))
    var output: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Keep how far it is in this file, every few seconds.", valueName: "file"),
        completion: .file())
    var checkpoint: String?
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Seconds between two writings of it; 0 for each step. (default: 5)",
            valueName: "seconds"),
        transform: Accepted.decimal(0...86_400))
    var checkpointSeconds = 5.0
    @Flag(name: .long, help: "Go on from the checkpoint; from the start where there is none.")
    var resume = false
    @Flag(name: .long, help: "Have the driver measure each kernel, and say where time went.")
    var kernels = false
    @OptionGroup var devices: DeviceOptions
    @OptionGroup var json: OutputOptions
    @OptionGroup var home: HomeOptions

    func validate() throws {
        guard !resume || checkpoint != nil else {
            throw ValidationError("--resume goes on from --checkpoint, which is not there")
        }
    }

    func run() async throws {
        let console = Console()
        if let output {
            try FileBytes.checkWritable(output)
            try FileBytes.checkApart(output, from: source.files)
        }
        if let checkpoint {
            try FileBytes.checkWritable(checkpoint)
            try FileBytes.checkApart(checkpoint, from: source.files + [output].compactMap(\.self))
        }
        console.progress("preparing")
        let base = source.example == nil ? TrainingOptions() : .digits
        let (task, model) = try source.task(try training.options(base))
        let opened = try devices.open(home: home.given, isProfiling: kernels)
        guard checkpoint == nil || opened.count == 1 else {
            throw Failure(.usage, "--checkpoint: of one device; \(opened.count) are named")
        }
        if let checkpoint, !resume, FileManager.default.fileExists(atPath: checkpoint) {
            throw Failure(.refused, "\(checkpoint): is there already: --resume goes on from it")
        }
        var reports: [Report] = []
        for device in opened {
            let sitting = Sitting(
                task: task, path: checkpoint, seconds: checkpointSeconds, resumes: resume,
                console: console)
            reports.append(
                try Interruption.watched { () throws(Failure) in
                    try sitting.train(on: device)
                })
        }
        console.endProgress()
        if let output, let weights = reports.first?.weights {
            let values = Dictionary(
                uniqueKeysWithValues: weights.map { ($0.name, $0.tensor) })
            try FileBytes.write(try ModelWriter.bytes(model.replacing(values)), to: output)
        }
        if json.json {
            console.write(.perDevice(reports.map { $0.json(output: output) }))
        } else {
            for report in reports { report.say(console, output: output) }
        }
        if reports.contains(where: \.isInterrupted) { throw ExitCode(Interruption.exitCode) }
        guard Set(reports.map(\.digest)).count == 1 else {
            throw Failure(.untrusted, "the devices' weights differ: run `rigor certify`")
        }
    }
}

// MARK: - One device

extension TrainCommand {
    /// Trains, says how it goes, and keeps how far it is.
    struct Sitting {
        let task: TrainingTask
        let path: String?
        let seconds: Double
        let resumes: Bool
        let console: Console
        private let clock = SystemClock()

        init(
            task: TrainingTask, path: String?, seconds: Double, resumes: Bool, console: Console
        ) {
            self.task = task
            self.path = path
            self.seconds = seconds
            self.resumes = resumes
            self.console = console
        }

        func train(on device: any ComputeDevice) throws(Failure) -> Report {
            console.progress("compiling")
            let start = clock.monotonicSeconds
            let trainer = try Trainer(task, on: device)
            let compile = clock.monotonicSeconds - start
            let identity = path.map { _ in Checkpoint.identity(of: task.encoded) }
            var file = path.map(Checkpoint.File.init)
            if let path, let identity, resumes, FileManager.default.fileExists(atPath: path) {
                try Checkpoint.resume(trainer, identity: identity, from: path)
                console.note("going on after step \(trainer.step) of \(task.steps)")
            }
            let first = trainer.step
            let begun = clock.monotonicSeconds
            var kept = begun
            while !trainer.isDone {
                try trainer.advance()
                if trainer.step % task.stepsPerEpoch == 0 { say(trainer) }
                console.progress("step \(trainer.step) of \(task.steps)")
                let stops = Interruption.isAsked
                guard let identity else {
                    if stops { Interruption.end() }
                    continue
                }
                let now = clock.monotonicSeconds
                guard stops || trainer.isDone || now - kept >= seconds else { continue }
                try file?.write(trainer, identity: identity)
                kept = clock.monotonicSeconds
                if stops { break }
            }
            let took = clock.monotonicSeconds - begun
            return try Report(
                trainer, on: device, compile: compile, compute: took, steps: trainer.step - first,
                checkpoint: path)
        }

        /// A line an epoch.
        private func say(_ trainer: Trainer) {
            let count = task.stepsPerEpoch
            let losses = trainer.losses.suffix(count)
            let mean = losses.reduce(0) { $0 + Double($1) } / Double(count)
            var line = "epoch \(trainer.epoch) of \(task.options.epochs): loss "
            line += Report.text(mean, decimals: 5)
            if let test = task.test, let correct = trainer.correct.last {
                let part = 100 * Double(correct) / Double(test.count)
                line += ", \(correct) of \(test.count) right (\(Report.text(part, decimals: 2)) %)"
            }
            console.endProgress()
            console.note(line)
        }
    }

    struct Report {
        var device: String
        var digest: Hash256
        var weights: [(name: String, tensor: Tensor)]
        var losses: [Float]
        var correct: [Int]
        var tested: Int
        var epochs: Int
        var step: Int
        var steps: Int
        /// Of this run alone.
        var stepsRun: Int
        var compile: Double
        var compute: Double
        var checkpoint: String?
        /// Launches and seconds on the device; empty where they were not measured.
        var kernels: [String: (launches: Int, seconds: Double)]

        var isInterrupted: Bool { step < steps }

        init(
            _ trainer: Trainer, on device: any ComputeDevice, compile: Double, compute: Double,
            steps run: Int, checkpoint: String?
        ) throws(Failure) {
            self.device = device.description.label
            kernels = (device as? OpenCLDevice)?.kernelTimes ?? [:]
            digest = MerkleTree(leaves: try trainer.leaves()).root
            weights = try trainer.weights()
            (losses, correct) = (trainer.losses, trainer.correct)
            tested = trainer.task.test?.count ?? 0
            (epochs, step, steps) = (trainer.epoch, trainer.step, trainer.task.steps)
            stepsRun = run
            (self.compile, self.compute) = (compile, compute)
            self.checkpoint = checkpoint
        }

        static func text(_ value: Double, decimals: Int) -> String {
            if case .decimal(let text) = JSON.number(value, decimals: decimals) {
                text
            } else {
                "?"
            }
        }

        private var accuracy: Double? {
            correct.last.map { tested == 0 ? 0 : Double($0) / Double(tested) }
        }

        func json(output: String?) -> JSON {
            let seconds: JSON = ["compile": .seconds(compile), "compute": .seconds(compute)]
            var members: [JSON.Member] = [
                .init("device", .string(device)),
                .init("digest", isInterrupted ? .null : .hash(digest)),
                .init("step", .int(step)), .init("steps", .int(steps)),
                .init("epochs", .int(epochs)),
                .init("loss", .optional(losses.last) { .number(Double($0), decimals: 6) }),
                .init("accuracy", .optional(accuracy) { .number($0, decimals: 6) }),
                .init("correct", .array(correct.map { .int($0) })),
                .init("tested", .int(tested)), .init("seconds", seconds),
                .init("model", .optional(output) { .string($0) }),
                .init("checkpoint", .optional(checkpoint) { .string($0) }),
            ]
            if !kernels.isEmpty {
                members.append(.init("kernel_seconds", KernelTimes.json(kernels)))
            }
            return .object(members)
        }

        func say(_ console: Console, output: String?) {
            if isInterrupted {
                console.say("stopped after step \(step) of \(steps): --resume goes on")
                return
            }
            if let output { console.say("model    \(output)") }
            if let accuracy, let last = correct.last {
                console.say(
                    "accuracy \(Self.text(100 * accuracy, decimals: 2)) % (\(last) of \(tested))")
            }
            for line in KernelTimes.lines(kernels) { console.say(line) }
            console.say("digest   \(digest)")
            let rate = compute > 0 ? Double(stepsRun) / compute : 0
            console.say(
                "\(stepsRun) steps in \(Self.text(compute, decimals: 2)) s "
                    + "(\(Self.text(rate, decimals: 1)) a second) on \(device)")
        }
    }
}
