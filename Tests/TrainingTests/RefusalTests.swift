import Core
import Foundation
import Inference
import RigorTestKit
import Testing
import Training

/// What cannot be trained is refused in one line that says what was expected.
@Suite struct RefusalTests {
    private static func data(
        _ items: Int = 40, _ item: [Int] = [4], labels: [Int64]? = nil
    ) -> DataSet {
        let shape = [items] + item
        return DataSet(
            items: Tensor(
                (0..<shape.reduce(1, *)).map { Float($0 % 7) }, shape: shape),
            labels: (labels ?? (0..<items).map { Int64($0 % 3) }).map(Int.init))
    }

    private static func model(
        _ nodes: [(String, [String], String)], opset: Int = 17, outputs: String = "y",
        input: [Int?] = [nil, 4]
    ) -> Model {
        let graph = Graph(
            nodes: nodes.enumerated().map { index, node in
                Node(
                    index: index, name: "n\(index)", domain: "", type: node.0, inputs: node.1,
                    outputs: [node.2], attributes: [:])
            },
            constants: ["w": Tensor(Array(repeating: 0.5, count: 12), shape: [4, 3])],
            inputs: [Model.Input(name: "x", type: .float32, shape: input)], outputs: [outputs])
        return Model(opsets: ["": opset], graph: graph)
    }

    private static func message(
        _ model: Model, _ data: DataSet = data(),
        _ change: (inout TrainingOptions) -> Void = { _ in }
    ) -> String {
        var options = TrainingOptions()
        change(&options)
        do throws(Failure) {
            _ = try TrainingTask(model, train: data, test: nil, options)
            return "taken"
        } catch {
            return error.message
        }
    }

    private static let plain = model([("MatMul", ["x", "w"], "y")])

    @Test func aSoundModelIsTaken() {
        #expect(Self.message(Self.plain) == "taken")
        let ending = Self.model([("MatMul", ["x", "w"], "h"), ("Softmax", ["h"], "y")])
        #expect(Self.message(ending) == "taken")
    }

    @Test func operatorsWithoutAGradientAreNamed() {
        let model = Self.model([
            ("MatMul", ["x", "w"], "h"), ("Floor", ["h"], "i"), ("Neg", ["i"], "y"),
        ])
        let message = Self.message(model)
        #expect(message.hasPrefix("node 1 \"n1\" (Floor): no gradient of this operator is known"))
    }

    @Test func dataThatDoNotFitAreRefused() {
        #expect(
            Self.message(Self.plain, Self.data(40, [5])).contains(
                "items of [5] in the data; x float32 [?, 4] expected by the model"))
        let labels = (0..<40).map { Int64($0 == 7 ? 3 : 0) }
        #expect(
            Self.message(Self.plain, Self.data(labels: labels)).contains(
                "item 7 has label 3; 0 to 2 expected"))
        let negative = (0..<40).map { Int64($0 == 7 ? -1 : 0) }
        #expect(
            Self.message(Self.plain, Self.data(labels: negative)).contains("item 7 has label -1"))
        #expect(
            Self.message(Self.plain, Self.data(8)).contains(
                "8 items to train on; as many as a batch has, 32, or more expected"))
    }

    @Test func modelsThatDoNotFitAreRefused() {
        let old = Self.model([("MatMul", ["x", "w"], "y")], opset: 12)
        #expect(Self.message(old).contains("opset 12; 13 or later expected"))
        let fixed = Self.model([("MatMul", ["x", "w"], "y")], input: [1, 4])
        #expect(Self.message(fixed).contains("a first axis that the model leaves open expected"))
        let frozen = Self.model([("Relu", ["x"], "y")])
        #expect(Self.message(frozen).contains("no weight that its output depends on"))
    }

    @Test func optionsOutOfRangeAreNamed() {
        #expect(Self.message(Self.plain) { $0.rate = "fast" }.contains("train: rate fast"))
        #expect(Self.message(Self.plain) { $0.epochs = 0 }.contains("train: epochs 0"))
        #expect(Self.message(Self.plain) { $0.momentum = "1.5" }.contains("train: momentum 1.5"))
    }

    @Test func aLossThatIsNoNumberStopsTraining() throws {
        guard let test = TestDevices.any else { return }
        let task = try Digits.task(.mlp) { options in
            options.optimizer = .sgd
            options.rate = "1000"
        }
        let trainer = try Trainer(task, on: try test.open())
        var message = ""
        do throws(Failure) {
            while !trainer.isDone { try trainer.advance() }
        } catch {
            message = error.message
        }
        #expect(message.contains("the loss is") && message.contains("a lower rate expected"))
    }

    @Test func archivesThatAreNoDataAreRefused() throws {
        func message(_ arrays: [(name: String, tensor: Tensor)]) -> String {
            do throws(Failure) {
                _ = try DataSet.read(try Archive.npz(arrays), TrainingOptions())
                return "taken"
            } catch {
                return error.message
            }
        }
        let x = Tensor([1, 2, 3, 4], shape: [2, 2])
        let y = Tensor([0, 1], type: .int64, shape: [2])
        #expect(message([("x", x), ("y", y)]) == "taken")
        #expect(message([("a", x)]).contains("arrays a; x and y expected"))
        #expect(message([("x", x), ("y", x)]).contains("an integer for each"))
        #expect(
            message([("x", Tensor([1, .nan, 3, 4], shape: [2, 2])), ("y", y)]).contains(
                "a value that is not finite"))
        for (type, label, text) in [
            (ElementType.int64, Int64.max, "item 1 has label 9223372036854775807"),
            (.uint64, -1, "item 1 has label 18446744073709551615"),
            (.uint32, 1 << 31, "item 1 has label 2147483648"),
        ] {
            let labels = Tensor([0, label], type: type, shape: [2])
            #expect(message([("x", x), ("y", labels)]).contains(text), "\(text)")
        }
        for shape in [[0, 2], [2, 0], [2, 2, 0]] {
            let empty = Tensor([], shape: shape)
            let none = Tensor(
                [Int64](repeating: 0, count: shape[0]), type: .int64, shape: [shape[0]])
            #expect(message([("x", empty), ("y", none)]).contains("an axis of 0"), "\(shape)")
        }
        var bytes = try Archive.npz([("x", x), ("y", y)])
        bytes[140] ^= 1
        #expect(throws: Failure.self) { try DataSet.read(bytes, TrainingOptions()) }
        var generator = SplitMix64(seed: 9)
        for _ in 0..<500 {
            var damaged = try Archive.npz([("x", x), ("y", y)])
            let at = Int.random(in: 0..<damaged.count, using: &generator)
            damaged[at] = UInt8.random(in: 0...255, using: &generator)
            _ = try? DataSet.read(damaged, TrainingOptions())
            _ = try? DataSet.read(Bytes(damaged.prefix(at)), TrainingOptions())
        }
    }
}
