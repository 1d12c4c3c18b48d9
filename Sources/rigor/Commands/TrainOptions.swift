import ArgumentParser
import Core
import Files
import Inference
import Training

/// What `rigor train` trains, and on what.
struct TrainSourceOptions: ParsableArguments {
    enum Example: String, CaseIterable, Sendable { case digits }

    @Argument(
        help: "The model; its weights are where training begins.",
        completion: .file(extensions: ["onnx"]))
    var model: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "A network made for the data in place of a model: mlp or cnn.", valueName: "name"),
        completion: .list(Preset.allCases.map(\.rawValue)),
        transform: Accepted.oneOf(Preset.allCases))
    var preset: Preset?
    @Option(
        name: .long,
        help: ArgumentHelp("Train a shipped example: digits.", valueName: "name"),
        completion: .list(Example.allCases.map(\.rawValue)),
        transform: Accepted.oneOf(Example.allCases))
    var example: Example?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Archive of numpy.savez: x (items along the first axis), y (a class each), and "
                + "perhaps x_test and y_test.", valueName: "file"),
        completion: .file(extensions: ["npz"]))
    var data: String?

    func validate() throws {
        guard [model != nil, preset != nil, example != nil].filter(\.self).count == 1 else {
            throw ValidationError("one of a model, --preset and --example expected")
        }
        guard (data == nil) == (example != nil) else {
            throw ValidationError(
                example == nil ? "--data expected" : "--example has data of its own")
        }
    }

    /// Files that are read.
    var files: [String] { [model, data].compactMap(\.self) }

    /// The task, and the model that its weights go into.
    func task(_ options: TrainingOptions) throws(Failure) -> (task: TrainingTask, model: Model) {
        let source = model.map(TrainApp.Source.model) ?? .preset(preset ?? .cnn)
        if let data { return try TrainApp.task(source, data: data, options) }
        let path = "digits/digits.npz"
        return try TrainApp.task(
            source, data: try ShippedExamples.bytes(path), named: path, options)
    }
}

/// How `rigor train` trains.
struct TrainOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("sgd, adam or adamw. (default: adam)", valueName: "name"),
        completion: .list(TrainingOptions.Optimizer.allCases.map(\.rawValue)),
        transform: Accepted.oneOf(TrainingOptions.Optimizer.allCases))
    var optimizer: TrainingOptions.Optimizer?
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("The learning rate. (default: 0.001)", valueName: "number"),
        transform: Accepted.decimalText(TrainingOptions.factors))
    var rate: String?
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Of sgd. (default: 0.9)", valueName: "number"),
        transform: Accepted.decimalText(TrainingOptions.momenta))
    var momentum: String?
    @Flag(name: .long, help: "Nesterov's momentum.")
    var nesterov = false
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Decay of weights with two or more axes. (default: 0)", valueName: "number"),
        transform: Accepted.decimalText(TrainingOptions.factors))
    var decay: String?
    @Option(
        name: .long,
        help: ArgumentHelp("constant, step or cosine. (default: constant)", valueName: "name"),
        completion: .list(TrainingOptions.Schedule.allCases.map(\.rawValue)),
        transform: Accepted.oneOf(TrainingOptions.Schedule.allCases))
    var schedule: TrainingOptions.Schedule?
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Epochs of a step of the schedule. (default: 10)", valueName: "n"),
        transform: Accepted.whole(TrainingOptions.epochCounts))
    var stepEpochs: Int?
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "What the rate is multiplied by at such a step. (default: 0.1)", valueName: "number"),
        transform: Accepted.decimalText(TrainingOptions.factors))
    var factor: String?
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("How often all items are seen. (default: 10)", valueName: "n"),
        transform: Accepted.whole(TrainingOptions.epochCounts))
    var epochs: Int?
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Items of a step. (default: 32)", valueName: "n"),
        transform: Accepted.whole(TrainingOptions.batchSizes))
    var batch: Int?
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Of weights and the order of items. (default: 1)", valueName: "n"),
        transform: Accepted.whole(0...UInt64.max))
    var seed: UInt64?
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Multiply what the data hold. (default: 1)", valueName: "number"),
        transform: Accepted.decimalText(TrainingOptions.scales))
    var scale: String?
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Hold out every so many-th item where the data have no test; 0 for none. (default: 5)",
            valueName: "n"),
        transform: Accepted.whole(TrainingOptions.holdOuts))
    var holdOut: Int?
    @Flag(name: .long, help: "Draw the model's weights anew.")
    var fresh = false

    /// - Parameter base: what holds where nothing is said.
    func options(_ base: TrainingOptions) throws(Failure) -> TrainingOptions {
        var options = base
        if let optimizer { options.optimizer = optimizer }
        if let rate { options.rate = rate }
        if let momentum { options.momentum = momentum }
        if nesterov { options.isNesterov = true }
        if let decay { options.decay = decay }
        if let schedule { options.schedule = schedule }
        if let stepEpochs { options.stepEpochs = stepEpochs }
        if let factor { options.factor = factor }
        if let epochs { options.epochs = epochs }
        if let batch { options.batch = batch }
        if let seed { options.seed = seed }
        if let scale { options.scale = scale }
        if let holdOut { options.holdOut = holdOut }
        if fresh { options.isFresh = true }
        try options.check()
        return options
    }
}

extension TrainingOptions {
    /// Those of the shipped digits.
    static var digits: TrainingOptions {
        var options = TrainingOptions()
        options.scale = "0.0625"
        options.rate = "0.003"
        options.schedule = .cosine
        options.epochs = 12
        return options
    }
}
