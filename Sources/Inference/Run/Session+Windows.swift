internal import Compute
internal import Core

extension Session {
    func pool(
        _ step: Step, _ index: Int, _ x: any ComputeBuffer, _ result: any ComputeBuffer
    ) throws(Failure) {
        guard let shape = PoolShape(step.ints) else { throw Step.broken }
        if device.description.kind == .cpu, try poolByRows(shape, index, x, result) { return }
        var arguments: [KernelArgument] = [
            .buffer(x), .buffer(result), .bytes(shape.window.bytes),
        ]
        if shape.averages == 1 {
            arguments += [shape.countsPadding, shape.bottom, shape.right].map { .int(Int32($0)) }
        }
        try device.launch(
            shape.averages == 1 ? "pool_average" : "pool_max", of: try programs.pool(),
            global: [shape.window.outPixels.inGroups, shape.planes],
            local: Launch.local(device, axes: 2), arguments: arguments)
    }

    /// Whether a pooling was launched as suits processors: row after row of windows.
    private func poolByRows(
        _ shape: PoolShape, _ index: Int, _ x: any ComputeBuffer, _ result: any ComputeBuffer
    ) throws(Failure) -> Bool {
        guard shape.averages == 1 else { return try poolMaxima(shape, x, result) }
        let w = shape.window
        if w.isWhole, !sharesRows {
            try launchMeans(.mean, of: shape.planes, count: w.pixels, x, result)
            return true
        }
        guard let strips = try strips(index, w, shape.planes) else { return false }
        let numbers = [
            w.kernelHeight, w.kernelWidth, w.dilationY, w.dilationX, shape.countsPadding,
            shape.bottom, shape.right,
        ]
        try device.launch(
            "pool_average_strips", of: try programs.family(.windows), global: strips.global,
            local: [1, 1],
            arguments: [
                .buffer(x), .buffer(result),
                .buffer(try table(index, strips.layout, channels: 1)),
                .bytes(strips.layout.bytes),
                .bytes(numbers.flatMap { Int32($0).littleEndianBytes }),
                .int(Int32(shape.planes)), .int(Int32(strips.planesEach)),
                .local(byteCount: strips.localBytes),
            ])
        return true
    }

    /// Whether maxima were launched: a row of windows fits local memory.
    private func poolMaxima(
        _ shape: PoolShape, _ x: any ComputeBuffer, _ result: any ComputeBuffer
    ) throws(Failure) -> Bool {
        let w = shape.window
        // Vectors reach beyond the last window.
        let reach =
            w.outWidth.roundedUp(to: 16) * w.strideX + w.kernelWidth * w.dilationX + 2 * 16
        let lineBytes = 4 * max(reach, w.left + w.width)
        guard lineBytes <= min(device.description.localMemoryBytes, Self.stripBytesMax) else {
            return false
        }
        let strips = min(w.outHeight, WindowLayout.groupsWanted.dividedUp(by: shape.planes))
        let rowsEach = w.outHeight.dividedUp(by: strips)
        let work = rowsEach * w.kernelHeight * w.width
        let most = shape.planes * strips / WindowLayout.groupsWanted
        let planesEach = max(1, min(Self.stripWork.dividedUp(by: work), most))
        try device.launch(
            "pool_max_strips", of: try programs.family(.windows),
            global: [w.outHeight.dividedUp(by: rowsEach), shape.planes.dividedUp(by: planesEach)],
            local: [1, 1],
            arguments: [
                .buffer(x), .buffer(result), .bytes(w.bytes), .int(Int32(shape.planes)),
                .int(Int32(planesEach)), .int(Int32(rowsEach)), .local(byteCount: lineBytes),
            ])
        return true
    }

    func unpool(
        _ step: Step, _ operands: [any ComputeBuffer], _ result: any ComputeBuffer
    ) throws(Failure) {
        guard let shape = PoolShape(step.ints) else { throw Step.broken }
        var arguments: [KernelArgument] =
            (operands + [result]).map { .buffer($0) } + [.bytes(shape.window.bytes)]
        if shape.averages == 0, device.description.kind == .cpu {
            return try device.launch(
                "unpool_max_planes", of: try programs.unpool(),
                global: [shape.planes.inGroups], local: Launch.local(device, axes: 1),
                arguments: arguments + [.int(Int32(shape.planes))])
        }
        if shape.averages == 1 {
            arguments += [shape.countsPadding, shape.bottom, shape.right].map { .int(Int32($0)) }
        }
        try device.launch(
            shape.averages == 1 ? "unpool_average" : "unpool_max", of: try programs.unpool(),
            global: [shape.window.pixels.inGroups, shape.planes],
            local: Launch.local(device, axes: 2), arguments: arguments)
    }

    func reduce(
        _ step: Step, _ x: any ComputeBuffer, _ result: any ComputeBuffer
    ) throws(Failure) {
        let (count, inner) = (step.ints[2], step.ints[3])
        let results = step.ints[1] * inner
        let type = step.kind == .softmax ? ElementType.float32 : try Step.type(step.ints[4])
        let prefix = type == .float32 ? "" : "integer_"
        if step.kind == .softmax, inner == 1, sharesRows {
            return try launchRows(
                "softmax_lanes", rows: results,
                [.buffer(x), .buffer(result)]
                    + [count, results, step.ints[0]].map { .int(Int32($0)) })
        }
        if inner == 1, type == .float32,
            try reduceRows(step, x, result, count: count, results: results)
        {
            return
        }
        if type == .float32, step.kind == .reduce, device.description.kind == .gpu, count >= 32 {
            return try reduceLanes(step, x, result, count: count, inner: inner, results: results)
        }
        let kernel: String
        var more: [KernelArgument] = [.int(Int32(step.ints[0]))]
        switch step.kind {
        case .argument: kernel = "\(prefix)reduce_arg"
        case .softmax: kernel = "softmax"
        default:
            guard let operation = ReduceOperation(rawValue: step.ints[0]) else {
                throw Step.broken
            }
            kernel = "\(prefix)reduce_\(operation)"
            more = []
        }
        try device.launch(
            kernel, of: try type == .float32 ? programs.reduce() : programs.integer(type),
            global: [results.inGroups], local: Launch.local(device, axes: 1),
            arguments: [
                .buffer(x), .buffer(result), .int(Int32(count)), .int(Int32(inner)),
                .int(Int32(results)),
            ] + more)
    }

    /// Whether a reduction of rows of neighbours was launched row by row, as suits processors.
    private func reduceRows(
        _ step: Step, _ x: any ComputeBuffer, _ result: any ComputeBuffer, count: Int, results: Int
    ) throws(Failure) -> Bool {
        guard device.description.kind == .cpu, step.kind != .argument,
            Chain.isFloat(step.ints, at: 4)
        else { return false }
        if step.kind == .softmax {
            // Rows together fit a processor's nearest cache.
            let most = min(8, 2048 / count, results / WindowLayout.groupsWanted)
            let each = max(1, most)
            try device.launch(
                "rows_softmax", of: try programs.rows(), global: [results.dividedUp(by: each)],
                local: [1],
                arguments: [.buffer(x), .buffer(result)]
                    + [count, step.ints[0], results, each].map { .int(Int32($0)) })
            return true
        }
        guard let operation = ReduceOperation(rawValue: step.ints[0]),
            [.sum, .mean].contains(operation)
        else { return false }
        try launchMeans(operation, of: results, count: count, x, result)
        return true
    }

    /// On graphics cards: sixteen work-items a result.
    private func reduceLanes(
        _ step: Step, _ x: any ComputeBuffer, _ result: any ComputeBuffer, count: Int, inner: Int,
        results: Int
    ) throws(Failure) {
        guard let operation = ReduceOperation(rawValue: step.ints[0]) else { throw Step.broken }
        // Few long rows are shared by more of the card than many results that lie side by side.
        let byRows = inner == 1
        let each = byRows ? 4 : 16
        let sides = [16, results.roundedUp(to: each)]
        try device.launch(
            "lanes_\(operation)", of: try programs.reduceLanes(),
            global: byRows ? sides : sides.reversed(), local: byRows ? [16, each] : [each, 16],
            arguments: [
                .buffer(x), .buffer(result), .int(Int32(count)), .int(Int32(inner)),
                .int(Int32(results)), .int(byRows ? 1 : 0),
            ])
    }

    /// Sums or means of rows of neighbours, on a processor.
    private func launchMeans(
        _ operation: ReduceOperation, of rows: Int, count: Int, _ x: any ComputeBuffer,
        _ result: any ComputeBuffer
    ) throws(Failure) {
        let each = max(1, min(16_384 / count, rows / WindowLayout.groupsWanted))
        try device.launch(
            "rows_\(operation)", of: try programs.rows(), global: [rows.dividedUp(by: each)],
            local: [1],
            arguments: [
                .buffer(x), .buffer(result), .int(Int32(count)), .int(Int32(rows)),
                .int(Int32(each)),
            ])
    }

    func lrn(
        _ step: Step, _ x: any ComputeBuffer, _ result: any ComputeBuffer
    ) throws(Failure) {
        let (items, channels, pixels) = (step.ints[0], step.ints[1], step.ints[2])
        let isCPU = device.description.kind == .cpu
        try device.launch(
            isCPU ? "rows_lrn" : "lrn", of: try isCPU ? programs.rows() : programs.reduce(),
            global: [isCPU ? pixels.dividedUp(by: 64) : pixels.inGroups, channels, items],
            local: isCPU ? [1, 1, 1] : nil,
            arguments: [
                .buffer(x), .buffer(result), .int(Int32(pixels)), .int(Int32(step.ints[3])),
                .int(Int32(step.ints[4])),
            ] + step.floats.map { .float($0) })
    }

    // MARK: Products

    func multiply(
        _ step: Step, _ index: Int, _ result: any ComputeBuffer
    ) throws(Failure) {
        guard let shape = MatrixShape(step.ints) else { throw Step.broken }
        let matricesA = shape.aMatrix == 0 ? 1 : shape.matrices
        let matricesB = shape.bMatrix == 0 ? 1 : shape.matrices
        var product = Gemm.Product(
            rows: shape.rows, columns: shape.columns, depth: shape.depth)
        product.matrices = shape.matrices
        product.aCount = matricesA
        product.sharesB = matricesB == 1
        product.matrixStride = shape.rows * shape.columns
        product.bias = Gemm.Bias(rawValue: Int32(shape.bias)) ?? .none
        product.activation = activation(shape.activation, step.floats)
        if gemm.takesTiles(shape) {
            return try multiplyTiled(step, index, shape, product, into: result)
        }
        let left = Gemm.Matrix(
            buffer: try operand(step, 0), lineStride: shape.aLine, depthStride: shape.aDepth,
            matrixStride: shape.aMatrix, matrixCount: matricesA)
        let a: Gemm.Left
        if gemm.readsRows(of: left, rows: shape.rows) {
            a = .rows(left)
        } else {
            let panels = try scratch(
                .a, count: gemm.packedCountA(rows: shape.rows, depth: shape.depth) * matricesA)
            try gemm.packA(left, rows: shape.rows, depth: shape.depth, into: panels)
            a = .panels(panels)
        }
        let b: any ComputeBuffer
        if let packed = packed[index] {
            b = packed
        } else {
            b = try scratch(
                .b, count: gemm.packedCountB(columns: shape.columns, depth: shape.depth) * matricesB
            )
            try gemm.packB(
                .init(
                    buffer: try operand(step, 1), lineStride: shape.bLine,
                    depthStride: shape.bDepth, matrixStride: shape.bMatrix,
                    matrixCount: matricesB),
                columns: shape.columns, depth: shape.depth, into: b)
        }
        try gemm.multiply(
            product, a: a, b: b, bias: shape.bias == 0 ? nil : try operand(step, 2), into: result)
    }

    func operand(_ step: Step, _ position: Int) throws(Failure) -> any ComputeBuffer {
        try buffer(step.operands[position])
    }

    func activation(_ code: Int, _ floats: [Float]) -> Gemm.Activation {
        switch code {
        case 1: .relu
        case 2: .clip(low: floats[0], high: floats[1])
        default: .none
        }
    }
}

extension WindowShape {
    /// Whether its one place is the plane.
    var isWhole: Bool {
        outPixels == 1 && top + left == 0 && kernelHeight == height && kernelWidth == width
            && dilationY == 1 && dilationX == 1
    }

    /// As `window_shape` lies in memory.
    var bytes: Bytes { ints.flatMap { Int32($0).littleEndianBytes } }
}
