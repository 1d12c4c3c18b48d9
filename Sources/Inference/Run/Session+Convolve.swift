internal import Compute
internal import Core

extension Session {
    /// - Parameters:
    ///   - offset: the result's first element; see ``Placement``.
    ///   - tail: what else is computed; `result` is its last step's then.
    func convolve(
        _ step: Step, _ index: Int, _ result: any ComputeBuffer, at offset: Int = 0,
        tail: ConvolutionTail? = nil
    ) throws(Failure) {
        guard let shape = ConvolutionShape(step.ints) else { throw Step.broken }
        let x = try operand(step, 0)
        let after = try after(tail, step, shape, any: x)
        if gemm.takesTiles(shape) {
            return try convolveTiled(step, index, shape, result, at: offset, after: after)
        }
        let rest = after.arguments
        if gemm.isDepthwise(shape) {
            return try convolveDepthwise(step, index, shape, result, rest)
        }
        let weights: any ComputeBuffer
        if let packed = packed[index] {
            weights = packed
        } else {
            weights = try packWeights(
                shape, byLanes: usesLanes(index, shape), try operand(step, 1))
        }
        let bias = shape.bias == 0 ? weights : try operand(step, 2)
        if shape.isOneProduct { return try convolvePlace(step, shape, weights, x, bias, result) }
        let direct = try direct(index, shape)
        let layout = direct.layout
        let product = DirectProduct(
            direct: direct, weights: weights, bias: bias, offset: offset,
            rest: rest + [.buffer(after.other)]
                + (direct.usesLanes
                    ? [.bytes(LanesTiles.edge(layout, isByPlaces: direct.tilesEach != nil))] : []))
        let placesMin = direct.usesLanes ? LanesTiles.segmentMin : gemm.tileWidth
        if layout.isPlain || layout.isBare, layout.places >= placesMin {
            return try multiply(product, x, items: 0..<shape.items, into: result)
        }
        // Spread, it would lack the padding that its kernel then reads: where planes are bare, all
        // of them have a segment.
        precondition(!layout.isBare, "bare planes are read as they lie")
        // As many items at a time as fit, with room for the last tile to read on.
        let planes = shape.groups * shape.channels
        let itemCount = planes * layout.planeSize
        let each = max(1, min(shape.items, panelBytesMax / (itemCount * 4)))
        let spread = try scratch(.b, count: each * itemCount + gemm.tileWidth)
        for first in stride(from: 0, to: shape.items, by: each) {
            let items = first..<min(first + each, shape.items)
            let rowsEach =
                device.description.kind == .cpu && items.count * planes >= 16
                ? layout.rows : max(1, layout.rows / 16)
            try device.launch(
                "window_spread", of: try programs.family(.convolutions),
                global: [layout.rows.dividedUp(by: rowsEach), items.count * planes],
                local: device.description.kind == .cpu ? [1, 1] : nil,
                arguments: [
                    .buffer(x), .buffer(spread), .bytes(layout.bytes), .int(Int32(rowsEach)),
                    .ulong(UInt64(first * planes)),
                ])
            try multiply(product, spread, items: items, into: result)
        }
    }

    /// What a convolution's launches have in common, made once.
    struct Direct {
        var shape: ConvolutionShape
        var layout: WindowLayout
        var usesLanes: Bool
        /// See ``LanesTiles/tilesEach(_:_:)``.
        var tilesEach: Int?
        /// Floats of one group's packed weights.
        var packedCount: Int
        var offsets: any ComputeBuffer
    }

    private func direct(_ index: Int, _ shape: ConvolutionShape) throws(Failure) -> Direct {
        if let known = directs[index] { return known }
        let layout =
            bare.contains(index)
            ? WindowLayout(bare: shape.window) : try WindowLayout(shape.window)
        let usesLanes = usesLanes(index, shape)
        let direct = Direct(
            shape: shape, layout: layout, usesLanes: usesLanes,
            tilesEach: usesLanes && !gemm.isNarrow ? LanesTiles.tilesEach(shape, layout) : nil,
            packedCount: gemm.packedCount(of: shape, byLanes: usesLanes),
            offsets: try table(index, layout, channels: shape.channels))
        directs[index] = direct
        return direct
    }

    /// A convolution as an implicit matrix product.
    private struct DirectProduct {
        var direct: Direct
        var weights: any ComputeBuffer
        var bias: any ComputeBuffer
        /// The result's first element.
        var offset: Int
        /// What follows the sums.
        var rest: [KernelArgument]
    }

    /// - Parameter x: planes of `items` alone, as the layout says.
    private func multiply(
        _ product: DirectProduct, _ x: any ComputeBuffer, items: Range<Int>,
        into result: any ComputeBuffer
    ) throws(Failure) {
        let (shape, layout) = (product.direct.shape, product.direct.layout)
        let matrices = items.count * shape.groups
        let usesLanes = product.direct.usesLanes
        let panels = shape.outChannels.dividedUp(
            by: usesLanes ? gemm.laneChannels : gemm.tiles.rows)
        let tiles =
            usesLanes
            ? LanesTiles(layout, isNarrow: gemm.isNarrow).count
            : layout.places.dividedUp(by: gemm.tileWidth)
        // A work-item's share is worth its start, while there are enough of them.
        var each = 1
        if device.description.kind == .cpu {
            let wanted = Self.depthEach.dividedUp(by: shape.depth)
            let most = panels * tiles * matrices / WindowLayout.groupsWanted
            each = max(1, min(wanted, usesLanes ? tiles : panels, most))
        }
        let tilesEach = product.direct.tilesEach
        if let tilesEach { each = min(tilesEach, max(1, tiles / WindowLayout.groupsWanted)) }
        let parts = tiles.dividedUp(by: each)
        let global =
            usesLanes
            ? (tilesEach == nil ? [parts, panels, matrices] : [panels, parts, matrices])
            : gemm.isNarrow
                ? [tiles.inGroups, panels.dividedUp(by: each), matrices]
                : [panels.dividedUp(by: each), tiles, matrices]
        let itemPlace = shape.groups * shape.outChannels * shape.window.outPixels
        try device.launch(
            usesLanes ? "conv_lanes" : "conv_direct",
            of: try programs.family(usesLanes ? .windows : .convolutions), global: global,
            local: usesLanes || !gemm.isNarrow ? [1, 1, 1] : Launch.local(device),
            arguments: [
                .buffer(product.weights), .buffer(x), .buffer(product.bias), .buffer(result),
                .buffer(product.direct.offsets), .int(Int32(shape.outChannels)),
                .int(Int32(layout.places)), .int(Int32(shape.depth)), .int(Int32(layout.pitch)),
                .int(Int32(shape.window.outWidth)), .int(Int32(shape.window.outPixels)),
                .int(Int32(each)), .int(Int32(shape.groups)),
                .ulong(UInt64(product.direct.packedCount)),
                .ulong(UInt64(shape.channels * layout.planeSize)),
                .ulong(UInt64(product.offset + items.lowerBound * itemPlace)),
                .ulong(UInt64(shape.outChannels * shape.window.outPixels)),
                .int(Int32(shape.bias)),
            ] + product.rest)
    }

    /// Steps of k that one work-item of a processor does at least: some microseconds.
    private static let depthEach = 768

    private func convolvePlace(
        _ step: Step, _ shape: ConvolutionShape, _ weights: any ComputeBuffer,
        _ x: any ComputeBuffer, _ bias: any ComputeBuffer, _ result: any ComputeBuffer
    ) throws(Failure) {
        let panels = shape.outChannels.dividedUp(by: gemm.tiles.rows)
        try device.launch(
            "conv_place", of: try programs.family(.convolutions),
            global: [panels.dividedUp(by: 4), 1, shape.items * shape.groups],
            local: device.description.kind == .cpu ? [1, 1, 1] : nil,
            arguments: [
                .buffer(weights), .buffer(x), .buffer(bias), .buffer(result),
                .int(Int32(shape.outChannels)), .int(Int32(shape.depth)),
                .int(Int32(shape.groups)),
                .ulong(UInt64(gemm.packedCountA(rows: shape.outChannels, depth: shape.depth))),
                .int(Int32(shape.bias)),
            ] + activation(shape.activation, step.floats).arguments)
    }

    private func convolveDepthwise(
        _ step: Step, _ index: Int, _ shape: ConvolutionShape, _ result: any ComputeBuffer,
        _ rest: [KernelArgument]
    ) throws(Failure) {
        let channels = shape.groups * shape.outChannels
        let hasBias = shape.bias == 1
        var arguments: [KernelArgument] = [
            .buffer(try operand(step, 0)), .buffer(try operand(step, 1)),
            .buffer(try operand(step, hasBias ? 2 : 1)), .buffer(result),
        ]
        let isOneBlock = shape.window.taps <= 256
        if isOneBlock, let strips = try strips(index, shape.window, shape.items * channels) {
            arguments += [
                .buffer(try table(index, strips.layout, channels: 1)),
                .bytes(strips.layout.bytes), .int(Int32(shape.items * channels)),
                .int(Int32(strips.planesEach)), .int(Int32(channels)),
                .int(Int32(shape.outChannels)), .int(hasBias ? 1 : 0),
            ]
            return try device.launch(
                "conv_depthwise_strips", of: try programs.family(.convolutions),
                global: strips.global, local: [1, 1],
                arguments: arguments + rest + [.local(byteCount: strips.localBytes)])
        }
        try device.launch(
            "conv_depthwise", of: try programs.family(.convolutions),
            global: [shape.window.outPixels.inGroups, channels, shape.items],
            local: Launch.local(device),
            arguments: arguments + [
                .bytes(shape.window.bytes), .int(Int32(channels)), .int(Int32(shape.outChannels)),
                .int(hasBias ? 1 : 0),
            ] + activation(shape.activation, step.floats).arguments)
    }

    // MARK: Strips

    /// Planes that a processor computes strip by strip in local memory.
    struct Strips {
        var layout: WindowLayout
        var planesEach: Int
        var global: [Int]
        var localBytes: Int
    }

    /// - Returns: nil where strips do not suit the device, or not even a row fits.
    func strips(
        _ index: Int, _ window: WindowShape, _ planes: Int
    ) throws(Failure) -> Strips? {
        guard device.description.kind == .cpu else { return nil }
        if let known = strips[index] { return known }
        // Behind the last place, as many as a turn of the longest loop reads; then two numbers for
        // each vector.
        let slack = 4 * gemm.lanes
        let limit = min(device.description.localMemoryBytes, Self.stripBytesMax)
        let count = (limit / 4 - slack - Self.marksMin) * gemm.lanes / (gemm.lanes + 2)
        guard let layout = try WindowLayout.strips(window, planes: planes, count: count) else {
            return nil
        }
        let work = layout.planeSize * window.taps
        let most = planes * layout.stripCount / WindowLayout.groupsWanted
        let planesEach = max(1, min(Self.stripWork.dividedUp(by: work), most))
        let made = Strips(
            layout: layout, planesEach: planesEach,
            global: [layout.stripCount, planes.dividedUp(by: planesEach)],
            localBytes: (layout.planeSize + slack + Self.marksMin) * 4
                + layout.planeSize * 8 / gemm.lanes)
        strips[index] = made
        return made
    }

    /// Numbers of the vectors that fill up the last turn.
    private static let marksMin = 16
    /// What stays near a processor while it is worked on.
    static let stripBytesMax = 64 << 10
    /// Taps that a work-item takes at least: some microseconds.
    static let stripWork = 100_000

    /// Where taps lie, made once.
    func table(
        _ index: Int, _ layout: WindowLayout, channels: Int
    ) throws(Failure) -> any ComputeBuffer {
        if let table = tables[index] { return table }
        let table = try device.makeBuffer(try layout.offsets(channels: channels))
        tables[index] = table
        return table
    }
}

extension ConvolutionShape {
    /// Whether there is one output place, whose taps are a group's planes as they lie.
    var isOneProduct: Bool { window.isWhole }
}

extension Gemm {
    /// Whether a convolution is computed plane by plane: one input channel a group. On processors
    /// it is a product all the same where a group gives so many outputs that a tile is full.
    func isDepthwise(_ shape: ConvolutionShape) -> Bool {
        shape.channels == 1
            && (device.description.kind != .cpu || shape.outChannels < tiles.rows)
    }

    /// Whether a convolution's lanes are channels of the output: where tiles of places would be
    /// emptier, on processors. Planes that are read as they lie make up for a little.
    func usesLanes(_ shape: ConvolutionShape) -> Bool {
        guard device.description.kind == .cpu, !shape.isOneProduct,
            shape.depth >= Self.laneDepthMin,
            let layout = try? WindowLayout(shape.window)
        else { return false }
        let lanesTiles = LanesTiles(layout, isNarrow: isNarrow)
        guard layout.places >= LanesTiles.segmentMin,
            LanesTiles.isByRows(shape.window) || layout.places <= 1024
        else { return false }
        let ofLanes = lanesTiles.computed * shape.outChannels.roundedUp(to: lanes)
        let ofPlaces =
            layout.places.roundedUp(to: tileWidth) * shape.outChannels.roundedUp(to: tiles.rows)
        return ofLanes * 100 < ofPlaces * (LanesTiles.canBeBare(shape.window) ? 102 : 98)
    }

    static let laneDepthMin = 64

    /// Floats of one group's packed weights.
    func packedCount(of shape: ConvolutionShape, byLanes: Bool) -> Int {
        byLanes
            ? packedCountB(columns: shape.outChannels, depth: shape.depth)
            : packedCountA(rows: shape.outChannels, depth: shape.depth)
    }
}
