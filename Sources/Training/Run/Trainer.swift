public import Compute
public import Core
internal import Digest
public import Inference

/// A training task on a device: runs step after step, the state staying on the device.
public final class Trainer {
    public let task: TrainingTask
    /// Steps done.
    public private(set) var step = 0
    /// The loss of each step done.
    public private(set) var losses: [Float] = []
    /// Of each epoch done, how many items of the test are told right; empty without a test.
    public private(set) var correct: [Int] = []

    private let session: Session
    private let evaluation: Session
    private let carries: [Session.Carry]
    private var numbers: StepNumbers
    private let philox: Philox
    private var order: (epoch: Int, items: [Int]) = (-1, [])

    /// Compiles, and puts the state where it begins.
    public init(
        _ task: TrainingTask, on device: any ComputeDevice, isNarrow: Bool = false
    ) throws(Failure) {
        self.task = task
        session = try Session(task.step, on: device, isNarrow: isNarrow, viewBytesMin: .max)
        evaluation = try Session(
            task.evaluation, on: device, isNarrow: isNarrow, viewBytesMin: .max)
        let firstInput = 2 + task.numberCount
        carries = task.states.indices.map {
            .init(output: TrainingGraph.firstStateOutput + $0, input: firstInput + $0)
        }
        numbers = StepNumbers(task.options, stepsPerEpoch: task.stepsPerEpoch)
        philox = Philox(seed: task.options.seed)
        try write(task.states.map(\.initial))
    }

    public var isDone: Bool { step == task.steps }
    /// Epochs done.
    public var epoch: Int { step / task.stepsPerEpoch }
    public var compileSeconds: Double { session.compileSeconds + evaluation.compileSeconds }

    /// One step; at the end of an epoch the test too.
    ///
    /// - Returns: the loss, and how many of the batch's items were told right before the step.
    /// - Throws: ``Failure`` `diverged` when the loss is no number, and what the device says.
    @discardableResult
    public func advance() throws(Failure) -> (loss: Float, correct: Int) {
        precondition(!isDone, "a step that is left")
        let batch = try self.batch(step)
        try session.write(batch.items, to: 0)
        try session.write(batch.labelTensor, to: 1)
        for (index, value) in numbers.values(step).enumerated() {
            try session.write(Tensor([value], shape: []), to: 2 + index)
        }
        let results = try session.step(carrying: carries, reading: [0, 1])
        let loss = results[0].floats?[0] ?? .nan
        guard loss.isFinite else {
            throw Failure(
                .diverged,
                "step \(step + 1) of \(task.steps): the loss is \(loss); a lower rate expected")
        }
        step += 1
        losses.append(loss)
        if step % task.stepsPerEpoch == 0, let test = task.test {
            correct.append(try countCorrect(test))
        }
        return (loss, Int(results[1].floats?[0] ?? 0))
    }

    /// A step's items: a function of the seed and the step alone.
    private func batch(_ step: Int) throws(Failure) -> DataSet {
        let (epoch, at) = step.quotientAndRemainder(dividingBy: task.stepsPerEpoch)
        if order.epoch != epoch {
            order = (epoch, philox.order(task.train.count, group: epoch))
        }
        let first = at * task.options.batch
        return task.train.taking(Array(order.items[first..<(first + task.options.batch)]))
    }

    // MARK: Evaluation

    /// How many items have their greatest number at their label, of equal ones the first.
    private func countCorrect(_ data: DataSet) throws(Failure) -> Int {
        let weights = try values()
        for (index, port) in task.evaluation.inputs.enumerated().dropFirst() {
            guard let at = task.states.firstIndex(where: { $0.name == port.name }) else {
                preconditionFailure("checked by the task")
            }
            try evaluation.write(weights[at], to: index)
        }
        let each = task.evaluation.itemCount
        var count = 0
        for first in stride(from: 0, to: data.count, by: each) {
            // The last batch is filled up with items that do not count.
            let numbers = (first..<(first + each)).map { $0 < data.count ? $0 : 0 }
            let part = data.taking(numbers)
            try evaluation.write(part.items, to: 0)
            let scores = try evaluation.step(carrying: [], reading: [0])[0].floats ?? []
            for item in 0..<min(each, data.count - first) {
                let row = scores[(item * task.classes)..<((item + 1) * task.classes)]
                let best = row.indices.reduce(row.startIndex) { row[$1] > row[$0] ? $1 : $0 }
                count += best - row.startIndex == part.labels[item] ? 1 : 0
            }
        }
        return count
    }

    // MARK: State

    /// Values of all states, in the task's order.
    func values() throws(Failure) -> [Tensor] {
        var values: [Tensor] = []
        for carry in carries { values.append(try session.value(of: carry.input)) }
        return values
    }

    private func write(_ values: [Tensor]) throws(Failure) {
        for (carry, value) in zip(carries, values) { try session.write(value, to: carry.input) }
    }

    /// Goes on from what was kept.
    ///
    /// - Precondition: it is of the same task.
    func restore(_ checkpoint: Checkpoint) throws(Failure) {
        try write(checkpoint.states)
        (step, losses, correct) = (checkpoint.step, checkpoint.losses, checkpoint.correct)
    }

    // MARK: The result

    /// Weights and statistics by name.
    public func weights() throws(Failure) -> [(name: String, tensor: Tensor)] {
        zip(task.states, try values()).filter { $0.0.kind != .memory }.map { ($0.name, $1) }
    }

    /// What a task gives: the loss of each step, of each epoch how many of the test were told
    /// right, and each weight.
    public func leaves() throws(Failure) -> [Leaf] {
        var named: [(name: String, tensor: Tensor)] = [
            ("loss", Tensor(losses, shape: [losses.count])),
            (
                "correct",
                Tensor(correct.map(Int64.init), type: .int64, shape: [correct.count])
            ),
        ]
        named += try weights().map { ("weight/\($0.name)", $0.tensor) }
        return named.enumerated().map { index, entry in
            Leaf(index: index, name: entry.name, bytes: InferenceLeaves.bytes(entry.tensor))
        }
    }
}

extension Failure.Code {
    /// Training that ends in no numbers.
    public static let diverged = Failure.Code(rawValue: "diverged")
}
