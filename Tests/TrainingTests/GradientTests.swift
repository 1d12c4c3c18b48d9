import Compute
import Core
import Foundation
import Inference
import RigorTestKit
import Testing
import Training

/// Gradients that a device computes against differences of the loss in binary64.
@Suite struct GradientTests {
    @Test func gradientsAreDifferencesOfTheLoss() throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        let first = Self.seed
        var compared = 0
        for seed in first..<(first + 40) {
            let network = RandomNetwork(seed: seed)
            compared += try Self.compare(network, on: device, "seed \(seed)")
        }
        #expect(compared > 1000, "only \(compared) elements could be compared")
    }

    /// The first of the networks' seeds; `RIGOR_SEED` tries others.
    private static var seed: UInt64 {
        ProcessInfo.processInfo.environment["RIGOR_SEED"].flatMap(UInt64.init) ?? 20_261_126
    }

    /// - Returns: how many elements were compared: those near a corner of the loss are not.
    private static func compare(
        _ random: RandomNetwork, on device: any ComputeDevice, _ place: String
    ) throws -> Int {
        var generator = SplitMix64(seed: 7)
        let batch = [random.items] + random.item
        let x = Tensor(generator.floats(batch.reduce(1, *)), shape: batch)
        let labels = (0..<random.items).map { _ in
            Int.random(in: 0..<random.classes, using: &generator)
        }
        let gradients = try gradients(random, x, labels, on: device)
        let reference = DoubleNetwork(nodes: random.model.nodes, labels: labels)
        var values = random.constants.mapValues { DoubleNetwork.Value($0) }
        values["image"] = DoubleNetwork.Value(x)
        var compared = 0
        for (name, gradient) in gradients.sorted(by: { $0.key < $1.key }) {
            let elements = gradient.floats ?? []
            for index in elements.indices.shuffled(using: &generator).prefix(6) {
                func difference(_ width: Double) -> Double {
                    var (above, below) = (values, values)
                    above[name]?.elements[index] += width
                    below[name]?.elements[index] -= width
                    return (reference.loss(above) - reference.loss(below)) / (2 * width)
                }
                let (wide, narrow) = (difference(1e-4), difference(2e-5))
                guard abs(wide - narrow) < 1e-5 * max(1, abs(narrow)) else { continue }
                compared += 1
                #expect(
                    abs(Double(elements[index]) - narrow) < 2e-4 * max(0.1, abs(narrow)),
                    "\(place): \(name)[\(index)] is \(elements[index]), not \(narrow)")
            }
        }
        return compared
    }

    /// Of each weight, from the graph that a training step runs.
    static func gradients(
        _ random: RandomNetwork, _ x: Tensor, _ labels: [Int], on device: any ComputeDevice
    ) throws -> [String: Tensor] {
        var options = TrainingOptions()
        options.optimizer = .sgd
        options.momentum = "0"
        options.batch = random.items
        let network = try Network(random.model, item: random.item)
        let graph = try TrainingGraph(network, options: options, batch: x.shape)
        let names = graph.gradients.keys.sorted()
        let step = graph.model
        let model = Model(
            opsets: step.opsets,
            graph: Graph(
                nodes: step.nodes, constants: step.constants, inputs: step.inputs,
                outputs: names.map { graph.gradients[$0] ?? "" }))
        let plan = try Planner.plan(
            model,
            shapes: Dictionary(
                uniqueKeysWithValues: model.inputs.map { ($0.name, $0.shape.map { $0 ?? 0 }) }))
        var inputs = [
            x, Tensor(labels.map(Int64.init), type: .int64, shape: [labels.count]),
            Tensor([0], shape: []),
        ]
        inputs += graph.states.map(\.initial)
        let results = try Session(plan, on: device).run(inputs)
        return Dictionary(uniqueKeysWithValues: zip(names, results))
    }

    /// The host's own steps and every implementation give one gradient.
    @Test func gradientsAreEqualEverywhere() throws {
        let folder = Workspace.file("programs-of-gradients")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let options = OpenCLDevice.Options(cacheFolder: folder)
        for seed in UInt64(1)...6 {
            let random = RandomNetwork(seed: seed)
            var generator = SplitMix64(seed: seed)
            let batch = [random.items] + random.item
            let x = Tensor(generator.floats(batch.reduce(1, *)), shape: batch)
            let labels = (0..<random.items).map { $0 % random.classes }
            var found: Set<[String: Tensor]> = []
            for test in TestDevices.quick where test.verdict == .exact {
                found.insert(try Self.gradients(random, x, labels, on: try test.open(options)))
            }
            #expect(found.count <= 1, "seed \(seed)")
        }
    }

    @Test(arguments: TestDevices.quick)
    func poolsGradientsAreTheHostsToTheBit(_ test: TestDevice) throws {
        let device = try test.open()
        var generator = SplitMix64(seed: 3)
        for _ in 0..<30 {
            let (model, values) = try Self.unpool(&generator)
            let plan = try Planner.plan(model, shapes: values.mapValues(\.shape))
            let inputs = plan.inputs.compactMap { values[$0.name] }
            let found = try Session(plan, on: device).run(inputs)[0]
            let step = try #require(plan.steps.first)
            let operands = step.operands.compactMap { number in
                plan.inputs.firstIndex { $0.buffer == number }.map { inputs[$0] }
            }
            let expected = HostSteps.run(step, operands, type: .float32, shape: found.shape)
            #expect(step.kind == .unpool && plan.steps.count == 1)
            #expect(found.bytes == expected.bytes, "\(step.ints)")
        }
    }

    /// The gradient of a random pool whose maxima are often equal, as a model, and its inputs.
    private static func unpool(
        _ generator: inout SplitMix64
    ) throws -> (Model, [String: Tensor]) {
        func random(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
        let isMax = random(0...1) == 0
        let shape = [random(1...2), random(1...3), random(3...9), random(3...9)]
        let kernel = [random(1...3), random(1...3)]
        let dilations = (0..<2).map { kernel[$0] * 2 - 1 <= shape[2 + $0] ? random(1...2) : 1 }
        let pads = kernel.map { random(0...($0 - 1)) }
        let attributes: [String: Node.Attribute] = [
            "kernel_shape": .ints(kernel), "strides": .ints([random(1...3), random(1...3)]),
            "dilations": .ints(dilations), "pads": .ints(pads + pads),
            "count_include_pad": .int(isMax ? 0 : random(0...1)),
        ]
        func model(_ type: String, _ domain: String, _ inputs: [String]) -> Model {
            let node = Node(
                index: 0, name: "", domain: domain, type: type, inputs: inputs, outputs: ["d"],
                attributes: attributes)
            let graph = Graph(
                nodes: [node], constants: [:],
                inputs: inputs.map {
                    Model.Input(name: $0, type: .float32, shape: [nil, nil, nil, nil])
                }, outputs: ["d"])
            return Model(opsets: ["": 19], graph: graph)
        }
        let x = Tensor(
            (0..<shape.reduce(1, *)).map { _ in Float(random(0...3)) }, shape: shape)
        let pool = model(isMax ? "MaxPool" : "AveragePool", "", ["x"])
        let plan = try Planner.plan(pool, shapes: ["x": shape])
        let step = try #require(plan.steps.first)
        let y = HostSteps.run(step, [x], type: .float32, shape: plan.outputs[0].shape)
        let g = Tensor(generator.floats(y.count), shape: y.shape)
        return isMax
            ? (model("MaxPoolGradient", "ai.rigor", ["x", "y", "g"]), ["x": x, "y": y, "g": g])
            : (model("AveragePoolGradient", "ai.rigor", ["x", "g"]), ["x": x, "g": g])
    }
}
