internal import Compute
internal import Core

/// How the places of a convolution whose lanes are channels are put together, as
/// `Kernels/inference/convolve_lanes.cl` has it.
struct LanesTiles {
    /// Places of the shortest segment, which is also that of rows that are no whole segments.
    static let segmentMin = 7

    /// Neighbouring places, of which a tile has some segments.
    let segment: Int
    /// Whether segments lie in rows, so that none of the places between rows are computed.
    let isByRows: Bool
    /// Tiles of `most` segments, of three, and of one.
    let bigs: Int, threes: Int, ones: Int, most: Int

    init(_ layout: WindowLayout, isNarrow: Bool) {
        let width = layout.window.outWidth
        segment = Self.segment(ofRows: width)
        isByRows = Self.isByRows(layout.window)
        let places = isByRows ? layout.window.outPixels : layout.places
        let segments = places.dividedUp(by: segment)
        if isNarrow || segment == 27 {
            (bigs, threes, ones, most) = (0, 0, segments, 1)
        } else if segment == 13 {
            (bigs, threes, ones, most) = (segments / 2, 0, segments % 2, 2)
        } else if places >= 4 * segment || (isByRows && segments == 3) {
            let threes = segments == 5 ? 2 : (4 - segments % 4) % 4
            let bigs = segments == 5 ? 0 : (segments - 3 * threes) / 4
            (self.bigs, self.threes, ones, most) = (bigs, threes, 0, 4)
        } else {
            (bigs, threes, ones, most) = (0, 0, segments, 1)
        }
    }

    /// The segments that a row of the output is whole ones of; the shortest where there are none.
    private static func segment(ofRows width: Int) -> Int {
        [segmentMin, 13, 27].first { width % $0 == 0 } ?? segmentMin
    }

    static func isByRows(_ window: WindowShape) -> Bool {
        window.outWidth % segment(ofRows: window.outWidth) == 0
    }

    /// Where planes do not stay in a processor's own cache while panels of weights are gone through
    /// one by one, as many tiles as read a part of them that does: panels are gone through for each
    /// such part. nil for others. Narrow vectors do without: Mesa's rusticl (22.3) computes others.
    static func tilesEach(_ shape: ConvolutionShape, _ layout: WindowLayout) -> Int? {
        let row = shape.channels * layout.pitch * 4
        guard layout.isBare, layout.pitch > 28, row * layout.rows > nearBytes else { return nil }
        return layout.pitch / 28 * max(1, nearBytes / row - 2)
    }
    private static let nearBytes = 384 << 10

    var count: Int { bigs + threes + ones }
    /// Places that are computed.
    var computed: Int { (bigs * most + threes * 3 + ones) * segment }

    /// Whether windows are of three by three neighbours about each place of a plane, and tiles of
    /// few forms, for which the kernel has code that leaves taps in the padding out.
    static func canBeBare(_ window: WindowShape) -> Bool {
        let w = window
        guard [w.kernelHeight, w.kernelWidth] == [3, 3], [w.top, w.left] == [1, 1],
            [w.strideY, w.strideX, w.dilationY, w.dilationX] == [1, 1, 1, 1],
            w.outHeight == w.height, w.outWidth == w.width
        else { return false }
        return [7, 13, 27].contains(w.width) || w.width % 28 == 0
            || (w.width == 14 && w.height % 2 == 0)
    }

    /// As `conv_edge` in the kernel.
    static func edge(_ layout: WindowLayout, isByPlaces: Bool) -> Bytes {
        let w = layout.window
        return [
            layout.isBare ? 1 : 0, w.height, segment(ofRows: w.outWidth), isByPlaces ? 1 : 0,
        ]
        .flatMap { Int32($0).littleEndianBytes }
    }
}
