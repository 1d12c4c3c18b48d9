import Compute
import Core
import Digest
import Foundation
import Inference
import RigorTestKit
import Testing

/// Files that are computed some at a time give what each gives alone, whatever a model's steps are.
@Suite struct BatchedModelTests {
    private static func node(
        _ index: Int, _ type: String, _ inputs: [String], _ output: String,
        _ attributes: [String: Node.Attribute] = [:]
    ) -> Node {
        Node(
            index: index, name: "", domain: "", type: type, inputs: inputs, outputs: [output],
            attributes: attributes)
    }

    private static func model(_ nodes: [Node], outputs: [String]) -> Model {
        Model(
            opsets: ["": 22],
            graph: Graph(
                nodes: nodes, constants: [:],
                inputs: [.init(name: "x", type: .float32, shape: [nil, 7])], outputs: outputs))
    }

    private static func cast(
        _ index: Int, _ input: String, _ output: String, _ type: ElementType
    ) -> Node {
        node(index, "Cast", [input], output, ["to": .int(Int(type.rawValue))])
    }

    /// Doubles on the way or at the end, 4-bit integers, and places of what is not zero: steps of
    /// the host's.
    private static let models = [
        model([cast(0, "x", "y", .double)], outputs: ["y"]),
        model(
            [
                cast(0, "x", "d", .double), node(1, "Add", ["d", "d"], "e"),
                cast(2, "e", "y", .float32),
            ], outputs: ["y"]),
        model([cast(0, "x", "q", .int4), cast(1, "q", "y", .float32)], outputs: ["y", "x"]),
        model([node(0, "NonZero", ["x"], "y")], outputs: ["y"]),
    ]

    private typealias Output = (tensors: [(name: String, tensor: Tensor)], isByItem: Bool)

    private static func root(_ outputs: [Output]) -> Hash256 {
        var leaves: [Leaf] = []
        for output in outputs {
            for var leaf in InferenceLeaves.leaves(output.tensors, isByItem: output.isByItem) {
                leaf.index = leaves.count
                leaves.append(leaf)
            }
        }
        return MerkleTree(leaves: leaves).root
    }

    @Test(arguments: models.indices)
    func aFileGivesWhatItGivesAlone(_ index: Int) throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        let model = Self.models[index]
        var generator = SplitMix64(seed: UInt64(index))
        let x = Tensor(generator.floats(5 * 7).map { $0 * 7 }, shape: [5, 7])
        for counts in [[5], [2, 3], [1, 1, 1, 1, 1]] {
            var first = 0
            let alone = try counts.map { (count) -> Output in
                defer { first += count }
                let file = x.items(first..<(first + count))
                let prepared = try PreparedModel(model, inputs: ["x": file])
                let items = try prepared.itemCount()
                let outputs = try Session(prepared.plan, on: device).run(
                    prepared.inputs, items: 0..<items)
                return (
                    zip(prepared.plan.outputs, outputs).map { ($0.name, $1) },
                    prepared.plan.isByItem
                )
            }
            var batched = BatchedModel(model, on: device)
            let found: [Output] = try batched.run(
                .init(values: ["x": x], stems: counts.map { "\($0)" }, counts: counts)
            ).map { ($0.tensors, $0.isByItem) }
            #expect(found.map(\.isByItem) == alone.map(\.isByItem), "\(counts)")
            #expect(Self.root(found) == Self.root(alone), "\(counts)")
            #expect(
                found.map { $0.tensors.map(\.tensor) } == alone.map { $0.tensors.map(\.tensor) })
        }
    }

    /// The next batch finds what the one before left.
    @Test func batchesFollowOneAnother() throws {
        guard let test = TestDevices.any else { return }
        var batched = BatchedModel(Self.models[1], on: try test.open())
        for _ in 0..<3 {
            let x = Tensor((0..<14).map { Float($0) / 3 }, shape: [2, 7])
            let found = try batched.run(
                .init(values: ["x": x], stems: ["a", "b"], counts: [1, 1]))
            #expect(found.flatMap { $0.tensors[0].tensor.floats ?? [] } == x.floats?.map { 2 * $0 })
        }
    }
}
