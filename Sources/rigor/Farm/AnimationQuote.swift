import Foundation
import Rendering

/// Which frames of an animation are tried for a quote, and what they say of all.
struct AnimationQuote {
    /// Every frame.
    let numbers: ClosedRange<Int>

    private static let triedMax = 3

    /// Those that are tried: the first, the last and what lies evenly between.
    var tried: [Int] {
        let count = min(numbers.count, Self.triedMax)
        guard count > 1 else { return [numbers.lowerBound] }
        return (0..<count).map {
            numbers.lowerBound + $0 * (numbers.count - 1) / (count - 1)
        }
    }

    /// A device's quote for all frames.
    ///
    /// - Parameter quotes: one for each frame that was tried, in order.
    func whole(_ quotes: [DeviceQuote], _ parameters: RenderParameters) -> DeviceQuote {
        var whole = quotes[0]
        guard numbers.count > 1 else { return whole }
        whole.frames = (numbers.count, Array(tried.prefix(quotes.count)))
        whole.failure = quotes.compactMap(\.failure).first
        whole.quote = nil
        let tries = quotes.compactMap(\.quote)
        guard whole.failure == nil, tries.count == quotes.count else { return whole }
        // The first frame reads files and finds or makes programs that the others have at hand.
        func sum(_ part: (DeviceQuote) -> Double) -> Double {
            let first = part(quotes[0])
            let others = quotes.dropFirst().map(part)
            let mean = others.reduce(0, +) / Double(max(others.count, 1))
            return first + mean * Double(numbers.count - 1)
        }
        whole.load = sum(\.load)
        whole.prepare = sum(\.prepare)
        whole.compile = sum(\.compile)
        whole.digest = sum(\.digest)
        whole.tried = quotes.reduce(0) { $0 + $1.tried }
        let watts = quotes.compactMap(\.watts)
        whole.watts = watts.isEmpty ? nil : watts.reduce(0, +) / Double(watts.count)
        // As many pieces of each frame, or those with quick pieces would count for more.
        let count = tries.map(\.probes.count).min() ?? 1
        let pieceCount = RenderQuote.pieces(of: parameters).count
        whole.quote = RenderQuote(
            tries.flatMap { $0.probes.prefix(count) },
            sampleCount: parameters.width * parameters.height * parameters.samples * numbers.count,
            pieceCount: pieceCount * numbers.count)
        whole.spread = spread(tries.map(\.computeSeconds))
        return whole
    }

    /// Two standard errors of the frames' mean, as a part of it; nil with fewer than three.
    private func spread(_ seconds: [Double]) -> Double? {
        let count = Double(seconds.count)
        let mean = seconds.reduce(0, +) / count
        guard seconds.count >= 3, mean > 0 else { return nil }
        let squares = seconds.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let untried = 1 - count / Double(numbers.count)
        return 2 * (squares / (count - 1) * untried / count).squareRoot() / mean
    }
}
