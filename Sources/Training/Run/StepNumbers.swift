internal import Core
internal import Exact

/// The numbers that each step of an optimiser has of its own, computed on the host in binary64
/// from + − × ÷ √ and, of the cosine, from the exact function in binary32.
package struct StepNumbers {
    let options: TrainingOptions
    let stepsPerEpoch: Int
    let steps: Int

    static let beta1 = 0.9
    static let beta2 = 0.999
    static let epsilon = 1e-8

    private var powers = (done: 0, first: 1.0, second: 1.0)

    package init(_ options: TrainingOptions, stepsPerEpoch: Int) {
        self.options = options
        self.stepsPerEpoch = stepsPerEpoch
        steps = stepsPerEpoch * options.epochs
    }

    /// The learning rate of a step, counted from 0.
    package func rate(_ step: Int) -> Double {
        let rate = TrainingOptions.number(options.rate)
        switch options.schedule {
        case .constant: return rate
        case .step:
            let factor = TrainingOptions.number(options.factor)
            let times = step / stepsPerEpoch / options.stepEpochs
            return (0..<times).reduce(rate) { rate, _ in rate * factor }
        case .cosine:
            let angle = Float(Double(step) / Double(steps) * .pi)
            return rate * (0.5 * (1 + Double(Exact.cos(angle))))
        }
    }

    /// What the graph's inputs of a step hold, in the order of ``TrainingGraph/numberNames``.
    package mutating func values(_ step: Int) -> [Float] {
        let rate = rate(step)
        let decay = TrainingOptions.number(options.decay)
        switch options.optimizer {
        case .sgd: return [Float(rate)]
        case .adam, .adamw:
            if powers.done > step + 1 { powers = (0, 1, 1) }
            while powers.done < step + 1 {
                powers = (
                    powers.done + 1, powers.first * Self.beta1, powers.second * Self.beta2
                )
            }
            return [
                Float(rate / (1 - powers.first)), Float(1 / (1 - powers.second).squareRoot()),
                Float(1 - rate * decay),
            ]
        }
    }
}
