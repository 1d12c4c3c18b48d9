public import Core

/// How a model is trained. Decimal numbers are read as binary64, correctly rounded, and become
/// binary32 where a device computes with them.
public struct TrainingOptions: Hashable, Sendable {
    public enum Optimizer: String, Hashable, Sendable, CaseIterable {
        case sgd, adam
        /// Adam with the decay of weights apart from the gradient (Loshchilov and Hutter 2019).
        case adamw
    }

    public enum Schedule: String, Hashable, Sendable, CaseIterable {
        case constant
        /// Every `stepEpochs` epochs the rate is multiplied by `factor`.
        case step
        /// Half a cosine over all steps, from the rate down to none.
        case cosine
    }

    public var optimizer = Optimizer.adam
    public var rate = "0.001"
    public var momentum = "0.9"
    public var isNesterov = false
    /// Of weights with two or more axes; biases and what normalises have none.
    public var decay = "0"
    public var schedule = Schedule.constant
    public var stepEpochs = 10
    public var factor = "0.1"
    public var epochs = 10
    public var batch = 32
    public var seed: UInt64 = 1
    /// Whether all weights are drawn anew, whatever the model brings.
    public var isFresh = false
    /// What inputs are multiplied by.
    public var scale = "1"
    /// Where a data set has no test part, every so many-th item is held out; 0 holds out none.
    public var holdOut = 5

    public init() {}

    /// Of rates, decay and factors.
    public static let factors: ClosedRange<Double> = 0...1000
    public static let momenta: ClosedRange<Double> = 0...1
    public static let scales: ClosedRange<Double> = -1e6...1e6
    public static let epochCounts = 1...100_000
    public static let batchSizes = 1...(1 << 16)
    public static let holdOuts = 0...1000
    static let stepsMax = 10_000_000

    // MARK: As a task's parameters

    /// The parameters of a task, each written whether or not it is what it would be anyway.
    public var parameters: [String: TaskSpec.Parameter] {
        [
            "optimizer": .string(optimizer.rawValue), "rate": .string(rate),
            "momentum": .string(momentum), "nesterov": .int(isNesterov ? 1 : 0),
            "decay": .string(decay), "schedule": .string(schedule.rawValue),
            "step_epochs": .int(stepEpochs), "factor": .string(factor), "epochs": .int(epochs),
            "batch": .int(batch), "seed": .string(String(seed)), "fresh": .int(isFresh ? 1 : 0),
            "scale": .string(scale), "hold_out": .int(holdOut),
        ]
    }

    /// - Throws: ``Failure`` naming the parameter that is missing or none that it can be.
    public init(_ parameters: [String: TaskSpec.Parameter]) throws(Failure) {
        func text(_ name: String) throws(Failure) -> String {
            guard case .string(let value)? = parameters[name] else {
                throw Failure(.malformed, "train: parameter \(name): text expected")
            }
            return value
        }
        func int(_ name: String) throws(Failure) -> Int {
            guard case .int(let value)? = parameters[name] else {
                throw Failure(.malformed, "train: parameter \(name): an integer expected")
            }
            return value
        }
        func word<T: RawRepresentable<String> & CaseIterable>(
            _ name: String, _ type: T.Type
        ) throws(Failure) -> T {
            guard let value = T(rawValue: try text(name)) else {
                let names = T.allCases.map(\.rawValue).joined(separator: ", ")
                throw Failure(.malformed, "train: parameter \(name): one of \(names) expected")
            }
            return value
        }
        optimizer = try word("optimizer", Optimizer.self)
        schedule = try word("schedule", Schedule.self)
        (rate, momentum) = (try text("rate"), try text("momentum"))
        (decay, factor) = (try text("decay"), try text("factor"))
        scale = try text("scale")
        isNesterov = try int("nesterov") != 0
        isFresh = try int("fresh") != 0
        (stepEpochs, epochs) = (try int("step_epochs"), try int("epochs"))
        (batch, holdOut) = (try int("batch"), try int("hold_out"))
        guard let number = UInt64(try text("seed")) else {
            throw Failure(.malformed, "train: parameter seed: a whole number expected")
        }
        seed = number
        try check()
    }

    /// - Throws: ``Failure`` naming what is out of its range.
    public func check() throws(Failure) {
        let decimals: [(String, String, ClosedRange<Double>)] = [
            ("rate", rate, Self.factors), ("momentum", momentum, Self.momenta),
            ("decay", decay, Self.factors), ("factor", factor, Self.factors),
            ("scale", scale, Self.scales),
        ]
        for (name, text, range) in decimals {
            guard let value = Double(text), range.contains(value) else {
                throw Failure(
                    .malformed,
                    "train: \(name) \(text.printable): a number from \(range.lowerBound) to "
                        + "\(range.upperBound) expected")
            }
        }
        let integers: [(String, Int, ClosedRange<Int>)] = [
            ("epochs", epochs, Self.epochCounts), ("batch", batch, Self.batchSizes),
            ("step_epochs", stepEpochs, Self.epochCounts), ("hold_out", holdOut, Self.holdOuts),
        ]
        for (name, value, range) in integers where !range.contains(value) {
            throw Failure(
                .malformed,
                "train: \(name) \(value): from \(range.lowerBound) to \(range.upperBound) expected")
        }
        guard holdOut != 1 else {
            throw Failure(.malformed, "train: hold_out 1 leaves nothing to train on")
        }
    }

    /// The number that a decimal option says; it was checked.
    static func number(_ text: String) -> Double { Double(text) ?? 0 }
}
