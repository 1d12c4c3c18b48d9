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

/// Models of a few nodes, some of which mix items.
private struct RandomNet {
    static let itemShape = [2, 3, 4]

    /// An axis: so many indices, times the number of items or not.
    private struct Axis: Equatable {
        var size: Int
        var hasItems = false
    }

    private var net = Net()
    private var values: [(name: String, axes: [Axis])] = []

    /// Nil where no output came to have the items in its first axis.
    static func model(_ generator: inout SplitMix64) -> Model? {
        var random = RandomNet()
        let x = random.net.input("x", [nil] + itemShape.map { $0 })
        random.values = [(x, [Axis(size: 1, hasItems: true)] + itemShape.map { Axis(size: $0) })]
        for _ in 0..<Int.random(in: 2...7, using: &generator) { random.grow(&generator) }
        return random.end()
    }

    private mutating func define(_ name: String, _ axes: [Axis]) { values.append((name, axes)) }

    /// The last value, with its items moved to the front.
    private mutating func end() -> Model? {
        guard let (name, axes) = values.last, axes.filter(\.hasItems).count == 1,
            let at = axes.firstIndex(where: \.hasItems)
        else { return nil }
        let order = [at] + axes.indices.filter { $0 != at }
        let turned = net.add("Transpose", [name], ["perm": .ints(order)])
        let width = axes.reduce(1) { $0 * $1.size }
        let y = net.add("Reshape", [turned, net.ints([-1, width])])
        return net.model([y])
    }

    private mutating func grow(_ generator: inout SplitMix64) {
        // Mostly on the last value, so that something comes of it.
        let at =
            Int.random(in: 0..<4, using: &generator) == 0
            ? Int.random(in: values.indices, using: &generator) : values.count - 1
        let (name, axes) = values[at]
        let axis = Int.random(in: axes.indices, using: &generator)
        switch Int.random(in: 0..<14, using: &generator) {
        case 0:
            define(
                net.add(["Relu", "Neg", "Tanh"].randomElement(using: &generator) ?? "", [name]),
                axes)
        case 1: addConstant(name, axes, &generator)
        case 2:
            let order = Array(axes.indices).shuffled(using: &generator)
            define(net.add("Transpose", [name], ["perm": .ints(order)]), order.map { axes[$0] })
        case 3: reduce(name, axes, axis, &generator)
        case 4: define(net.add("Softmax", [name], ["axis": .int(axis)]), axes)
        case 5: join(name, axes, &generator)
        case 6: cut(name, axes, axis, &generator)
        case 7:
            var wide = axes
            wide[axis].size *= 2
            let other = values.last { $0.axes == axes }?.name ?? name
            define(net.add("Concat", [name, other], ["axis": .int(axis)]), wide)
        case 8: slice(name, axes, axis, &generator)
        case 9: multiply(name, axes, &generator)
        case 10:
            guard !axes[axis].hasItems else { return }
            let picks = (0..<3).map { _ in Int.random(in: 0..<axes[axis].size, using: &generator) }
            var other = axes
            other[axis].size = 3
            define(net.add("Gather", [name, net.ints(picks)], ["axis": .int(axis)]), other)
        case 11:
            guard !axes[axis].hasItems, axes.count > 1 else { return }
            var pads = axes.flatMap { _ in [0, 0] }
            pads[axis] = 1
            var other = axes
            other[axis].size += 1
            define(net.add("Pad", [name, net.ints(pads)]), other)
        case 12:
            let others = values.filter { $0.axes == axes }
            guard let other = others.randomElement(using: &generator) else { return }
            let isGreater = net.add("Greater", [name, other.name])
            define(net.add("Where", [isGreater, other.name, name]), axes)
        default: convolve(name, axes, &generator)
        }
    }

    private mutating func addConstant(
        _ name: String, _ axes: [Axis], _ generator: inout SplitMix64
    ) {
        let shape = axes.map { $0.hasItems || Bool.random(using: &generator) ? 1 : $0.size }
        let c = net.floats(generator.floats(shape.elementCount), shape)
        define(net.add(["Add", "Mul"].randomElement(using: &generator) ?? "", [name, c]), axes)
    }

    /// What is left of the axis, beside the value itself.
    private mutating func reduce(
        _ name: String, _ axes: [Axis], _ axis: Int, _ generator: inout SplitMix64
    ) {
        let type = ["ReduceMean", "ReduceMax"].randomElement(using: &generator) ?? ""
        let part = net.add(type, [name], ["axes": .ints([axis])])
        define(net.add("Sub", [name, part]), axes)
    }

    /// Two neighbours become one axis.
    private mutating func join(
        _ name: String, _ axes: [Axis], _ generator: inout SplitMix64
    ) {
        guard axes.count > 1 else { return }
        let at = Int.random(in: 0..<(axes.count - 1), using: &generator)
        let (a, b) = (axes[at], axes[at + 1])
        guard !(a.hasItems && b.hasItems) else { return }
        let whole = Axis(size: a.size * b.size, hasItems: a.hasItems || b.hasItems)
        reshape(name, Array(axes[..<at]) + [whole] + Array(axes[(at + 2)...]))
    }

    /// An axis becomes two; the items may go to either.
    private mutating func cut(
        _ name: String, _ axes: [Axis], _ axis: Int, _ generator: inout SplitMix64
    ) {
        let whole = axes[axis]
        let parts = (1...whole.size).filter { whole.size % $0 == 0 }
        guard axes.count < 6, let part = parts.randomElement(using: &generator) else { return }
        let isFirst = Bool.random(using: &generator)
        let cut = [
            Axis(size: part, hasItems: whole.hasItems && isFirst),
            Axis(size: whole.size / part, hasItems: whole.hasItems && !isFirst),
        ]
        reshape(name, Array(axes[..<axis]) + cut + Array(axes[(axis + 1)...]))
    }

    private mutating func reshape(_ name: String, _ axes: [Axis]) {
        let shape = net.ints(axes.map { $0.hasItems ? -1 : $0.size })
        define(net.add("Reshape", [name, shape]), axes)
    }

    /// Turned round, or without its first index where it counts no items.
    private mutating func slice(
        _ name: String, _ axes: [Axis], _ axis: Int, _ generator: inout SplitMix64
    ) {
        var other = axes
        var numbers = [[-1], [-1000], [axis], [-1]]
        if !axes[axis].hasItems, axes[axis].size > 1, Bool.random(using: &generator) {
            numbers = [[1], [1000], [axis], [1]]
            other[axis].size -= 1
        }
        define(net.add("Slice", [name] + numbers.map { net.ints($0) }), other)
    }

    /// By a constant matrix, or by itself turned.
    private mutating func multiply(
        _ name: String, _ axes: [Axis], _ generator: inout SplitMix64
    ) {
        guard axes.count > 1, let last = axes.last else { return }
        if !last.hasItems, Bool.random(using: &generator) {
            let c = net.floats(generator.floats(last.size * 5), [last.size, 5])
            return define(net.add("MatMul", [name, c]), axes.dropLast() + [Axis(size: 5)])
        }
        var order = Array(axes.indices)
        order.swapAt(axes.count - 1, axes.count - 2)
        let turned = net.add("Transpose", [name], ["perm": .ints(order)])
        let square = net.add("MatMul", [name, turned])
        guard !axes[axes.count - 2].hasItems else {
            return define(net.add("MatMul", [square, name]), axes)
        }
        define(square, axes.dropLast() + [axes[axes.count - 2]])
    }

    /// Over the last axis, channels before it.
    private mutating func convolve(
        _ name: String, _ axes: [Axis], _ generator: inout SplitMix64
    ) {
        guard axes.count == 3, !axes[1].hasItems else { return }
        let weights = net.floats(generator.floats(2 * axes[1].size * 3), [2, axes[1].size, 3])
        define(
            net.add("Conv", [name, weights], ["pads": .ints([1, 1])]),
            [axes[0], Axis(size: 2), axes[2]])
    }
}
