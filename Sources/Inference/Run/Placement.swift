internal import Compute

/// Where convolutions write what a concatenation behind them would copy: at its place
/// in the concatenation's result.
struct Placement {
    /// The concatenation's buffer, and the element of it that the convolution's first one is.
    struct Place {
        var buffer: Int
        var offset: Int
    }

    /// By the convolution's index.
    private(set) var places: [Int: Place] = [:]
    /// Operands of concatenations that lie where they belong, by position.
    private(set) var placed: [Int: Set<Int>] = [:]

    /// - Parameter tails: what convolutions take in, by the convolution's index.
    static func found(
        in plan: Plan, _ tails: [Int: ConvolutionTail], on gemm: Gemm
    ) -> Placement {
        var found = Placement()
        var ends: [Int: Int] = [:]
        for (index, tail) in tails { ends[tail.steps.upperBound - 1] = index }
        var makers: [Int: Int] = [:]
        for (index, step) in plan.steps.enumerated() {
            defer { makers[step.result] = index }
            guard step.kind == .concat, step.ints[1] == 1, Chain.isFloat(step.ints, at: 0) else {
                continue
            }
            var offset = 0
            for (position, operand) in step.operands.enumerated() {
                defer { offset += step.ints[2 + position] }
                guard let end = makers[operand] else { continue }
                let first = ends[end] ?? end
                guard plan.steps[first].kind == .convolve,
                    let shape = ConvolutionShape(plan.steps[first].ints), !shape.isOneProduct,
                    gemm.isPlaced(shape),
                    !gemm.isDepthwise(shape), shape.outCount == step.ints[2 + position],
                    (tails[first]?.steps.upperBound ?? first + 1) == end + 1,
                    tails[first]?.other == nil,
                    isFree(step.result, in: plan.steps[first..<index]),
                    reads(plan, operand, behind: end) == [index]
                else { continue }
                found.places[first] = Place(buffer: step.result, offset: offset)
                found.placed[index, default: []].insert(position)
            }
        }
        return found
    }

    /// Whether no step reads or writes a buffer.
    private static func isFree(_ buffer: Int, in steps: ArraySlice<Step>) -> Bool {
        steps.allSatisfy { $0.result != buffer && !$0.operands.contains(buffer) }
    }

    /// Every use of what a step writes to a buffer; the count of steps stands for plan's results.
    private static func reads(_ plan: Plan, _ buffer: Int, behind index: Int) -> [Int] {
        var reads: [Int] = []
        for next in plan.steps.indices[(index + 1)...] {
            reads += plan.steps[next].operands.filter { $0 == buffer }.map { _ in next }
            if plan.steps[next].result == buffer { return reads }
        }
        return plan.outputs.contains { $0.buffer == buffer } ? reads + [plan.steps.count] : reads
    }
}

extension Gemm {
    /// Whether a convolution can write anywhere in a buffer.
    fileprivate func isPlaced(_ shape: ConvolutionShape) -> Bool {
        device.description.kind == .cpu || takesTiles(shape)
    }
}

extension ConvolutionShape {
    /// Elements of the result.
    fileprivate var outCount: Int { items * groups * outChannels * window.outPixels }
}
