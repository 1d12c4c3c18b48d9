internal import Core
internal import Inference

extension Gradients {
    /// Products of matrices.
    static let products: [String: Rule] = [
        "Gemm": { (gradients, node, g) throws(Failure) in
            let (a, b) = (node.inputs[0], node.inputs[1])
            let flipsA = node.int("transA", default: 0)
            let flipsB = node.int("transB", default: 0)
            let alpha = Node.Attribute.float(node.float("alpha", default: 1))
            func product(
                _ builder: inout GraphBuilder, _ x: String, _ flipsX: Int, _ y: String,
                _ flipsY: Int
            ) -> String {
                builder.add(
                    "Gemm", [x, y],
                    ["transA": .int(flipsX), "transB": .int(flipsY), "alpha": alpha])
            }
            try gradients.give(a) { builder in
                flipsA == 0
                    ? product(&builder, g, 0, b, 1 - flipsB)
                    : product(&builder, b, flipsB, g, 1)
            }
            try gradients.give(b) { builder in
                flipsB == 0
                    ? product(&builder, a, 1 - flipsA, g, 0)
                    : product(&builder, g, 1, a, flipsA)
            }
            guard let c = node.input(2) else { return }
            let beta = node.float("beta", default: 1)
            let shape = try gradients.shape(node.outputs[0])
            try gradients.giveBroadcast(c, from: shape) { builder in
                beta == 1 ? g : builder.add("Mul", [g, builder.scalar(beta)])
            }
        },
        "MatMul": { (gradients, node, g) throws(Failure) in
            let (a, b) = (node.inputs[0], node.inputs[1])
            let (shapeA, shapeB) = (try gradients.shape(a), try gradients.shape(b))
            let rank = shapeA.count
            if shapeB.count == 2, rank >= 2 {
                let (depth, columns) = (shapeB[0], shapeB[1])
                let rows = shapeA.dropLast().reduce(1, *)
                try gradients.give(a) { builder in
                    let flat = rank == 2 ? g : builder.reshaped(g, [rows, columns])
                    let product = builder.add("Gemm", [flat, b], ["transB": .int(1)])
                    return rank == 2 ? product : builder.reshaped(product, shapeA)
                }
                try gradients.give(b) { builder in
                    let flat = rank == 2 ? g : builder.reshaped(g, [rows, columns])
                    let x = rank == 2 ? a : builder.reshaped(a, [rows, depth])
                    return builder.add("Gemm", [x, flat], ["transA": .int(1)])
                }
                return
            }
            guard shapeA.count == shapeB.count, rank >= 3, shapeA.dropLast(2) == shapeB.dropLast(2)
            else {
                throw Failure(
                    .unsupported,
                    "\(shapeA.text) times \(shapeB.text): as many axes, or two of the second, "
                        + "expected")
            }
            let order = Array(0..<(rank - 2)) + [rank - 1, rank - 2]
            try gradients.give(a) { builder in
                let turned = builder.add("Transpose", [b], ["perm": .ints(order)])
                return builder.add("MatMul", [g, turned])
            }
            try gradients.give(b) { builder in
                let turned = builder.add("Transpose", [a], ["perm": .ints(order)])
                return builder.add("MatMul", [turned, g])
            }
        },
        "Conv": { (gradients, node, g) throws(Failure) in
            let shape = try Convolution(
                node, x: try gradients.shape(node.inputs[0]),
                weights: try gradients.shape(node.inputs[1]),
                out: try gradients.shape(node.outputs[0]))
            try gradients.give(node.inputs[0]) { builder in
                shape.inputGradient(&builder, weights: node.inputs[1], g)
            }
            try gradients.give(node.inputs[1]) { builder in
                shape.weightGradient(&builder, x: node.inputs[0], g)
            }
            guard let bias = node.input(2) else { return }
            try gradients.give(bias) { builder in
                let axes = (0..<shape.x.count).filter { $0 != 1 }
                return builder.sum(g, axes: axes, keeps: false)
            }
        },
    ]

    /// Pools.
    static let windows: [String: Rule] = [
        "MaxPool": { (gradients, node, g) throws(Failure) in
            let attributes = try node.poolAttributes(gradients.shape(node.inputs[0]))
            try gradients.give(node.inputs[0]) { builder in
                builder.add(
                    "MaxPoolGradient", [node.inputs[0], node.outputs[0], g], attributes,
                    domain: "ai.rigor")
            }
        },
        "AveragePool": { (gradients, node, g) throws(Failure) in
            let attributes = try node.poolAttributes(gradients.shape(node.inputs[0]))
            try gradients.give(node.inputs[0]) { builder in
                builder.add(
                    "AveragePoolGradient", [node.inputs[0], g], attributes, domain: "ai.rigor")
            }
        },
    ]
}

extension Node {
    /// - Parameter shape: of the planes.
    fileprivate func poolAttributes(_ shape: [Int]) throws(Failure) -> [String: Attribute] {
        guard shape.count == 3 || shape.count == 4 else {
            throw Failure(
                .unsupported, "\(shape.count - 2) axes under a window; 1 or 2 expected")
        }
        return attributes
    }
}
