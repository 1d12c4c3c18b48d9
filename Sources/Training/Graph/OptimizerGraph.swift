internal import Core
internal import Inference

/// The nodes that move weights.
struct OptimizerGraph {
    var builder: GraphBuilder
    private let options: TrainingOptions
    /// Names of the inputs that hold the step's numbers: see ``StepNumbers/values(_:)``.
    let numbers: [String]
    private var states: [TrainingGraph.State] = []
    /// What each state becomes.
    private(set) var next: [String: String] = [:]

    init(_ builder: GraphBuilder, _ options: TrainingOptions) {
        var builder = builder
        let names =
            options.optimizer == .sgd ? ["rate"] : ["rate", "correction", "keep"]
        numbers = names.map { builder.name("training/\($0)") }
        self.builder = builder
        self.options = options
    }

    func states(_ kind: TrainingGraph.State.Kind) -> [TrainingGraph.State] {
        states.filter { $0.kind == kind }
    }

    mutating func apply(to weight: String, _ initial: Tensor, _ gradient: String) {
        states.append(.init(name: weight, kind: .weight, initial: initial))
        let decay = Float(TrainingOptions.number(options.decay))
        let decays = decay != 0 && initial.shape.count >= 2
        var gradient = gradient
        if decays, options.optimizer != .adamw {
            let share = builder.add("Mul", [weight, builder.scalar(decay)])
            gradient = builder.add("Add", [gradient, share])
        }
        switch options.optimizer {
        case .sgd: descend(weight, initial.shape, gradient)
        case .adam, .adamw:
            adapt(weight, initial.shape, gradient, keeps: !(decays && options.optimizer == .adamw))
        }
    }

    private mutating func memory(_ name: String, _ shape: [Int], _ what: String) -> String {
        let name = builder.name("training/\(what)/\(name)")
        let zeros = Tensor(Array(repeating: Float(0), count: shape.elementCount), shape: shape)
        states.append(.init(name: name, kind: .memory, initial: zeros))
        return name
    }

    /// v ← μ·v + g; w ← w − rate·v, or of Nesterov's − rate·(g + μ·v).
    private mutating func descend(_ weight: String, _ shape: [Int], _ gradient: String) {
        let momentum = Float(TrainingOptions.number(options.momentum))
        var change = gradient
        if momentum != 0 {
            let old = memory(weight, shape, "velocity")
            let factor = builder.scalar(momentum)
            let velocity = builder.add("Add", [builder.add("Mul", [old, factor]), gradient])
            next[old] = velocity
            change =
                options.isNesterov
                ? builder.add("Add", [gradient, builder.add("Mul", [velocity, factor])])
                : velocity
        }
        let step = builder.add("Mul", [change, numbers[0]])
        next[weight] = builder.add("Sub", [weight, step])
    }

    /// m ← β₁·m + (1−β₁)·g; s ← β₂·s + (1−β₂)·g²; w ← w − rate·m ÷ (√s·correction + ε), where
    /// rate and correction hold what corrects the bias of m and s.
    private mutating func adapt(
        _ weight: String, _ shape: [Int], _ gradient: String, keeps: Bool
    ) {
        func mixed(_ old: String, _ beta: Double, _ new: String) -> String {
            let kept = builder.add("Mul", [old, builder.scalar(Float(beta))])
            let added = builder.add("Mul", [new, builder.scalar(Float(1 - beta))])
            return builder.add("Add", [kept, added])
        }
        let (oldMean, oldSquares) = (
            memory(weight, shape, "mean"), memory(weight, shape, "squares")
        )
        let mean = mixed(oldMean, StepNumbers.beta1, gradient)
        let squares = mixed(
            oldSquares, StepNumbers.beta2, builder.add("Mul", [gradient, gradient]))
        next[oldMean] = mean
        next[oldSquares] = squares
        let root = builder.add("Mul", [builder.add("Sqrt", [squares]), numbers[1]])
        let divisor = builder.add("Add", [root, builder.scalar(Float(StepNumbers.epsilon))])
        let step = builder.add("Mul", [builder.add("Div", [mean, divisor]), numbers[0]])
        let kept = keeps ? weight : builder.add("Mul", [weight, numbers[2]])
        next[weight] = builder.add("Sub", [kept, step])
    }
}
