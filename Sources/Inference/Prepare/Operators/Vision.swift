internal import Core
internal import Exact

extension Operators {
    /// Operators that sample pictures, on the host.
    static let vision: Table = [
        "AffineGrid": host(2...2) { (op, inputs) throws(Failure) in
            [try AffineGrid(op, inputs).run()]
        },
        "Det": host(1...1) { (_, inputs) throws(Failure) in [try Matrices.determinants(inputs)] },
        "GridSample": host(2...2) { (op, inputs) throws(Failure) in
            [try GridSampler(op, inputs).run()]
        },
        "MaxRoiPool": host(2...2) { (op, inputs) throws(Failure) in
            [try Regions(op, inputs).maxima()]
        },
        "RoiAlign": host(3...3) { (op, inputs) throws(Failure) in
            [try Regions(op, inputs).aligned()]
        },
    ]
}

private func floats(_ inputs: [Tensor?], _ index: Int) throws(Failure) -> (Tensor, [Float]) {
    guard index < inputs.count, let tensor = inputs[index], let floats = tensor.floats else {
        throw Failure(.unsupported, "input \(index): float32 expected")
    }
    return (tensor, floats)
}

// MARK: - Matrices

private enum Matrices {
    /// By elimination with the largest pivot; ties go to the upper row.
    static func determinants(_ inputs: [Tensor?]) throws(Failure) -> Tensor {
        let (x, values) = try floats(inputs, 0)
        guard x.shape.count >= 2, let n = x.shape.last, n == x.shape[x.shape.count - 2], n <= 1024
        else { throw Failure(.malformed, "square matrices expected") }
        let count = n == 0 ? 0 : x.count / (n * n)
        let results = (0..<count).map { matrix in
            determinant(Array(values[(matrix * n * n)..<((matrix + 1) * n * n)]), n)
        }
        return Tensor(results, shape: Array(x.shape.dropLast(2)))
    }

    private static func determinant(_ matrix: [Float], _ n: Int) -> Float {
        var a = matrix
        var product: Float = 1
        for k in 0..<n {
            var pivot = k
            for row in k..<n where a[row * n + k].magnitude > a[pivot * n + k].magnitude {
                pivot = row
            }
            if pivot != k {
                for column in 0..<n { a.swapAt(k * n + column, pivot * n + column) }
                product = -product
            }
            let top = a[k * n + k]
            product = product * top
            if top == 0 { return 0 }
            for row in (k + 1)..<max(n, k + 1) {
                let factor = Exact.div(a[row * n + k], top)
                for column in k..<n {
                    a[row * n + column] = a[row * n + column].addingProduct(
                        -factor, a[k * n + column])
                }
            }
        }
        return product
    }
}

// MARK: - Grids

/// Coordinates of a picture's elements under affine maps: theta [n, 2, 3] or [n, 3, 4].
private struct AffineGrid {
    let theta: [Float]
    let items: Int
    let axes: [Int]
    let alignsCorners: Bool

    init(_ op: Operator, _ inputs: [Tensor?]) throws(Failure) {
        let (tensor, values) = try floats(inputs, 0)
        guard let size = inputs[1]?.integers?.map(Int.init), [4, 5].contains(size.count),
            tensor.shape == [size[0], size.count - 2, size.count - 1],
            size.allSatisfy({ (1...(1 << 24)).contains($0) })
        else { throw Failure(.malformed, "theta and a size of 4 or 5 axes expected") }
        theta = values
        items = size[0]
        axes = try Shape.checked(Array(size[2...]))
        alignsCorners = try op.flag("align_corners")
        guard items * axes.reduce(1, *) <= Lowering.foldedElementsMax else {
            throw Failure(.limit, "a grid of \(size.text)")
        }
    }

    private func coordinate(_ index: Int, _ size: Int) -> Float {
        // An axis of one element has the first corner, as in ONNX's reference.
        if alignsCorners { return Exact.div(2 * Float(index), Float(max(1, size - 1))) - 1 }
        return Exact.div(2 * Float(index) + 1, Float(size)) - 1
    }

    func run() -> Tensor {
        let rank = axes.count
        let strides = axes.strides
        var out: [Float] = []
        for item in 0..<items {
            for place in 0..<axes.reduce(1, *) {
                // The last axis is x.
                let at = (0..<rank).reversed().map {
                    coordinate(place / strides[$0] % axes[$0], axes[$0])
                }
                for row in 0..<rank {
                    let line = (item * rank + row) * (rank + 1)
                    let sum = (0..<rank).reduce(Float(0)) {
                        $0.addingProduct(theta[line + $1], at[$1])
                    }
                    out.append(sum + theta[line + rank])
                }
            }
        }
        return Tensor(out, shape: [items] + axes + [rank])
    }
}

/// A picture at the points of a grid: [n, c, axes…] and [n, points…, rank].
private struct GridSampler {
    let x: Tensor
    let values: [Float]
    let grid: Tensor
    let points: [Float]
    let mode: String
    let padding: String
    let alignsCorners: Bool

    init(_ op: Operator, _ inputs: [Tensor?]) throws(Failure) {
        (x, values) = try floats(inputs, 0)
        (grid, points) = try floats(inputs, 1)
        let rank = x.shape.count - 2
        guard rank >= 1, grid.shape.count == x.shape.count, grid.shape.last == rank,
            grid.shape[0] == x.shape[0], !x.shape[2...].contains(0)
        else { throw Failure(.malformed, "\(x.shape.text) at \(grid.shape.text)") }
        let given = try op.string("mode") ?? "linear"
        mode = ["bilinear": "linear", "bicubic": "cubic"][given] ?? given
        padding = try op.string("padding_mode") ?? "zeros"
        alignsCorners = try op.flag("align_corners")
        guard ["linear", "nearest", "cubic"].contains(mode),
            ["zeros", "border", "reflection"].contains(padding), mode != "cubic" || rank == 2
        else { throw Failure(.unsupported, "mode \(mode.printable), padding \(padding.printable)") }
    }

    private func reflected(_ x: Float, _ size: Int) -> Float {
        let (low, high): (Float, Float) =
            alignsCorners ? (0, Float(size - 1)) : (-0.5, Float(size) - 0.5)
        let range = high - low
        guard range > 0 else { return 0 }
        let off = (x < low ? low - x : x - high)
        guard x < low || x > high else { return x }
        let turns = Exact.div(off, range).rounded(.down)
        let rest = off - turns * range
        let isEven = turns.truncatingRemainder(dividingBy: 2) == 0
        return (x < low) == isEven ? low + rest : high - rest
    }

    /// Where a coordinate from -1 to 1 lies along an axis.
    private func place(_ g: Float, _ size: Int) -> Float {
        let at =
            alignsCorners
            ? (g + 1) * 0.5 * Float(size - 1) : ((g + 1) * Float(size) - 1) * 0.5
        // Beyond these all is padding.
        let bounded = min(max(at.isNaN ? 0 : at, -0x1p24), 0x1p24)
        switch padding {
        case _ where mode == "cubic": return bounded // each tap is brought inside
        case "border": return min(max(bounded, 0), Float(size - 1))
        case "reflection": return reflected(bounded, size)
        default: return bounded
        }
    }

    /// An element, or what stands outside.
    private func element(_ base: Int, _ at: [Int], _ axes: [Int], _ strides: [Int]) -> Float {
        var place = base
        for axis in axes.indices {
            var index = at[axis]
            if !(0..<axes[axis]).contains(index) {
                switch padding {
                case "border": index = min(max(index, 0), axes[axis] - 1)
                case "reflection":
                    index = Int(reflected(Float(index), axes[axis]))
                    index = min(max(index, 0), axes[axis] - 1)
                default: return 0
                }
            }
            place += index * strides[axis]
        }
        return values[place]
    }

    private func cubic(_ t: Float) -> [Float] {
        let a: Float = -0.75
        func near(_ x: Float) -> Float { ((a + 2) * x - (a + 3)) * x * x + 1 }
        func far(_ x: Float) -> Float { ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
        return [far(1 + t), near(t), near(1 - t), far(2 - t)]
    }

    func run() -> Tensor {
        let axes = Array(x.shape[2...])
        let rank = axes.count
        let strides = axes.strides
        let plane = axes.reduce(1, *)
        let count = grid.shape[1...].dropLast().reduce(1, *)
        var out: [Float] = []
        out.reserveCapacity(x.shape[0] * x.shape[1] * count)
        for item in 0..<x.shape[0] {
            for channel in 0..<x.shape[1] {
                let base = (item * x.shape[1] + channel) * plane
                for point in 0..<count {
                    // The grid's last coordinate is along the first axis.
                    let g = (item * count + point) * rank
                    let at = (0..<rank).map { place(points[g + rank - 1 - $0], axes[$0]) }
                    out.append(sample(base, at, axes, strides))
                }
            }
        }
        return Tensor(out, shape: Array(x.shape[..<2]) + grid.shape[1...].dropLast())
    }

    private func sample(_ base: Int, _ at: [Float], _ axes: [Int], _ strides: [Int]) -> Float {
        if mode == "nearest" {
            let places = at.map { Int($0.rounded(.toNearestOrEven)) }
            return element(base, places, axes, strides)
        }
        let isCubic = mode == "cubic"
        let first = at.map { Int($0.rounded(.down)) - (isCubic ? 1 : 0) }
        let weights = at.map { x -> [Float] in
            let t = x - x.rounded(.down)
            return isCubic ? cubic(t) : [1 - t, t]
        }
        let taps = isCubic ? 4 : 2
        var sum: Float = 0
        for corner in 0..<Array(repeating: taps, count: axes.count).reduce(1, *) {
            var rest = corner
            var weight: Float = 1
            var places = first
            for axis in axes.indices.reversed() {
                places[axis] += rest % taps
                weight = weight * weights[axis][rest % taps]
                rest /= taps
            }
            sum = sum.addingProduct(weight, element(base, places, axes, strides))
        }
        return sum
    }
}

// MARK: - Regions

/// Parts of pictures, pooled to one size.
private struct Regions {
    let x: Tensor
    let values: [Float]
    let boxes: Tensor
    let corners: [Float]
    let op: Operator
    let batches: [Int]
    let scale: Float

    init(_ op: Operator, _ inputs: [Tensor?]) throws(Failure) {
        self.op = op
        (x, values) = try floats(inputs, 0)
        (boxes, corners) = try floats(inputs, 1)
        scale = try op.float("spatial_scale") ?? 1
        let isAlign = op.node.type == "RoiAlign"
        guard x.shape.count == 4, boxes.shape.count == 2, boxes.shape[1] == (isAlign ? 4 : 5) else {
            throw Failure(.malformed, "\(x.shape.text), regions \(boxes.shape.text)")
        }
        if isAlign {
            batches = inputs[2]?.integers?.map(Int.init) ?? []
        } else {
            let all = corners
            batches = (0..<boxes.shape[0]).map { Int(min(max(all[5 * $0], 0), 0x1p24)) }
        }
        let items = x.shape[0]
        guard batches.count == boxes.shape[0], batches.allSatisfy({ (0..<items).contains($0) })
        else { throw Failure(.malformed, "an item of \(items) for each region expected") }
        guard batches.isEmpty || !x.shape[2...].contains(0) else {
            throw Failure(.malformed, "nothing of \(x.shape.text) can be pooled")
        }
    }

    func aligned() throws(Failure) -> Tensor {
        let outHeight = try op.int("output_height") ?? 1
        let outWidth = try op.int("output_width") ?? 1
        let ratio = try op.int("sampling_ratio") ?? 0
        let isMax = try op.string("mode") ?? "avg" == "max"
        let fallback = op.opset < 16 ? "output_half_pixel" : "half_pixel"
        let isHalf = try op.string("coordinate_transformation_mode") ?? fallback == "half_pixel"
        guard (1...4096).contains(outHeight), (1...4096).contains(outWidth),
            (0...4096).contains(ratio)
        else { throw Failure(.malformed, "an output of \(outHeight) by \(outWidth)") }
        let offset: Float = isHalf ? 0.5 : 0
        var out: [Float] = []
        for region in 0..<boxes.shape[0] {
            let box = corners[(4 * region)..<(4 * region + 4)].map { $0 * scale - offset }
            var size = [box[3] - box[1], box[2] - box[0]]
            if !isHalf { size = size.map { max($0, 1) } }
            let bins = [Exact.div(size[0], Float(outHeight)), Exact.div(size[1], Float(outWidth))]
            let counts = bins.map { ratio > 0 ? ratio : max(1, Int(min($0, 4096).rounded(.up))) }
            for channel in 0..<x.shape[1] {
                for bin in 0..<outHeight * outWidth {
                    let top = box[1] + Float(bin / outWidth) * bins[0]
                    let left = box[0] + Float(bin % outWidth) * bins[1]
                    var samples: [Float] = []
                    for i in 0..<counts[0] * counts[1] {
                        let dy = Exact.div(
                            (Float(i / counts[1]) + 0.5) * bins[0], Float(counts[0]))
                        let dx = Exact.div(
                            (Float(i % counts[1]) + 0.5) * bins[1], Float(counts[1]))
                        samples.append(
                            contentsOf: sample(batches[region], channel, top + dy, left + dx, isMax)
                        )
                    }
                    out.append(
                        isMax
                            ? samples.reduce(-.infinity, max)
                            : Exact.div(
                                HostSteps.lanes(samples, neutral: 0, +),
                                Float(counts[0] * counts[1])))
                }
            }
        }
        return Tensor(out, shape: [boxes.shape[0], x.shape[1], outHeight, outWidth])
    }

    /// The four weighted neighbours of a point, or their sum.
    private func sample(
        _ item: Int, _ channel: Int, _ y: Float, _ x: Float, _ isApart: Bool
    ) -> [Float] {
        let (height, width) = (self.x.shape[2], self.x.shape[3])
        if y < -1 || y > Float(height) || x < -1 || x > Float(width) || y.isNaN || x.isNaN {
            return [0]
        }
        let (cy, cx) = (max(y, 0), max(x, 0))
        let y0 = min(Int(cy), height - 1)
        let x0 = min(Int(cx), width - 1)
        let (y1, x1) = (min(y0 + 1, height - 1), min(x0 + 1, width - 1))
        let ly = y0 == height - 1 ? 0 : cy - Float(y0)
        let lx = x0 == width - 1 ? 0 : cx - Float(x0)
        let base = (item * self.x.shape[1] + channel) * height * width
        let terms = [
            (1 - ly) * (1 - lx) * values[base + y0 * width + x0],
            (1 - ly) * lx * values[base + y0 * width + x1],
            ly * (1 - lx) * values[base + y1 * width + x0],
            ly * lx * values[base + y1 * width + x1],
        ]
        return isApart ? terms : [((terms[0] + terms[1]) + terms[2]) + terms[3]]
    }

    func maxima() throws(Failure) -> Tensor {
        guard let pooled = try op.ints("pooled_shape"), pooled.count == 2,
            pooled.allSatisfy({ (1...4096).contains($0) })
        else { throw Failure(.malformed, "attribute \"pooled_shape\"") }
        let (height, width) = (x.shape[2], x.shape[3])
        var out: [Float] = []
        for region in 0..<boxes.shape[0] {
            let box = (1...4).map {
                Int(min(max((corners[5 * region + $0] * scale).rounded(), -0x1p20), 0x1p20))
            }
            let size = [max(box[3] - box[1] + 1, 1), max(box[2] - box[0] + 1, 1)]
            for channel in 0..<x.shape[1] {
                let base = (batches[region] * x.shape[1] + channel) * height * width
                for bin in 0..<pooled[0] * pooled[1] {
                    let i = bin / pooled[1]
                    let j = bin % pooled[1]
                    let ys = bounds(box[1], size[0], i, pooled[0], height)
                    let xs = bounds(box[0], size[1], j, pooled[1], width)
                    var best: Float?
                    for y in ys {
                        for x in xs { best = max(best ?? -.infinity, values[base + y * width + x]) }
                    }
                    out.append(best ?? 0)
                }
            }
        }
        return Tensor(out, shape: [boxes.shape[0], x.shape[1]] + pooled)
    }

    private func bounds(
        _ start: Int, _ size: Int, _ bin: Int, _ bins: Int, _ limit: Int
    ) -> Range<Int> {
        let low = min(max(start + bin * size / bins, 0), limit)
        let high = min(max(start + ((bin + 1) * size + bins - 1) / bins, 0), limit)
        return low..<max(low, high)
    }
}
