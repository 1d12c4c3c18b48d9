internal import Core
internal import Inference

extension Gradients {
    /// Operators that take elements one by one. Where a function has a corner, the gradient there
    /// is 0.
    static let elementwise: [String: Rule] = [
        "Add": { (gradients, node, g) throws(Failure) in
            let shape = try gradients.shape(node.outputs[0])
            for name in node.inputs {
                try gradients.giveBroadcast(name, from: shape) { _ in g }
            }
        },
        "Sub": { (gradients, node, g) throws(Failure) in
            let shape = try gradients.shape(node.outputs[0])
            try gradients.giveBroadcast(node.inputs[0], from: shape) { _ in g }
            try gradients.giveBroadcast(node.inputs[1], from: shape) { $0.add("Neg", [g]) }
        },
        "Mul": { (gradients, node, g) throws(Failure) in
            let shape = try gradients.shape(node.outputs[0])
            let (x, y) = (node.inputs[0], node.inputs[1])
            try gradients.giveBroadcast(x, from: shape) { $0.add("Mul", [g, y]) }
            try gradients.giveBroadcast(y, from: shape) { $0.add("Mul", [g, x]) }
        },
        "Div": { (gradients, node, g) throws(Failure) in
            let shape = try gradients.shape(node.outputs[0])
            let y = node.inputs[1]
            try gradients.giveBroadcast(node.inputs[0], from: shape) { $0.add("Div", [g, y]) }
            try gradients.giveBroadcast(y, from: shape) { builder in
                let part = builder.add("Mul", [g, node.outputs[0]])
                return builder.add("Neg", [builder.add("Div", [part, y])])
            }
        },
        "Neg": { (gradients, node, g) throws(Failure) in
            try gradients.give(node.inputs[0]) { builder in builder.add("Neg", [g]) }
        },
        "Identity": { (gradients, node, g) throws(Failure) in
            try gradients.give(node.inputs[0]) { _ in g }
        },
        "Relu": { (gradients, node, g) throws(Failure) in
            try gradients.give(node.inputs[0]) { builder in
                let zero = builder.scalar(0)
                let isOpen = builder.add("Greater", [node.outputs[0], zero])
                return builder.add("Where", [isOpen, g, zero])
            }
        },
        "LeakyRelu": { (gradients, node, g) throws(Failure) in
            let alpha = node.float("alpha", default: 0.01)
            try gradients.give(node.inputs[0]) { builder in
                let isOpen = builder.add("Greater", [node.inputs[0], builder.scalar(0)])
                let scaled = builder.add("Mul", [g, builder.scalar(alpha)])
                return builder.add("Where", [isOpen, g, scaled])
            }
        },
        // What was clipped differs from what it is.
        "Clip": { (gradients, node, g) throws(Failure) in
            try gradients.give(node.inputs[0]) { builder in
                let isOpen = builder.add("Equal", [node.inputs[0], node.outputs[0]])
                return builder.add("Where", [isOpen, g, builder.scalar(0)])
            }
        },
        "Sigmoid": { (gradients, node, g) throws(Failure) in
            let y = node.outputs[0]
            try gradients.give(node.inputs[0]) { builder in
                let rest = builder.add("Sub", [builder.scalar(1), y])
                return builder.add("Mul", [g, builder.add("Mul", [y, rest])])
            }
        },
        "Tanh": { (gradients, node, g) throws(Failure) in
            let y = node.outputs[0]
            try gradients.give(node.inputs[0]) { builder in
                let square = builder.add("Mul", [y, y])
                let slope = builder.add("Sub", [builder.scalar(1), square])
                return builder.add("Mul", [g, slope])
            }
        },
        "Exp": { (gradients, node, g) throws(Failure) in
            try gradients.give(node.inputs[0]) { $0.add("Mul", [g, node.outputs[0]]) }
        },
        "Log": { (gradients, node, g) throws(Failure) in
            try gradients.give(node.inputs[0]) { $0.add("Div", [g, node.inputs[0]]) }
        },
        "Sqrt": { (gradients, node, g) throws(Failure) in
            try gradients.give(node.inputs[0]) { builder in
                let double = builder.add("Mul", [node.outputs[0], builder.scalar(2)])
                return builder.add("Div", [g, double])
            }
        },
        "Softmax": { (gradients, node, g) throws(Failure) in
            let rank = try gradients.shape(node.outputs[0]).count
            let axis = node.int("axis", default: -1)
            let y = node.outputs[0]
            try gradients.give(node.inputs[0]) { builder in
                let sum = builder.sum(
                    builder.add("Mul", [g, y]), axes: [axis < 0 ? axis + rank : axis], keeps: true)
                return builder.add("Mul", [y, builder.add("Sub", [g, sum])])
            }
        },
    ]

    /// Operators that move elements, and sums of them.
    static let moves: [String: Rule] = {
        var table: [String: Rule] = [
            "Transpose": { (gradients, node, g) throws(Failure) in
                let rank = try gradients.shape(node.inputs[0]).count
                let order = node.ints("perm") ?? Array((0..<rank).reversed())
                var back = Array(repeating: 0, count: rank)
                for (to, from) in order.enumerated() { back[from] = to }
                try gradients.give(node.inputs[0]) { builder in
                    builder.add("Transpose", [g], ["perm": .ints(back)])
                }
            },
            "Concat": { (gradients, node, g) throws(Failure) in
                let rank = try gradients.shape(node.outputs[0]).count
                var axis = node.int("axis", default: 0)
                if axis < 0 { axis += rank }
                var start = 0
                for name in node.inputs {
                    let count = try gradients.shape(name)[axis]
                    let from = start
                    try gradients.give(name) { builder in
                        builder.slice(g, axes: [axis], from: [from], to: [from + count])
                    }
                    start += count
                }
            },
            "ReduceMean": { (gradients, node, g) throws(Failure) in
                try gradients.spread(node, g, isMean: true)
            },
            "ReduceSum": { (gradients, node, g) throws(Failure) in
                try gradients.spread(node, g, isMean: false)
            },
            "GlobalAveragePool": { (gradients, node, g) throws(Failure) in
                try gradients.spread(node, g, isMean: true)
            },
        ]
        let reshape: Rule = { (gradients, node, g) throws(Failure) in
            let shape = try gradients.shape(node.inputs[0])
            try gradients.give(node.inputs[0]) { builder in builder.reshaped(g, shape) }
        }
        for name in ["Flatten", "Reshape", "Squeeze", "Unsqueeze"] { table[name] = reshape }
        return table
    }()

    /// Every element of what was summed has the sum's gradient, of a mean its share.
    private mutating func spread(_ node: Node, _ g: String, isMean: Bool) throws(Failure) {
        let shape = try shape(node.inputs[0])
        let out = try self.shape(node.outputs[0])
        guard node.int("noop_with_empty_axes", default: 0) == 0 else {
            throw Failure(.unsupported, "attribute \"noop_with_empty_axes\"")
        }
        // Which axes were summed is seen where they stay; where they do not, axes must be known.
        var kept = out
        if out.count != shape.count {
            let given: [Int]?
            if let name = node.input(1) {
                given = builder.constants[name]?.integers?.map(Int.init)
            } else {
                given = node.ints("axes") ?? Array(shape.indices)
            }
            guard let given else { throw Failure(.unsupported, "axes that are not constant") }
            let axes = Set(given.map { $0 < 0 ? $0 + shape.count : $0 })
            kept = shape.indices.map { axes.contains($0) ? 1 : shape[$0] }
        }
        let count = shape.elementCount / max(1, out.elementCount)
        try give(node.inputs[0]) { builder in
            var value = g
            if isMean { value = builder.add("Div", [value, builder.scalar(Float(count))]) }
            if kept != out { value = builder.reshaped(value, kept) }
            return builder.add("Expand", [value, builder.integers(shape)])
        }
    }
}
