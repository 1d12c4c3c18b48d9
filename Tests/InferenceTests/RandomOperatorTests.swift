import Compute
import Core
import Exact
import Foundation
import Inference
import RigorTestKit
import Testing

/// Operators that draw random numbers: their bits are a function of seed, node, turn and element.
@Suite struct RandomOperatorTests {
    // MARK: Models

    private static func node(
        _ index: Int, _ type: String, _ inputs: [String] = [], _ outputs: [String] = ["y"],
        _ attributes: [String: Node.Attribute] = [:]
    ) -> Node {
        Node(
            index: index, name: "", domain: "", type: type, inputs: inputs, outputs: outputs,
            attributes: attributes)
    }

    private static func model(
        _ nodes: [Node], constants: [String: Tensor] = [:], inputs: [Model.Input] = [],
        outputs: [String] = ["y"]
    ) -> Model {
        Model(
            opsets: ["": 22],
            graph: Graph(nodes: nodes, constants: constants, inputs: inputs, outputs: outputs))
    }

    private static func tensors(
        _ model: Model, _ inputs: [Tensor] = [], seed: UInt64 = 0, on device: any ComputeDevice
    ) throws -> [Tensor] {
        try ModelSession(model, on: device).run(inputs.map(ModelValue.tensor), seed: seed).map {
            guard case .tensor(let tensor) = $0 else { throw Failure(.malformed, "a tensor") }
            return tensor
        }
    }

    // MARK: The rule, written once more

    /// Words of an element: `path` are tags and numbers (1 a turn, 2 a node, 3 a seed of its own).
    private static func words(
        _ path: [(UInt32, UInt64)], seed: UInt64, _ index: Int
    ) -> SIMD4<UInt32> {
        func halves(_ x: UInt64) -> SIMD2<UInt32> {
            SIMD2(UInt32(truncatingIfNeeded: x), UInt32(truncatingIfNeeded: x >> 32))
        }
        var place = SIMD2<UInt32>(0, 0)
        for (tag, number) in path {
            let half = halves(number)
            let words = Exact.philox(SIMD4(half.x, half.y, tag, 0), key: place)
            place = SIMD2(words.x, words.y)
        }
        return Exact.philox(
            SIMD4(UInt32(index), place.x / 2, place.y / 2, 0), key: halves(seed))
    }

    private static func uniform(_ path: [(UInt32, UInt64)], seed: UInt64, _ count: Int) -> [Float] {
        (0..<count).map { Exact.unit(words(path, seed: seed, $0).x) }
    }

    private static func normal(_ path: [(UInt32, UInt64)], seed: UInt64, _ count: Int) -> [Float] {
        (0..<count).map {
            let words = words(path, seed: seed, $0)
            return Exact.normal(words.x, words.y)
        }
    }

    // MARK: Bits

    @Test(arguments: TestDevices.all)
    func hasTheBitsOfTheRule(_ test: TestDevice) throws {
        let device = try test.open()
        let shape: [String: Node.Attribute] = ["shape": .ints([3, 5])]
        let nodes = [
            Self.node(0, "RandomUniform", [], ["a"], shape),
            Self.node(
                1, "RandomUniform", [], ["b"],
                shape.merging(["low": .float(-3), "high": .float(5)]) { a, _ in a }),
            Self.node(2, "RandomNormal", [], ["c"], shape),
            Self.node(
                3, "RandomNormal", [], ["d"],
                shape.merging(["mean": .float(1), "scale": .float(0.3), "seed": .float(7)]) {
                    a, _ in a
                }),
            Self.node(4, "RandomUniformLike", ["d"], ["e"]),
            Self.node(5, "RandomNormalLike", ["d"], ["f"], ["seed": .float(7)]),
        ]
        let model = Self.model(nodes, outputs: ["a", "b", "c", "d", "e", "f"])
        for seed in [0, 0x1234_5678_9abc_def0] as [UInt64] {
            let found = try Self.tensors(model, seed: seed, on: device).map { $0.floats?.bits }
            let own: [(UInt32, UInt64)] = [(3, UInt64(Float(7).bitPattern))]
            let d = Self.normal(own, seed: seed, 15)
            let expected = [
                Self.uniform([(2, 0)], seed: seed, 15),
                Self.uniform([(2, 1)], seed: seed, 15).map { Float(-3).addingProduct($0, 8) },
                Self.normal([(2, 2)], seed: seed, 15), d.map { Float(1).addingProduct($0, 0.3) },
                Self.uniform([(2, 4)], seed: seed, 15), d,
            ]
            #expect(found == expected.map(\.bits), "\(test), seed \(seed)")
        }
    }

    /// The plan's steps, on devices and by the host's reference.
    @Test(arguments: TestDevices.all)
    func stepsHaveTheBitsOfTheReference(_ test: TestDevice) throws {
        let device = try test.open()
        let (rows, classes) = test.isSlow ? (3, 7) : (33, 300)
        var generator = SplitMix64(seed: 4)
        let logits = generator.floats(rows * classes).map { $0 * 8 }
        let model = Self.model(
            [
                Self.node(0, "Multinomial", ["x"], ["y"], ["sample_size": .int(37)]),
                Self.node(1, "Bernoulli", ["x"], ["b"]),
                Self.node(2, "Dropout", ["x", "", "t"], ["z", "m"]),
            ], constants: ["t": Tensor([1], type: .bool, shape: [])],
            inputs: [.init(name: "x", type: .float32, shape: nil)], outputs: ["y", "b", "z", "m"])
        let plan = try Planner.plan(model, shapes: ["x": [rows, classes]])
        #expect(plan.draws && !plan.isByItem)
        let session = try Session(plan, on: device)
        for seed in [1, 2] as [UInt64] {
            let values = [Tensor(logits, shape: [rows, classes]), .seed(seed)]
            let found = try session.run(values).map(\.bytes)
            #expect(found == ReferenceRun.run(plan, values).map(\.bytes), "\(test)")
        }
    }

    // MARK: Places

    @Test func nodesSeedsAndTurnsDrawOthers() throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        let draw = Self.node(0, "RandomUniform", [], ["u"], ["shape": .ints([4])])
        let body = Graph(
            nodes: [draw, Self.node(1, "Identity", ["go"], ["on"])], constants: [:],
            inputs: [
                .init(name: "turn", type: .int64, shape: []),
                .init(name: "go", type: .bool, shape: []),
            ], outputs: ["on", "u"])
        let model = Self.model(
            [Self.node(0, "Loop", ["n", ""], ["y"], ["body": .graph(body)])],
            constants: ["n": Tensor([5], type: .int64, shape: [])])
        let found = try Self.tensors(model, seed: 3, on: device)[0]
        let expected = (0..<5).flatMap {
            Self.uniform([(2, 0), (1, UInt64($0)), (2, 0)], seed: 3, 4)
        }
        #expect(found.floats?.bits == expected.bits && found.shape == [5, 4])
        #expect(Set(expected.bits).count == 20)
        #expect(try Self.tensors(model, seed: 3, on: device)[0] == found)
        #expect(try Self.tensors(model, seed: 4, on: device)[0] != found)

        // A branch that is chosen by data, inside a plan of stages.
        let branch = Graph(nodes: [draw], constants: [:], inputs: [], outputs: ["u"])
        let other = Graph(
            nodes: [Self.node(0, "Identity", ["w"], ["v"])], constants: [:], inputs: [],
            outputs: ["v"])
        let choice = Self.model(
            [
                Self.node(0, "Neg", ["w"], ["minus"]),
                Self.node(
                    1, "If", ["c"], ["y"],
                    ["then_branch": .graph(branch), "else_branch": .graph(other)]),
            ],
            inputs: [
                .init(name: "c", type: .bool, shape: []),
                .init(name: "w", type: .float32, shape: [4]),
            ], outputs: ["y", "minus"])
        for (isTrue, path) in [(1, [(2, 1), (2, 0)]), (0, [])] as [(Int64, [(UInt32, UInt64)])] {
            let inputs = [
                Tensor([isTrue], type: .bool, shape: []), Tensor([1, 2, 3, 4], shape: [4]),
            ]
            let session = ModelSession(choice, on: device)
            let values = try session.run(inputs.map(ModelValue.tensor), seed: 9)
            let drawn = Self.uniform(path, seed: 9, 4)
            #expect(values[0] == .tensor(isTrue == 1 ? Tensor(drawn, shape: [4]) : inputs[1]))
            #expect(session.hasDrawn == (isTrue == 1))
        }
    }

    @Test func otherTypesAreRounded() throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        let numbers = Self.normal([(2, 0)], seed: 8, 100)
        for type in [ElementType.float32, .float16, .bfloat16, .double] {
            let model = Self.model(
                [
                    Self.node(
                        0, "RandomNormal", [], ["y"],
                        [
                            "shape": .ints([100]), "dtype": .int(Int(type.rawValue)),
                            "mean": .float(0.1), "scale": .float(3),
                        ])
                ])
            let found = try Self.tensors(model, seed: 8, on: device)[0]
            let expected =
                type == .double
                ? Tensor(
                    doubles: (0..<100).map {
                        let number = Exact.normal(Self.words([(2, 0)], seed: 8, $0))
                        return Double(Float(0.1)).addingProduct(number, 3)
                    }, shape: [100])
                : Tensor(
                    numbers.map { Float(0.1).addingProduct($0, 3) }, rounding: type, shape: [100])
            #expect(found == expected, "\(type)")
        }
    }

    /// Rounding gives `high` now and then, and `low` of a narrow type may be below the range.
    @Test func uniformNumbersStayInTheirRange() throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        let count = 1 << 18
        let cases: [(type: ElementType, low: Float, high: Float, first: Float?, last: Float?)] = [
            (.float16, 0, 1, nil, 0x1.ffcp-1), (.bfloat16, 0, 1, nil, 0x1.fep-1),
            (.float16, 0.1, 0.3, 0x1.99cp-4, 0x1.330p-2), (.float16, -2, -1, -2, -0x1.004p0),
            (.bfloat16, -0.5, 0, -0.5, nil), (.float32, 1000, 1001, 1000, Float(1001).nextDown),
            (.float32, -1001, -1000, -1001, Float(-1000).nextDown), (.float16, 0, 1e6, nil, 65504),
            (.double, 1000, 1001, nil, nil),
        ]
        for (type, low, high, first, last) in cases {
            let attributes: [String: Node.Attribute] = [
                "shape": .ints([count]), "dtype": .int(Int(type.rawValue)), "low": .float(low),
                "high": .float(high),
            ]
            let model = Self.model([Self.node(0, "RandomUniform", [], ["y"], attributes)])
            let found = try Self.tensors(model, seed: 11, on: device)[0]
            guard case .floats(let values) = found.elements else {
                guard case .doubles(let values) = found.elements else {
                    Issue.record("\(type)")
                    continue
                }
                #expect(values.allSatisfy { (Double(low)..<Double(high)).contains($0) })
                continue
            }
            #expect(values.allSatisfy { low <= $0 && $0 < high }, "\(type) \(low) \(high)")
            #expect(first == nil || values.min() == first, "\(type) \(low) \(high)")
            #expect(last == nil || values.max() == last, "\(type) \(low) \(high)")
            // The rest is what the rule gives, rounded.
            let drawn = Self.uniform([(2, 0)], seed: 11, count).map {
                low.addingProduct($0, high - low)
            }
            let rounded = Tensor(drawn, rounding: type, shape: [count]).floats ?? []
            let moved = zip(values, rounded).filter { $0.bitPattern != $1.bitPattern }
            #expect(moved.allSatisfy { low > $1 || $1 >= high }, "\(type) \(low) \(high)")
        }
        // Where the type has no number in the range, it is as it is rounded.
        let none = Self.model([
            Self.node(
                0, "RandomUniform", [], ["y"],
                [
                    "shape": .ints([5]), "dtype": .int(Int(ElementType.float16.rawValue)),
                    "low": .float(0.10001), "high": .float(0.10002),
                ])
        ])
        let found = try Self.tensors(none, on: device)[0].floats
        #expect(found == Array(repeating: 0x1.99cp-4, count: 5))
    }

    /// Of which a float has the first 24; functions of them are those of the mathematics.
    @Test func doublesHave53Bits() throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        let count = 4096
        let attributes: [String: Node.Attribute] = [
            "shape": .ints([count]), "dtype": .int(Int(ElementType.double.rawValue)),
        ]
        let model = Self.model(
            [
                Self.node(0, "RandomUniform", [], ["u"], attributes),
                Self.node(1, "RandomNormal", [], ["n"], attributes),
            ], outputs: ["u", "n"])
        let found = try Self.tensors(model, seed: 13, on: device)
        guard case .doubles(let u) = found[0].elements, case .doubles(let n) = found[1].elements
        else { return #expect(Bool(false), "doubles") }
        let bits = u.map { UInt64($0 * 0x1p53) }
        #expect(zip(u, bits).allSatisfy { $0 == Double($1) * 0x1p-53 })
        for bit in 0..<53 {
            let share = bits.count { $0 >> bit & 1 == 1 }
            #expect((share - count / 2).magnitude < 6 * 32, "bit \(bit)")
        }
        let floats = Self.uniform([(2, 0)], seed: 13, count)
        #expect(zip(u, floats).allSatisfy { ($0 * 0x1p24).rounded(.down) * 0x1p-24 == Double($1) })
        for index in 0..<count {
            let words = Self.words([(2, 1)], seed: 13, index)
            let first = Double(UInt64(words.x) << 21 | UInt64(words.y >> 11)) * 0x1p-53 + 0x1p-53
            let second = Double(UInt64(words.z) << 21 | UInt64(words.w >> 11)) * 0x1p-53
            let radius = (-2 * Foundation.log(first)).squareRoot()
            let expected = radius * Foundation.cos(2 * Double.pi * second)
            // A direction's angle is rounded before the library takes its cosine.
            let error = (n[index] - expected).magnitude
            #expect(error <= 8 * expected.magnitude.ulp + radius * 0x1p-50, "element \(index)")
        }
        #expect(Exact.normal(SIMD4<UInt32>(repeating: 0)).magnitude < 8.58)
    }

    // MARK: Distributions

    @Test func momentsAndFrequenciesAreRight() throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        let seed = UInt64.random(in: 0...UInt64.max)
        let count = 1 << 18
        let model = Self.model(
            [
                Self.node(0, "RandomUniform", [], ["u"], ["shape": .ints([count])]),
                Self.node(1, "RandomNormal", [], ["n"], ["shape": .ints([count])]),
            ], outputs: ["u", "n"])
        let found = try Self.tensors(model, seed: seed, on: device)
        let (u, n) = (try #require(found[0].floats), try #require(found[1].floats))
        var bins = [Int](repeating: 0, count: 256)
        for value in u { bins[Int(value * 256)] += 1 }
        let each = Double(count) / 256
        let square = bins.reduce(0) { $0 + (Double($1) - each) * (Double($1) - each) / each }
        // 255 degrees of freedom: mean 255, deviation 22.6; six of them either way.
        #expect((120...390).contains(square), "chi-squared \(square) with seed \(seed)")
        func moment(_ power: Int) -> Double {
            n.reduce(0) { sum, x in sum + (0..<power).reduce(1) { y, _ in y * Double(x) } }
                / Double(count)
        }
        // Six deviations of each moment's mean.
        let unit = 6 / Double(count).squareRoot()
        #expect(moment(1).magnitude < unit, "mean \(moment(1)) with seed \(seed)")
        #expect((moment(2) - 1).magnitude < unit * 2.squareRoot(), "with seed \(seed)")
        #expect(moment(3).magnitude < unit * 15.squareRoot(), "with seed \(seed)")
        #expect((moment(4) - 3).magnitude < unit * 96.squareRoot(), "with seed \(seed)")
        // Neighbours know nothing of each other.
        let pairs = zip(n, n.dropFirst()).reduce(0) { $0 + Double($1.0 * $1.1) } / Double(count)
        #expect(pairs.magnitude < unit, "neighbours \(pairs) with seed \(seed)")
    }

    @Test func bernoulliKeepsItsChances() throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        let chances: [Float] = [0, 1, 0.25, .nan]
        let each = 4096
        let x = Tensor(
            (0..<(4 * each)).map { chances[$0 / each] }, shape: [4, each])
        for type in [ElementType.float32, .bool, .int64, .double] {
            let model = Self.model(
                [Self.node(0, "Bernoulli", ["x"], ["y"], ["dtype": .int(Int(type.rawValue))])],
                inputs: [.init(name: "x", type: .float32, shape: nil)])
            let found = try Self.tensors(model, [x], seed: 5, on: device)[0]
            #expect(found.type == type && found.shape == [4, each])
            let drawn = Self.uniform([(2, 0)], seed: 5, 4 * each)
            let expected = zip(drawn, x.floats ?? []).map { $0 < $1 ? 1 : 0 }
            let values: [Int] =
                switch found.elements {
                case .floats(let values): values.map { Int($0) }
                case .doubles(let values): values.map { Int($0) }
                case .integers(let values): values.map { Int($0) }
                }
            #expect(values == expected, "\(type)")
            let sums = (0..<4).map { values[($0 * each)..<(($0 + 1) * each)].reduce(0, +) }
            #expect(sums[0] == 0 && sums[1] == each && sums[3] == 0)
            #expect((sums[2] - each / 4).magnitude < 170, "six deviations")
        }
    }

    @Test func classesWithoutAChanceAreNeverDrawn() throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        let none = -Float.infinity
        let rows: [[Float]] = [
            [none, 0, none, Exact.log(3), none], [100, none, none, none, 100],
            [none, none, none, none, none], [0, 0, .nan, 0, 0],
        ]
        let x = Tensor(rows.flatMap(\.self), shape: [4, 5])
        for type in [ElementType.int32, .int64] {
            let model = Self.model(
                [
                    Self.node(
                        0, "Multinomial", ["x"], ["y"],
                        ["sample_size": .int(4096), "dtype": .int(Int(type.rawValue))])
                ], inputs: [.init(name: "x", type: .float32, shape: [nil, nil])])
            let found = try Self.tensors(model, [x], seed: 6, on: device)[0]
            #expect(found.type == type && found.shape == [4, 4096])
            let values = try #require(found.integers)
            let counts = (0..<4).map { row in
                (0..<5).map { value in
                    values[(row * 4096)..<((row + 1) * 4096)].count { $0 == value }
                }
            }
            #expect(counts[0][1] + counts[0][3] == 4096 && (counts[0][1] - 1024).magnitude < 170)
            #expect(counts[1][0] + counts[1][4] == 4096 && (counts[1][0] - 2048).magnitude < 200)
            // Nothing has a chance, or nobody knows what has: the first class.
            #expect(counts[2][0] == 4096 && counts[3][0] == 4096)
        }
    }

    @Test func dropoutDropsAndScales() throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        let x = (1...1000).map(Float.init)
        for type in [ElementType.float32, .double, .float16] {
            let model = Self.model(
                [Self.node(0, "Dropout", ["x", "r", "t"], ["y", "m"], ["seed": .int(3)])],
                inputs: [
                    .init(name: "x", type: type, shape: nil),
                    .init(name: "r", type: .float32, shape: []),
                    .init(name: "t", type: .bool, shape: []),
                ], outputs: ["y", "m"])
            let input =
                type == .double
                ? Tensor(doubles: x.map(Double.init), shape: [1000])
                : Tensor(x, rounding: type, shape: [1000])
            func run(_ ratio: Float, _ isTraining: Int64) throws -> [Tensor] {
                try Self.tensors(
                    model,
                    [
                        input, Tensor([ratio], shape: []),
                        Tensor([isTraining], type: .bool, shape: []),
                    ], seed: 2, on: device)
            }
            let all = Tensor(Array(repeating: 1, count: 1000), type: .bool, shape: [1000])
            #expect(try run(0.5, 0) == [input, all] && run(0, 1) == [input, all])
            let found = try run(0.75, 1)
            let mask = try #require(found[1].integers)
            #expect((mask.count { $0 == 1 } - 250).magnitude < 85)
            let expected = zip(x, mask).map { $0 * 4 * Float($1) }
            #expect(
                found[0]
                    == (type == .double
                        ? Tensor(doubles: expected.map(Double.init), shape: [1000])
                        : Tensor(expected, rounding: type, shape: [1000])))
            #expect(throws: Failure.self) { try run(1, 1) }
            #expect(throws: Failure.self) { try run(.nan, 1) }
        }
    }

    // MARK: Tasks

    /// A draw does not depend on how many items are computed together: all are.
    @Test func aPreparedModelCarriesTheSeed() throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        let model = Self.model(
            [
                Self.node(0, "RandomNormalLike", ["x"], ["n"]),
                Self.node(1, "Add", ["x", "n"], ["y"]),
            ], inputs: [.init(name: "x", type: .float32, shape: [nil, 3])])
        let x = Tensor(Array(repeating: 1, count: 30), shape: [10, 3])
        var found: [Bytes] = []
        for seed in [0, 7] as [UInt64] {
            let prepared = try PreparedModel(model, inputs: ["x": x], batchMax: 4, seed: seed)
            let read = try PreparedModel(decoding: prepared.encoded)
            #expect(read == prepared && read.plan.draws)
            #expect(try read.itemCount() == 1)
            let outputs = try Session(read.plan, on: device).run(read.inputs, items: 0..<1)
            let noise = Self.normal([(2, 0)], seed: seed, 30)
            #expect(outputs[0].floats?.bits == noise.map { $0 + 1 }.bits)
            found.append(outputs[0].bytes)
            var batched = BatchedModel(model, on: device, seed: seed)
            let batch = InputBatches.Batch(
                values: ["x": x], stems: ["a", "b"], counts: [4, 6])
            let parts = try batched.run(batch)
            // Each file draws as it does alone, from its own first element on.
            #expect(parts.map(\.isByItem) == [false, false] && batched.hasDrawn)
            #expect(parts[0].tensors[0].tensor.bytes == Bytes(outputs[0].bytes[..<48]))
            #expect(parts[1].tensors[0].tensor.bytes == Bytes(outputs[0].bytes[..<72]))
        }
        #expect(found[0] != found[1])
        // One that draws nothing has no seed.
        let plain = Self.model(
            [Self.node(0, "Dropout", ["x", "", "t"], ["y"])],
            constants: ["t": Tensor([0], type: .bool, shape: [])],
            inputs: [.init(name: "x", type: .float32, shape: [nil, 3])])
        #expect(try PreparedModel(plain, inputs: ["x": x]).plan.inputs.map(\.name) == ["x"])
    }
}
