import Core
import Inference
import Testing
import Training

/// Random numbers and rates, which the host computes.
@Suite struct NumberTests {
    @Test func ordersHoldEachItemOnce() {
        let philox = Philox(seed: 7)
        #expect(philox.order(1000, group: 3).sorted() == Array(0..<1000))
        #expect(philox.order(1000, group: 3) != philox.order(1000, group: 4))
        #expect(philox.order(1000, group: 3) != Philox(seed: 8).order(1000, group: 3))
        let weights = (0..<4096).map { philox.symmetric(.weight, 0, $0) }
        #expect(weights.allSatisfy { $0 > -1 && $0 < 1 && $0 != 0 })
        #expect(abs(weights.reduce(0, +) / 4096) < 0.03)
    }

    @Test func ratesFollowTheirSchedules() {
        var options = TrainingOptions()
        options.rate = "0.5"
        options.epochs = 4
        options.schedule = .step
        options.stepEpochs = 2
        let steps = StepNumbers(options, stepsPerEpoch: 10)
        #expect([0, 19, 20, 39].map { steps.rate($0) } == [0.5, 0.5, 0.05, 0.05])
        options.schedule = .cosine
        let cosine = StepNumbers(options, stepsPerEpoch: 10)
        #expect(cosine.rate(0) == 0.5)
        #expect(abs(cosine.rate(20) - 0.25) < 1e-7)
        #expect(cosine.rate(39) > 0 && cosine.rate(39) < 0.001)
    }

    /// A step's numbers are its own, in whatever order they are asked for.
    @Test func numbersAreTheSteps() {
        let options = TrainingOptions()
        var forward = StepNumbers(options, stepsPerEpoch: 10)
        let values = (0..<20).map { forward.values($0) }
        var backward = StepNumbers(options, stepsPerEpoch: 10)
        #expect((0..<20).reversed().map { backward.values($0) } == values.reversed())
        #expect(abs(values[0][0] - 0.01) < 1e-7 && abs(values[0][1] - 31.6227766) < 1e-3)
    }
}
