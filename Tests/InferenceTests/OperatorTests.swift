import Compute
import Core
import Foundation
import Inference
import RigorTestKit
import Synchronization
import Testing

/// Where this folder's fixtures and the shipped examples lie.
enum Fixtures {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures")
    static let digits = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Examples/digits")

    static func names(_ group: String) -> [String] {
        let files = try? FileManager.default.contentsOfDirectory(
            atPath: folder.appendingPathComponent(group).path)
        return (files ?? []).filter { $0.hasSuffix(".onnx") }.sorted()
    }

    static func path(_ group: String, _ name: String) -> String {
        folder.appendingPathComponent(group).appendingPathComponent(name).path
    }
}

/// Small models with another runtime's answers inside.
@Suite struct OperatorTests {
    struct Case {
        var name: String
        var model: Model
        var inputs: [String: Tensor]
        var expected: [Tensor]

        init(_ name: String) throws {
            self.name = name
            model = try ModelLoader.load(path: Fixtures.path("operators", name))
            let constants = model.constants
            inputs = Dictionary(
                uniqueKeysWithValues: constants.compactMap { key, value in
                    key.hasPrefix("test:input:") ? (String(key.dropFirst(11)), value) : nil
                })
            expected = model.outputs.compactMap { constants["test:output:\($0)"] }
        }
    }

    /// Largest difference as a part of the largest value.
    static func error(_ found: Tensor, _ expected: Tensor) -> Float {
        guard found.type == expected.type, found.shape == expected.shape else { return .infinity }
        guard let a = found.floats, let b = expected.floats else {
            return found == expected ? 0 : .infinity
        }
        let scale = b.map(\.magnitude).max() ?? 0
        let difference = zip(a, b).map { ($0 - $1).magnitude }.max() ?? 0
        return difference == 0 ? 0 : difference / scale
    }

    @Test func everyFixtureHasItsAnswer() {
        #expect(Fixtures.names("operators").count > 80)
        var covered = Set(
            Fixtures.names("operators").compactMap { try? Case($0) }.flatMap {
                $0.model.nodes.map(\.operatorName)
            })
        for name in Fixtures.names("suite") {
            guard let item = try? SuiteTests.Case(name) else { continue }
            covered.formUnion(item.model.nodes.map(\.operatorName))
        }
        // Those on sequences and optionals are in the whole suite alone.
        let missing = Set(Operators.names).subtracting(covered).filter {
            // Gradients are tested with training, random numbers by RandomOperatorTests.
            !$0.contains("Sequence") && !$0.contains("Optional") && !$0.hasPrefix("ai.rigor.")
                && !$0.hasPrefix("Random") && !["Bernoulli", "Multinomial"].contains($0)
        }
        #expect(missing.isEmpty, "no fixture for \(missing.sorted())")
    }

    @Test(arguments: TestDevices.quick)
    func agreesWithOnnxRuntime(_ test: TestDevice) throws {
        let device = try test.open()
        for name in Fixtures.names("operators") {
            let item = try Case(name)
            #expect(item.expected.count == item.model.outputs.count, "\(name)")
            let session = ModelSession(item.model, on: device)
            let outputs = try session.run(item.inputs.mapValues(ModelValue.tensor))
            for (output, expected) in zip(outputs, item.expected) {
                guard case .tensor(let found) = output else { continue }
                let error = Self.error(found, expected)
                #expect(error <= 1e-4, "\(name) on \(test): \(error)")
            }
        }
    }

    /// Rows that are picked are those that a product with ones and zeros gives.
    @Test(arguments: TestDevices.quick)
    func pickedRowsHaveTheProductsBits(_ test: TestDevice) throws {
        let item = try Case("matmul-picks.onnx")
        let plan = try Planner.plan(item.model, shapes: item.inputs.mapValues(\.shape))
        #expect(plan.steps.filter { $0.kind == .gather }.count == 1)
        #expect(plan.steps.filter { $0.kind == .gemm }.count == 1)
        let values = plan.inputs.compactMap { item.inputs[$0.name] }
        let outputs = try Session(plan, on: try test.open()).run(values)
        #expect(outputs[0].bytes == outputs[1].bytes)
    }

    /// Convolutions that only a concatenation reads write into its result.
    @Test(arguments: TestDevices.quick)
    func convolutionsWriteConcatenations(_ test: TestDevice) throws {
        let device = try test.open()
        let names = Fixtures.names("operators").filter { $0.hasPrefix("concat-convolutions") }
        #expect(names.count == 3)
        for name in names {
            let item = try Case(name)
            let plan = try Planner.plan(item.model, shapes: item.inputs.mapValues(\.shape))
            let session = try Session(plan, on: device)
            #expect(session.placedConvolutions == 2, "\(name)")
        }
    }

    /// Wherever a NaN is in an output, it comes out with one pattern.
    @Test func aNaNLosesItsPayload() throws {
        guard let test = TestDevices.any else { return }
        let item = try Case("leakyrelu.onnx")
        let plan = try Planner.plan(item.model, shapes: item.inputs.mapValues(\.shape))
        let session = try Session(plan, on: try test.open())
        let (name, input) = try #require(item.inputs.first)
        let values = try #require(input.floats)
        #expect(plan.inputs.map(\.name) == [name] && values.count > 16)
        let plain = try session.run([input])[0].floats
        for place in values.indices {
            var poisoned = values
            poisoned[place] = Float(bitPattern: 0xffd2_3456)
            let found = try session.run([Tensor(poisoned, shape: input.shape)])[0].floats
            var expected = try #require(plain)
            expected[place] = Float(bitPattern: 0x7fc0_0000)
            #expect(found?.bits == expected.bits, "place \(place)")
        }
    }

    /// Devices and the host's reference agree to the bit, step by step.
    @Test(arguments: TestDevices.all)
    func hasTheBitsOfTheReference(_ test: TestDevice) throws {
        let device = try test.open()
        var taped: Set<String> = []
        var names = Fixtures.names("operators")
        if test.isSlow { names = names.filter { ["conv.onnx", "averagepool.onnx"].contains($0) } }
        for name in names {
            let item = try Case(name)
            // What the host computes has no kernels.
            guard let plan = try? Planner.plan(item.model, shapes: item.inputs.mapValues(\.shape))
            else { continue }
            let values = plan.inputs.compactMap { item.inputs[$0.name] }
            let expected = ReferenceRun.run(plan, values)
            for device in device.kinds {
                taped.formUnion(
                    try run(plan, values, on: device, isQuick: !test.isSlow, "\(name) on \(test)") {
                        $0.map(\.bytes) == expected.map(\.bytes)
                    })
            }
        }
        if device.description.runsTapes {
            // Fixtures of 8-bit integers pack a factor in every run: `StandingTests` has others.
            // `PooledConvolutionTests` has those that are wide enough.
            let others: Set = ["dot_product", "dot_row", "dot_tiles", "conv_pool"]
            #expect(
                taped.union(others) == Set(Tape.kernelNames), "kernels that a fixture had on a tape"
            )
        }
    }

    /// Runs every form of a plan's session, several times each.
    ///
    /// - Returns: the kernels that were on tapes.
    private func run(
        _ plan: Plan, _ values: [Tensor], on device: any ComputeDevice, isQuick: Bool,
        _ what: String, _ isExpected: ([Tensor]) -> Bool
    ) throws -> Set<String> {
        var taped: Set<String> = []
        for isNarrow in device.forms {
            // With inputs read where they are, and copied.
            let session = try Session(
                plan, on: device, isNarrow: isNarrow, viewBytesMin: isNarrow ? 1 : 1 << 20,
                tapes: .init(fromRun: 4, launchesMin: 1))
            // Launches are made, then remembered, then repeated, then on tapes.
            for run in 1...(isQuick ? 5 : 1) {
                let found = try session.run(values)
                #expect(
                    isExpected(found),
                    "\(what), \(device.description.kind), narrow \(isNarrow), run \(run)")
            }
            taped.formUnion(session.tapedKernels)
        }
        return taped
    }

    /// Work-groups that wait for one another get to the end, however few run at a time.
    @Test func tapesRunOnOneUnitAndBesideOthers() throws {
        guard let test = TestDevices.any, let parts = try? test.open(computeUnits: 1),
            parts.allSatisfy(\.description.runsTapes)
        else { return TestDevices.skip("no device that runs tapes and can be split") }
        let item = try Case("squeeze-excite.onnx")
        let plan = try Planner.plan(item.model, shapes: item.inputs.mapValues(\.shape))
        let values = plan.inputs.compactMap { item.inputs[$0.name] }
        let expected = ReferenceRun.run(plan, values).map(\.bytes)
        let whole = try test.open()
        let results = Mutex<[[Bytes]]>([])
        // The whole device computes beside its parts.
        DispatchQueue.concurrentPerform(iterations: parts.count + 1) { number in
            let device = number < parts.count ? parts[number] : whole
            guard
                let session = try? Session(
                    plan, on: device, tapes: .init(fromRun: 3, launchesMin: 1))
            else { return }
            for _ in 0..<40 {
                let found = (try? session.run(values))?.map(\.bytes) ?? []
                results.withLock { $0.append(found) }
            }
            if session.tapedKernels.isEmpty { results.withLock { $0.append([]) } }
        }
        let found = results.withLock { $0 }
        #expect(found.count == 40 * (parts.count + 1) && found.allSatisfy { $0 == expected })
    }
}

/// A plan on the host, by the reference of each kind of step.
enum ReferenceRun {
    static func run(_ plan: Plan, _ inputs: [Tensor]) -> [Tensor] {
        var buffers = plan.constants
        for (port, value) in zip(plan.inputs, inputs) { buffers[port.buffer] = value }
        for step in plan.steps {
            let operands = step.operands.compactMap { buffers[$0] }
            let type = resultType(step, operands)
            let count = resultCount(step)
            buffers[step.result] = HostSteps.run(step, operands, type: type, shape: [count])
        }
        return plan.outputs.map { port in
            guard let value = buffers[port.buffer] else { preconditionFailure("computed") }
            guard let floats = value.floats, value.type == .float32 else {
                return value.reshaped(port.shape)
            }
            // As sessions give them: processors' own NaN differ in sign.
            let quiet = Float(bitPattern: 0x7fc0_0000)
            return Tensor(floats.map { $0.isNaN ? quiet : $0 }, shape: port.shape)
        }
    }

    private static func resultType(_ step: Step, _ operands: [Tensor]) -> ElementType {
        switch step.kind {
        case .binary:
            (8...12).contains(step.ints[0]) ? .bool : operands[0].type
        case .not: .bool
        case .cast: ElementType(rawValue: UInt8(step.ints[1])) ?? .float32
        case .choose: operands[1].type
        case .argument: .int64
        case .dot, .dotConvolve: .int32
        case .requantize: step.ints[3] == 1 ? .int8 : .uint8
        case .random: .float32
        case .pick: .int32
        default: operands[0].type
        }
    }

    private static func resultCount(_ step: Step) -> Int {
        let i = step.ints
        func axes(_ start: Int, _ parts: Int) -> Int {
            i[start..<(start + (i.count - start) / parts)].reduce(1, *)
        }
        switch step.kind {
        case .unary: return i[1]
        case .binary: return axes(2, 3)
        case .not: return i[0]
        case .cast: return i[2]
        case .affine, .lrn: return i[0] * i[1] * i[2]
        case .normalize: return i[0] * i[1]
        // Kinds 1 and 3 give two tensors.
        case .cell: return i[1] * i[2] * i[3] * (i[0] % 2 + 1)
        case .copy: return axes(2, 2)
        case .concat: return i[1] * i[2...].reduce(0, +)
        case .pad: return axes(2, 3)
        case .choose: return axes(1, 4)
        case .gather: return i[2] * i[4] * i[5]
        case .gemm, .dot: return i[0] * i[1] * i[3]
        case .requantize, .pick: return i[0] * i[2]
        case .random: return i[1]
        case .convolve, .dotConvolve: return i[0] * i[1] * i[3] * i[8] * i[9]
        case .pool: return i[0] * i[7] * i[8]
        case .unpool: return i[0] * i[5] * i[6]
        case .reduce, .argument: return i[1] * i[3]
        case .softmax: return i[1] * i[2] * i[3]
        }
    }
}

/// The reference against the two rules of sums, written once more.
@Suite struct RuleTests {
    @Test func productsGoInBlocks() {
        var generator = SplitMix64(seed: 11)
        // 40 channels of 3 x 3 taps: 360 k, a block and a part of one.
        let x = generator.floats(40 * 16)
        let w = generator.floats(2 * 360)
        var shape = ConvolutionShape()
        (shape.channels, shape.outChannels) = (40, 2)
        (shape.window.height, shape.window.width) = (4, 4)
        (shape.window.outHeight, shape.window.outWidth) = (2, 2)
        (shape.window.kernelHeight, shape.window.kernelWidth) = (3, 3)
        let step = Step(
            .convolve, operands: [0, 1], result: 2, ints: shape.ints, floats: [0, 0])
        let found = HostSteps.run(
            step, [Tensor(x, shape: [1, 40, 4, 4]), Tensor(w, shape: [2, 40, 3, 3])],
            type: .float32, shape: [1, 2, 2, 2])
        let expected = (0..<8).map { index in
            let (channel, row, column) = (index / 4, index / 2 % 2, index % 2)
            return sumOfProducts(360, { w[channel * 360 + $0] }) { k in
                x[k / 9 * 16 + (row + k / 3 % 3) * 4 + column + k % 3]
            }
        }
        #expect(found.floats?.bits == expected.bits)
    }

    @Test func otherSumsGoInLanes() {
        var generator = SplitMix64(seed: 12)
        for count in [1, 15, 16, 17, 100] {
            let x = generator.floats(count)
            let step = Step(
                .reduce, operands: [0], result: 1,
                ints: [ReduceOperation.sum.rawValue, 1, count, 1])
            let found = HostSteps.run(
                step, [Tensor(x, shape: [count])], type: .float32, shape: [1])
            #expect(found.floats?.bits == [laneSum(x)].bits)
        }
    }
}
