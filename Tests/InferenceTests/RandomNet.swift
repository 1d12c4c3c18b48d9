import Core
import Inference
import RigorTestKit

/// Models of a few nodes, some of which mix items.
struct RandomNet {
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
        switch Int.random(in: 0..<17, using: &generator) {
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
        case 11: pad(name, axes, axis, &generator)
        case 12:
            let others = values.filter { $0.axes == axes }
            guard let other = others.randomElement(using: &generator) else { return }
            let isGreater = net.add("Greater", [name, other.name])
            define(net.add("Where", [isGreater, other.name, name]), axes)
        case 13: resize(name, axes, axis, &generator)
        case 14, 15: recur(name, axes, &generator)
        default: convolve(name, axes, &generator)
        }
    }

    private mutating func pad(
        _ name: String, _ axes: [Axis], _ axis: Int, _ generator: inout SplitMix64
    ) {
        guard !axes[axis].hasItems, axes.count > 1 else { return }
        var pads = axes.flatMap { _ in [0, 0] }
        pads[axis] = 1
        let mode = ["constant", "reflect", "edge", "wrap"].randomElement(using: &generator) ?? ""
        var other = axes
        other[axis].size += 1
        define(net.add("Pad", [name, net.ints(pads)], ["mode": .string(mode)]), other)
    }

    private mutating func resize(
        _ name: String, _ axes: [Axis], _ axis: Int, _ generator: inout SplitMix64
    ) {
        guard !axes[axis].hasItems else { return }
        var scales = axes.map { _ in Float(1) }
        scales[axis] = [0.5, 1.5, 2].randomElement(using: &generator) ?? 1
        var other = axes
        other[axis].size = Int(Float(axes[axis].size) * scales[axis])
        guard other[axis].size > 0 else { return }
        let mode = ["nearest", "linear", "cubic"].randomElement(using: &generator) ?? ""
        let inputs = [name, "", net.floats(scales, [scales.count])]
        define(net.add("Resize", inputs, ["mode": .string(mode)]), other)
    }

    /// Over the first axis, with the second one as the batch.
    private mutating func recur(
        _ name: String, _ axes: [Axis], _ generator: inout SplitMix64
    ) {
        guard axes.count == 3 else { return }
        var order = [0, 1, 2].shuffled(using: &generator)
        if axes[order[2]].hasItems { order.swapAt(1, 2) }
        let x = net.add("Transpose", [name], ["perm": .ints(order)])
        let turned = order.map { axes[$0] }
        let (size, hidden) = (turned[2].size, 3)
        let type = ["RNN", "GRU", "LSTM"].randomElement(using: &generator) ?? ""
        let gates = ["RNN": 1, "GRU": 3][type] ?? 4
        let direction =
            ["forward", "reverse", "bidirectional"].randomElement(using: &generator) ?? ""
        let count = direction == "bidirectional" ? 2 : 1
        let w = generator.floats(count * gates * hidden * size)
        let r = generator.floats(count * gates * hidden * hidden)
        let y = net.add(
            type,
            [
                x, net.floats(w, [count, gates * hidden, size]),
                net.floats(r, [count, gates * hidden, hidden]),
            ], ["hidden_size": .int(hidden), "direction": .string(direction)])
        define(y, [turned[0], Axis(size: count), turned[1], Axis(size: hidden)])
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
