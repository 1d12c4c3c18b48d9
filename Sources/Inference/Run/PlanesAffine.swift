internal import Compute
internal import Core

/// A chain that scales and shifts planes by channel: see `Kernels/inference/planes.cl`.
struct PlanesAffine {
    var x = 0
    var result = 0
    /// Numbers of the operands, of one number a channel.
    var scale: Int?
    var shift: Int?
    var factor: Int?
    var addend: Int?
    var activation: Gemm.Activation?
    let channels: Int
    let pixels: Int
    let planes: Int

    /// Where work-items would be too few, or vectors too empty, chains do better.
    private static let planesMin = 16
    private static let pixelsMin = 16

    /// - Parameters:
    ///   - steps: a chain's, whose last one alone has a result that others read.
    ///   - patterns: how each step's operands repeat.
    /// - Returns: nil where the steps are others, or in another order.
    init?(_ steps: ArraySlice<Step>, _ patterns: [[Chain.Pattern]], elements: Int) {
        guard let repeating = patterns.joined().first(where: { $0 != .whole }),
            repeating.inner >= Self.pixelsMin,
            patterns.joined().allSatisfy({ $0 == .whole || $0 == repeating }),
            let head = steps.first,
            let place = patterns.first?.firstIndex(of: .whole)
        else { return nil }
        (channels, pixels) = (repeating.count, repeating.inner)
        planes = elements / pixels
        guard planes >= Self.planesMin, planes * pixels == elements else { return nil }
        x = head.operands[place]
        result = x
        for (step, patterns) in zip(steps, patterns) {
            guard take(step, patterns) else { return nil }
            result = step.result
        }
    }

    /// Whether a step fits behind those before it.
    private mutating func take(_ step: Step, _ patterns: [Chain.Pattern]) -> Bool {
        guard let place = patterns.firstIndex(of: .whole), step.operands[place] == result,
            patterns.filter({ $0 == .whole }).count == 1, activation == nil
        else { return false }
        switch step.kind {
        case .affine:
            guard scale == nil, factor == nil, addend == nil else { return false }
            (scale, shift) = (step.operands[1], step.operands[2])
        case .binary:
            guard addend == nil else { return false }
            switch BinaryOperation(rawValue: step.ints[0]) {
            case .mul where factor == nil: factor = step.operands[1 - place]
            case .add: addend = step.operands[1 - place]
            default: return false
            }
        case .unary:
            switch UnaryOperation(rawValue: step.ints[0]) {
            case .relu: activation = .relu
            case .clip: activation = .clip(low: step.floats[0], high: step.floats[1])
            default: return false
            }
        default: return false
        }
        return true
    }
}

extension Session {
    /// Puts scales and shifts of planes on the queue.
    func launch(_ affine: PlanesAffine) throws(Failure) {
        let x = try buffer(affine.x)
        // What is not asked for stands for any buffer.
        func operand(_ number: Int?) throws(Failure) -> KernelArgument {
            .buffer(try number.map { (number) throws(Failure) in try buffer(number) } ?? x)
        }
        let parts: [Int?] = [affine.scale, affine.factor, affine.addend]
        let steps = zip([1, 2, 4], parts).reduce(0) { $1.1 == nil ? $0 : $0 + $1.0 }
        // Enough parts for all processors, each worth its start.
        let each = max(
            1,
            min(
                affine.planes / WindowLayout.groupsWanted,
                Self.affineElements.dividedUp(by: affine.pixels)))
        try device.launch(
            "planes_affine", of: try programs.family(.convolutions),
            global: [affine.planes.dividedUp(by: each)], local: [1],
            arguments: [
                .buffer(x), .buffer(try buffer(affine.result)), try operand(affine.scale),
                try operand(affine.shift), try operand(affine.factor),
                try operand(affine.addend), .int(Int32(steps)), .int(Int32(affine.channels)),
                .int(Int32(affine.pixels)), .int(Int32(affine.planes)), .int(Int32(each)),
            ] + (affine.activation ?? .none).arguments)
    }

    /// What one work-item takes at least: some microseconds.
    private static let affineElements = 16_384
}
