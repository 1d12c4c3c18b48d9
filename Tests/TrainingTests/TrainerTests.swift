import Compute
import Core
import Digest
import Inference
import RigorTestKit
import Testing

import Training

@Suite struct TrainerTests {
    @Test func learnsDigitsWithoutConvolutions() throws {
        guard let test = TestDevices.any else { return }
        let task = try Digits.task(.mlp) { options in
            options.optimizer = .sgd
            options.rate = "0.1"
            options.epochs = 3
        }
        let trainer = try Trainer(task, on: try test.open())
        while !trainer.isDone { try trainer.advance() }
        #expect(trainer.losses.count == task.steps)
        #expect(trainer.losses[0] > 2 && (trainer.losses.last ?? 9) < 0.7)
        #expect((trainer.correct.last ?? 0) > 300, "\(trainer.correct)")
    }
}
