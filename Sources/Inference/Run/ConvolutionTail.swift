internal import Compute
internal import Core

/// Elementwise steps that a convolution takes in, as `convolve_tail.cl` computes them.
/// Each sum is multiplied and added to by channel, then another tensor of its shape is added, then
/// the activation follows, then a product and a sum again.
struct ConvolutionTail {
    /// The convolution and what follows it.
    let steps: Range<Int>
    /// Number of the buffer that the last step writes.
    private(set) var result: Int
    /// The activation's number, and its limits.
    private(set) var activation = 0
    private(set) var low: Float = 0
    private(set) var high: Float = 0
    /// Factors and addends, before the activation and behind it; nil where there are none.
    private var numbers: [[Float]?] = [nil, nil, nil, nil]
    /// The buffer of the tensor that is added.
    private(set) var other: Int?
    /// Whether a tensor may be added: where tiles take neighbouring places of the output.
    private let takesOther: Bool
    private let channels: Int
    private let pixels: Int
    private var isActivated = false
    /// Buffers of the results so far.
    private var made: Set<Int> = []

    /// Behind the last channel, as many as a work-item reads.
    private static let slack = 64
    private static let hardSwish = 3
    /// The bit beside those of the four rows.
    private static let addsOther = 16
    /// Vectors of a tensor that is added do not reach beyond it then.
    private static let pixelsMin = 64

    /// - Parameters:
    ///   - chain: what follows the convolution.
    ///   - readers: the last step that reads each step's result.
    /// - Returns: nil where the steps are others, or would write what the convolution reads.
    init?(_ index: Int, _ chain: Chain, _ plan: Plan, _ readers: [Int], on gemm: Gemm) {
        let convolution = plan.steps[index]
        guard let shape = ConvolutionShape(convolution.ints), shape.activation == 0,
            chain.steps.lowerBound == index + 1, !shape.window.isWhole, shape.window.taps <= 256,
            (index..<chain.steps.upperBound - 1).allSatisfy({
                readers[$0] < chain.steps.upperBound
            })
        else { return nil }
        channels = shape.groups * shape.outChannels
        pixels = shape.window.outPixels
        let window = shape.window
        let isByRows =
            gemm.usesLanes(shape) && !gemm.isDepthwise(shape)
            && LanesTiles.isByRows(window)
        let isPointwise =
            window.taps == 1 && window.strideY * window.strideX == 1
            && window.top + window.left == 0 && window.outPixels == window.pixels
            && shape.depth > 1 && pixels >= Self.pixelsMin
        let isTiled = gemm.takesTiles(shape)
        guard gemm.device.description.kind == .cpu || isTiled else { return nil }
        takesOther = isTiled || isPointwise || isByRows
        guard chain.elements == shape.items * channels * pixels else { return nil }
        steps = index..<chain.steps.upperBound
        result = convolution.result
        made = [result]
        var next = chain.steps.lowerBound
        while next < steps.upperBound {
            let rest = plan.steps[next..<steps.upperBound]
            guard let taken = takeHardSwish(rest, plan) ?? take(plan.steps[next], plan) else {
                return nil
            }
            made.formUnion(plan.steps[next..<next + taken].map(\.result))
            next += taken
            result = plan.steps[next - 1].result
        }
        guard !convolution.operands.contains(result), other != result else { return nil }
    }

    /// A sum with a tensor of the same shape, that no step of these computes.
    private mutating func takeOther(_ step: Step, _ plan: Plan) -> Bool {
        guard takesOther, !isActivated, other == nil, operation(step) == .add,
            let place = step.operands.firstIndex(of: result), step.operands.count == 2,
            let lists = try? step.lists(from: 2, parts: 3),
            lists.dropFirst().allSatisfy({
                Chain.pattern(Array(lists[0]), Array($0)) == .whole
            })
        else { return false }
        let number = step.operands[1 - place]
        guard !made.contains(number), plan.constants[number] == nil else { return false }
        other = number
        return true
    }

    /// x · clip(x + 3, 0, 6) / 6, as exporters write it.
    private mutating func takeHardSwish(_ steps: ArraySlice<Step>, _ plan: Plan) -> Int? {
        let steps = Array(steps.prefix(4))
        guard steps.count == 4, !isActivated, other == nil,
            operation(steps[0]) == .add, number(steps[0], beside: result, plan) == 3,
            steps[1].kind == .unary, UnaryOperation(rawValue: steps[1].ints[0]) == .clip,
            steps[1].floats == [0, 6], steps[1].operands == [steps[0].result],
            operation(steps[2]) == .mul,
            Set(steps[2].operands) == [result, steps[1].result],
            steps[0].result != result, steps[1].result != result,
            operation(steps[3]) == .div, steps[3].operands[0] == steps[2].result,
            number(steps[3], beside: steps[2].result, plan) == 6
        else { return nil }
        activation = Self.hardSwish
        isActivated = true
        return 4
    }

    /// The one number that a step takes beside a value.
    private func number(_ step: Step, beside value: Int, _ plan: Plan) -> Float? {
        let values = self.values(step, beside: value, plan)
        return values?.allSatisfy { $0 == values?.first } ?? false ? values?.first : nil
    }

    private func operation(_ step: Step) -> BinaryOperation? {
        step.kind == .binary && Chain.isFloat(step.ints, at: 1)
            ? BinaryOperation(rawValue: step.ints[0]) : nil
    }

    /// Numbers by channel that a step of two operands takes beside a value.
    private func values(_ step: Step, beside value: Int, _ plan: Plan) -> [Float]? {
        guard let place = step.operands.firstIndex(of: value), step.operands.count == 2,
            let constant = plan.constants[step.operands[1 - place]]?.floats,
            let lists = try? step.lists(from: 2, parts: 3),
            Chain.pattern(Array(lists[0]), Array(lists[1 + place])) == .whole,
            let pattern = Chain.pattern(Array(lists[0]), Array(lists[2 - place]))
        else { return nil }
        if pattern.count == 1, let one = constant.first {
            return Array(repeating: one, count: channels)
        }
        let isByChannel =
            pattern.inner == pixels && pattern.count == channels && constant.count == channels
        return isByChannel ? constant : nil
    }

    private mutating func take(_ step: Step, _ plan: Plan) -> Int? {
        if step.kind == .unary, !isActivated, step.operands == [result] {
            switch UnaryOperation(rawValue: step.ints[0]) {
            case .relu: activation = 1
            case .clip: (activation, low, high) = (2, step.floats[0], step.floats[1])
            default: return nil
            }
            isActivated = true
            return 1
        }
        if takeOther(step, plan) { return 1 }
        let place = isActivated ? 2 : 0
        if other != nil { return nil }
        guard let operation = operation(step), numbers[place + 1] == nil,
            let values = values(step, beside: result, plan)
        else { return nil }
        switch operation {
        case .mul where numbers[place] == nil: numbers[place] = values
        case .add: numbers[place + 1] = values
        default: return nil
        }
        return 1
    }

    /// Which factors and addends there are, as bits.
    var parts: Int {
        numbers.enumerated().reduce(other == nil ? 0 : Self.addsOther) {
            $1.element == nil ? $0 : $0 | 1 << $1.offset
        }
    }

    /// Whether sums that are 0 and -0 have the same results.
    var hidesZeros: Bool {
        let isFinite = numbers[0]?.allSatisfy(\.isFinite) ?? true
        let negativeZero = (-Float.zero).bitPattern
        return isFinite && (numbers[1]?.allSatisfy { $0.bitPattern != negativeZero } ?? false)
    }

    /// Whether nothing follows but factors, addends and bounds.
    var isPlain: Bool {
        activation != Self.hardSwish && other == nil && numbers[2...].allSatisfy { $0 == nil }
    }

    /// Whether there are neither factors nor addends by channel.
    var hasNoNumbers: Bool { numbers.allSatisfy { $0 == nil } }

    /// Floats of each row of the table.
    var stride: Int { channels + Self.slack }

    /// Factors and addends in four rows.
    var table: [Float] {
        numbers.enumerated().flatMap { row, values in
            let none: Float = row % 2 == 0 ? 1 : 0
            let filled = values ?? Array(repeating: none, count: channels)
            return filled + Array(repeating: none, count: Self.slack)
        }
    }

    /// The tails of a plan, by the convolution's index.
    static func tails(of plan: Plan, _ chains: [Int: Chain], on gemm: Gemm) -> [Int: Self] {
        guard !chains.isEmpty else { return [:] }
        let readers = Chain.lastReaders(plan)
        var tails: [Int: Self] = [:]
        for (index, step) in plan.steps.enumerated() where step.kind == .convolve {
            guard let chain = chains[index + 1] else { continue }
            tails[index] = Self(index, chain, plan, readers, on: gemm)
        }
        return tails
    }
}

/// What follows the sums of a convolution or a product, as kernels are told of it.
struct ConvolutionAfter {
    /// The activation's number, and its limits.
    var activation = 0
    var low: Float = 0
    var high: Float = 0
    /// Factors and addends in rows, `stride` apart, and which of them there are.
    var table: any ComputeBuffer
    var stride = 0
    var parts = 0
    /// The tensor that is added.
    var other: any ComputeBuffer

    /// - Parameter any: stands for what there is not.
    init(_ activation: Gemm.Activation, any: any ComputeBuffer) {
        (table, other) = (any, any)
        switch activation {
        case .none: break
        case .relu: self.activation = 1
        case .clip(let low, let high): (self.activation, self.low, self.high) = (2, low, high)
        }
    }

    /// All but the tensor.
    var arguments: [KernelArgument] {
        [
            .int(Int32(activation)), .float(low), .float(high), .buffer(table),
            .int(Int32(stride)), .int(Int32(parts)),
        ]
    }
}

extension Session {
    /// What a convolution's kernel is told of the steps behind it.
    ///
    /// - Parameter any: stands for what there is not.
    func after(
        _ tail: ConvolutionTail?, _ step: Step, _ shape: ConvolutionShape, any: any ComputeBuffer
    ) throws(Failure) -> ConvolutionAfter {
        var after = ConvolutionAfter(activation(shape.activation, step.floats), any: any)
        guard let tail else { return after }
        (after.activation, after.low, after.high) = (tail.activation, tail.low, tail.high)
        (after.stride, after.parts) = (tail.stride, tail.parts)
        if let other = tail.other { after.other = try buffer(other) }
        if tail.hasNoNumbers { return after }
        if let known = tables[tail.steps.lowerBound + 1] {
            after.table = known
        } else {
            after.table = try device.makeBuffer(tail.table)
            tables[tail.steps.lowerBound + 1] = after.table
        }
        return after
    }
}
