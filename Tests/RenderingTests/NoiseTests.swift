import Compute
import Core
import Digest
import Rendering
import RigorTestKit
import Testing

/// Tiles that are let be when they have little noise.
@Suite struct NoiseTests {
    private static let noise = NoiseTarget(level: 0.03, samplesMin: 4)
    private static let parameters = RenderParameters(
        width: 100, height: 70, samples: 128, bounces: 3, noise: noise)

    private func run(_ tuning: RenderRun.Tuning = .init()) throws -> RenderRun? {
        guard let device = try TestDevices.any?.open() else { return nil }
        return try RenderRun(
            try RenderBlob(SceneMaker.room, Self.parameters), on: device, clock: MonotonicClock(),
            tuning: tuning)
    }

    private func frame(_ run: RenderRun) throws -> [TileSums] {
        var frame = try PartialFrame(width: 100, height: 70, noise: Self.noise)
        try run.render(&frame, samples: 128) { _, _ throws(Failure) in true }
        #expect(frame.isWhole(samples: 128))
        return frame.tiles
    }

    private func tiles(_ run: RenderRun, _ range: Range<Int>) throws -> [TileSums] {
        var finished: [TileSums] = []
        try run.render(RenderPiece(tiles: range, samples: 0..<128), of: Self.parameters) {
            (tile: TileSums) in finished.append(tile)
        }
        return finished
    }

    @Test func tilesEndWhereTheyMay() throws {
        guard let device = try TestDevices.any?.open(), let run = try run() else { return }
        let found = try frame(run)
        let counts = found.map(\.sampleCount)
        #expect(Set(counts).count > 1, "\(counts)")
        #expect(counts.allSatisfy { $0 >= 4 && $0 <= 128 && $0.nonzeroBitCount == 1 })
        // Each has the bits of a render with that many samples.
        for count in Set(counts) {
            var plain = Self.parameters
            plain.noise = nil
            plain.samples = count
            let whole = try renderTiles(SceneMaker.room, plain, on: device)
            for tile in found where tile.sampleCount == count { #expect(tile == whole[tile.tile]) }
        }
    }

    @Test func howTheWorkIsCutDoesNotShow() throws {
        guard let run = try run() else { return }
        let whole = try frame(run)
        #expect(try tiles(run, 0..<12) == whole)
        #expect(try tiles(run, 5..<7) + tiles(run, 7..<8) == Array(whole[5..<8]))
        guard let narrow = try self.run(.init(pathsMax: 4096, isNarrow: true)) else { return }
        #expect(try frame(narrow) == whole)
    }

    @Test func sittingsDoNotShow() throws {
        guard let run = try run() else { return }
        let whole = try frame(run)
        let origin = KeptFrame.Origin(
            program: Hash256.zero, blob: try RenderBlob(SceneMaker.room, Self.parameters),
            noise: Self.noise)
        var frame = try PartialFrame(width: 100, height: 70, noise: Self.noise)
        var sittings = 0
        while !frame.isWhole(samples: 128), sittings < 500 {
            var left = 2
            try run.render(&frame, samples: 128) { _, _ throws(Failure) in
                left -= 1
                return left > 0
            }
            let bytes = KeptFrame(frame, origin: origin).pieces.flatMap(\.self)
            let read = try KeptFrame(bytes, expecting: origin).frame
            #expect(read == frame)
            frame = read
            sittings += 1
        }
        #expect(sittings > 2 && frame.tiles == whole)
        // Another target would have decided otherwise.
        var other = origin
        other = KeptFrame.Origin(
            program: Hash256.zero, blob: try RenderBlob(SceneMaker.room, Self.parameters),
            noise: NoiseTarget(level: 0.02, samplesMin: 4))
        let bytes = KeptFrame(frame, origin: origin).pieces.flatMap(\.self)
        #expect(throws: Failure.self) { _ = try KeptFrame(bytes, expecting: other) }
    }

    /// What is one colour has no noise, and ends at once; at a level nobody reaches, all is taken.
    @Test func levels() throws {
        guard let device = try TestDevices.any?.open() else { return }
        var maker = SceneMaker(environment: [0.5, 0.5, 0.5])
        _ = maker.material([1, 1, 1])
        maker.camera(at: .zero, halfHeight: 1)
        let run = try RenderRun(
            try RenderBlob(maker.scene, Self.parameters), on: device, clock: MonotonicClock())
        for (target, expected) in [
            (NoiseTarget(level: 0.01, samplesMin: 9), 16), (.init(level: 0.01, samplesMin: 1), 2),
            (.init(level: 0.01, samplesMin: 128), 40),
        ] {
            var frame = try PartialFrame(width: 100, height: 70, noise: target)
            try run.render(&frame, samples: 40) { _, _ throws(Failure) in true }
            #expect(frame.tiles.allSatisfy { $0.sampleCount == expected })
        }
    }

    @Test func refusesRangesOfSamples() throws {
        let spec = TaskSpec(
            app: "render", appVersion: "0.1",
            parameters: [
                "scene": .string("x.glb"), "width": .int(9), "height": .int(9),
                "samples": .int(64), "bounces": .int(1), "seed": .string("0"),
                "noise": .string("0.05"),
            ],
            inputs: [:], parts: [.init(samples: 0..<32), .init(samples: 32..<64)])
        let failure = #expect(throws: Failure.self) {
            _ = try RenderApp().prepare(spec, inputs: "/nowhere")
        }
        #expect(failure?.message.contains("no ranges of samples") == true)
        for level in [0.0, 2, -1, .nan] {
            #expect(throws: Failure.self) {
                try RenderParameters(noise: NoiseTarget(level: level)).check()
            }
        }
    }

    // MARK: Parts and disputes

    private func part(_ run: RenderRun, _ range: Range<Int>) throws -> RenderPart {
        let blob = try RenderBlob(SceneMaker.room, Self.parameters)
        return RenderPart(
            job: .init(blob, Self.parameters, scene: "room.gltf"),
            piece: RenderPiece(tiles: range, samples: 0..<128), tiles: try tiles(run, range))
    }

    @Test func partsJoinToTheSameTiles() throws {
        guard let run = try run() else { return }
        let whole = try frame(run)
        var merge = try FrameMerge(Self.parameters)
        for range in [7..<12, 0..<2, 2..<7] {
            let part = try part(run, range)
            let read = try RenderPart(leaves: part.leaves)
            #expect(read.job == part.job && read.tiles == part.tiles && read.piece == part.piece)
            try merge.add(read.tiles, of: read.piece, from: "\(range)")
        }
        #expect(root(try merge.finished()) == root(whole))

        let first = try part(run, 0..<2)
        var plain = first.job
        plain.parameters.noise = nil
        let said = plain.difference(from: first.job)
        #expect(said == "noise target none, not 0.03 from 4 samples on", "\(said ?? "")")
        #expect(throws: Failure.self) { try merge.add(first.tiles, of: first.piece, from: "x") }
    }

    @Test func partsThatNoTargetGivesAreRefused() throws {
        guard let run = try run() else { return }
        let good = try part(run, 0..<2)
        func refusal(_ change: (inout RenderPart) -> Void) -> String? {
            var part = good
            change(&part)
            do throws(Failure) {
                _ = try RenderPart(leaves: part.leaves)
                return nil
            } catch {
                return error.message
            }
        }
        #expect(refusal { _ in } == nil)
        // Not a power of two, below the least, above the most.
        for count in [5, 2, 1, 256] {
            let message = refusal { $0.tiles[1].sampleCount = count }
            #expect(message?.contains("a power of two of samples") == true, "\(count)")
        }
        let halves = refusal { $0.piece.samples = 0..<64 }
        #expect(halves?.contains("all samples expected") == true, "\(halves ?? "")")
        let level = refusal { $0.job.parameters.noise = NoiseTarget(level: 7) }
        #expect(level?.contains("noise 7") == true, "\(level ?? "")")
    }

    /// A device whose light is too dim ends tiles elsewhere, and is found out by the
    /// samples that both have.
    @Test func aTileThatEndsElsewhereIsNarrowed() throws {
        guard let test = TestDevices.any else { return }
        let liar = FlakyDevice(
            try test.open(),
            [
                .rewrite { source in
                    guard source.name == "render/scatter", let text = try? source.text() else {
                        return source
                    }
                    let lie = text.replacing(
                        "P_THROUGHPUT, slot, throughput)",
                        with:
                            "P_THROUGHPUT, slot, scale3(throughput, depth == 0u ? 0.0625f : 1.0f))")
                    return ProgramSource("lie", customText: lie, defines: source.defines)
                }
            ])
        let blob = try RenderBlob(SceneMaker.room, Self.parameters)
        let own = try RenderRun(blob, on: try test.open(), clock: MonotonicClock())
        let other = try RenderRun(blob, on: liar, clock: MonotonicClock())
        let pairs = zip(try tiles(own, 0..<12), try tiles(other, 0..<12))
        let elsewhere = try #require(pairs.first { $0.sampleCount != $1.sampleCount })
        #expect(try Dispute.pixel(elsewhere.0, elsewhere.1) == nil)
        let found = try #require(
            try Dispute.narrow(
                tile: elsewhere.0.tile, samples: 0..<128, of: Self.parameters, own, other))
        #expect(found.sampleCounts == [elsewhere.0.sampleCount, elsewhere.1.sampleCount])
        #expect(found.pixel != nil && found.repeats == [true, true])
        #expect(found.sample.map { $0 < found.sampleCounts.min() ?? 0 } == true)
        #expect(found.difference?.bounce == 0)
        #expect(
            try Dispute.narrow(tile: 3, samples: 0..<128, of: Self.parameters, own, own) == nil)
    }
}
