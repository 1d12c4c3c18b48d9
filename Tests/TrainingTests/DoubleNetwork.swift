import Foundation
import Inference

/// The loss of a network in binary64, written plainly and apart from all that trains.
struct DoubleNetwork {
    struct Value {
        var shape: [Int]
        var elements: [Double]

        init(_ shape: [Int], _ elements: [Double]) {
            (self.shape, self.elements) = (shape, elements)
        }
        init(_ tensor: Tensor) {
            self.init(tensor.shape, (tensor.floats ?? []).map { Double($0) })
        }
    }

    let nodes: [Node]
    let labels: [Int]

    /// Mean cross entropy of what the last node gives.
    func loss(_ values: [String: Value]) -> Double {
        var values = values
        var last = Value([], [])
        for node in nodes {
            let inputs = node.inputs.map { values[$0] ?? Value([], []) }
            last = Self.run(node, inputs)
            values[node.outputs[0]] = last
        }
        let classes = last.shape[1]
        var sum = 0.0
        for (item, label) in labels.enumerated() {
            let row = last.elements[(item * classes)..<((item + 1) * classes)]
            let top = row.max() ?? 0
            let total = row.reduce(0) { $0 + Foundation.exp($1 - top) }
            sum += top + Foundation.log(total) - row[row.startIndex + label]
        }
        return sum / Double(labels.count)
    }

    private static func run(_ node: Node, _ inputs: [Value]) -> Value {
        let x = inputs[0]
        switch node.type {
        case "Relu": return x.map { max(0, $0) }
        case "LeakyRelu": return x.map { $0 < 0 ? 0.01 * $0 : $0 }
        case "Tanh": return x.map { Foundation.tanh($0) }
        case "Sigmoid": return x.map { 1 / (1 + Foundation.exp(-$0)) }
        case "Exp": return x.map { Foundation.exp($0) }
        case "Neg": return x.map { -$0 }
        case "Add": return x.with(inputs[1], +)
        case "Sub": return x.with(inputs[1], -)
        case "Mul": return x.with(inputs[1], *)
        case "Div": return x.with(inputs[1], /)
        case "Flatten":
            return Value([x.shape[0], x.shape.dropFirst().reduce(1, *)], x.elements)
        case "Transpose": return x.transposed(node.list("perm"))
        case "Concat": return concatenated(inputs)
        case "GlobalAveragePool":
            let count = x.shape[2] * x.shape[3]
            return Value(
                [x.shape[0], x.shape[1], 1, 1],
                (0..<(x.shape[0] * x.shape[1])).map { plane in
                    x.elements[(plane * count)..<((plane + 1) * count)].reduce(0, +)
                        / Double(count)
                })
        case "Gemm", "MatMul": return product(node, inputs)
        case "Conv": return convolution(node, inputs)
        case "MaxPool", "AveragePool": return pool(node, x)
        case "BatchNormalization": return normalized(inputs)
        default: preconditionFailure("\(node.type) is not among the reference's")
        }
    }

    /// Along the second axis.
    private static func concatenated(_ parts: [Value]) -> Value {
        let inner = parts[0].shape[2...].reduce(1, *)
        var out: [Double] = []
        for item in 0..<parts[0].shape[0] {
            for part in parts {
                let each = part.shape[1] * inner
                out += part.elements[(item * each)..<((item + 1) * each)]
            }
        }
        var shape = parts[0].shape
        shape[1] = parts.reduce(0) { $0 + $1.shape[1] }
        return Value(shape, out)
    }

    private static func product(_ node: Node, _ inputs: [Value]) -> Value {
        let flipsA = node.number("transA", 0) != 0
        let flipsB = node.number("transB", 0) != 0
        let a = flipsA ? inputs[0].transposed([1, 0]) : inputs[0]
        let b = flipsB ? inputs[1].transposed([1, 0]) : inputs[1]
        let (rows, depth, columns) = (a.shape[0], a.shape[1], b.shape[1])
        var out: [Double] = []
        for row in 0..<rows {
            for column in 0..<columns {
                out.append(
                    (0..<depth).reduce(0.0) {
                        $0 + a.elements[row * depth + $1] * b.elements[$1 * columns + column]
                    } * node.number("alpha", 1))
            }
        }
        let value = Value([rows, columns], out)
        guard inputs.count > 2 else { return value }
        return value.with(inputs[2].map { $0 * node.number("beta", 1) }, +)
    }

    private static func convolution(_ node: Node, _ inputs: [Value]) -> Value {
        let (x, w) = (inputs[0], inputs[1])
        let window = PlainWindow(node, x.shape, Array(w.shape[2...]))
        let groups = Int(node.number("group", 1))
        let (channels, outs) = (w.shape[1], w.shape[0])
        var out: [Double] = []
        for item in 0..<x.shape[0] {
            for o in 0..<outs {
                let first = o / (outs / groups) * channels
                for position in 0..<window.positions {
                    var sum = inputs.count > 2 ? inputs[2].elements[o] : 0
                    for (tap, place) in window.inside(position) {
                        for c in 0..<channels {
                            let plane = item * x.shape[1] + first + c
                            sum +=
                                x.elements[plane * window.plane + place]
                                * w.elements[(o * channels + c) * window.taps + tap]
                        }
                    }
                    out.append(sum)
                }
            }
        }
        return Value([x.shape[0], outs, window.out[0], window.out[1]], out)
    }

    private static func pool(_ node: Node, _ x: Value) -> Value {
        let window = PlainWindow(node, x.shape, node.list("kernel_shape"))
        let counts = node.number("count_include_pad", 0) != 0
        var out: [Double] = []
        for plane in 0..<(x.shape[0] * x.shape[1]) {
            for position in 0..<window.positions {
                let values = window.inside(position).map {
                    x.elements[plane * window.plane + $0.place]
                }
                out.append(
                    node.type == "MaxPool"
                        ? values.max() ?? 0
                        : values.reduce(0, +) / Double(counts ? window.taps : values.count))
            }
        }
        return Value([x.shape[0], x.shape[1], window.out[0], window.out[1]], out)
    }

    private static func normalized(_ inputs: [Value]) -> Value {
        var x = inputs[0]
        let inner = x.shape[2...].reduce(1, *)
        let channels = x.shape[1]
        for channel in 0..<channels {
            let places = x.elements.indices.filter { $0 / inner % channels == channel }
            let mean = places.reduce(0.0) { $0 + x.elements[$1] } / Double(places.count)
            let variance =
                places.reduce(0.0) {
                    $0 + (x.elements[$1] - mean) * (x.elements[$1] - mean)
                } / Double(places.count)
            let factor = inputs[1].elements[channel] / (variance + 1e-5).squareRoot()
            for place in places {
                x.elements[place] =
                    (x.elements[place] - mean) * factor + inputs[2].elements[channel]
            }
        }
        return x
    }
}

/// A window's positions over planes.
private struct PlainWindow {
    let (height, width): (Int, Int)
    let kernel: [Int]
    let out: [Int]
    let strides: [Int]
    let dilations: [Int]
    let pads: [Int]

    var taps: Int { kernel[0] * kernel[1] }
    var positions: Int { out[0] * out[1] }
    var plane: Int { height * width }

    init(_ node: Node, _ shape: [Int], _ kernel: [Int]) {
        self.kernel = kernel
        (height, width) = (shape[2], shape[3])
        let list = { (name: String, value: Int) -> [Int] in
            let found = node.list(name)
            return found.isEmpty ? Array(repeating: value, count: name == "pads" ? 4 : 2) : found
        }
        let (strides, dilations, pads) = (list("strides", 1), list("dilations", 1), list("pads", 0))
        out = (0..<2).map { axis in
            let reach = (kernel[axis] - 1) * dilations[axis] + 1
            return (shape[2 + axis] + pads[axis] + pads[2 + axis] - reach) / strides[axis] + 1
        }
        (self.strides, self.dilations, self.pads) = (strides, dilations, pads)
    }

    func inside(_ position: Int) -> [(tap: Int, place: Int)] {
        (0..<taps).compactMap { tap in
            let y =
                position / out[1] * strides[0] - pads[0] + tap / kernel[1] * dilations[0]
            let x =
                position % out[1] * strides[1] - pads[1] + tap % kernel[1] * dilations[1]
            guard (0..<height).contains(y), (0..<width).contains(x) else { return nil }
            return (tap, y * width + x)
        }
    }
}

extension DoubleNetwork.Value {
    typealias Value = DoubleNetwork.Value

    func map(_ function: (Double) -> Double) -> Value { Value(shape, elements.map(function)) }

    /// Elementwise, the other one repeated as its shape asks for.
    func with(_ other: Value, _ function: (Double, Double) -> Double) -> Value {
        let own = Array(repeating: 1, count: shape.count - other.shape.count) + other.shape
        var out = self
        for index in elements.indices {
            var rest = index
            var (place, stride) = (0, 1)
            for axis in shape.indices.reversed() {
                if own[axis] != 1 { place += rest % shape[axis] * stride }
                stride *= own[axis]
                rest /= shape[axis]
            }
            out.elements[index] = function(elements[index], other.elements[place])
        }
        return out
    }

    func transposed(_ order: [Int]) -> Value {
        let to = order.map { shape[$0] }
        var out = Value(to, elements)
        for index in elements.indices {
            var rest = index
            var at = Array(repeating: 0, count: to.count)
            for axis in to.indices.reversed() {
                at[order[axis]] = rest % to[axis]
                rest /= to[axis]
            }
            out.elements[index] = elements[zip(at, shape).reduce(0) { $0 * $1.1 + $1.0 }]
        }
        return out
    }
}

extension Node {
    fileprivate func list(_ name: String) -> [Int] {
        if case .ints(let values)? = attributes[name] { values } else { [] }
    }

    fileprivate func number(_ name: String, _ value: Double) -> Double {
        switch attributes[name] {
        case .int(let int)?: Double(int)
        case .float(let float)?: Double(float)
        default: value
        }
    }
}
