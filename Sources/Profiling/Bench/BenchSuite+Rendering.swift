internal import Compute
internal import Core
internal import Digest
internal import Rendering

// Path tracing, as the render app does it, in a scene of its own.

extension BenchSuite {
    static let renderItems: [Item] = [
        Item("rays_coherent", unit: "Mrays/s") { stopwatch throws(Failure) in
            try rays(stopwatch, isCoherent: true)
        },
        Item("rays_incoherent", unit: "Mrays/s") { stopwatch throws(Failure) in
            try rays(stopwatch, isCoherent: false)
        },
        Item("path_samples", unit: "Msamples/s", run: pathSamples),
    ]

    // MARK: - Rays

    /// Nearest hits of rays that lie on the device already.
    private static func rays(
        _ stopwatch: Stopwatch, isCoherent: Bool
    ) throws(Failure) -> Measured {
        let device = stopwatch.device
        let field = BenchScene(side: 3, level: 1)
        let small = try RayCaster(RenderBlob(field.scene, fixed), on: device)
        let hits = try small.closest(
            field.rays(256, isCoherent: isCoherent), by: isCoherent ? .packet : .single)
        let bytes = hits.flatMap {
            $0.distance.bitPattern.littleEndianBytes + $0.primitive.littleEndianBytes
        }
        guard hits.contains(where: { $0 != .none }) else {
            throw Failure(.device, "256 rays hit nothing, expected hits")
        }
        let large = stopwatch.isSimulator ? field : BenchScene(side: 8, level: 3)
        let caster = try RayCaster(RenderBlob(large.scene, fixed), on: device)
        var samples: [Double] = []
        for count in stopwatch.fit([1 << 10, 1 << 14, 1 << 16, 1 << 18, 1 << 20]) {
            let batch = try caster.batch(large.rays(count, isCoherent: isCoherent))
            samples = try stopwatch.rates(amounts: [count]) { _ throws(Failure) in
                try caster.cast(batch, by: isCoherent ? .packet : .single)
            }
            // The best run decides, since any one may have been disturbed.
            let seconds = Double(count) / (samples.max() ?? .infinity)
            if seconds >= stopwatch.runSecondsMin { break }
        }
        return Measured(samples: samples.map { $0 / 1e6 }, hash: SHA256.hash(bytes))
    }

    // MARK: - Paths

    private static let fixed = RenderParameters(width: 16, height: 12, samples: 2, bounces: 3)

    private static func fixedBlob() throws(Failure) -> RenderBlob {
        try RenderBlob(BenchScene(side: 3, level: 1).scene, fixed)
    }

    /// The small picture's tiles.
    static func pathHash(
        on device: any ComputeDevice, clock: any Clock
    ) throws(Failure) -> Hash256 {
        try hash(fixedBlob(), on: device, clock: clock)
    }

    /// Samples per second with four bounces, compiled and loaded beforehand.
    private static func pathSamples(_ stopwatch: Stopwatch) throws(Failure) -> Measured {
        let device = stopwatch.device
        let small = try fixedBlob()
        let hash = try hash(small, on: device, clock: stopwatch.clock)
        let parameters =
            stopwatch.isSimulator
            ? fixed : RenderParameters(width: 320, height: 192, samples: 1, bounces: 4)
        let blob =
            stopwatch.isSimulator
            ? small : try RenderBlob(BenchScene(side: 8, level: 3).scene, parameters)
        let run = try RenderRun(blob, on: device, clock: stopwatch.clock)
        let amounts = Stopwatch.doublings(from: 1, to: 256)
        let rates = try stopwatch.rates(amounts: amounts) { samples throws(Failure) in
            try run.render(
                tiles: 0..<parameters.tileCount, samples: 0..<samples,
                advance: { _ throws(Failure) in }, finish: { _ throws(Failure) in })
        }
        let pixels = Double(parameters.width * parameters.height)
        return Measured(samples: rates.map { $0 * pixels / 1e6 }, hash: hash)
    }

    /// Over the bytes of all tiles, which are exact integer sums.
    private static func hash(
        _ blob: RenderBlob, on device: any ComputeDevice, clock: any Clock
    ) throws(Failure) -> Hash256 {
        let run = try RenderRun(blob, on: device, clock: clock)
        let parameters = RenderParameters(width: blob.width, height: blob.height)
        var bytes = Bytes()
        try run.render(
            tiles: 0..<parameters.tileCount, samples: 0..<fixed.samples,
            advance: { _ throws(Failure) in },
            finish: { tile throws(Failure) in
                guard tile.nanCount == 0 else {
                    throw Failure(.device, "tile \(tile.tile): \(tile.nanCount) samples are NaN")
                }
                bytes += tile.bytes
            })
        return SHA256.hash(bytes)
    }
}
