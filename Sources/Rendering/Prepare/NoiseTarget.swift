internal import Core

/// When a tile has samples enough: decided at powers of two, from the tile's integer sums alone, so
/// that it comes out alike on every device and however a frame is split into tiles.
///
/// At N samples the mean I of all is held against the mean A of the first half, as Dammertz et al.
/// do ("A Hierarchical Automatic Stopping Condition for Monte Carlo Global Illumination", 2010). A
/// pixel's error is e = (|I−A|ʳ + |I−A|ᵍ + |I−A|ᵇ) ÷ (10⁻⁴ + √(Iʳ + Iᵍ + Iᵇ)), which weighs noise
/// about as eyes do (Cycles' noise threshold counts alike). The tile is done when the mean of e
/// over each of its blocks of 8×8 pixels is at most ``level``.
public struct NoiseTarget: Hashable, Sendable {
    public var level: Double
    /// Samples before the first decision; the next power of two counts.
    public var samplesMin: Int

    public static let levels = 1e-5...1.0
    static let blockSide = 8

    public init(level: Double, samplesMin: Int = 16) {
        self.level = level
        self.samplesMin = samplesMin
    }

    /// Whether a tile is done.
    ///
    /// - Parameters:
    ///   - whole: the sums over a power of two of samples, at least two.
    ///   - half: the sums over the first half of these.
    func isReached(_ whole: TileSums, half: [Int64]) -> Bool {
        for top in stride(from: 0, to: whole.height, by: Self.blockSide) {
            for left in stride(from: 0, to: whole.width, by: Self.blockSide) {
                let rows = top..<min(top + Self.blockSide, whole.height)
                let columns = left..<min(left + Self.blockSide, whole.width)
                guard error(whole, half, rows, columns) <= level else { return false }
            }
        }
        return true
    }

    /// Whether a tile may have ended with so many samples.
    func mayEnd(at count: Int, samplesMax: Int) -> Bool {
        count == samplesMax
            || count < samplesMax && count > 1 && count >= samplesMin && count.nonzeroBitCount == 1
    }

    /// Mean error over a block. Doubles with + − × ÷ √ alone, in a fixed order.
    private func error(
        _ whole: TileSums, _ half: [Int64], _ rows: Range<Int>, _ columns: Range<Int>
    ) -> Double {
        let one = Double(whole.sampleCount) * Double(TileSums.unitsPerOne)
        var sum = 0.0
        for y in rows {
            for x in columns {
                let first = 3 * (y * whole.width + x)
                var difference = 0.0
                var brightness = 0.0
                for place in first..<first + 3 {
                    let halves = whole.sums[place] &- 2 &* half[place]
                    difference += Double(halves.magnitude) / one
                    brightness += Double(whole.sums[place]) / one
                }
                sum += difference / (1e-4 + brightness.squareRoot())
            }
        }
        return sum / Double(rows.count * columns.count)
    }

    /// - Throws: ``Failure`` with code `limit` naming the parameter and its range.
    func check() throws(Failure) {
        guard Self.levels.contains(level) else {
            let (low, high) = (Self.levels.lowerBound, Self.levels.upperBound)
            throw Failure(.limit, "noise \(level): \(low)…\(high) expected")
        }
        guard (1...RenderParameters.samplesMax).contains(samplesMin) else {
            throw Failure(
                .limit,
                "least samples \(samplesMin): 1…\(RenderParameters.samplesMax) expected")
        }
    }
}

extension NoiseTarget {
    /// What a specification asks for; nil where it names no target.
    ///
    /// - Throws: ``Failure`` also where it splits such a task by samples: the decision needs them
    ///   all.
    init?(_ spec: TaskSpec) throws(Failure) {
        guard let level = try spec.decimal("noise") else { return nil }
        let samples = try spec.int("samples")
        guard spec.parts.allSatisfy({ $0.samples == nil || $0.samples == 0..<samples }) else {
            throw Failure(
                .malformed,
                "render: a task with a noise target splits by tiles: no ranges of samples expected")
        }
        self.init(level: level)
        if spec.parameters["samples_min"] != nil { samplesMin = try spec.int("samples_min") }
    }

    var parameters: [String: TaskSpec.Parameter] {
        ["noise": .string("\(level)"), "samples_min": .int(samplesMin)]
    }
}
