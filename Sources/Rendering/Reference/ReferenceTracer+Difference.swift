package import Core

extension ReferenceTracer {
    /// The first place where somebody's sums differ from the reference.
    package struct Difference: Sendable, CustomStringConvertible {
        package var x: Int
        package var y: Int
        package var sample: Int
        /// Scattering events that a path must be allowed for the difference to show.
        package var bounce: Int
        /// Red, green and blue of that sample with so many bounces, in units of 2⁻²⁰.
        package var found: SIMD3<Int64>
        package var expected: SIMD3<Int64>
        /// What the path did, by the reference.
        package var trace: [Bounce]

        package var description: String {
            let steps = trace.map {
                "\n  depth \($0.depth): from \($0.origin) along \($0.direction) "
                    + "meets \($0.primitive) at \($0.distance), throughput \($0.throughput), "
                    + "radiance \($0.radiance)"
            }
            return "pixel (\(x), \(y)), sample \(sample), bounce \(bounce): found \(found), "
                + "expected \(expected)" + steps.joined()
        }
    }

    /// Narrows a tile that differs down to pixel, sample and bounce. A path with fewer bounces is
    /// the beginning of one with more, so the least number at which sums differ names the bounce.
    ///
    /// - Parameter render: the tile's sums over a range of samples, by whoever is in doubt.
    /// - Returns: nil where all sums are the reference's.
    package func difference(
        in tile: Int, samples: Range<Int>,
        render: (RenderBlob, Range<Int>) throws(Failure) -> TileSums
    ) throws(Failure) -> Difference? {
        let whole = try render(blob, samples)
        let own = self.tile(tile, samples: samples)
        guard whole != own else { return nil }
        for sample in samples {
            let range = sample..<sample + 1
            guard try render(blob, range) != self.tile(tile, samples: range) else { continue }
            for bounce in 0...blob.bounces {
                let shorter = ReferenceTracer(blob.limited(toBounces: bounce))
                let found = try render(shorter.blob, range)
                let expected = shorter.tile(tile, samples: range)
                guard found != expected else { continue }
                return shorter.difference(found, expected, sample: sample)
            }
        }
        throw Failure(
            .device,
            "tile \(tile): sums differ, those of its samples one by one do not: no two runs agree")
    }

    private func difference(
        _ found: TileSums, _ expected: TileSums, sample: Int
    ) -> Difference {
        let place = zip(found.sums, expected.sums).firstIndexOfDifference / 3
        let grid = RenderParameters(width: blob.width, height: blob.height)
        let x = expected.tile % grid.tilesWide * TileSums.side + place % expected.width
        let y = expected.tile / grid.tilesWide * TileSums.side + place / expected.width
        var trace: [Bounce] = []
        _ = radiance(x: x, y: y, sample: sample) { trace.append($0) }
        func pixel(_ tile: TileSums) -> SIMD3<Int64> {
            SIMD3(tile.sums[3 * place..<3 * place + 3])
        }
        return Difference(
            x: x, y: y, sample: sample, bounce: blob.bounces, found: pixel(found),
            expected: pixel(expected), trace: trace)
    }
}

extension Zip2Sequence<[Int64], [Int64]> {
    /// 0 where there is none.
    fileprivate var firstIndexOfDifference: Int {
        enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? 0
    }
}

extension RenderBlob {
    /// The same job with another limit of bounces.
    fileprivate func limited(toBounces bounces: Int) -> RenderBlob {
        var words = words
        words[BlobLayout.Word.bounces] = UInt32(bounces)
        return RenderBlob(
            checked: words, later: later.map { $0.limited(toBounces: bounces) })
    }
}
