internal import Core

/// The operators this version computes, and from which operator set on each has the meaning that
/// it is given here.
public enum Operators {
    struct Signature {
        var opsets: ClosedRange<Int>
        var inputs: ClosedRange<Int>
        var outputs: ClosedRange<Int>
    }

    private static func one(
        _ inputs: ClosedRange<Int>, from opset: Int = 1, through last: Int = 99,
        outputs: ClosedRange<Int> = 1...1
    ) -> Signature {
        Signature(opsets: opset...last, inputs: inputs, outputs: outputs)
    }

    /// Every operator by name.
    static let table: [String: Signature] = [
        "Abs": one(1...1), "Add": one(2...2), "And": one(2...2), "ArgMax": one(1...1),
        "ArgMin": one(1...1), "AveragePool": one(1...1),
        "BatchNormalization": one(5...5, outputs: 1...5), "Cast": one(1...1), "Ceil": one(1...1),
        "Clip": one(1...3), "Concat": one(1...1024), "Constant": one(0...0),
        "ConstantOfShape": one(1...1), "Conv": one(2...3), "Cos": one(1...1), "Div": one(2...2),
        "Dropout": one(1...3, outputs: 1...2), "Elu": one(1...1), "Equal": one(2...2),
        "Erf": one(1...1), "Exp": one(1...1), "Expand": one(2...2), "Flatten": one(1...1),
        "Floor": one(1...1), "Gather": one(2...2), "Gemm": one(2...3),
        "GlobalAveragePool": one(1...1), "GlobalMaxPool": one(1...1), "Greater": one(2...2),
        "GreaterOrEqual": one(2...2), "HardSigmoid": one(1...1), "HardSwish": one(1...1),
        "Identity": one(1...1), "LRN": one(1...1), "LeakyRelu": one(1...1), "Less": one(2...2),
        "LessOrEqual": one(2...2), "Log": one(1...1), "LogSoftmax": one(1...1),
        "MatMul": one(2...2), "Max": one(1...1024), "MaxPool": one(1...1), "Min": one(1...1024),
        "Mul": one(2...2), "Neg": one(1...1), "Not": one(1...1), "Or": one(2...2),
        "PRelu": one(2...2), "Pad": one(1...4), "Pow": one(2...2), "Reciprocal": one(1...1),
        "ReduceMax": one(1...2), "ReduceMean": one(1...2), "ReduceMin": one(1...2),
        "ReduceProd": one(1...2), "ReduceSum": one(1...2), "Relu": one(1...1),
        "Reshape": one(2...2), "Shape": one(1...1), "Sigmoid": one(1...1), "Sin": one(1...1),
        "Slice": one(1...5), "Softmax": one(1...1), "Split": one(1...2, outputs: 1...1024),
        "Sqrt": one(1...1), "Squeeze": one(1...2), "Sub": one(2...2), "Sum": one(1...1024),
        "Tanh": one(1...1), "Transpose": one(1...1), "Unsqueeze": one(1...2),
        "Where": one(3...3), "Xor": one(2...2),
    ]

    /// Names of all supported operators, sorted.
    public static var names: [String] { table.keys.sorted() }

    /// - Throws: ``Failure`` naming the node and its operator set when the operator is not
    ///   supported or has too few or too many inputs or outputs.
    static func check(_ node: Node, opset: Int) throws(Failure) {
        guard let signature = table[node.type], signature.opsets.contains(opset) else {
            throw Failure(
                .unsupported,
                "\(node.place): operator \(node.type.printable) of opset \(opset) is not supported")
        }
        guard signature.inputs.contains(node.inputs.count),
            signature.outputs.contains(node.outputs.count),
            node.inputs.prefix(signature.inputs.lowerBound).allSatisfy({ !$0.isEmpty }),
            node.outputs.first?.isEmpty == false
        else {
            throw Failure(
                .malformed,
                "\(node.place): \(node.inputs.count) inputs and \(node.outputs.count) outputs; "
                    + "\(text(signature.inputs)) and \(text(signature.outputs)) expected")
        }
    }

    private static func text(_ range: ClosedRange<Int>) -> String {
        range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
    }
}
