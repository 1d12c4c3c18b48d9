internal import Compute
internal import Core

extension Session {
    func pool(
        _ step: Step, _ x: any ComputeBuffer, _ result: any ComputeBuffer
    ) throws(Failure) {
        guard let shape = PoolShape(step.ints) else { throw Step.broken }
        var arguments: [KernelArgument] = [
            .buffer(x), .buffer(result), .bytes(shape.window.bytes),
        ]
        if shape.averages == 1 {
            arguments += [shape.countsPadding, shape.bottom, shape.right].map { .int(Int32($0)) }
        }
        try device.launch(
            shape.averages == 1 ? "pool_average" : "pool_max", of: try programs.reduce(),
            global: [shape.window.outPixels.inGroups, shape.planes],
            local: Launch.local(device, axes: 2), arguments: arguments)
    }

    func reduce(
        _ step: Step, _ x: any ComputeBuffer, _ result: any ComputeBuffer
    ) throws(Failure) {
        let (count, inner) = (step.ints[2], step.ints[3])
        let results = step.ints[1] * inner
        let type = step.kind == .softmax ? ElementType.float32 : try Step.type(step.ints[4])
        let prefix = type == .float32 ? "" : "integer_"
        let program = try type == .float32 ? programs.reduce() : programs.integer(type)
        if step.kind == .softmax, inner == 1, sharesRows {
            return try launchRows(
                "softmax_lanes", rows: results,
                [.buffer(x), .buffer(result)]
                    + [count, results, step.ints[0]].map { .int(Int32($0)) })
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
            kernel, of: program, global: [results.inGroups],
            local: Launch.local(device, axes: 1),
            arguments: [
                .buffer(x), .buffer(result), .int(Int32(count)), .int(Int32(inner)),
                .int(Int32(results)),
            ] + more)
    }

    // MARK: Products

    func multiply(
        _ step: Step, _ index: Int, _ result: any ComputeBuffer
    ) throws(Failure) {
        guard let shape = MatrixShape(step.ints) else { throw Step.broken }
        let matricesA = shape.aMatrix == 0 ? 1 : shape.matrices
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
        let matricesB = shape.bMatrix == 0 ? 1 : shape.matrices
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
        var product = Gemm.Product(
            rows: shape.rows, columns: shape.columns, depth: shape.depth)
        product.matrices = shape.matrices
        product.aCount = matricesA
        product.sharesB = matricesB == 1
        product.matrixStride = shape.rows * shape.columns
        product.bias = Gemm.Bias(rawValue: Int32(shape.bias)) ?? .none
        product.activation = activation(shape.activation, step.floats)
        try gemm.multiply(
            product, a: a, b: b, bias: shape.bias == 0 ? nil : try operand(step, 2), into: result)
    }

    private func operand(_ step: Step, _ position: Int) throws(Failure) -> any ComputeBuffer {
        try buffer(step.operands[position])
    }

    private func activation(_ code: Int, _ floats: [Float]) -> Gemm.Activation {
        switch code {
        case 1: .relu
        case 2: .clip(low: floats[0], high: floats[1])
        default: .none
        }
    }

    func convolve(
        _ step: Step, _ index: Int, _ result: any ComputeBuffer
    ) throws(Failure) {
        guard let shape = ConvolutionShape(step.ints) else { throw Step.broken }
        if shape.channels == 1 { return try convolveDepthwise(step, shape, result) }
        let x = try operand(step, 0)
        let bias = shape.bias == 0 ? nil : try operand(step, 2)
        let weights: any ComputeBuffer
        if let packed = packed[index] {
            weights = packed
        } else {
            weights = try packWeights(shape, try operand(step, 1))
        }
        let width = gemm.tiles.columns
        let pixels = shape.window.outPixels
        // As many pixels at a time as fit, then as many matrices (items and groups) as fit.
        let pixelBytes = shape.depth * 4
        let chunk = min(
            pixels.roundedUp(to: width),
            max(width, panelBytesMax / pixelBytes / width * width))
        let matrixCount = shape.items * shape.groups
        let together = chunk >= pixels ? max(1, panelBytesMax / (chunk * pixelBytes)) : 1
        // Groups have weights of their own: whole items at a time, or one item's groups.
        let step = together >= shape.groups ? together / shape.groups * shape.groups : shape.groups
        let panels = try scratch(.b, count: chunk * shape.depth * min(step, matrixCount))
        for firstMatrix in stride(from: 0, to: matrixCount, by: step) {
            for first in stride(from: 0, to: pixels, by: chunk) {
                let tile = Tile(
                    first: first, count: min(chunk, pixels - first), firstMatrix: firstMatrix,
                    matrices: min(step, matrixCount - firstMatrix))
                try pack(shape, tile, x, into: panels)
                var product = Gemm.Product(
                    rows: shape.outChannels, columns: tile.count, depth: shape.depth)
                product.matrices = tile.matrices
                product.aCount = shape.groups
                product.leading = pixels
                product.offset = firstMatrix * shape.outChannels * pixels + first
                product.matrixStride = shape.outChannels * pixels
                product.bias = bias == nil ? .none : .row
                product.activation = activation(shape.activation, self.plan.steps[index].floats)
                try gemm.multiply(
                    product, a: .panels(weights), b: panels, bias: bias, into: result)
            }
        }
    }

    /// Pixels and matrices of a convolution that are packed together.
    private struct Tile {
        var first: Int
        var count: Int
        var firstMatrix: Int
        var matrices: Int
    }

    private func pack(
        _ shape: ConvolutionShape, _ tile: Tile, _ x: any ComputeBuffer,
        into panels: any ComputeBuffer
    ) throws(Failure) {
        let width = gemm.tiles.columns
        let panelCount = tile.count.roundedUp(to: width) / width
        try device.launch(
            "conv_pack", of: gemm.program, global: [shape.channels, panelCount, tile.matrices],
            local: device.description.kind == .cpu ? [1, 1, 1] : nil,
            arguments: [
                .buffer(x), .buffer(panels), .bytes(shape.bytes), .int(Int32(width)),
                .int(Int32(tile.first)), .int(Int32(tile.first + tile.count)),
                .ulong(UInt64(tile.firstMatrix)),
                .ulong(UInt64(panelCount * width * shape.depth)),
            ])
    }

    private func convolveDepthwise(
        _ step: Step, _ shape: ConvolutionShape, _ result: any ComputeBuffer
    ) throws(Failure) {
        let channels = shape.groups * shape.outChannels
        let hasBias = shape.bias == 1
        try device.launch(
            "conv_depthwise", of: gemm.program,
            global: [shape.window.outPixels.inGroups, channels, shape.items],
            local: Launch.local(device),
            arguments: [
                .buffer(try operand(step, 0)), .buffer(try operand(step, 1)),
                .buffer(try operand(step, hasBias ? 2 : 1)), .buffer(result),
                .bytes(shape.bytes), .int(Int32(channels)), .int(Int32(shape.outChannels)),
                .int(hasBias ? 1 : 0),
            ] + activation(shape.activation, step.floats).arguments)
    }
}

extension WindowShape {
    /// As `pool_shape` lies in memory.
    var bytes: Bytes { ints.flatMap { Int32($0).littleEndianBytes } }
}

extension ConvolutionShape {
    /// As `conv_shape` lies in memory.
    var bytes: Bytes { Int32(channels).littleEndianBytes + window.bytes }
}
