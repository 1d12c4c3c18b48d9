import Core
import Foundation
import Inference
import RigorTestKit
import Serving
import Synchronization
import Testing

/// Requests that are computed together have the bits that they have alone.
@Suite struct BatchTests {
    private func runner(_ name: String, _ test: TestDevice, batchMax: Int) throws -> ModelRunner {
        ModelRunner(
            try Served.model(name), on: try test.open(), batchMax: batchMax, bytesMax: 1 << 28)
    }

    private func requests(
        _ count: Int, items: Int, _ length: Int, _ generator: inout SplitMix64
    ) throws -> [InferRequest] {
        try (0..<count).map { _ in
            try InferRequest("x", [items, length], generator.floats(items * length))
        }
    }

    @Test(arguments: TestDevices.quick)
    func bitsAreEqualAloneAndTogether(_ test: TestDevice) throws {
        var generator = SplitMix64(seed: 7)
        let alone = try runner("dense", test, batchMax: 1)
        let together = try runner("dense", test, batchMax: 8)
        for items in [1, 3, 1, 2, 5] {
            let group = try requests(7, items: items, 4, &generator)
            let expected = try group.map { try alone.answers([$0])[0].get() }
            #expect(try together.answers(group).map { try $0.get() } == expected)
        }
        #expect(together.items == .independent)
        // Powers of two, and the sizes of requests before that was known.
        #expect(together.planCount <= 6)
    }

    /// A model whose items are not their own is found out, and its requests stay apart.
    @Test func itemsThatMixStayApart() throws {
        guard let test = TestDevices.any else { return }
        var generator = SplitMix64(seed: 8)
        let alone = try runner("mixed", test, batchMax: 1)
        let together = try runner("mixed", test, batchMax: 8)
        let group = try requests(3, items: 2, 3, &generator)
        let expected = try group.map { try alone.answers([$0])[0].get() }
        for _ in 0..<4 {
            #expect(try together.answers(group).map { try $0.get() } == expected)
        }
        #expect(together.items.isMixed)
    }

    /// Batches that are what each request is alone say nothing, nor do equal items beside others.
    @Test(arguments: [("mixed", 3), ("range", 4), ("count", 4)])
    func batchesThatCrossNoBorderProveNothing(_ name: String, _ length: Int) throws {
        guard let test = TestDevices.any else { return }
        var generator = SplitMix64(seed: 10)
        let alone = try runner(name, test, batchMax: 1)
        let together = try runner(name, test, batchMax: 8)
        for counts in [[2, 1], [4, 2, 1], [2, 1], [4], [1, 1, 1], [1, 1], [3, 3]] {
            let group = try counts.map {
                try InferRequest("x", [$0, length], generator.floats($0 * length))
            }
            let twice = counts.count == 3 ? [group[0], group[0], group[2]] : group
            for group in [twice, group] {
                let expected = try group.map { try alone.answers([$0])[0].get() }
                let found = try together.answers(group).map { try $0.get() }
                #expect(found == expected, "\(name), \(counts)")
            }
        }
        #expect(together.items.isMixed)
    }

    /// Small items of one request are worth larger batches than those of several.
    @Test func aLoneRequestIsCutIntoFewBatches() throws {
        guard let test = TestDevices.any else { return }
        var generator = SplitMix64(seed: 9)
        let alone = try runner("dense", test, batchMax: 1)
        let together = try runner("dense", test, batchMax: 8)
        for _ in 0..<2 { _ = together.answers(try requests(8, items: 1, 4, &generator)) }
        #expect(together.items == .independent)
        let known = together.planCount
        let many = try requests(1, items: 700, 4, &generator)
        let expected = try alone.answers(many)[0].get()
        #expect(try together.answers(many)[0].get() == expected)
        // 512, 128, 32 and 16 items, and what is there for eight and fewer.
        #expect(together.planCount >= known + 4)
    }

    /// A model that turns all items round where one of them is great.
    private func rareModel() throws -> ServedModel {
        func node(_ index: Int, _ type: String, _ inputs: [String]) -> Node {
            Node(
                index: index, name: "", domain: "", type: type, inputs: inputs,
                outputs: ["v\(index)"], attributes: [:])
        }
        let graph = Graph(
            nodes: [
                node(0, "ReduceMax", ["x"]), node(1, "Greater", ["v0", "most"]),
                node(2, "Neg", ["x"]), node(3, "Where", ["v1", "v2", "x"]),
            ], constants: ["most": Tensor([1e6], shape: [1])],
            inputs: [.init(name: "x", type: .float32, shape: [nil, 4])], outputs: ["v3"])
        return try ServedModel(Model(opsets: ["": 17], graph: graph), name: "rare")
    }

    /// What no example has shown keeps requests apart as well, and the owner is told why.
    @Test func whatIsNotProvedStaysApart() async throws {
        guard let test = TestDevices.any else { return }
        var generator = SplitMix64(seed: 11)
        let runner = ModelRunner(
            try rareModel(), on: try test.open(), batchMax: 8, bytesMax: 1 << 28)
        for _ in 0..<4 { _ = runner.answers(try requests(5, items: 1, 4, &generator)) }
        let group =
            try requests(4, items: 1, 4, &generator)
            + [try InferRequest("x", [1, 4], [1, 2, 3, 1e7])]
        let expected = try group.map { try runner.answers([$0])[0].get() }
        #expect(try runner.answers(group).map { try $0.get() } == expected)
        #expect(runner.items == .mixed(ItemDoubt(place: "node 0 (ReduceMax)")))

        let lines = Mutex<[String]>([])
        let server = try ModelServer([try rareModel()], on: [try test.open()]) { line in
            lines.withLock { $0.append(line) }
        }
        _ = try await server.infer(group[4], server.models[0])
        server.close()
        #expect(
            lines.withLock(\.self) == [
                "model rare: requests are computed one by one: items may depend on each other in "
                    + "node 0 (ReduceMax)"
            ])
    }

    /// What is kept for later goes where a device has no memory for an answer, which is then
    /// computed; where that does not help the refusal says so, and the next request is answered.
    @Test func memoryThatRunsOutIsGivenBack() async throws {
        guard let test = TestDevices.any else { return }
        let device = FlakyDevice(try test.open(), [.memory(400_000)])
        let server = try ModelServer([try Served.model("wide")], on: [device])
        defer { server.close() }
        func answer(_ length: Int) async throws(Failure) -> InferResponse {
            let values = [Float](repeating: 1, count: length)
            let request: InferRequest
            do { request = try InferRequest("x", [1, length], values) } catch {
                throw Failure(.malformed, "\(error)")
            }
            return try await server.infer(request, server.models[0])
        }
        for round in 0..<12 {
            let length = 5000 + round
            #expect(try await answer(length).outputs[0].shape == [1, length])
        }
        let error = await #expect(throws: Failure.self) { try await answer(200_000) }
        #expect(error?.code == .memory && error?.message.contains("out of memory") == true)
        #expect(try await answer(5000).outputs[0].shape == [1, 5000])
    }

    /// Ever new shapes are answered, and do not pile up.
    @Test func plansAreLetGo() throws {
        guard let test = TestDevices.any else { return }
        let runner = try runner("wide", test, batchMax: 4)
        for length in 1...50 {
            let values = [Float](repeating: 1, count: length)
            let answer = try runner.answers([try InferRequest("x", [1, length], values)])[0].get()
            #expect(answer[0].shape == [1, length])
        }
        #expect(runner.planCount <= 32)
    }

    @Test func modelsThatDependOnDataAreAnswered() throws {
        guard let test = TestDevices.any else { return }
        let runner = try runner("nonzero", test, batchMax: 8)
        for (values, found) in [([0, 5, 0, 7], [1, 3]), ([1, 1], [0, 1])] as [([Float], [Int64])] {
            let answer = runner.answers([try InferRequest("x", [values.count], values)])[0]
            let output = try answer.get()[0]
            #expect(output.type == .int64 && output.shape == [1, found.count])
            #expect(output.bytes == found.flatMap { $0.littleEndianBytes })
        }
    }

    // MARK: Queue

    @Test func requestsInFlightAreJoined() async throws {
        var limits = ModelServer.Limits()
        limits.batchWaitSeconds = 0.15
        guard let server = try Served.server(["dense"], limits) else { return }
        defer { server.close() }
        var generator = SplitMix64(seed: 9)
        let model = try server.model("dense")
        let rounds = 3
        var groups: [[InferRequest]] = []
        var all: [[Int: InferResponse]] = []
        for _ in 0..<rounds {
            let group = try requests(6, items: 1, 4, &generator)
            groups.append(group)
            let answers = try await withThrowingTaskGroup(
                of: (Int, InferResponse).self
            ) { tasks in
                for (index, request) in group.enumerated() {
                    tasks.addTask { (index, try await server.infer(request, model)) }
                }
                return try await tasks.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            all.append(answers)
        }
        for (group, answers) in zip(groups, all) {
            for (index, request) in group.enumerated() {
                #expect(try await server.infer(request, model) == answers[index])
            }
        }
        let text = server.statistics(model).line
        // Six together and six one by one, a round.
        #expect(text.contains("\"inference_count\":36,\"execution_count\":21"), "\(text)")
    }

    /// Behind a request that was alone none waits for others to join it.
    @Test func aLoneClientDoesNotWait() async throws {
        var limits = ModelServer.Limits()
        limits.batchWaitSeconds = 0.5
        guard let server = try Served.server(["dense"], limits) else { return }
        defer { server.close() }
        let end = ContinuousClock.now + .seconds(60)
        while !server.isReady, ContinuousClock.now < end { usleep(10_000) }
        let model = try server.model("dense")
        let request = try InferRequest("x", [1, 4], [1, 2, 3, 4])
        _ = try await server.infer(request, model)
        let start = ContinuousClock.now
        for _ in 0..<6 { _ = try await server.infer(request, model) }
        #expect(ContinuousClock.now - start < .seconds(1.5))
    }

    @Test func aFullQueueRefuses() throws {
        var limits = ModelServer.Limits()
        limits.batchWaitSeconds = 0.5
        limits.queueMax = 2
        guard let server = try Served.server(["dense"], limits) else { return }
        let model = try server.model("dense")
        let request = try InferRequest("x", [1, 4], [1, 2, 3, 4])
        for _ in 0..<2 { try server.submit(request, to: model) { _ in } }
        let error = #expect(throws: Failure.self) { try server.submit(request, to: model) { _ in } }
        #expect(error?.code == .busy)
        server.close()
        #expect(throws: Failure.self) { try server.submit(request, to: model) { _ in } }
    }

    @Test func whatDoesNotFitTheModelIsRefused() throws {
        guard let server = try Served.server(["dense", "types"]) else { return }
        defer { server.close() }
        let model = try server.model("dense")
        let cases: [(InferRequest, String)] = [
            (try InferRequest("x", [1, 5], [1, 2, 3, 4, 5]), "dense"),
            (try InferRequest("z", [1, 4], [1, 2, 3, 4]), "the model has no input \"z\""),
            (try InferRequest(decoding: Bytes("{}".utf8)), "no value is given"),
        ]
        for (request, piece) in cases {
            let error = #expect(throws: Failure.self) {
                try server.submit(request, to: model) { _ in }
            }
            let line = error?.message ?? ""
            #expect(piece == "dense" ? line.contains("[?, 4] expected") : line.contains(piece))
        }
        var request = try InferRequest("x", [1, 4], [1, 2, 3, 4])
        request.outputs = [.init(name: "q", isBinary: false)]
        let error = #expect(throws: Failure.self) {
            try server.submit(request, to: model) { _ in }
        }
        #expect(error?.message.contains("no output \"q\"") == true)
        #expect(throws: Failure.self) { try server.model("nowhere") }
        #expect(throws: Failure.self) { try server.model("dense", version: "2") }
        let names = ["", "a/b", "..", "é", String(repeating: "x", count: 129)]
        for name in names {
            #expect(throws: Failure.self) {
                try ServedModel(try ModelLoader.load(path: Served.path("dense")), name: name)
            }
        }
    }

    /// A runner that has warmed up knows the plan of a first request; of shapes that were guessed
    /// it keeps none.
    @Test func warmingUpChangesNoAnswer() throws {
        guard let test = TestDevices.any else { return }
        var generator = SplitMix64(seed: 10)
        for (name, length, planCount) in [("dense", 4, 1), ("wide", 5, 0)] {
            let warm = try runner(name, test, batchMax: 1)
            let cold = try runner(name, test, batchMax: 1)
            warm.warm()
            #expect(warm.planCount == planCount)
            let request = try requests(1, items: 1, length, &generator)
            #expect(
                try warm.answers(request).map { try $0.get() }
                    == cold.answers(request).map { try $0.get() })
        }
    }
}
