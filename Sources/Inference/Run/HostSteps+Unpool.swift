internal import Core

extension HostSteps {
    /// The gradient of a pool, window by window: see `Kernels/inference/unpool.cl`.
    static func unpool<T: HostReal>(_ step: Step, _ operands: [[T]]) -> [T] {
        guard let s = PoolShape(step.ints) else { preconditionFailure("a pool") }
        let w = s.window
        // What falls on each element, with the tap that it falls from.
        var given: [[(tap: Int, value: T)]] = Array(repeating: [], count: s.planes * w.pixels)
        for plane in 0..<s.planes {
            for window in 0..<w.outPixels {
                let (places, padded) = w.places(window, bottom: s.bottom, right: s.right)
                let first = plane * w.pixels
                let gradient = operands[operands.count - 1][plane * w.outPixels + window]
                if s.averages == 1 {
                    let divisor = s.countsPadding == 1 ? padded : places.count
                    for (tap, place) in places {
                        given[first + place].append((tap, T.quotient(gradient, T(divisor))))
                    }
                    continue
                }
                let top = operands[1][plane * w.outPixels + window]
                guard let best = places.first(where: { operands[0][first + $0.place] == top })
                else { continue }
                given[first + best.place].append((best.tap, gradient))
            }
        }
        return given.map { parts in
            parts.sorted { $0.tap < $1.tap }.reduce(T(0)) { $0 + $1.value }
        }
    }
}

extension WindowShape {
    /// Where a window's taps lie inside the plane, and how many lie in it or the padding behind it.
    fileprivate func places(
        _ window: Int, bottom: Int, right: Int
    ) -> (inside: [(tap: Int, place: Int)], padded: Int) {
        var inside: [(tap: Int, place: Int)] = []
        var padded = 0
        for tap in 0..<taps {
            let iy = window / outWidth * strideY - top + tap / kernelWidth * dilationY
            let ix = window % outWidth * strideX - left + tap % kernelWidth * dilationX
            if iy < height + bottom, ix < width + right { padded += 1 }
            if (0..<height).contains(iy), (0..<width).contains(ix) {
                inside.append((tap, iy * width + ix))
            }
        }
        return (inside, padded)
    }
}
