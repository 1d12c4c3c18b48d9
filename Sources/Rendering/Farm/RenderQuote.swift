/// What a render will take, from a few pieces of it that were timed.
///
/// Pieces are spread evenly over the frame, so that a dear corner has its part in the sample; what
/// they differ among themselves says how far off the whole may be.
public struct RenderQuote: Hashable, Sendable {
    /// A piece that was computed.
    public struct Probe: Hashable, Sendable {
        /// Samples of pixels.
        public var samples: Int
        public var seconds: Double

        public init(samples: Int, seconds: Double) {
            self.samples = samples
            self.seconds = seconds
        }
    }

    public let probes: [Probe]
    /// Samples of pixels in the whole.
    public let sampleCount: Int
    /// Samples in every piece there is.
    private let sampledFraction: Double

    /// - Parameters:
    ///   - probes: timed pieces, without the first one, which warms up.
    ///   - sampleCount: of the whole render.
    ///   - pieceCount: how many pieces of that kind the frame has.
    /// - Precondition: there is at least one probe, and each has samples.
    public init(_ probes: [Probe], sampleCount: Int, pieceCount: Int) {
        precondition(!probes.isEmpty && probes.allSatisfy { $0.samples > 0 })
        self.probes = probes
        self.sampleCount = sampleCount
        sampledFraction = min(Double(probes.count) / Double(max(pieceCount, 1)), 1)
    }

    /// Samples a second, all probes together.
    public var samplesPerSecond: Double {
        let seconds = max(probes.reduce(0) { $0 + $1.seconds }, 1e-9)
        return Double(probes.reduce(0) { $0 + $1.samples }) / seconds
    }

    /// Seconds on the device for all of it.
    public var computeSeconds: Double { Double(sampleCount) / samplesPerSecond }

    /// How far off that may be, as a part of it, by the spread of the probes: two standard errors.
    /// Nil with fewer than three, which tell nothing.
    public var relativeError: Double? {
        guard probes.count >= 3 else { return nil }
        let rate = 1 / samplesPerSecond
        let mean = Double(probes.reduce(0) { $0 + $1.samples }) / Double(probes.count)
        let squares = probes.reduce(0.0) { sum, probe in
            let apart = probe.seconds - rate * Double(probe.samples)
            return sum + apart * apart
        }
        let count = Double(probes.count)
        let variance = squares / (count - 1) * max(1 - sampledFraction, 0)
        return 2 * (variance / count).squareRoot() / (rate * mean)
    }

    /// Pieces of a frame in the order in which they are tried: any number of the first ones lies
    /// evenly over it. Each is what a device works on at a time.
    public static func pieces(of parameters: RenderParameters) -> [RenderPiece] {
        let samples = min(parameters.samples, samplesAtOnce)
        // The last tiles alone would be a piece of another size: they go with those before.
        let side = max(samplesAtOnce / samples, 1)
        let count = max(parameters.tileCount / side, 1)
        let step = stride(for: count)
        return (0..<count).map { number in
            let first = (number * step + count / 2) % count * side
            return RenderPiece(
                tiles: first..<min(first + side, parameters.tileCount), samples: 0..<samples)
        }
    }

    private static let samplesAtOnce = 64

    /// About the golden section of `count`, and prime to it: its multiples fill gaps evenly.
    private static func stride(for count: Int) -> Int {
        var step = max(Int(Double(count) * 0.618_034), 1)
        while greatestCommonDivisor(step, count) != 1 { step += 1 }
        return step
    }

    private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
        b == 0 ? a : greatestCommonDivisor(b, a % b)
    }
}
