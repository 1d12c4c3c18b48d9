internal import Core

extension Operators {
    /// Losses, and choices of one class.
    static let losses: Table = [
        "Hardmax": value(1...1) { (lowering, op) throws(Failure) in try lowering.hardmax(op) },
        "NegativeLogLikelihoodLoss": value(2...3, from: 12) { (lowering, op) throws(Failure) in
            try lowering.loss(op, of: try op.floats(0))
        },
        "SoftmaxCrossEntropyLoss": steps(2...3, outputs: 1...2, from: 12) {
            (lowering, op) throws(Failure) in
            let scores = try op.floats(0)
            guard scores.shape.count >= 2 else {
                throw Failure(.malformed, "scores of \(scores.shape.text)")
            }
            let logarithms = try lowering.softmax(scores, axis: 1, isLogarithm: true)
            try lowering.define(op, try lowering.loss(op, of: logarithms))
            try lowering.define(op, logarithms, at: 1)
        },
    ]
}

extension Lowering {
    /// Of logarithms of probabilities by (items, classes, …), at the classes that input 1 names.
    mutating func loss(_ op: Operator, of logarithms: Value) throws(Failure) -> Value {
        let shape = logarithms.shape
        let targets = try op.input(1)
        let reduction = try op.string("reduction") ?? "mean"
        guard shape.count >= 2, targets.shape == [shape[0]] + shape[2...], !shape.contains(0),
            targets.type == .int32 || targets.type == .int64,
            ["none", "sum", "mean"].contains(reduction)
        else {
            throw Failure(
                .malformed,
                "\(shape.text), \(targets.type.name) \(targets.shape.text) and "
                    + "reduction \(reduction.printable)")
        }
        let wide = try reshaped(
            try cast(targets, to: .int64), [shape[0], 1] + shape[2...])
        let isTarget = try isChosen(wide, among: shape[1], axis: 1, rank: shape.count)
        let zero = try scalar(0, logarithms.type)
        // One class of each place is no zero, so that the sum is that class's number.
        let picked = try reduced(
            .sum, try choose(isTarget, logarithms, zero), axes: [1], keeps: false)
        var weights = try op.optional(2)
        if let given = weights {
            guard given.shape == [shape[1]] else {
                throw Failure(.malformed, "weights of \(given.shape.text)")
            }
            let byClass = try reshaped(given, [shape[1]] + shape[2...].map { _ in 1 })
            weights = try reduced(
                .sum, try choose(isTarget, byClass, zero), axes: [1], keeps: false)
        }
        if let ignored = try op.int("ignore_index") {
            let isIgnored = try binary(
                .equal, try cast(targets, to: .int64), integers([ignored], shape: []))
            var others = try scalar(1, logarithms.type)
            if let weights { others = weights }
            weights = try choose(isIgnored, zero, others)
        }
        var losses = try unary(.neg, picked)
        if let weights { losses = try multiplied(losses, weights) }
        let axes = Array(losses.shape.indices)
        switch reduction {
        case "none": return losses
        case "sum": return try reduced(.sum, losses, axes: axes, keeps: false)
        default:
            guard let weights else { return try reduced(.mean, losses, axes: axes, keeps: false) }
            let sum = try reduced(.sum, losses, axes: axes, keeps: false)
            return try binary(.div, sum, try reduced(.sum, weights, axes: axes, keeps: false))
        }
    }

    /// 1 at the first of the greatest elements, 0 elsewhere.
    mutating func hardmax(_ op: Operator) throws(Failure) -> Value {
        let x = try op.floats(0)
        let isOld = op.opset < 13
        let axis = try op.axis(try op.int("axis") ?? (isOld ? 1 : -1), rank: x.shape.count)
        if x.shape.contains(0) { return x }
        let outer = x.shape[..<axis].reduce(1, *)
        let count = isOld ? x.shape[axis...].reduce(1, *) : x.shape[axis]
        let inner = x.shape.elementCount / outer / count
        let best = try emit(
            .argument, [x], ints: [0, outer, count, inner, Int(x.type.rawValue)], type: .int64,
            shape: [outer, 1, inner])
        let isBest = try isChosen(best, among: count, axis: 1, rank: 3)
        let y = try choose(isBest, try scalar(1, x.type), try scalar(0, x.type))
        return try reshaped(y, x.shape)
    }
}
