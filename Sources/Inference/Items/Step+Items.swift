internal import Core

// What a step does for one item of a batch.
extension Step {
    /// The step as it would be for one item, where it does for each what it does for all, from that
    /// item's part of its operands alone.
    ///
    /// - Parameters:
    ///   - inners: elements of one item without a gap, for each operand; nil where all items share
    ///     it. One at least has items.
    ///   - items: at least two.
    /// - Returns: the step, and the result's elements of one item without a gap.
    func ofOneItem(
        _ inners: [Int?], items: Int
    ) throws(ItemAxes.Obstacle) -> (step: Step, inner: Int) {
        var step = self
        switch kind {
        case .unary: return try elementwise(1, inners, items)
        case .not: return try elementwise(0, inners, items)
        case .cast: return try elementwise(2, inners, items)
        case .binary: return try strided(2, inners, items)
        case .copy: return try strided(2, inners, items)
        case .choose: return try strided(1, inners, items)
        case .affine:
            let (count, size) = (ints[1] * ints[2], ints[2])
            var axes = ItemAxes(
                [
                    .init(size: ints[0], strides: [count, 0, 0], group: 0),
                    .init(size: ints[1], strides: [size, 1, 1], group: 1),
                    .init(size: ints[2], strides: [1, 0, 0], group: 2),
                ], inners.map { .init(inner: $0) }, items: items)
            let inner = try axes.removeItems()
            guard let parts = axes.merged(groups: 3), parts[1].size == ints[1] else {
                throw .mixes
            }
            step.ints = parts.map(\.size)
            return (step, inner)
        case .concat: return try concatenated(inners, items)
        case .pad: return try padded(inners, items)
        case .gather: return try gathered(inners, items)
        case .gemm: return try multiplied(inners, items)
        case .dot: return try dotted(inners, items)
        case .reduce, .argument, .softmax: return try alongAxis(inners, items)
        case .convolve:
            guard let s = ConvolutionShape(ints) else { throw .mixes }
            return try blocks(
                0, of: s.groups * s.channels * s.window.pixels,
                to: s.groups * s.outChannels * s.window.outPixels, inners, items)
        case .dotConvolve:
            guard let s = DotConvolutionShape(ints)?.convolution else { throw .mixes }
            return try blocks(
                0, of: s.groups * s.channels * s.window.pixels,
                to: s.groups * s.outChannels * s.window.outPixels, inners, items)
        case .pool:
            guard let s = PoolShape(ints) else { throw .mixes }
            return try blocks(0, of: s.window.pixels, to: s.window.outPixels, inners, items)
        case .lrn:
            return try blocks(0, of: ints[1] * ints[2], to: ints[1] * ints[2], inners, items)
        case .normalize: return try blocks(0, of: ints[1], to: ints[1], inners, items)
        case .requantize:
            // Planes count those of all channels.
            guard ints[0] % ints[1] == 0 else { throw .mixes }
            return try blocks(0, of: ints[1] * ints[2], to: ints[1] * ints[2], inners, items)
        case .cell: return try cell(inners, items)
        // A draw is of an element's place among all.
        case .unpool, .random, .pick: throw .mixes
        }
    }

    /// Element by element, `ints[at]` of them.
    private func elementwise(
        _ at: Int, _ inners: [Int?], _ items: Int
    ) throws(ItemAxes.Obstacle) -> (step: Step, inner: Int) {
        guard let inner = inners[0], ints[at] % (inner * items) == 0 else { throw .mixes }
        var step = self
        step.ints[at] /= items
        return (step, inner)
    }

    /// Blocks of the first operand one by one; `ints[at]` counts them, or parts of them. What else
    /// it reads is the same for all.
    private func blocks(
        _ at: Int, of size: Int, to result: Int, _ inners: [Int?], _ items: Int
    ) throws(ItemAxes.Obstacle) -> (step: Step, inner: Int) {
        let unit = kind == .requantize ? ints[2] : size
        guard let inner = inners[0], inner % size == 0,
            ints[at] * unit % (inner * items) == 0,
            inners.dropFirst().allSatisfy({ $0 == nil })
        else { throw .mixes }
        var step = self
        step.ints[at] /= items
        return (step, inner / size * result)
    }

    /// `[…, axes…, strides of each operand…]`, of which a copy has its offset before the axes.
    private func strided(
        _ start: Int, _ inners: [Int?], _ items: Int
    ) throws(ItemAxes.Obstacle) -> (step: Step, inner: Int) {
        guard let lists = try? lists(from: start, parts: 1 + operands.count) else { throw .mixes }
        let rank = lists[0].count
        let numbers = lists.map { Array($0) }
        var axes = ItemAxes(
            (0..<rank).map { axis in
                .init(
                    size: numbers[0][axis], strides: numbers.dropFirst().map { $0[axis] },
                    group: axis)
            },
            inners.map { .init(inner: $0, offset: kind == .copy ? ints[1] : 0) }, items: items)
        let inner = try axes.removeItems()
        var step = self
        step.ints = Array(ints[..<start]) + axes.axes.map(\.size)
        for at in operands.indices { step.ints += axes.axes.map { $0.strides[at] } }
        if kind == .copy { step.ints[1] = axes.operands[0].offset }
        return (step, inner)
    }

    private func concatenated(
        _ inners: [Int?], _ items: Int
    ) throws(ItemAxes.Obstacle) -> (step: Step, inner: Int) {
        let parts = Array(ints[2...])
        guard let first = inners.firstIndex(where: { $0 != nil }), let inner = inners[first] else {
            throw .mixes
        }
        var step = self
        if inner % parts[first] == 0 {
            // Each item has whole lines of all operands.
            let lines = inner / parts[first]
            guard ints[1] % (lines * items) == 0 else { throw .mixes }
            for (at, part) in parts.enumerated() where inners[at] != lines * part {
                guard inners[at] == nil else { throw .mixes }
                throw .repeats(operand: at, inner: lines * part)
            }
            step.ints[1] /= items
            return (step, lines * parts.reduce(0, +))
        }
        // Each line has whole batches.
        for (at, part) in parts.enumerated() {
            guard part % (inner * items) == 0 else { throw .mixes }
            guard inners[at] == inner else {
                guard inners[at] == nil else { throw .mixes }
                throw .repeats(operand: at, inner: inner)
            }
            step.ints[2 + at] /= items
        }
        return (step, inner)
    }

    private func padded(
        _ inners: [Int?], _ items: Int
    ) throws(ItemAxes.Obstacle) -> (step: Step, inner: Int) {
        guard let lists = try? lists(from: 2, parts: 3) else { throw .mixes }
        let (outer, sizes, begins) = (Array(lists[0]), Array(lists[1]), Array(lists[2]))
        let strides = sizes.strides
        var axes = ItemAxes(
            sizes.indices.map { axis in
                .init(
                    size: sizes[axis], strides: [strides[axis]], group: axis,
                    isWhole: outer[axis] != sizes[axis])
            }, [.init(inner: inners[0])], items: items)
        let behind = try axes.takeItemsOut()
        func padded(_ axis: ItemAxes.Axis) -> Int { axis.isWhole ? outer[axis.group] : axis.size }
        var step = self
        step.ints =
            Array(ints[..<2]) + axes.axes.map(padded) + axes.axes.map(\.size)
            + axes.axes.map { $0.isWhole ? begins[$0.group] : 0 }
        return (step, behind.reduce(1) { $0 * padded($1) })
    }

    private func gathered(
        _ inners: [Int?], _ items: Int
    ) throws(ItemAxes.Obstacle) -> (step: Step, inner: Int) {
        let (size, width) = (ints[3], ints[4])
        var axes = ItemAxes(
            [
                .init(size: ints[2], strides: [size * width, 0], group: 0),
                .init(size: ints[5], strides: [0, 1], group: 1),
                .init(size: width, strides: [1, 0], group: 2),
                .init(
                    size: size, strides: [width, 0], group: 3, isWhole: true, isInResult: false),
            ], inners.map { .init(inner: $0) }, items: items)
        let inner = try axes.removeItems()
        guard let parts = axes.merged(groups: 4), parts[3].size == size,
            Self.isRow(parts[1], 1, 1), Self.isRow(parts[2], 0, 1),
            Self.isRow(parts[3], 0, parts[2].size),
            Self.isRow(parts[0], 0, size * parts[2].size)
        else { throw .mixes }
        var step = self
        (step.ints[2], step.ints[4], step.ints[5]) = (parts[0].size, parts[2].size, parts[1].size)
        return (step, inner)
    }

    /// Whether an axis has that stride, or but one index.
    private static func isRow(_ axis: ItemAxes.Axis, _ operand: Int, _ stride: Int) -> Bool {
        axis.size == 1 || axis.strides[operand] == stride
    }

    private func alongAxis(
        _ inners: [Int?], _ items: Int
    ) throws(ItemAxes.Obstacle) -> (step: Step, inner: Int) {
        let (outer, count, width) = (ints[1], ints[2], ints[3])
        var axes = ItemAxes(
            [
                .init(size: outer, strides: [count * width], group: 0),
                .init(
                    size: count, strides: [width], group: 1, isWhole: true,
                    isInResult: kind == .softmax),
                .init(size: width, strides: [1], group: 2),
            ], [.init(inner: inners[0])], items: items)
        let inner = try axes.removeItems()
        guard let parts = axes.merged(groups: 3), parts[1].size == count,
            Self.isRow(parts[2], 0, 1), Self.isRow(parts[1], 0, parts[2].size),
            Self.isRow(parts[0], 0, count * parts[2].size)
        else { throw .mixes }
        var step = self
        (step.ints[1], step.ints[3]) = (parts[0].size, parts[2].size)
        return (step, inner)
    }

    private func multiplied(
        _ inners: [Int?], _ items: Int
    ) throws(ItemAxes.Obstacle) -> (step: Step, inner: Int) {
        guard var s = MatrixShape(ints) else { throw .mixes }
        func strides(_ a: Int, _ b: Int, _ bias: Int) -> [Int] {
            s.bias == 0 ? [a, b] : [a, b, bias]
        }
        var axes = ItemAxes(
            [
                .init(size: s.matrices, strides: strides(s.aMatrix, s.bMatrix, 0), group: 0),
                .init(size: s.rows, strides: strides(s.aLine, 0, s.bias == 1 ? 1 : 0), group: 1),
                .init(
                    size: s.columns, strides: strides(0, s.bLine, s.bias == 2 ? 1 : 0), group: 2),
                .init(
                    size: s.depth, strides: strides(s.aDepth, s.bDepth, 0), group: 3,
                    isWhole: true, isInResult: false),
            ], inners.map { .init(inner: $0) }, items: items)
        let inner = try axes.removeItems()
        guard let parts = axes.merged(groups: 4), parts[3].size == s.depth else { throw .mixes }
        if s.bias != 0 {
            guard Self.isRow(parts[0], 2, 0), Self.isRow(parts[1], 2, s.bias == 1 ? 1 : 0),
                Self.isRow(parts[2], 2, s.bias == 2 ? 1 : 0)
            else { throw .mixes }
        }
        (s.matrices, s.rows, s.columns) = (parts[0].size, parts[1].size, parts[2].size)
        (s.aMatrix, s.bMatrix) = (parts[0].strides[0], parts[0].strides[1])
        (s.aLine, s.bLine) = (parts[1].strides[0], parts[2].strides[1])
        (s.aDepth, s.bDepth) = (parts[3].strides[0], parts[3].strides[1])
        guard parts[1].strides[1] == 0, parts[2].strides[0] == 0 else { throw .mixes }
        var step = self
        step.ints = s.ints
        return (step, inner)
    }

    private func dotted(
        _ inners: [Int?], _ items: Int
    ) throws(ItemAxes.Obstacle) -> (step: Step, inner: Int) {
        guard var s = DotShape(ints) else { throw .mixes }
        let zeros = [(s.aZeros, 1), (s.bZeros, 2)].filter { $0.0 != .none }
        func strides(_ a: Int, _ b: Int, _ group: Int) -> [Int] {
            [a, b] + zeros.map { $0.0 == .lines && $0.1 == group ? 1 : 0 }
        }
        var axes = ItemAxes(
            [
                .init(size: s.matrices, strides: strides(s.aMatrix, s.bMatrix, 0), group: 0),
                .init(size: s.rows, strides: strides(s.depth, 0, 1), group: 1),
                .init(size: s.columns, strides: strides(0, 1, 2), group: 2),
                .init(
                    size: s.depth, strides: strides(1, s.columns, 3), group: 3, isWhole: true,
                    isInResult: false),
            ], inners.map { .init(inner: $0) }, items: items)
        let inner = try axes.removeItems()
        guard let parts = axes.merged(groups: 4), parts[3].size == s.depth,
            parts[2].size == s.columns, Self.isRow(parts[1], 0, s.depth),
            parts[3].strides == strides(1, s.columns, 3),
            zeros.indices.allSatisfy({ at in
                Self.isRow(parts[0], 2 + at, 0)
                    && Self.isRow(parts[1], 2 + at, strides(0, 0, 1)[2 + at])
            }), [0, parts[1].size * s.depth].contains(parts[0].strides[0]),
            [0, s.depth * s.columns].contains(parts[0].strides[1])
        else { throw .mixes }
        (s.matrices, s.rows) = (parts[0].size, parts[1].size)
        (s.aMatrix, s.bMatrix) = (parts[0].strides[0], parts[0].strides[1])
        var step = self
        step.ints = s.ints
        return (step, inner)
    }

    private func cell(
        _ inners: [Int?], _ items: Int
    ) throws(ItemAxes.Obstacle) -> (step: Step, inner: Int) {
        guard var s = CellShape(self), s.batch % items == 0 else { throw .mixes }
        s.batch /= items
        let one = s.batch * s.hidden
        var expected = [one * s.kind.gateCount, one * s.kind.productCount, one]
        if s.kind == .gruState { expected.append(one) }
        for (at, inner) in inners.enumerated() {
            if at >= expected.count {
                guard inner == nil else { throw .mixes }
            } else if inner != expected[at] {
                guard inner == nil else { throw .mixes }
                throw .repeats(operand: at, inner: expected[at])
            }
        }
        guard s.offsets.allSatisfy({ $0 % (items * expected[0]) == 0 }) else { throw .mixes }
        s.offsets = s.offsets.map { $0 / items }
        var step = self
        step.ints = s.ints
        return (step, one)
    }
}
