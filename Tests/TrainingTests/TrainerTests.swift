import Compute
import Core
import Digest
import Foundation
import Inference
import RigorTestKit
import Testing
import Training

@Suite struct TrainerTests {
    /// A few steps of everything that an optimiser or a schedule has.
    static let variants: [@Sendable (inout TrainingOptions) -> Void] = [
        {
            $0.optimizer = .sgd
            $0.rate = "0.05"
            $0.momentum = "0"
        },
        {
            $0.optimizer = .sgd
            $0.rate = "0.05"
            $0.isNesterov = true
            $0.decay = "0.001"
            $0.schedule = .step
            $0.stepEpochs = 1
        },
        {
            $0.optimizer = .adam
            $0.decay = "0.001"
        },
        {
            $0.optimizer = .adamw
            $0.decay = "0.01"
            $0.schedule = .cosine
        },
    ]

    static func root(_ trainer: Trainer) throws -> Hash256 {
        while !trainer.isDone { try trainer.advance() }
        return MerkleTree(leaves: try trainer.leaves()).root
    }

    /// Wide and narrow kernels, every implementation and every split of a processor.
    @Test func lossesAndWeightsAreEqualEverywhere() throws {
        let folder = Workspace.file("programs")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let options = OpenCLDevice.Options(cacheFolder: folder)
        for (index, change) in Self.variants.enumerated() {
            let task = try Digits.task(.cnn) { options in
                options.epochs = 2
                options.batch = 512
                change(&options)
            }
            var roots: [String: Hash256] = [:]
            for test in TestDevices.quick where test.verdict == .exact {
                roots[test.label] = try Self.root(try Trainer(task, on: try test.open(options)))
                roots["\(test.label), narrow"] = try Self.root(
                    try Trainer(task, on: try test.open(options), isNarrow: true))
                if let part = try? test.open(computeUnits: 1, options).first {
                    roots["\(test.label), one unit"] = try Self.root(try Trainer(task, on: part))
                }
            }
            #expect(Set(roots.values).count <= 1, "variant \(index): \(roots)")
        }
    }

    @Test func readsDigitsAfterTwelveEpochs() throws {
        guard let test = TestDevices.any else { return }
        let task = try Digits.task(.cnn) { options in
            options.rate = "0.003"
            options.schedule = .cosine
            options.epochs = 12
        }
        let trainer = try Trainer(task, on: try test.open())
        while !trainer.isDone { try trainer.advance() }
        let count = try #require(task.test?.count)
        #expect(trainer.losses.count == task.steps && trainer.correct.count == 12)
        #expect(try #require(trainer.correct.last) * 100 >= count * 97, "\(trainer.correct)")
    }

    /// What a trained model tells right is what the trainer says.
    @Test func trainedModelsAreWrittenAsOnnx() throws {
        guard let test = TestDevices.any else { return }
        var options = TrainingOptions()
        options.scale = "0.0625"
        options.epochs = 2
        let path = Workspace.repository.appendingPathComponent("Examples/digits/digits.npz").path
        let (task, model) = try TrainApp.task(.preset(.cnn), data: path, options)
        let device = try test.open()
        let trainer = try Trainer(task, on: device)
        while !trainer.isDone { try trainer.advance() }
        let weights = Dictionary(
            uniqueKeysWithValues: try trainer.weights().map { ($0.name, $0.tensor) })
        let bytes = try ModelWriter.bytes(model.replacing(weights))
        let read = try ModelLoader.load(Data(bytes))
        #expect(read.constants.filter { weights[$0.key] != nil } == weights)
        let data = try #require(task.test)
        let prepared = try PreparedModel(read, inputs: ["image": data.items], batchMax: 64)
        let scores = try Session(prepared.plan, on: device).run(
            prepared.inputs, items: 0..<data.count)[0]
        let best = ClassLabels.best(1, of: scores, labels: nil).map { $0[0].index }
        #expect(zip(best, data.labels).filter { $0 == $1 }.count == trainer.correct.last)
    }

    // MARK: The blob

    @Test func tasksComeBack() throws {
        let task = try Digits.task(.cnn) { $0.optimizer = .adamw }
        #expect(try TrainingTask(decoding: task.encoded) == task)
    }

    /// A damaged blob is refused, or is another sound task; nothing crashes.
    @Test func damagedTasksNeverCrash() throws {
        let blob = try Digits.task(.mlp) { $0.epochs = 1 }.encoded
        var generator = SplitMix64(seed: 5)
        var refused = 0
        for _ in 0..<100 {
            var damaged = blob
            for _ in 0..<3 {
                let at = Int.random(in: 0..<4000, using: &generator)
                damaged[at] = UInt8.random(in: 0...255, using: &generator)
            }
            do { _ = try TrainingTask(decoding: damaged) } catch { refused += 1 }
        }
        #expect(refused > 30)
        #expect(throws: Failure.self) { try TrainingTask(decoding: Bytes(blob.prefix(5000))) }
    }

    // MARK: Checkpoints

    @Test func trainingGoesOnFromAnyStep() throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        let task = try Digits.task(.mlp) { options in
            options.epochs = 2
            options.batch = 256
        }
        let identity = Checkpoint.identity(of: task.encoded)
        let whole = try Self.root(try Trainer(task, on: device))
        let path = Workspace.file("training.ckpt")
        defer { try? FileManager.default.removeItem(atPath: path) }
        var file = Checkpoint.File(path)
        for stop in 0...task.steps {
            let first = try Trainer(task, on: device)
            for _ in 0..<stop { try first.advance() }
            try file.write(first, identity: identity)
            let second = try Trainer(task, on: device)
            try Checkpoint.resume(second, identity: identity, from: path)
            #expect(second.step == stop)
            #expect(try Self.root(second) == whole, "stopped after step \(stop)")
        }
    }

    @Test func damagedOrForeignCheckpointsAreRefused() throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        let task = try Digits.task(.mlp) { $0.epochs = 1 }
        let identity = Checkpoint.identity(of: task.encoded)
        let path = Workspace.file("damaged.ckpt")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let trainer = try Trainer(task, on: device)
        try trainer.advance()
        var file = Checkpoint.File(path)
        try file.write(trainer, identity: identity)
        let sound = try Data(contentsOf: URL(fileURLWithPath: path))
        func refusal(_ bytes: Data, _ identity: Hash256) throws -> String {
            try bytes.write(to: URL(fileURLWithPath: path))
            do throws(Failure) {
                try Checkpoint.resume(
                    try Trainer(task, on: device), identity: identity, from: path)
                return "taken"
            } catch {
                return error.message
            }
        }
        for at in [8, 45, 60, sound.count - 1] {
            var bytes = sound
            bytes[at] ^= 1
            #expect(try refusal(bytes, identity).contains("a damaged checkpoint"))
        }
        #expect(try refusal(sound.prefix(100), identity).contains("a damaged checkpoint"))
        #expect(try refusal(Data("text".utf8), identity).contains("no checkpoint of training"))
        let other = try Digits.task(.mlp) { $0.seed = 2 }
        #expect(
            try refusal(sound, Checkpoint.identity(of: other.encoded)).contains(
                "a checkpoint of another model, data set, options"))
    }

    /// Two trainings that began without a file, and with the same one.
    @Test func oneTrainingWritesACheckpoint() throws {
        guard let test = TestDevices.any else { return }
        let task = try Digits.task(.mlp) { $0.epochs = 1 }
        let identity = Checkpoint.identity(of: task.encoded)
        let path = Workspace.file("shared.ckpt")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let trainer = try Trainer(task, on: try test.open())
        for _ in 0..<2 {
            var (one, other) = (Checkpoint.File(path), Checkpoint.File(path))
            try one.write(trainer, identity: identity)
            let kept = try Data(contentsOf: URL(fileURLWithPath: path))
            try trainer.advance()
            let error = #expect(throws: Failure.self) {
                try other.write(trainer, identity: identity)
            }
            #expect(error?.message.contains("another training writes it") == true)
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == kept)
            try one.write(trainer, identity: identity)
        }
    }
}

enum Workspace {
    static let repository = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// A path of its own for this process.
    static func file(_ name: String) -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent(
            "rigor-\(ProcessInfo.processInfo.processIdentifier)-\(name)"
        ).path
    }
}
