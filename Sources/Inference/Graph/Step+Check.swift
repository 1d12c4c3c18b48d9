internal import Core

/// How many bytes of its operands a step reads, and of its result it writes.
struct StepExtent {
    var operands: [Int]
    var result: Int
}

extension Step {
    /// Numbers this large never overflow when a few are multiplied with each other checked.
    static let numberMax = 1 << 31 - 1

    static let broken = Failure(
        .malformed, "prepared model: a step's numbers contradict each other")

    /// What the step touches, from its numbers alone.
    ///
    /// - Throws: ``Failure`` when its numbers are not those of its kind or out of range.
    func extent() throws(Failure) -> StepExtent {
        guard ints.allSatisfy({ $0.magnitude <= Self.numberMax || kind == .pad }) else {
            throw Self.broken
        }
        switch kind {
        case .unary: return try unaryExtent()
        case .binary: return try binaryExtent()
        case .not:
            try expect(operands: 1, ints: 1)
            let count = try Self.product(ints)
            return StepExtent(operands: [count], result: count)
        case .cast:
            try expect(operands: 1, ints: 4)
            let from = try Self.type(ints[0])
            let to = try Self.type(ints[1])
            guard !from.isHostOnly, !to.isHostOnly else { throw Self.broken }
            return StepExtent(
                operands: [try Self.product([ints[2], from.byteCount])],
                result: try Self.product([ints[2], to.byteCount]))
        case .affine:
            try expect(operands: 3, ints: 3)
            let count = try Self.product(ints + [4])
            return StepExtent(operands: [count, ints[1] * 4, ints[1] * 4], result: count)
        case .copy: return try copyExtent()
        case .concat: return try concatExtent()
        case .pad: return try padExtent()
        case .choose: return try chooseExtent()
        case .gather: return try gatherExtent()
        case .gemm: return try gemmExtent()
        case .convolve: return try convolveExtent()
        case .pool: return try poolExtent()
        case .unpool: return try unpoolExtent()
        case .reduce, .argument, .softmax: return try axisExtent()
        case .normalize: return try normalizeExtent()
        case .cell: return try cellExtent()
        case .dot: return try dotExtent()
        case .dotConvolve: return try dotConvolveExtent()
        case .requantize: return try requantizeExtent()
        case .random:
            try expect(operands: 1, ints: 4, floats: 2)
            guard Distribution(rawValue: ints[0]) != nil, ints[1...].allSatisfy({ $0 >= 0 }),
                floats.allSatisfy(\.isFinite)
            else { throw Self.broken }
            return StepExtent(operands: [8], result: try Self.product([ints[1], 4]))
        case .pick:
            try expect(operands: 2, ints: 3)
            let picks = try Self.product([ints[0], ints[2], 4])
            guard ints[1] > 0, picks > 0 else { throw Self.broken }
            return StepExtent(
                operands: [try Self.product([ints[0], ints[1], 4]), picks], result: picks)
        case .lrn:
            try expect(operands: 1, ints: 5, floats: 3)
            let count = try Self.product(Array(ints[..<3]) + [4])
            guard ints[3] >= 0, ints[4] >= 0, ints[3] + ints[4] < 256 else { throw Self.broken }
            return StepExtent(operands: [count], result: count)
        }
    }

    func expect(operands: Int, ints: Int? = nil, floats: Int = 0) throws(Failure) {
        guard self.operands.count == operands, ints == nil || ints == self.ints.count,
            self.floats.count == floats, !self.operands.contains(result)
        else { throw Self.broken }
    }

    /// The product of counts, none negative, within what kernels can count.
    static func product(_ factors: [Int]) throws(Failure) -> Int {
        var product = 1
        for factor in factors {
            let (value, overflow) = product.multipliedReportingOverflow(by: factor)
            guard factor >= 0, !overflow, value <= numberMax << 2 else { throw broken }
            product = value
        }
        return product
    }

    static func type(_ raw: Int) throws(Failure) -> ElementType {
        guard let type = UInt8(exactly: raw).flatMap(ElementType.init) else { throw broken }
        return type
    }

    /// Elements reached from the first by strides: one more than the last's position.
    private static func reach(
        _ axes: ArraySlice<Int>, _ strides: ArraySlice<Int>
    ) throws(Failure) -> Int {
        var last = 0
        for (axis, stride) in zip(axes, strides) {
            guard axis > 0, stride >= 0 else { throw broken }
            last += try product([axis - 1, stride])
        }
        return last + 1
    }

    /// `ints` from `start` on, cut into `parts` lists of equal length of at most `Shape.rankMax`.
    func lists(from start: Int, parts: Int) throws(Failure) -> [ArraySlice<Int>] {
        let rank = (ints.count - start) / parts
        guard ints.count >= start, ints.count == start + rank * parts, rank <= Shape.rankMax else {
            throw Self.broken
        }
        return (0..<parts).map { ints[(start + $0 * rank)..<(start + ($0 + 1) * rank)] }
    }

    private func unaryExtent() throws(Failure) -> StepExtent {
        try expect(operands: 1, ints: 3, floats: 2)
        let type = try Self.type(ints[2])
        guard let operation = UnaryOperation(rawValue: ints[0]),
            operation.takes(type), !type.isHostOnly,
            operation != .power || (1...64).contains(floats[0])
        else { throw Self.broken }
        let count = try Self.product([ints[1], type.byteCount])
        return StepExtent(operands: [count], result: count)
    }

    private func binaryExtent() throws(Failure) -> StepExtent {
        try expect(operands: 2)
        guard ints.count >= 2, let operation = BinaryOperation(rawValue: ints[0]) else {
            throw Self.broken
        }
        let type = try Self.type(ints[1])
        guard operation.takes(type), !type.isHostOnly else { throw Self.broken }
        let lists = try lists(from: 2, parts: 3)
        return StepExtent(
            operands: [
                try Self.reach(lists[0], lists[1]) * type.byteCount,
                try Self.reach(lists[0], lists[2]) * type.byteCount,
            ],
            result: try Self.product(
                Array(lists[0]) + [operation.compares ? 1 : type.byteCount]))
    }

    private func copyExtent() throws(Failure) -> StepExtent {
        try expect(operands: 1)
        guard ints.count >= 2, ints[1] >= 0 else { throw Self.broken }
        let size = try Self.type(ints[0]).byteCount
        let lists = try lists(from: 2, parts: 2)
        var low = ints[1]
        var high = ints[1]
        for (axis, stride) in zip(lists[0], lists[1]) {
            guard axis > 0 else { throw Self.broken }
            let span = try Self.product([axis - 1, abs(stride)])
            if stride < 0 { low -= span } else { high += span }
        }
        guard low >= 0 else { throw Self.broken }
        return StepExtent(
            operands: [(high + 1) * size], result: try Self.product(Array(lists[0]) + [size]))
    }

    private func concatExtent() throws(Failure) -> StepExtent {
        guard ints.count == operands.count + 2, !operands.isEmpty, floats.isEmpty,
            !operands.contains(result)
        else { throw Self.broken }
        let size = try Self.type(ints[0]).byteCount
        var extents: [Int] = []
        var total = 0
        for inner in ints[2...] {
            extents.append(try Self.product([ints[1], inner, size]))
            total += inner
        }
        return StepExtent(operands: extents, result: try Self.product([ints[1], total, size]))
    }

    private func padExtent() throws(Failure) -> StepExtent {
        try expect(operands: 1)
        guard ints.count >= 2 else { throw Self.broken }
        let size = try Self.type(ints[0]).byteCount
        let lists = try lists(from: 2, parts: 3)
        for ((outer, inner), begin) in zip(zip(lists[0], lists[1]), lists[2]) {
            guard begin >= 0, inner > 0, outer <= Self.numberMax, inner <= outer,
                begin <= outer - inner
            else { throw Self.broken }
        }
        guard try Self.product(Array(lists[0])) <= Self.numberMax else { throw Self.broken }
        return StepExtent(
            operands: [try Self.product(Array(lists[1]) + [size])],
            result: try Self.product(Array(lists[0]) + [size]))
    }

    private func chooseExtent() throws(Failure) -> StepExtent {
        try expect(operands: 3)
        guard ints.count >= 1 else { throw Self.broken }
        let size = try Self.type(ints[0]).byteCount
        let lists = try lists(from: 1, parts: 4)
        return StepExtent(
            operands: [
                try Self.reach(lists[0], lists[1]), try Self.reach(lists[0], lists[2]) * size,
                try Self.reach(lists[0], lists[3]) * size,
            ],
            result: try Self.product(Array(lists[0]) + [size]))
    }

    private func gatherExtent() throws(Failure) -> StepExtent {
        try expect(operands: 2, ints: 7)
        let size = try Self.type(ints[0]).byteCount
        let index = try Self.type(ints[1])
        guard index == .int32 || index == .int64, ints[3] > 0, [-ints[3], 0].contains(ints[6])
        else { throw Self.broken }
        return StepExtent(
            operands: [
                try Self.product([ints[2], ints[3], ints[4], size]),
                try Self.product([ints[5], index.byteCount]),
            ],
            result: try Self.product([ints[2], ints[5], ints[4], size]))
    }

    private func gemmExtent() throws(Failure) -> StepExtent {
        guard let s = MatrixShape(ints), (0...2).contains(s.bias), (0...2).contains(s.activation),
            s.depth > 0
        else { throw Self.broken }
        try expect(operands: s.bias == 0 ? 2 : 3, floats: 2)
        func operand(_ line: Int, _ lines: Int, _ depth: Int, _ matrix: Int) throws(Failure) -> Int
        {
            try Self.reach([lines, s.depth, s.matrices], [line, depth, matrix]) * 4
        }
        var operands = [
            try operand(s.aLine, s.rows, s.aDepth, s.aMatrix),
            try operand(s.bLine, s.columns, s.bDepth, s.bMatrix),
        ]
        if s.bias != 0 { operands.append((s.bias == 1 ? s.rows : s.columns) * 4) }
        return StepExtent(
            operands: operands, result: try Self.product([s.matrices, s.rows, s.columns, 4]))
    }

    /// Checks a window's numbers; its planes' sizes are in the result.
    static func check(_ w: WindowShape) throws(Failure) {
        let positive = [
            w.height, w.width, w.outHeight, w.outWidth, w.kernelHeight, w.kernelWidth, w.strideY,
            w.strideX, w.dilationY, w.dilationX,
        ]
        guard positive.allSatisfy({ $0 > 0 }), w.top >= 0, w.left >= 0 else { throw broken }
        // Positions that kernels compute in 32 bits.
        for (out, stride, kernel, dilation) in [
            (w.outHeight, w.strideY, w.kernelHeight, w.dilationY),
            (w.outWidth, w.strideX, w.kernelWidth, w.dilationX),
        ] {
            guard try product([out, stride]) + product([kernel, dilation]) <= numberMax / 2 else {
                throw broken
            }
        }
        guard try product([w.height, w.width]) <= numberMax,
            try product([w.outHeight, w.outWidth]) <= numberMax,
            try product([w.kernelHeight, w.kernelWidth]) <= numberMax
        else { throw broken }
    }

    private func convolveExtent() throws(Failure) -> StepExtent {
        guard let s = ConvolutionShape(ints), (0...1).contains(s.bias),
            (0...2).contains(s.activation),
            [s.items, s.groups, s.channels, s.outChannels].allSatisfy({ $0 > 0 })
        else { throw Self.broken }
        try expect(operands: 2 + s.bias, floats: 2)
        try Self.check(s.window)
        guard try Self.product([s.channels, s.window.taps]) <= Self.numberMax else {
            throw Self.broken
        }
        let planes = try Self.product([s.items, s.groups, s.channels])
        var operands = [
            try Self.product([planes, s.window.pixels, 4]),
            try Self.product([s.groups, s.outChannels, s.depth, 4]),
        ]
        if s.bias == 1 { operands.append(s.groups * s.outChannels * 4) }
        return StepExtent(
            operands: operands,
            result: try Self.product(
                [s.items, s.groups, s.outChannels, s.window.outPixels, 4]))
    }

    private func poolExtent() throws(Failure) -> StepExtent {
        try expect(operands: 1)
        let (_, plane, windows) = try poolSizes()
        return StepExtent(operands: [plane], result: windows)
    }

    private func unpoolExtent() throws(Failure) -> StepExtent {
        let (shape, plane, windows) = try poolSizes()
        try expect(operands: shape.averages == 1 ? 1 : 3)
        return StepExtent(
            operands: shape.averages == 1 ? [windows] : [plane, windows, windows], result: plane)
    }

    /// A pool's shape, and the bytes of its planes and of its windows.
    private func poolSizes() throws(Failure) -> (PoolShape, plane: Int, windows: Int) {
        guard let s = PoolShape(ints), (0...1).contains(s.averages), s.planes > 0,
            (0...1).contains(s.countsPadding), s.bottom >= 0, s.right >= 0
        else { throw Self.broken }
        try Self.check(s.window)
        guard s.bottom < 1 << 30, s.right < 1 << 30 else { throw Self.broken }
        return (
            s, try Self.product([s.planes, s.window.pixels, 4]),
            try Self.product([s.planes, s.window.outPixels, 4])
        )
    }

    private func axisExtent() throws(Failure) -> StepExtent {
        try expect(operands: 1, ints: kind == .softmax ? 4 : 5)
        let type = kind == .softmax ? ElementType.float32 : try Self.type(ints[4])
        let count = try Self.product(Array(ints[1..<4]) + [type.byteCount])
        let operation = ReduceOperation(rawValue: ints[0])
        guard ints[2] > 0, type == .float32 || (type.isInteger && !type.isHostOnly),
            kind != .reduce || (operation != nil && (type == .float32 || operation != .mean))
        else { throw Self.broken }
        let results = try Self.product([ints[1], ints[3]])
        let result =
            kind == .softmax ? count : results * (kind == .argument ? 8 : type.byteCount)
        return StepExtent(operands: [count], result: result)
    }
}
