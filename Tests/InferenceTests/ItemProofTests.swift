import Core
import Foundation
import Inference
import RigorTestKit
import Testing

/// Whose items are proved to be their own, and that what is proved is so.
@Suite struct ItemProofTests {
    // MARK: Dependents

    /// What a model does with x of [items, 4].
    private static let dependents: [(String, @Sendable (inout Net, String) -> String)] = [
        (
            "mean over items",
            { net, x in
                net.add("Sub", [x, net.add("ReduceMean", [x], ["axes": .ints([0])])])
            }
        ),
        ("cumulative sum", { net, x in net.add("CumSum", [x, net.int(0)]) }),
        (
            "the third item",
            { net, x in
                let (start, end, axis) = (net.ints([2]), net.ints([3]), net.ints([0]))
                return net.add("Add", [x, net.add("Slice", [x, start, end, axis])])
            }
        ),
        (
            "the fourth item",
            { net, x in net.add("Add", [x, net.add("Gather", [x, net.ints([3])])]) }
        ),
        (
            "the last item",
            { net, x in
                let (start, end, axis) = (net.ints([-1]), net.ints([1000]), net.ints([0]))
                return net.add("Add", [x, net.add("Slice", [x, start, end, axis])])
            }
        ),
        (
            "a rare value",
            { net, x in
                let most = net.add("ReduceMax", [x], ["keepdims": .int(1)])
                let isRare = net.add("Greater", [most, net.floats([1e9], [1])])
                return net.add("Where", [isRare, net.add("Neg", [x]), x])
            }
        ),
        ("softmax over items", { net, x in net.add("Softmax", [x], ["axis": .int(0)]) }),
        (
            "items turned round",
            { net, x in
                let (start, end) = (net.ints([-1]), net.ints([-1000]))
                return net.add("Slice", [x, start, end, net.ints([0]), net.ints([-1])])
            }
        ),
        (
            "items moved by one",
            { net, x in
                let (one, far, axis) = (net.ints([1]), net.ints([1000]), net.ints([0]))
                let tail = net.add("Slice", [x, one, far, axis])
                let head = net.add("Slice", [x, net.ints([0]), one, axis])
                return net.add("Concat", [tail, head], ["axis": .int(0)])
            }
        ),
        (
            "a scale over all",
            { net, x in
                let parts = net.add("DynamicQuantizeLinear", [x], outputs: 3)
                return net.add("DequantizeLinear", parts)
            }
        ),
        (
            "the number of items",
            { net, x in
                let shape = net.add("Shape", [x], ["start": .int(0), "end": .int(1)])
                return net.add("Mul", [x, net.add("Cast", [shape], ["to": .int(1)])])
            }
        ),
        (
            "one number of items",
            { net, x in
                let shape = net.add("Shape", [x], ["start": .int(0), "end": .int(1)])
                let isFour = net.add("Equal", [shape, net.ints([4])])
                return net.add(
                    "Mul",
                    [x, net.add("Where", [isFour, net.floats([2], [1]), net.floats([1], [1])])])
            }
        ),
        (
            "an item's place",
            { net, x in
                let shape = net.add("Shape", [x], ["start": .int(0), "end": .int(1)])
                let count = net.add("Squeeze", [shape])
                let range = net.add("Range", [net.int(0), count, net.int(1)])
                let column = net.add("Unsqueeze", [range, net.ints([1])])
                return net.add("Add", [x, net.add("Cast", [column], ["to": .int(1)])])
            }
        ),
        (
            "a reshape across items",
            { net, x in
                let across = net.add("Reshape", [x, net.ints([2, -1])])
                let scaled = net.add("Mul", [across, net.floats([1, 3], [2, 1])])
                return net.add("Reshape", [scaled, net.ints([-1, 4])])
            }
        ),
        (
            "products of items",
            { net, x in
                let turned = net.add("Transpose", [x], ["perm": .ints([1, 0])])
                return net.add("MatMul", [net.add("MatMul", [x, turned]), x])
            }
        ),
        (
            "items as time",
            { net, x in
                let steps = net.add("Unsqueeze", [x, net.ints([1])])
                let (w, r) = (
                    Array(repeating: Float(0.5), count: 8), Array(repeating: Float(0.25), count: 4)
                )
                let y = net.add(
                    "RNN", [steps, net.floats(w, [1, 2, 4]), net.floats(r, [1, 2, 2])],
                    ["hidden_size": .int(2)])
                return net.add("Reshape", [y, net.ints([-1, 2])])
            }
        ),
        (
            "items as channels",
            { net, x in
                let one = net.add("Unsqueeze", [x, net.ints([0])])
                let weights = net.floats((0..<48).map { Float($0) }, [4, 4, 3])
                let y = net.add("Conv", [one, weights], ["pads": .ints([1, 1])])
                return net.add("Squeeze", [y, net.ints([0])])
            }
        ),
        (
            "items that stand for the next ones",
            { net, x in
                let wide = net.add(
                    "Pad", [x, net.ints([1, 0, 0, 0])], ["mode": .string("wrap")])
                let (start, end) = (net.ints([0]), net.ints([-1]))
                return net.add("Slice", [wide, start, end, net.ints([0])])
            }
        ),
        (
            "items between items",
            { net, x in
                let scales = net.floats([2, 1], [2])
                let wide = net.add("Resize", [x, "", scales], ["mode": .string("linear")])
                let (first, far, step) = (net.ints([1]), net.ints([1000]), net.ints([2]))
                return net.add("Slice", [wide, first, far, net.ints([0]), step])
            }
        ),
        (
            "two outputs, one of them shared",
            { net, x in
                let sum = net.add("ReduceSum", [x, net.ints([0])], ["keepdims": .int(1)])
                return net.add("Expand", [sum, net.add("Shape", [x])])
            }
        ),
    ]

    /// Those of which there is no plan for one item, and so no proof.
    private static let planless = [
        "cumulative sum", "the third item", "the fourth item", "items as channels",
    ]

    /// No model whose items depend on each other, or on how many they are, is proved.
    @Test(arguments: dependents.indices)
    func dependentsAreNeverProved(_ index: Int) throws {
        let (name, body) = Self.dependents[index]
        var doubtCount = 0
        for items in [2, 3, 4, 7, 8] {
            var net = Net()
            let x = net.input("x", [nil, 4])
            let y = body(&net, net.add("Abs", [x]))
            let doubt: ItemDoubt?
            do throws(Failure) {
                doubt = try net.model([y]).itemDoubt(["x": [items, 4]])
            } catch {
                // No plan for one item, or of so few.
                continue
            }
            if doubt != nil { doubtCount += 1 }
            // Other numbers of items than the one that is treated otherwise are alike.
            if name == "one number of items", items != 4 {
                #expect(doubt == nil)
            } else {
                #expect(doubt != nil, "\(name), \(items) items")
            }
        }
        #expect((doubtCount > 0) == !Self.planless.contains(name), "\(name)")
    }

    // MARK: Independents

    /// What a model does with x of [items, 6, 4], of which each item is its own.
    private enum Independent: CustomStringConvertible {
        case resized(mode: String)
        case padded(mode: String)
        case recurrence(String, direction: String, layout: Int)

        static let all: [Independent] = {
            var all: [Independent] = []
            for mode in ["nearest", "linear", "cubic"] { all.append(.resized(mode: mode)) }
            for mode in ["reflect", "edge", "wrap"] { all.append(.padded(mode: mode)) }
            for type in ["RNN", "GRU", "LSTM"] {
                for direction in ["forward", "reverse", "bidirectional"] {
                    all.append(.recurrence(type, direction: direction, layout: 0))
                    all.append(.recurrence(type, direction: direction, layout: 1))
                }
            }
            return all
        }()

        var description: String {
            switch self {
            case .resized(let mode): "\(mode) scales"
            case .padded(let mode): "\(mode) padding"
            case .recurrence(let type, let direction, let layout):
                "\(type) \(direction), layout \(layout)"
            }
        }

        func add(to net: inout Net, _ x: String) -> String {
            switch self {
            case .resized(let mode):
                let scales = net.floats([1, 1.5, 0.75], [3])
                return net.add("Resize", [x, "", scales], ["mode": .string(mode)])
            case .padded(let mode):
                let pads = net.ints([0, 2, 1, 0, 1, 3])
                return net.add("Pad", [x, pads], ["mode": .string(mode)])
            case .recurrence(let type, let direction, let layout):
                return ItemProofTests.layer(&net, x, type, direction, layout)
            }
        }
    }

    /// All outputs of a recurrent layer as one; with layout 0 its batch is the second axis.
    private static func layer(
        _ net: inout Net, _ x: String, _ type: String, _ direction: String, _ layout: Int
    ) -> String {
        let (count, gates) = (
            direction == "bidirectional" ? 2 : 1, ["RNN": 1, "GRU": 3][type] ?? 4
        )
        var generator = SplitMix64(seed: 6)
        let w = net.floats(generator.floats(count * gates * 12), [count, gates * 3, 4])
        let r = net.floats(generator.floats(count * gates * 9), [count, gates * 3, 3])
        let given = layout == 1 ? x : net.add("Transpose", [x], ["perm": .ints([1, 0, 2])])
        let outputs = net.add(
            type, [given, w, r],
            [
                "hidden_size": .int(3), "direction": .string(direction), "layout": .int(layout),
            ], outputs: type == "LSTM" ? 3 : 2)
        let parts = outputs.enumerated().map { index, output in
            let order = index == 0 ? [2, 0, 1, 3] : [1, 0, 2]
            let turned =
                layout == 1 ? output : net.add("Transpose", [output], ["perm": .ints(order)])
            return net.add("Flatten", [turned])
        }
        return net.add("Concat", parts, ["axis": .int(1)])
    }

    /// They are proved, and each item has the bits that it has alone.
    @Test(arguments: Independent.all.indices)
    func independentsAreProved(_ index: Int) throws {
        let name = Independent.all[index]
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        var generator = SplitMix64(seed: UInt64(index))
        var net = Net()
        let x = net.input("x", [nil, 6, 4])
        let y = name.add(to: &net, x)
        let model = net.model([y])
        let one = try Session(try Planner.plan(model, shapes: ["x": [1, 6, 4]]), on: device)
        for items in [2, 3, 5] {
            let doubt = try model.itemDoubt(["x": [items, 6, 4]])
            #expect(doubt == nil, "\(name), \(items) items: \(doubt?.place ?? "")")
            let input = Tensor(generator.floats(items * 24), shape: [items, 6, 4])
            let plan = try Planner.plan(model, shapes: ["x": input.shape])
            let joined = try Session(plan, on: device).run([input])[0].bytes
            let alone = try (0..<items).flatMap {
                try one.run([input.items($0..<($0 + 1))])[0].bytes
            }
            #expect(joined == alone, "\(name), \(items) items")
        }
    }

    @Test func aDoubtNamesTheNode() throws {
        var net = Net()
        let x = net.input("x", [nil, 4])
        let y = net.add("Exp", [net.add("Softmax", [net.add("Relu", [x])], ["axis": .int(0)])])
        let doubt = try #require(try net.model([y]).itemDoubt(["x": [3, 4]]))
        #expect(doubt.place == "node 1 \"n1\" (Softmax)")
    }

    // MARK: Models in use

    /// Shapes of two items; nil where their first axis counts none.
    @Test(arguments: RealModelTests.items.filter { $0.isByItem })
    func modelsInUseAreProved(_ item: RealModelTests.Item) throws {
        guard FileManager.default.fileExists(atPath: item.url.path) else {
            return TestDevices.skip("\(item.path) is not there; \(item.source) brings it")
        }
        let model = try ModelLoader.load(path: item.url.path)
        for items in [2, 3, 16] {
            let shapes = item.floats.merging(item.integers.mapValues(\.1)) { $1 }
            let doubt = try model.itemDoubt(shapes.mapValues { [items] + $0.dropFirst() })
            #expect(doubt == nil, "\(items) items: \(doubt?.place ?? "")")
        }
    }

    // MARK: Random models

    /// What is proved is so: each item of a batch has the bits that it has alone.
    @Test func whatIsProvedIsSo() throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        var (proved, doubted, different) = (0, 0, 0)
        let first = UInt64(ProcessInfo.processInfo.environment["RIGOR_ITEM_SEED"] ?? "1") ?? 1
        for seed in first..<(first + 300) {
            var generator = SplitMix64(seed: seed)
            guard let model = RandomNet.model(&generator) else { continue }
            let items = Int.random(in: 2...5, using: &generator)
            let shape = [items] + RandomNet.itemShape
            let x = Tensor(generator.floats(shape.elementCount), shape: shape)
            let doubt: ItemDoubt?
            do throws(Failure) { doubt = try model.itemDoubt(["x": shape]) } catch { continue }
            let plan = try Planner.plan(model, shapes: ["x": shape])
            let joined = try Session(plan, on: device).run([x])[0]
            let session = try Session(
                try Planner.plan(model, shapes: ["x": [1] + shape.dropFirst()]), on: device)
            let alone = try (0..<items).flatMap {
                try session.run([x.items($0..<($0 + 1))])[0].bytes
            }
            if doubt == nil {
                proved += 1
                #expect(joined.bytes == alone, "seed \(seed), \(items) items")
            } else {
                doubted += 1
                if joined.bytes != alone { different += 1 }
            }
        }
        print("seeds from \(first): \(proved) proved, \(doubted) not, of which \(different) differ")
        #expect(proved > 60 && different > 20)
    }
}

extension RealModelTests.Item {
    /// Whether the first axis of its inputs counts items.
    var isByItem: Bool { !path.hasPrefix("silero") }
}
