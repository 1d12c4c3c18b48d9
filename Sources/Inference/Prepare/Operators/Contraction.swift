internal import Core

extension Operators {
    /// Sums over indices that a node spells out.
    static let contractions: Table = [
        "Einsum": value(1...1024, from: 12) { (lowering, op) throws(Failure) in
            try lowering.einsum(op)
        }
    ]
}

/// An operand of a contraction: each axis has a label of its own.
private struct Labelled {
    var value: Lowering.Value
    var labels: [String]
}

/// `ab,bc->ac`. Axes that an ellipsis stands for are labelled by their place from the last.
private struct Equation {
    var operands: [[String]]
    var result: [String]

    init(_ text: String, ranks: [Int]) throws(Failure) {
        let text = text.filter { $0 != " " }
        let wrong = Failure(.malformed, "equation \"\(text.printable)\"")
        let sides = text.split(separator: "->", omittingEmptySubsequences: false)
        let terms = sides[0].split(separator: ",", omittingEmptySubsequences: false)
        guard sides.count <= 2, terms.count == ranks.count else { throw wrong }
        operands = []
        for (term, rank) in zip(terms, ranks) {
            let letters = term.filter { $0 != "." }.count
            operands.append(try Self.labels(String(term), ellipsis: rank - letters, wrong))
            guard operands[operands.count - 1].count == rank else { throw wrong }
        }
        let all = operands.flatMap { $0 }
        // An ellipsis has at most nine axes, so that labels sort by their places.
        let hidden = Set(all.filter { $0.count > 1 }).sorted(by: >)
        if sides.count == 2 {
            result = try Self.labels(String(sides[1]), ellipsis: hidden.count, wrong)
        } else {
            let once = Set(all.filter { $0.count == 1 }).filter { label in
                all.filter { $0 == label }.count == 1
            }
            result = hidden + once.sorted()
        }
        guard Set(result).count == result.count, Set(result).isSubset(of: all) else { throw wrong }
    }

    private static func labels(
        _ term: String, ellipsis: Int, _ wrong: Failure
    ) throws(Failure) -> [String] {
        var labels: [String] = []
        let parts = term.split(separator: "...", omittingEmptySubsequences: false)
        guard parts.count <= 2, ellipsis >= 0, ellipsis <= Shape.rankMax else { throw wrong }
        for (index, part) in parts.enumerated() {
            guard part.allSatisfy({ $0.isLetter && $0.isASCII }) else { throw wrong }
            if index == 1 { labels += (0..<ellipsis).reversed().map { "…\($0)" } }
            labels += part.map(String.init)
        }
        return labels
    }
}

extension Lowering {
    mutating func einsum(_ op: Operator) throws(Failure) -> Value {
        let values = try op.all()
        guard let text = try op.string("equation") else {
            throw Failure(.malformed, "attribute \"equation\" expected")
        }
        let equation = try Equation(text, ranks: values.map(\.shape.count))
        var sizes: [String: Int] = [:]
        for (value, labels) in zip(values, equation.operands) {
            guard value.type == values[0].type else {
                throw Failure(.malformed, "operands of one type expected")
            }
            for (size, label) in zip(value.shape, labels) where size != 1 {
                guard sizes[label] ?? size == size else {
                    throw Failure(.malformed, "axes \(label) of \(sizes[label] ?? 0) and \(size)")
                }
                sizes[label] = size
            }
        }
        var operands: [Labelled] = []
        for (value, labels) in zip(values, equation.operands) {
            operands.append(try diagonal(value, labels, sizes))
        }
        var sum = operands.removeFirst()
        while !operands.isEmpty {
            let next = operands.removeFirst()
            let later = Set(equation.result + operands.flatMap(\.labels))
            sum = try contracted(sum, next, keeping: later)
        }
        sum = try summed(sum, keeping: Set(equation.result))
        // Axes of 1 come back, and all in the order asked for.
        let order = equation.result.compactMap { sum.labels.firstIndex(of: $0) }
        return try reshaped(
            try transposed(sum.value, order), equation.result.map { sizes[$0] ?? 1 })
    }

    /// A label that is given twice takes the diagonal; axes of 1 go.
    private mutating func diagonal(
        _ x: Value, _ labels: [String], _ sizes: [String: Int]
    ) throws(Failure) -> Labelled {
        var kept: [String] = []
        var axes: [Int] = []
        var strides: [Int] = []
        for (axis, label) in labels.enumerated() where x.shape[axis] != 1 {
            if let place = kept.firstIndex(of: label) {
                strides[place] += x.shape.strides[axis]
            } else {
                kept.append(label)
                axes.append(x.shape[axis])
                strides.append(x.shape.strides[axis])
            }
        }
        return Labelled(value: try view(x, axes: axes, strides: strides), labels: kept)
    }

    /// Sums over the labels that nothing asks for.
    private mutating func summed(
        _ x: Labelled, keeping: Set<String>
    ) throws(Failure) -> Labelled {
        let axes = x.labels.indices.filter { !keeping.contains(x.labels[$0]) }
        if axes.isEmpty { return x }
        return Labelled(
            value: try reduced(.sum, x.value, axes: axes, keeps: false),
            labels: x.labels.filter(keeping.contains))
    }

    /// The product of two operands, summed over what only they have.
    private mutating func contracted(
        _ a: Labelled, _ b: Labelled, keeping: Set<String>
    ) throws(Failure) -> Labelled {
        let a = try summed(a, keeping: keeping.union(b.labels))
        let b = try summed(b, keeping: keeping.union(a.labels))
        let common = a.labels.filter(b.labels.contains)
        let batch = common.filter(keeping.contains)
        let inner = common.filter { !keeping.contains($0) }
        let rows = a.labels.filter { !common.contains($0) }
        let columns = b.labels.filter { !common.contains($0) }
        let left = try ordered(a, batch, rows, inner)
        let right = try ordered(b, batch, columns, inner)
        func size(_ labels: [String], _ x: Labelled) -> [Int] {
            labels.compactMap { x.labels.firstIndex(of: $0) }.map { x.value.shape[$0] }
        }
        let value: Value
        if !inner.isEmpty, a.value.type == .float32 || a.value.type == .double {
            value = try product(left, right, flipsB: true)
        } else {
            let (l, r) = (left.shape, right.shape)
            let products = try multiplied(
                try reshaped(left, [l[0], l[1], 1, l[2]]),
                try reshaped(right, [r[0], 1, r[1], r[2]]))
            value =
                inner.isEmpty
                ? products : try reduced(.sum, products, axes: [3], keeps: false)
        }
        let shape = size(batch, a) + size(rows, a) + size(columns, b)
        return Labelled(value: try reshaped(value, shape), labels: batch + rows + columns)
    }

    /// Three axes: each the product of a group of labels.
    private mutating func ordered(
        _ x: Labelled, _ groups: [String]...
    ) throws(Failure) -> Value {
        let places = groups.map { $0.compactMap { x.labels.firstIndex(of: $0) } }
        let moved = try transposed(x.value, places.flatMap { $0 })
        return try reshaped(
            moved, places.map { $0.reduce(1) { $0 * x.value.shape[$1] } })
    }
}
