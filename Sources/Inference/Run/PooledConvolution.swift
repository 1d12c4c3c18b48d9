internal import Compute
internal import Core

/// A processor's convolution of few channels of which only maxima of windows are read: one launch
/// computes both, and the convolution's result is in no memory. See
/// `Kernels/inference/convolve_pool.cl`.
struct PooledConvolution {
    /// The convolution, what it takes in of the steps behind it, and the pooling.
    let steps: Range<Int>
    let pool: PoolShape
    /// How a band of the input is laid out.
    let layout: WindowLayout
    /// Rows of windows of a band.
    let bandRows: Int
    /// Floats of local memory behind the layout's planes.
    private let rest: Int
    private let channels: Int

    /// What may be in the caches that are a processor's own.
    private static let bytesMax = 192 << 10
    /// Bands of all items: each is many times as much as its start.
    private static let bandsWanted = 8
    /// Of so many rows that a band computes, one may be another band's too.
    private static let sharedRowsMin = 8

    /// - Parameters:
    ///   - tail: what the convolution takes in.
    ///   - readers: the last step that reads each step's result.
    /// - Returns: nil where the steps are others, or the pooling would write what is still read.
    init?(
        _ index: Int, _ plan: Plan, _ tail: ConvolutionTail?, _ readers: [Int], on gemm: Gemm
    ) throws(Failure) {
        let step = plan.steps[index]
        let last = tail?.steps.upperBound ?? index + 1
        guard last < plan.steps.count, plan.steps[last].kind == .pool, readers[last - 1] == last,
            let shape = ConvolutionShape(step.ints), let pool = PoolShape(plan.steps[last].ints),
            shape.groups == 1, !gemm.isDepthwise(shape), shape.depth <= 256,
            shape.window.outWidth >= gemm.tileWidth, tail?.isPlain ?? true,
            plan.constants[step.operands[1]] != nil,
            plan.steps[last].operands == [tail?.result ?? step.result],
            !step.operands.contains(plan.steps[last].result),
            pool.averages == 0, pool.window.isNear,
            pool.planes == shape.items * shape.outChannels,
            pool.window.height == shape.window.outHeight,
            pool.window.width == shape.window.outWidth
        else { return nil }
        let window = pool.window
        // Where the next band's windows read some of a band's rows, it has many more than those.
        let shared = max(0, window.kernelHeight - window.strideY)
        let atLeast =
            (shared * Self.sharedRowsMin - window.kernelHeight)
            .dividedUp(by: window.strideY) + 1
        let least = min(window.outHeight, max(1, atLeast))
        let bands = max(1, Self.bandsWanted / shape.items)
        var rows = max(least, window.outHeight.dividedUp(by: bands))
        let limit = min(gemm.device.description.localMemoryBytes, Self.bytesMax)
        while true {
            guard rows >= least else { return nil }
            let computed = (rows - 1) * window.strideY + window.kernelHeight
            let layout = try WindowLayout(shape.window, stripRows: computed)
            let line =
                window.outWidth.roundedUp(to: gemm.lanes) * window.strideX
                + window.left + window.kernelWidth + 2 * gemm.lanes
            let rest = gemm.lanes + gemm.tiles.rows * computed * layout.pitch + line
            if (shape.channels * layout.planeSize + rest) * 4 <= limit {
                (self.layout, self.rest, bandRows) = (layout, rest, rows)
                break
            }
            rows -= 1
        }
        steps = index..<last + 1
        self.pool = pool
        channels = shape.channels
    }

    /// Those of a plan, by the convolution's index.
    static func found(
        in plan: Plan, _ tails: [Int: ConvolutionTail], on gemm: Gemm
    ) throws(Failure) -> [Int: Self] {
        guard gemm.device.description.kind == .cpu, !gemm.isNarrow else { return [:] }
        let readers = Chain.lastReaders(plan)
        var found: [Int: Self] = [:]
        for (index, step) in plan.steps.enumerated() where step.kind == .convolve {
            found[index] = try Self(index, plan, tails[index], readers, on: gemm)
        }
        return found
    }

    var localBytes: Int { (channels * layout.planeSize + rest) * 4 }
}

extension WindowShape {
    /// Whether `Kernels/inference/pool_maxima.cl` takes maxima of such windows in registers.
    fileprivate var isNear: Bool {
        let each = strideX == 1 ? 17 - kernelWidth : (34 - kernelWidth) / 2
        return (2...3).contains(kernelHeight) && (2...3).contains(kernelWidth)
            && [dilationY, dilationX] == [1, 1] && strideX <= 2 && strideY <= kernelHeight
            && top < kernelHeight && left < kernelWidth
            && (outHeight - 1) * strideY - top < height && (outWidth - 1) * strideX - left < width
            && outWidth.dividedUp(by: each) <= 16
    }
}

extension Session {
    /// Convolutions that are launched with the pooling behind them.
    package var pooledConvolutions: Int { pooled.count }

    /// Whether a convolution's lanes are channels of the output.
    func usesLanes(_ index: Int, _ shape: ConvolutionShape) -> Bool {
        pooled[index] == nil && gemm.usesLanes(shape)
    }

    func launch(_ pooled: PooledConvolution) throws(Failure) {
        let (index, last) = (pooled.steps.lowerBound, pooled.steps.upperBound - 1)
        let step = plan.steps[index]
        guard let shape = ConvolutionShape(step.ints), let weights = packed[index] else {
            throw Step.broken
        }
        let x = try operand(step, 0)
        let panels = shape.outChannels.dividedUp(by: gemm.tiles.rows)
        let window = pooled.pool.window
        // Each part lays its band out anew: panels are divided where bands are too few.
        let bands = window.outHeight.dividedUp(by: pooled.bandRows)
        let wanted = 4 * max(1, device.description.computeUnits)
        let parts = min(panels, wanted.dividedUp(by: bands * shape.items))
        let each = panels.dividedUp(by: parts)
        let numbers = [
            shape.outChannels, shape.channels, shape.depth, each, pooled.bandRows, shape.bias,
        ]
        try device.launch(
            "conv_pool", of: try programs.family(.windows),
            global: [
                panels.dividedUp(by: each), bands, shape.items,
            ],
            local: [1, 1, 1],
            arguments: [
                .buffer(weights), .buffer(x),
                .buffer(shape.bias == 0 ? weights : try operand(step, 2)),
                .buffer(try buffer(plan.steps[last].result)),
                .buffer(try table(last, pooled.layout, channels: shape.channels)),
                .bytes(pooled.layout.bytes), .bytes(window.bytes),
            ] + numbers.map { .int(Int32($0)) }
                + (try after(tails[index], step, shape, any: x).arguments)
                + [.local(byteCount: pooled.localBytes)])
    }
}
