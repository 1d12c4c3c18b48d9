internal import Compute
internal import Core

extension Session {
    func launch(_ group: StepGroup) throws(Failure) {
        if let chain = chains[group.first] {
            try launch(chain)
        } else if let run = cellRuns[group.first] {
            try launch(run)
        } else if let pooled = pooled[group.first] {
            try launch(pooled)
        } else if let place = placement.places[group.first] {
            try convolve(
                plan.steps[group.first], group.first, try buffer(place.buffer), at: place.offset,
                tail: tails[group.first])
        } else if let tail = tails[group.first] {
            try convolve(
                plan.steps[group.first], group.first, try buffer(tail.result), tail: tail)
        } else if let placed = placement.placed[group.first] {
            try concat(plan.steps[group.first], without: placed)
        } else {
            try launch(plan.steps[group.first], group.first)
        }
    }

    /// Convolutions that write into a concatenation's result.
    package var placedConvolutions: Int { placement.places.count }

    /// Puts a step's kernels on the queue.
    func launch(_ step: Step, _ index: Int) throws(Failure) {
        let i = step.ints
        var operands: [any ComputeBuffer] = []
        if ![.gemm, .convolve, .dot, .dotConvolve].contains(step.kind) {
            for number in step.operands { operands.append(try buffer(number)) }
        }
        let result = try buffer(step.result)
        switch step.kind {
        case .unary:
            guard let operation = UnaryOperation(rawValue: i[0]) else { throw Step.broken }
            let name = "\(operation)".snakeCase
            let type = try Step.type(i[2])
            if type == .float32 {
                try line(
                    "unary_\(name)",
                    try operation.isRare ? programs.functions() : programs.elementwise(), i[1],
                    operands + [result],
                    [.float(step.floats[0]), .float(step.floats[1])])
            } else {
                try line(
                    "integer_\(name)", try programs.integer(type), i[1], operands + [result])
            }
        case .not:
            try line("integer_negate", try programs.integer(.bool), i[0], operands + [result])
        case .cast:
            let from = try Step.type(i[0])
            let to = try Step.type(i[1])
            try line("cast", try programs.cast(from, to), i[2], operands + [result])
        case .affine:
            try device.launch(
                "affine", of: try programs.elementwise(), global: [i[2].inGroups, i[1], i[0]],
                local: Launch.local(device),
                arguments: (operands + [result]).map { .buffer($0) } + [.int(Int32(i[2]))])
        case .binary: try binary(step, operands, result)
        case .choose: try choose(step, operands, result)
        case .copy, .concat, .pad, .gather: try move(step, operands, result)
        case .gemm: try multiply(step, index, result)
        case .convolve: try convolve(step, index, result)
        case .dot: try dot(step, index, result)
        case .dotConvolve: try dotConvolve(step, index, result)
        case .requantize: try requantize(step, operands, result)
        case .pool: try pool(step, index, operands[0], result)
        case .unpool: try unpool(step, operands, result)
        case .reduce, .argument, .softmax: try reduce(step, operands[0], result)
        case .normalize: try normalize(step, operands, result)
        case .cell: try cell(step, operands, result)
        case .lrn: try lrn(step, operands[0], result)
        case .random: try draw(step, operands[0], result)
        case .pick: try pick(step, operands, result)
        }
    }

    /// One work-item an element.
    private func line(
        _ kernel: String, _ program: any ComputeProgram, _ count: Int,
        _ buffers: [any ComputeBuffer], _ more: [KernelArgument] = []
    ) throws(Failure) {
        try device.launch(
            kernel, of: program, global: [count.inGroups], local: Launch.local(device, axes: 1),
            arguments: buffers.map { .buffer($0) } + [.int(Int32(count))] + more)
    }

    private func binary(
        _ step: Step, _ operands: [any ComputeBuffer], _ result: any ComputeBuffer
    ) throws(Failure) {
        guard let operation = BinaryOperation(rawValue: step.ints[0]) else { throw Step.broken }
        let type = try Step.type(step.ints[1])
        let name = "\(operation)".snakeCase
        let isFloat = type == .float32
        let program = try isFloat ? programs.elementwise() : programs.integer(type)
        let lists = try step.lists(from: 2, parts: 3)
        try forEachBlock(Array(lists[0]), lists[1...].map(Array.init)) {
            (block) throws(Failure) in
            try device.launch(
                isFloat ? "binary_\(name)" : "integer_\(name)", of: program,
                global: block.global, local: Launch.local(device),
                arguments: [
                    .buffer(operands[0]), .buffer(operands[1]), .buffer(result),
                    .int(Int32(block.inner)), .ulong(UInt64(block.offsets[0])),
                    .ulong(UInt64(block.offsets[1])), .ulong(UInt64(block.position)),
                ] + block.strides.flatMap { $0.map { .int(Int32($0)) } })
        }
    }

    private func choose(
        _ step: Step, _ operands: [any ComputeBuffer], _ result: any ComputeBuffer
    ) throws(Failure) {
        let program = try programs.move(try Step.type(step.ints[0]))
        let lists = try step.lists(from: 1, parts: 4)
        try forEachBlock(Array(lists[0]), lists[1...].map(Array.init)) {
            (block) throws(Failure) in
            try device.launch(
                "choose", of: program, global: block.global, local: Launch.local(device),
                arguments: (operands + [result]).map { .buffer($0) } + [.int(Int32(block.inner))]
                    + block.offsets.map { .ulong(UInt64($0)) } + [.ulong(UInt64(block.position))]
                    + block.strides.flatMap { $0.map { .int(Int32($0)) } })
        }
    }

    private func move(
        _ step: Step, _ operands: [any ComputeBuffer], _ result: any ComputeBuffer
    ) throws(Failure) {
        let i = step.ints
        let type = try Step.type(i[0])
        switch step.kind {
        case .copy:
            let lists = try step.lists(from: 2, parts: 2)
            let axes = Array(lists[0])
            try copy(
                type, operands[0], result, axes: axes, from: (i[1], Array(lists[1])),
                to: (0, axes.strides))
        case .concat: try concat(step)
        case .pad:
            let lists = try step.lists(from: 2, parts: 3)
            let outer = Array(lists[0])
            let inner = Array(lists[1])
            try device.launch(
                "fill", of: try programs.move(type), global: [outer.elementCount.inGroups],
                local: Launch.local(device, axes: 1),
                arguments: [
                    .buffer(result), .int(Int32(outer.elementCount)),
                    .ulong(UInt64(bitPattern: Int64(i[1]))),
                ])
            let first = zip(lists[2], outer.strides).reduce(0) { $0 + $1.0 * $1.1 }
            try copy(
                type, operands[0], result, axes: inner, from: (0, inner.strides),
                to: (first, outer.strides))
        default: try gather(step, operands, result)
        }
    }

    /// - Parameter placed: positions of operands that are where they belong.
    func concat(_ step: Step, without placed: Set<Int> = []) throws(Failure) {
        let type = try Step.type(step.ints[0])
        let inners = step.ints[2...]
        let total = inners.reduce(0, +)
        var offset = 0
        for (position, inner) in inners.enumerated() {
            if inner > 0, !placed.contains(position) {
                try copy(
                    type, try operand(step, position), try buffer(step.result),
                    axes: [step.ints[1], inner], from: (0, [inner, 1]), to: (offset, [total, 1]))
            }
            offset += inner
        }
    }

    private func gather(
        _ step: Step, _ operands: [any ComputeBuffer], _ result: any ComputeBuffer
    ) throws(Failure) {
        let i = step.ints
        let type = try Step.type(i[0])
        let index = try Step.type(i[1]).kernelType
        let (outer, axis, inner, count, least) = (i[2], i[3], i[4], i[5], i[6])
        let buffers = (operands + [result]).map { KernelArgument.buffer($0) }
        guard inner * count * outer > 0 else { return }
        if device.description.kind == .cpu {
            let countEach = max(1, min(count, 8192 / inner))
            let outerEach = max(1, min(outer, 8192 / (inner * count)))
            return try device.launch(
                inner == 1 ? "take_rows_\(index)" : "gather_rows_\(index)",
                of: try programs.copy(type),
                global: [count.dividedUp(by: countEach), outer.dividedUp(by: outerEach)],
                local: [1, 1],
                arguments: buffers
                    + [inner, axis, least, count, outer, countEach, outerEach].map {
                        .int(Int32($0))
                    })
        }
        let program = try programs.move(type)
        if inner == 1 {
            return try device.launch(
                "take_\(index)", of: program, global: [count.inGroups, outer],
                local: Launch.local(device, axes: 2),
                arguments: buffers + [count, axis, least].map { .int(Int32($0)) })
        }
        try device.launch(
            "gather_\(index)", of: program, global: [inner.inGroups, count, outer],
            local: Launch.local(device),
            arguments: buffers + [inner, axis, least].map { .int(Int32($0)) })
    }

    func copy(
        _ type: ElementType, _ from: any ComputeBuffer, _ to: any ComputeBuffer, axes: [Int],
        from source: (offset: Int, strides: [Int]),
        to target: (offset: Int, strides: [Int])
    ) throws(Failure) {
        let isCPU = device.description.kind == .cpu
        let program = try isCPU ? programs.copy(type) : programs.move(type)
        let order = Block.order(axes)
        let strides = [source.strides, target.strides].map { all in order.map { all[$0] } }
        try forEachBlock(order.map { axes[$0] }, strides) { (block) throws(Failure) in
            let strides: [KernelArgument] = block.strides.flatMap { $0.map { .long(Int64($0)) } }
            let places: [KernelArgument] = [
                .long(Int64(source.offset + block.offsets[0])),
                .long(Int64(target.offset + block.offsets[1])),
            ]
            let ends: [KernelArgument] = [.buffer(from), .buffer(to), .int(Int32(block.inner))]
            guard isCPU else {
                return try device.launch(
                    "copy_strided", of: program, global: block.global, local: nil,
                    arguments: ends + places + strides)
            }
            let middle = block.global[1]
            let each = min(block.inner, 8192)
            let rowsEach = max(1, min(middle, 8192 / each))
            try device.launch(
                "copy_rows", of: program,
                global: [
                    block.inner.dividedUp(by: each), middle.dividedUp(by: rowsEach),
                    block.global[2],
                ],
                local: [1, 1, 1],
                arguments: ends + [
                    .int(Int32(middle)), .int(Int32(each)), .int(Int32(rowsEach)),
                ] + places + strides)
        }
    }
}

/// A launch over at most three axes of a larger shape.
struct Block {
    /// Work-items: innermost in whole groups, middle, outermost.
    var global: [Int]
    var inner: Int
    /// Where the block begins in each operand, and in a contiguous result.
    var offsets: [Int]
    var position: Int
    /// Per operand: innermost, middle, outermost.
    var strides: [[Int]]

    /// An order of axes that puts the longest three last: there is a launch for each place on the
    /// others. An innermost axis whose elements fill half a line of a cache stays.
    static func order(_ axes: [Int]) -> [Int] {
        guard axes.count > 3 else { return Array(axes.indices) }
        func length(_ axis: Int) -> Int {
            axis == axes.count - 1 && axes[axis] >= 8 ? Int.max : axes[axis]
        }
        let longest = axes.indices.sorted { (length($0), $0) > (length($1), $1) }.prefix(3)
        return axes.indices.filter { !longest.contains($0) } + longest.sorted()
    }
}

/// Cuts a shape into launches of its last three axes.
func forEachBlock(
    _ axes: [Int], _ strides: [[Int]], _ body: (Block) throws(Failure) -> Void
) throws(Failure) {
    let missing = max(0, 3 - axes.count)
    let axes = Array(repeating: 1, count: missing) + axes
    let strides = strides.map { Array(repeating: 0, count: missing) + $0 }
    let outer = Array(axes.dropLast(3))
    let last = Array(axes.suffix(3))
    let each = last.reduce(1, *)
    for position in 0..<outer.reduce(1, *) {
        var offsets = strides.map { _ in 0 }
        var rest = position
        for axis in outer.indices.reversed() {
            for operand in strides.indices {
                offsets[operand] += rest % outer[axis] * strides[operand][axis]
            }
            rest /= outer[axis]
        }
        try body(
            Block(
                global: [last[2].inGroups, last[1], last[0]], inner: last[2], offsets: offsets,
                position: position * each, strides: strides.map { $0.suffix(3).reversed() }))
    }
}
