internal import Compute
internal import Core

/// How the places of a convolution whose lanes are channels are put together, as
/// `Kernels/inference/convolve_lanes.cl` has it.
struct LanesTiles {
    /// Places of the shortest segment, which is also that of rows that are no whole segments.
    static let segmentMin = 7
    /// Places of a tile of two of them.
    private static let pair = 14

    let count: Int
    /// Places that are computed.
    let computed: Int

    init(_ layout: WindowLayout, isNarrow: Bool) {
        let window = layout.window
        let segment = Self.segment(ofRows: window.outWidth)
        if segment == Self.pair {
            count = window.outHeight * window.outWidth.dividedUp(by: segment)
            computed = count * segment
            return
        }
        let places = Self.isByRows(window) ? window.outPixels : layout.places
        let segments = places.dividedUp(by: segment)
        let takesPairs = !isNarrow && segment == Self.segmentMin && places >= Self.pair
        count = takesPairs ? segments.dividedUp(by: 2) : segments
        computed = segments * segment
    }

    /// The segments that a row of the output is whole ones of; or a pair of the shortest, where a
    /// row has not many places more or less than some of them; the shortest where there are none.
    private static func segment(ofRows width: Int) -> Int {
        if let whole = [segmentMin, 13].first(where: { width % $0 == 0 }) { return whole }
        let excess = width.roundedUp(to: pair) - width
        return width >= pair && excess * 100 <= width * excessPercentMax ? pair : segmentMin
    }
    private static let excessPercentMax = 6

    static func isByRows(_ window: WindowShape) -> Bool {
        let segment = segment(ofRows: window.outWidth)
        return segment == pair || window.outWidth % segment == 0
    }

    /// Where planes do not stay in a processor's own cache while panels of weights are gone through
    /// one by one, as many tiles as read a part of them that does: panels are gone through for each
    /// such part. nil for others. Narrow vectors do without: Mesa's rusticl (22.3) computes others.
    static func tilesEach(_ shape: ConvolutionShape, _ layout: WindowLayout) -> Int? {
        let row = shape.channels * layout.pitch * 4
        guard layout.isBare, layout.pitch > 28, row * layout.rows > nearBytes else { return nil }
        return layout.pitch.dividedUp(by: pair) * max(1, nearBytes / row - 2)
    }
    private static let nearBytes = 384 << 10

    /// Whether windows are of three by three neighbours about each place of a plane, and rows whole
    /// segments: the kernel can leave taps in the padding out there.
    static func canBeBare(_ window: WindowShape) -> Bool {
        let w = window
        guard [w.kernelHeight, w.kernelWidth] == [3, 3], [w.top, w.left] == [1, 1],
            [w.strideY, w.strideX, w.dilationY, w.dilationX] == [1, 1, 1, 1],
            w.outHeight == w.height, w.outWidth == w.width
        else { return false }
        return isByRows(w)
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
