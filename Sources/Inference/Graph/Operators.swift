internal import Core

/// The operators this version computes, and from which operator set on each has the meaning that
/// it is given here.
public enum Operators {
    /// What one operator takes and how it is computed.
    struct Entry: Sendable {
        /// How an operator is computed.
        enum Body: Sendable {
            /// By steps for a device, which fold where their operands are known.
            case steps(@Sendable (inout Lowering, Operator) throws(Failure) -> Void)
            /// On the host, from the data of all inputs; nil where one is left out.
            case host(@Sendable (Operator, [Tensor?]) throws(Failure) -> [Tensor])
        }

        var opsets = 1...Int.max
        /// How many inputs it has; those of the lower bound may not be left out.
        var inputs: ClosedRange<Int>
        var outputs = 1...1
        /// Whether narrow floats are widened before it and its float32 results rounded to them.
        /// Operators that move elements, or convert them, take them as they are.
        var widens = true
        /// Whether it runs graphs of its own, and so is never computed ahead of its turn.
        var hasGraphs = false
        var body: Body
    }

    typealias Table = [String: Entry]

    /// An operator by steps.
    static func steps(
        _ inputs: ClosedRange<Int>, outputs: ClosedRange<Int> = 1...1, from opset: Int = 1,
        widens: Bool = true, hasGraphs: Bool = false,
        _ body: @escaping @Sendable (inout Lowering, Operator) throws(Failure) -> Void
    ) -> Entry {
        Entry(
            opsets: opset...Int.max, inputs: inputs, outputs: outputs, widens: widens,
            hasGraphs: hasGraphs, body: .steps(body))
    }

    /// An operator by steps with one result.
    static func value(
        _ inputs: ClosedRange<Int>, from opset: Int = 1, widens: Bool = true,
        _ body: @escaping @Sendable (inout Lowering, Operator) throws(Failure) -> Lowering.Value
    ) -> Entry {
        steps(inputs, from: opset, widens: widens) { (lowering, op) throws(Failure) in
            let value = try body(&lowering, op)
            try lowering.define(op, value)
        }
    }

    /// An operator that the host computes.
    static func host(
        _ inputs: ClosedRange<Int>, outputs: ClosedRange<Int> = 1...1, from opset: Int = 1,
        widens: Bool = true,
        _ body: @escaping @Sendable (Operator, [Tensor?]) throws(Failure) -> [Tensor]
    ) -> Entry {
        Entry(
            opsets: opset...Int.max, inputs: inputs, outputs: outputs, widens: widens,
            body: .host(body))
    }

    /// Every operator by name, other domains' with their domain before it.
    static let table: Table = [
        elementwise, logic, moves, shapes, indexing, hostIndexing, resampling, products, windows,
        reductions, control, sequences, quantized, detection, vision, signal, training,
        normalisations, attentions, recurrences, losses, contractions, fusions, random,
    ].reduce(into: [:]) { table, group in
        table.merge(group) { _, _ in preconditionFailure("an operator is in two groups") }
    }

    /// Names of all supported operators, sorted.
    public static var names: [String] { table.keys.sorted() }

    /// - Throws: ``Failure`` naming the node and its operator set when the operator is not
    ///   supported or has too few or too many inputs or outputs.
    static func check(_ node: Node, opset: Int) throws(Failure) {
        guard let entry = table[node.operatorName], entry.opsets.contains(opset) else {
            throw Failure(
                .unsupported,
                "\(node.place): operator \(node.operatorName.printable) of opset \(opset) is not "
                    + "supported")
        }
        guard entry.inputs.contains(node.inputs.count),
            entry.outputs.contains(node.outputs.count),
            node.inputs.prefix(entry.inputs.lowerBound).allSatisfy({ !$0.isEmpty }),
            node.outputs.isEmpty || node.outputs.contains(where: { !$0.isEmpty })
        else {
            throw Failure(
                .malformed,
                "\(node.place): \(node.inputs.count) inputs and \(node.outputs.count) outputs; "
                    + "\(text(entry.inputs)) and \(text(entry.outputs)) expected")
        }
    }

    private static func text(_ range: ClosedRange<Int>) -> String {
        range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
    }
}
