import Core
import Inference

/// A small network of layers that a seed chooses.
struct RandomNetwork {
    private(set) var nodes: [Node] = []
    private(set) var constants: [String: Tensor] = [:]
    let item: [Int]
    let items: Int
    let classes = 3
    private var value = "image"
    private var shape: [Int]
    private var generator: SplitMix64

    init(seed: UInt64) {
        var source = SplitMix64(seed: seed)
        items = Int.random(in: 2...3, using: &source)
        let axes = (0..<3).map { _ in Int.random(in: 4...7, using: &source) }
        generator = source
        item = [axes[0] / 2 * 2 - 2, axes[1], axes[2]]
        shape = item
        for _ in 0..<Int.random(in: 2...4, using: &generator) { grow() }
        finish()
    }

    var model: Model {
        let graph = Graph(
            nodes: nodes, constants: constants,
            inputs: [Model.Input(name: "image", type: .float32, shape: [nil] + item)],
            outputs: [value])
        return Model(opsets: ["": 17], graph: graph)
    }

    private mutating func random(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &generator)
    }

    private mutating func constant(_ shape: [Int], around centre: Float = 0) -> String {
        let name = "w\(constants.count)"
        constants[name] = Tensor(
            generator.floats(shape.reduce(1, *)).map { centre + $0 * 0.5 }, shape: shape)
        return name
    }

    @discardableResult
    private mutating func add(
        _ type: String, _ inputs: [String], _ attributes: [String: Node.Attribute] = [:]
    ) -> String {
        value = "v\(nodes.count)"
        nodes.append(
            Node(
                index: nodes.count, name: value, domain: "", type: type, inputs: inputs,
                outputs: [value], attributes: attributes))
        return value
    }

    private mutating func grow() {
        switch random(0...7) {
        case 0, 1, 2: convolve()
        case 3:
            let channels = [shape[0]]
            let inputs = [
                value, constant(channels, around: 1), constant(channels), constant(channels),
                constant(channels, around: 1),
            ]
            add("BatchNormalization", inputs)
        case 4: pool()
        case 5:
            // A branch that comes back, and one that stands beside.
            let before = value
            let branch = add(["Tanh", "Sigmoid", "Relu", "LeakyRelu"][random(0...3)], [before])
            let type = ["Add", "Mul", "Sub", "Concat"][random(0...3)]
            add(type, [before, branch], type == "Concat" ? ["axis": .int(1)] : [:])
            if type == "Concat" { shape[0] *= 2 }
        case 6: add("Mul", [value, constant([shape[0], 1, 1], around: 1)])
        default:
            add("Transpose", [value], ["perm": .ints([0, 1, 3, 2])])
            shape = [shape[0], shape[2], shape[1]]
        }
        if random(0...2) == 0 { add("Relu", [value]) }
    }

    private mutating func convolve() {
        let groups = shape[0] % 2 == 0 ? random(1...2) : 1
        let outs = groups * random(1...2)
        let kernel = [random(1...min(3, shape[1])), random(1...min(3, shape[2]))]
        let strides = [random(1...2), random(1...2)]
        let pads = (0..<4).map { kernel[$0 % 2] == 1 ? 0 : random(0...($0 / 4 + 1)) }
        let dilations = (0..<2).map { axis in
            (kernel[axis] - 1) * 2 + 1 <= shape[1 + axis] ? random(1...2) : 1
        }
        var inputs = [value, constant([outs, shape[0] / groups] + kernel)]
        if random(0...1) == 0 { inputs.append(constant([outs])) }
        add(
            "Conv", inputs,
            [
                "group": .int(groups), "strides": .ints(strides), "pads": .ints(pads),
                "dilations": .ints(dilations),
            ])
        reshape(outs, kernel, strides, pads, dilations)
    }

    private mutating func pool() {
        let kernel = [random(1...min(3, shape[1])), random(1...min(3, shape[2]))]
        let strides = [random(1...2), random(1...2)]
        let pads = (0..<4).map { kernel[$0 % 2] == 1 ? 0 : random(0...1) }
        var attributes: [String: Node.Attribute] = [
            "kernel_shape": .ints(kernel), "strides": .ints(strides), "pads": .ints(pads),
        ]
        let isMax = random(0...1) == 0
        if !isMax { attributes["count_include_pad"] = .int(random(0...1)) }
        add(isMax ? "MaxPool" : "AveragePool", [value], attributes)
        reshape(shape[0], kernel, strides, pads, [1, 1])
    }

    private mutating func reshape(
        _ channels: Int, _ kernel: [Int], _ strides: [Int], _ pads: [Int], _ dilations: [Int]
    ) {
        shape =
            [channels]
            + (0..<2).map { axis in
                let reach = (kernel[axis] - 1) * dilations[axis] + 1
                return (shape[1 + axis] + pads[axis] + pads[2 + axis] - reach) / strides[axis] + 1
            }
    }

    private mutating func finish() {
        if random(0...2) == 0 {
            add("GlobalAveragePool", [value])
            shape = [shape[0], 1, 1]
        }
        add("Flatten", [value])
        let width = shape.reduce(1, *)
        let inner = random(2...4)
        add("MatMul", [value, constant([width, inner])])
        add("Add", [value, constant([inner])])
        add("Tanh", [value])
        let flips = random(0...1)
        add(
            "Gemm",
            [
                value, constant(flips == 1 ? [classes, inner] : [inner, classes]),
                constant([classes]),
            ],
            ["transB": .int(flips), "alpha": .float(1.5), "beta": .float(0.5)])
    }
}
