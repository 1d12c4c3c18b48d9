internal import Core

/// How planes lie for the windows that slide over them: see `Kernels/inference/window.cl`.
struct WindowLayout {
    let window: WindowShape
    /// Rows of the output that are computed from one layout: all, or a strip of them.
    let stripRows: Int
    let phasesY: Int
    let phasesX: Int
    /// Rows of one phase, and places from one to the next.
    let rows: Int
    let pitch: Int
    /// Floats of all phases of a plane, and of the padding behind them.
    let planeSize: Int
    /// Whether windows reach beyond the plane, which lies as it is.
    let isBare: Bool

    /// - Throws: ``Failure`` when the layout is larger than kernels can count.
    init(_ window: WindowShape, stripRows: Int? = nil) throws(Failure) {
        self.window = window
        isBare = false
        self.stripRows = stripRows ?? window.outHeight
        let reachY = (window.kernelHeight - 1) * window.dilationY
        let reachX = (window.kernelWidth - 1) * window.dilationX
        phasesY = min(window.strideY, reachY + 1)
        phasesX = min(window.strideX, reachX + 1)
        rows = self.stripRows + reachY / window.strideY
        // The padding right of a row may be that left of the next one, or of what follows the last;
        // no more of it than the window reaches, since each output has a place of its own.
        let right = window.outWidth + reachX - window.left - window.width
        let shared = window.strideX == 1 ? max(0, min(window.left, right, reachX)) : 0
        pitch = window.outWidth + reachX / window.strideX - shared
        planeSize = try Step.product([phasesY, phasesX, rows, pitch]) + shared
        guard planeSize <= Int(Int32.max) / 4 else {
            throw Failure(.limit, "a window with padding over \(planeSize) places")
        }
    }

    /// Planes of one phase as they are, without the padding that windows reach into: for kernels
    /// that leave its taps out.
    init(bare window: WindowShape) {
        self.window = window
        isBare = true
        (stripRows, rows, pitch) = (window.outHeight, window.height, window.width)
        (phasesY, phasesX) = (1, 1)
        planeSize = window.pixels
    }

    /// The layout of strips whose planes fit `count` floats; nil where not even one row's does.
    static func strips(_ window: WindowShape, planes: Int, count: Int) throws(Failure) -> Self? {
        let one = try Self(window, stripRows: 1)
        let row = one.phasesY * one.phasesX * one.pitch
        let rowsMax = min(window.outHeight, (count - window.left) / row - one.rows + 1)
        guard rowsMax > 0 else { return nil }
        // Enough strips for all processors, and of about one height.
        let strips = max(
            window.outHeight.dividedUp(by: rowsMax),
            min(window.outHeight, groupsWanted.dividedUp(by: planes)))
        return try Self(window, stripRows: window.outHeight.dividedUp(by: strips))
    }

    /// Work-groups from which on the load is shared evenly.
    static let groupsWanted = 16

    var stripCount: Int { window.outHeight.dividedUp(by: stripRows) }

    /// Whether a plane lies so already.
    var isPlain: Bool {
        phasesY * phasesX == 1 && window.strideY * window.strideX == 1
            && window.top + window.left == 0 && rows == window.height && pitch == window.width
    }

    /// From the first output of all rows to behind the last.
    var places: Int { (window.outHeight - 1) * pitch + window.outWidth }

    /// How far from an output's place each tap lies, channel by channel.
    ///
    /// - Throws: ``Failure`` when kernels cannot count so far.
    func offsets(channels: Int) throws(Failure) -> [UInt32] {
        guard try Step.product([channels, planeSize]) <= Int(UInt32.max) else {
            throw Failure(.limit, "planes of more than \(UInt32.max) places")
        }
        var taps: [Int] = []
        for ky in 0..<window.kernelHeight {
            for kx in 0..<window.kernelWidth {
                let (y, x) = (ky * window.dilationY, kx * window.dilationX)
                let phase = y % window.strideY * phasesX + x % window.strideX
                taps.append((phase * rows + y / window.strideY) * pitch + x / window.strideX)
            }
        }
        return (0..<channels).flatMap { channel in
            taps.map { UInt32(channel * planeSize + $0) }
        }
    }

    /// As `window_layout` lies in memory.
    var bytes: Bytes {
        let w = window
        return [
            w.height, w.width, w.outHeight, w.outWidth, w.taps, w.strideY, w.strideX, w.top,
            w.left, phasesY, phasesX, rows, pitch, stripRows, planeSize,
        ].flatMap { Int32($0).littleEndianBytes }
    }
}

extension Int {
    /// How many parts of at most `part` it takes.
    func dividedUp(by part: Int) -> Int { (self + part - 1) / part }
}
