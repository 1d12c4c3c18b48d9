internal import Compute
internal import Core

/// Convolutions of 8-bit integers on a device.
extension DotProduct {
    /// Words of one group's packed weights.
    func packedCount(_ shape: DotConvolutionShape) -> Int {
        shape.convolution.outChannels.roundedUp(to: Self.rows)
            * (shape.words * shape.convolution.window.taps + 1)
    }

    /// Words behind planes that the last tile may read.
    var placesSlack: Int { tileWidth }

    func packFilters(
        _ shape: DotConvolutionShape, _ plain: any ComputeBuffer, into panels: any ComputeBuffer
    ) throws(Failure) {
        let s = shape.convolution
        try device.launch(
            "dot_pack_filters", of: program,
            global: [s.outChannels.roundedUp(to: Self.rows), s.groups], local: [Self.rows, 1],
            arguments: [
                .buffer(plain), .buffer(panels), .int(Int32(s.outChannels)),
                .int(Int32(s.channels)), .int(Int32(s.window.taps)),
                .int(shape.wIsSigned ? 1 : 0),
            ])
    }

    /// Brings planes of some items into words.
    func spread(
        _ shape: DotConvolutionShape, _ layout: WindowLayout, _ x: any ComputeBuffer,
        zero: (any ComputeBuffer)?, items: Range<Int>, into words: any ComputeBuffer
    ) throws(Failure) {
        let s = shape.convolution
        try device.launch(
            "dot_spread", of: program,
            global: [layout.rows, items.count * s.groups * shape.words],
            local: device.description.kind == .cpu ? [1, 1] : nil,
            arguments: [
                .buffer(x), .buffer(zero ?? x), .buffer(words), .bytes(layout.bytes),
                .int(Int32(s.channels)), .int(zero == nil ? 0 : 1),
                .int(shape.xIsSigned ? 1 : 0), .ulong(UInt64(items.lowerBound * s.groups)),
            ])
    }

    /// What a convolution reads.
    struct Factors {
        var filters: any ComputeBuffer
        var words: any ComputeBuffer
        var offsets: any ComputeBuffer
        /// Of x and of the weights; any buffer where there are none.
        var zeros: (x: any ComputeBuffer, w: any ComputeBuffer)
    }

    func convolve(
        _ shape: DotConvolutionShape, _ layout: WindowLayout, _ factors: Factors,
        items: Range<Int>, into c: any ComputeBuffer
    ) throws(Failure) {
        let (s, window) = (shape.convolution, shape.convolution.window)
        let panels = s.outChannels.dividedUp(by: Self.rows)
        let tiles = layout.places.dividedUp(by: tileWidth)
        let matrices = items.count * s.groups
        try device.launch(
            "dot_convolve", of: program,
            global: isNarrow ? [tiles.inGroups, panels, matrices] : [panels, tiles, matrices],
            local: isNarrow ? Launch.local(device) : [1, 1, 1],
            arguments: [
                .buffer(factors.filters), .buffer(factors.words), .buffer(factors.zeros.x),
                .buffer(factors.zeros.w), .buffer(c), .buffer(factors.offsets),
                .int(Int32(s.outChannels)), .int(Int32(layout.places)),
                .int(Int32(shape.words * window.taps)), .int(Int32(s.depth)),
                .int(Int32(layout.pitch)), .int(Int32(window.outWidth)),
                .int(Int32(window.outPixels)), .int(Int32(s.groups)),
                .ulong(UInt64(shape.words * layout.planeSize)),
                .ulong(UInt64(items.lowerBound * shape.outChannels * window.outPixels)),
                .int(Int32(shape.xZeros.rawValue)), .int(Int32(shape.wZeros.rawValue)),
                .int(shape.xIsSigned ? 1 : 0), .int(shape.wIsSigned ? 1 : 0),
            ])
    }
}
