import Core
import Foundation
import Inference
import RigorTestKit
import Testing
import Training

/// Whole runs against NumPy's in binary64: `scripts/models/training_reference.py` has every
/// gradient written out by hand.
@Suite struct ReferenceTests {
    struct Reference: Decodable {
        struct Variant: Decodable {
            struct Options: Decodable {
                var optimizer: String
                var rate: String
                var momentum: String
                var nesterov: Int
                var decay: String
                var schedule: String
                var step_epochs: Int
                var factor: String
            }

            var options: Options
            var losses: [Double]
            var correct: [Int]
            var weights: [String: [Double]]
        }

        var batch: Int
        var epochs: Int
        var seed: UInt64
        var variants: [String: Variant]
    }

    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("Fixtures")

    @Test(arguments: ["plain", "momentum", "nesterov", "adam", "adamw"])
    func lossesAndWeightsAreNumPys(_ name: String) throws {
        guard let test = TestDevices.any else { return }
        let reference = try JSONDecoder().decode(
            Reference.self,
            from: Data(contentsOf: Self.folder.appendingPathComponent("training.json")))
        let variant = try #require(reference.variants[name])
        var options = TrainingOptions()
        options.optimizer = try #require(.init(rawValue: variant.options.optimizer))
        options.schedule = try #require(.init(rawValue: variant.options.schedule))
        (options.rate, options.momentum) = (variant.options.rate, variant.options.momentum)
        (options.decay, options.factor) = (variant.options.decay, variant.options.factor)
        options.isNesterov = variant.options.nesterov != 0
        options.stepEpochs = variant.options.step_epochs
        (options.batch, options.epochs) = (reference.batch, reference.epochs)
        options.seed = reference.seed
        let (task, _) = try TrainApp.task(
            .model(Self.folder.appendingPathComponent("training.onnx").path),
            data: Self.folder.appendingPathComponent("training.npz").path, options)
        let trainer = try Trainer(task, on: try test.open())
        while !trainer.isDone { try trainer.advance() }
        #expect(trainer.losses.count == variant.losses.count)
        for (step, (found, expected)) in zip(trainer.losses, variant.losses).enumerated() {
            #expect(abs(Double(found) - expected) < 2e-5, "\(name), step \(step + 1)")
        }
        #expect(trainer.correct == variant.correct)
        let weights = try trainer.weights()
        #expect(Set(weights.map(\.name)) == Set(variant.weights.keys))
        for (key, tensor) in weights {
            let expected = try #require(variant.weights[key])
            let far = zip(tensor.floats ?? [], expected).map { abs(Double($0) - $1) }.max() ?? 9
            #expect(far < 1e-4, "\(name): \(key) is up to \(far) away")
        }
    }
}
