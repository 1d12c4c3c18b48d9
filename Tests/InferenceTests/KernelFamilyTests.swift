import Compute
import Core
import Inference
import RigorTestKit
import Testing

/// Which kernels are compiled while a model is loaded.
@Suite struct KernelFamilyTests {
    /// A model of one step, which reads `x`.
    private func model(
        _ type: String, _ x: [Int], weights: [Int]? = nil,
        _ attributes: [String: Node.Attribute] = [:]
    ) -> Model {
        var net = Net()
        var inputs = [net.input("x", x)]
        if let weights {
            let count = weights.reduce(1, *)
            inputs.append(net.floats((0..<count).map { Float($0 % 7) }, weights))
        }
        let result = net.add(type, inputs, attributes)
        return net.model([result])
    }

    @Test func nodesTellWhatIsNeeded() {
        let pool: [String: Node.Attribute] = ["kernel_shape": .ints([2, 2])]
        let cases: [(Model, [KernelFamily])] = [
            (model("MatMul", [4, 8], weights: [8, 3]), []),
            (model("Conv", [1, 3, 9, 9], weights: [8, 3, 3, 3]), [.convolutions]),
            (model("Conv", [1, 8, 14, 14], weights: [8, 8, 3, 3]), [.convolutions, .windows]),
            (model("Conv", [1, 64, 14, 14], weights: [8, 64, 1, 1]), [.convolutions, .windows]),
            (model("Conv", [1, 64, 99, 1], weights: [8, 64, 5, 1]), [.convolutions]),
            (model("Conv", [1, 64, 99], weights: [8, 64, 5]), [.convolutions]),
            (model("MaxPool", [1, 2, 8, 8], pool), [.windows]),
        ]
        for (model, expected) in cases {
            #expect(KernelFamily.needed(by: model) == expected, "\(model.graph.nodes[0])")
        }
    }

    /// What was compiled ahead is all that a run asks for.
    @Test func aRunFindsItsKernels() throws {
        guard let test = TestDevices.any else { return }
        let pool: [String: Node.Attribute] = ["kernel_shape": .ints([2, 2])]
        let cases: [(Model, [Int])] = [
            (model("MatMul", [4, 8], weights: [8, 3]), [4, 8]),
            (model("Conv", [1, 8, 14, 14], weights: [32, 8, 3, 3]), [1, 8, 14, 14]),
            (model("MaxPool", [1, 2, 8, 8], pool), [1, 2, 8, 8]),
        ]
        for (model, shape) in cases {
            let device = try test.open()
            try Session.compileAhead(on: device)
            try Session.compileAhead(KernelFamily.needed(by: model), on: device)
            let ahead = device.builtPrograms
            let plan = try Planner.plan(model, shapes: ["x": shape])
            let session = try Session(plan, on: device)
            let values = (0..<shape.reduce(1, *)).map { Float($0 % 5) }
            let input = Tensor(values, shape: shape)
            let found = try session.run([input])[0]
            #expect(found.bytes == ReferenceRun.run(plan, [input])[0].bytes)
            #expect(device.builtPrograms == ahead, "\(model.graph.nodes[0].type)")
        }
    }
}
