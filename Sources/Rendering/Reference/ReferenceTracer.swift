internal import Exact

/// The path tracer once more, slow and plain: what every device must give, bit for bit.
///
/// It reads the same ``RenderBlob`` as the kernels of `Kernels/render` and computes one sample of
/// one pixel at a time. There is no tree (every ray asks every triangle), no queue, no stage and
/// no vector code. Operations stand in the kernels' order, with fma where they have fma, and
/// functions from `Exact`; where both differ, one of them is wrong.
package struct ReferenceTracer: Sendable {
    let blob: RenderBlob
    /// Every triangle that a ray can hit, instance by instance.
    let targets: [[Target]]
    let lightTree: ReferenceLightTree?
    /// Of a shutter's later steps.
    private let later: [ReferenceTracer]

    package init(_ blob: RenderBlob) {
        self.blob = blob
        lightTree = ReferenceLightTree(blob)
        later = blob.later.map(ReferenceTracer.init)
        targets = Self.targets(blob)
    }

    // MARK: - One sample

    /// A path on its way: where its ray begins and what it has found so far.
    struct Path {
        let key: UInt32
        let sample: UInt32
        var origin: SIMD3<Float>
        var direction: SIMD3<Float>
        var throughput = SIMD3<Float>.one
        /// Density with which the direction was sampled; 0 where nothing else could have found it.
        var density: Float = 0
        /// The cone that textures are filtered by: its width where the ray begins, and how it grows
        /// a unit of distance.
        var coneWidth: Float
        var coneSpread: Float
        var radiance = SIMD3<Float>.zero
        /// What it last asked a light from.
        var asker: LightAsker?
        /// Solids that the path went into and has not left, the last entered first.
        var media: [UInt32] = []
        /// Whether a dispersive solid has made the path stand for one band of light.
        var isBandChosen = false
    }

    /// What a path did at one depth: the ray, what it met, and the light found up to there.
    package struct Bounce: Hashable, Sendable {
        package var depth: Int
        package var origin: SIMD3<Float>
        package var direction: SIMD3<Float>
        /// Of the ray, before it met anything.
        package var throughput: SIMD3<Float>
        package var distance: Float
        /// ``BlobLayout/primitiveNone`` where the ray left the scene.
        package var primitive: UInt32
        /// Found at this depth and before.
        package var radiance: SIMD3<Float>
    }

    /// The radiance that sample `sample` of pixel (`x`, `y`) finds.
    ///
    /// - Parameter observe: told of each depth in turn.
    package func radiance(
        x: Int, y: Int, sample: Int, observe: (Bounce) -> Void = { _ in }
    ) -> SIMD3<Float> {
        let step = blob.step(ofSample: sample)
        guard step == 0 else {
            return later[step - 1].radiance(x: x, y: y, sample: sample, observe: observe)
        }
        var path = begin(x: x, y: y, sample: sample)
        // One ray beyond the last bounce finds light alone.
        for depth in 0...blob.bounces + 1 {
            let ray = path
            let hit = closest(path, depth: depth)
            let goesOn = advance(&path, to: hit, depth: depth)
            observe(
                Bounce(
                    depth: depth, origin: ray.origin, direction: ray.direction,
                    throughput: ray.throughput, distance: hit.found.distance,
                    primitive: hit.found.primitive,
                    radiance: path.radiance))
            if !goesOn { break }
        }
        return path.radiance
    }

    /// Collects light where the ray ends, asks a light from there, and chooses the next ray.
    private func advance(_ path: inout Path, to hit: Hit, depth: Int) -> Bool {
        guard hit.found.primitive != BlobLayout.primitiveNone else {
            path.radiance += limited(escapedRadiance(path), isIndirect: depth > 1)
            return false
        }
        let meeting = meeting(path, hit, depth: depth)
        path.coneWidth = meeting.coneWidth
        fade(&path, to: meeting)
        if let emitted = emittedRadiance(path, meeting) {
            path.radiance += limited(emitted, isIndirect: depth > 1)
        }
        guard depth <= blob.bounces else { return false }
        let surface = surface(path, meeting)
        let asker = LightAsker(
            position: surface.position, normal: surface.frame.normal, isOpen: surface.isOpen)
        path.asker = asker
        if let light = askLight(path, from: asker, depth: depth),
            let arriving = arrivingRadiance(light, at: surface, path, depth: depth)
        {
            path.radiance += arriving
        }
        return scatter(&path, at: surface, depth: depth)
    }

    /// What light scattered more than once may add, where the job sets a limit.
    func limited(_ radiance: SIMD3<Float>, isIndirect: Bool) -> SIMD3<Float> {
        let limit = header(BlobLayout.Word.clamp)
        let most = largest(radiance)
        guard isIndirect, limit > 0, most > limit else { return radiance }
        return radiance * Exact.div(limit, most)
    }

    // MARK: - Tiles

    /// A tile's sums, as a device gives them: docs/formats.md 1.6.
    package func tile(_ tile: Int, samples: Range<Int>) -> TileSums {
        let grid = RenderParameters(width: blob.width, height: blob.height)
        let left = tile % grid.tilesWide * TileSums.side
        let top = tile / grid.tilesWide * TileSums.side
        let width = min(TileSums.side, blob.width - left)
        let height = min(TileSums.side, blob.height - top)
        var sums: [Int64] = []
        var nanCount = 0
        for y in top..<top + height {
            for x in left..<left + width {
                var pixel = SIMD3<Int64>.zero
                for sample in samples {
                    let radiance = radiance(x: x, y: y, sample: sample)
                    for channel in 0..<3 { pixel[channel] += Self.fixedPoint(radiance[channel]) }
                    if radiance.x.isNaN || radiance.y.isNaN || radiance.z.isNaN { nanCount += 1 }
                }
                sums += [pixel.x, pixel.y, pixel.z]
            }
        }
        return TileSums(
            tile: tile, width: width, height: height, sampleCount: samples.count,
            nanCount: nanCount, sums: sums)
    }

    private static func fixedPoint(_ radiance: Float) -> Int64 {
        guard !radiance.isNaN else { return 0 }
        let limited = min(max(radiance, 0), 0x1.fffffep26)
        return Int64((limited * 0x1p20).rounded(.toNearestOrEven))
    }

    // MARK: - Words

    /// Word `word` of element `index` of a section.
    func word(_ section: BlobLayout.Section, _ index: UInt32, _ word: Int = 0) -> UInt32 {
        blob.words[blob.offset(section) + Int(index) * section.stride + word]
    }

    func float(_ section: BlobLayout.Section, _ index: UInt32, _ word: Int = 0) -> Float {
        Float(bitPattern: self.word(section, index, word))
    }

    func vector(_ section: BlobLayout.Section, _ index: UInt32, _ word: Int = 0) -> SIMD3<Float> {
        [
            float(section, index, word), float(section, index, word + 1),
            float(section, index, word + 2),
        ]
    }

    func vector4(_ section: BlobLayout.Section, _ index: UInt32) -> SIMD4<Float> {
        SIMD4(vector(section, index), float(section, index, 3))
    }

    /// A number of the header.
    func header(_ word: Int) -> Float { Float(bitPattern: blob.words[word]) }

    func headerVector(_ word: Int) -> SIMD3<Float> {
        [header(word), header(word + 1), header(word + 2)]
    }
}
