import Compute
import Core
import Inference
import RigorTestKit
import Synchronization
import Testing

/// Loops: what their turns share, and what they give when there are none.
@Suite struct LoopTests {
    /// Counts the bytes that are brought to a device.
    private final class CountingDevice: RelayDevice {
        let base: any ComputeDevice
        private let counted = Mutex(0)
        private let bytesMin: Int

        /// - Parameter bytesMin: of what is counted.
        init(_ base: any ComputeDevice, bytesMin: Int) {
            (self.base, self.bytesMin) = (base, bytesMin)
        }

        var uploads: Int { counted.withLock { $0 } }

        private func count(_ bytes: Int) {
            if bytes >= bytesMin { counted.withLock { $0 += 1 } }
        }

        func write(
            _ bytes: UnsafeRawBufferPointer, to buffer: any ComputeBuffer, at offset: Int
        ) throws(Failure) {
            count(bytes.count)
            try base.write(bytes, to: buffer, at: offset)
        }

        func withBuffer(
            reading bytes: UnsafeRawBufferPointer, of owner: some Sendable,
            _ body: (any ComputeBuffer) throws(Failure) -> Void
        ) throws(Failure) {
            count(bytes.count)
            try base.withBuffer(reading: bytes, of: owner, body)
        }
    }

    private static func node(
        _ index: Int, _ type: String, _ inputs: [String], _ outputs: [String],
        _ attributes: [String: Node.Attribute] = [:]
    ) -> Node {
        Node(
            index: index, name: "", domain: "", type: type, inputs: inputs, outputs: outputs,
            attributes: attributes)
    }

    private static let width = 64

    /// x ← tanh(x·w), as often as asked or as a number says that comes out of each turn.
    private static func model(turns: Int, dependsOnData: Bool) -> Model {
        var generator = SplitMix64(seed: 9)
        let w = Tensor(generator.floats(width * width), shape: [width, width])
        let scale = Tensor(generator.floats(width), shape: [width])
        let condition =
            dependsOnData
            ? [
                node(3, "ReduceMax", ["n"], ["most"], ["keepdims": .int(0)]),
                node(4, "Less", ["most", "end"], ["on"]),
            ] : [node(3, "Identity", ["go"], ["on"])]
        let body = Graph(
            nodes: [
                node(0, "MatMul", ["v", "w"], ["m"]), node(1, "Mul", ["m", "s"], ["p"]),
                node(2, "Tanh", ["p"], ["n"]),
            ] + condition,
            constants: [
                "w": w, "s": scale, "end": Tensor([2], shape: []),
            ],
            inputs: [
                .init(name: "turn", type: .int64, shape: []),
                .init(name: "go", type: .bool, shape: []),
                .init(name: "v", type: .float32, shape: [3, width]),
            ], outputs: ["on", "n", "p"])
        return Model(
            opsets: ["": 17],
            graph: Graph(
                nodes: [
                    node(0, "Loop", ["count", "", "x"], ["y", "all"], ["body": .graph(body)])
                ],
                constants: ["count": Tensor([Int64(turns)], type: .int64, shape: [])],
                inputs: [.init(name: "x", type: .float32, shape: [3, width])],
                outputs: ["y", "all"]))
    }

    private static func tensors(
        _ model: Model, _ x: Tensor, on device: any ComputeDevice
    ) throws -> [Tensor] {
        try ModelSession(model, on: device).run([.tensor(x)]).map {
            guard case .tensor(let tensor) = $0 else { throw Failure(.malformed, "a tensor") }
            return tensor
        }
    }

    private static var x: Tensor {
        var generator = SplitMix64(seed: 10)
        return Tensor(generator.floats(3 * width), shape: [3, width])
    }

    /// The same weights at each turn are brought to the device once, however many turns there are
    /// and whether they are stages of their own.
    @Test(arguments: [false, true])
    func weightsAreBroughtOnce(dependsOnData: Bool) throws {
        guard let test = TestDevices.any else { return }
        let base = try test.open()
        var uploads: [Int] = []
        for turns in [1, 7, 40] {
            let device = CountingDevice(base, bytesMin: 4 * Self.width)
            let model = Self.model(turns: turns, dependsOnData: dependsOnData)
            _ = try Self.tensors(model, Self.x, on: device)
            uploads.append(device.uploads)
        }
        #expect(uploads[0] == uploads[1] && uploads[1] == uploads[2], "\(uploads)")
    }

    /// More turns than a session keeps stages of, with what each gave collected.
    @Test func turnsThatAreNotKeptGiveTheSameBits() throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        let kept = try Self.tensors(
            Self.model(turns: 600, dependsOnData: false), Self.x, on: device)
        let model = Self.model(turns: 600, dependsOnData: true)
        let session = ModelSession(model, on: device)
        for _ in 0..<2 {
            #expect(try session.run([.tensor(Self.x)]) == kept.map(ModelValue.tensor))
        }
        #expect(kept[1].shape == [600, 3, Self.width])
    }

    /// A loop of no turns gives what there would be none of.
    @Test func noTurnsHaveTheirElementsShape() throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        for dependsOnData in [false, true] {
            let found = try Self.tensors(
                Self.model(turns: 0, dependsOnData: dependsOnData), Self.x, on: device)
            #expect(found[0] == Self.x)
            #expect(found[1].shape == [0, 3, Self.width] && found[1].type == .float32)
        }
    }

    /// A body that cannot be computed beforehand, or not at all, is nobody's mistake.
    @Test func noTurnsOfABodyThatIsNotKnown() throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        for (nodes, type, shape) in [
            ([Self.node(0, "NonZero", ["v"], ["e"])], ElementType.float32, [0]),
            ([Self.node(0, "MatMul", ["v", "v"], ["e"])], .float32, [0]),
            ([Self.node(0, "ArgMax", ["v"], ["e"], ["axis": .int(1)])], .int64, [0, 3, 1]),
        ] {
            let body = Graph(
                nodes: nodes + [Self.node(nodes.count, "Identity", ["go"], ["on"])],
                constants: [:],
                inputs: [
                    .init(name: "turn", type: .int64, shape: []),
                    .init(name: "go", type: .bool, shape: []),
                    .init(name: "v", type: .float32, shape: nil),
                ], outputs: ["on", "v", "e"])
            let model = Model(
                opsets: ["": 17],
                graph: Graph(
                    nodes: [
                        Self.node(
                            0, "Loop", ["count", "", "x"], ["y", "all"], ["body": .graph(body)])
                    ], constants: ["count": Tensor([0], type: .int64, shape: [])],
                    inputs: [.init(name: "x", type: .float32, shape: [3, Self.width])],
                    outputs: ["y", "all"]))
            let found = try Self.tensors(model, Self.x, on: device)
            #expect(found[0] == Self.x)
            #expect(found[1].shape == shape && found[1].type == type, "\(nodes[0].type)")
        }
    }
}
