import Compute
import Core
import Digest
import Imaging
import Rendering
import RigorTestKit
import Testing

/// Frames that are rendered in several sittings.
@Suite struct PartialFrameTests {
    private static let parameters = RenderParameters(width: 80, height: 50, samples: 7, bounces: 3)

    /// With an open shutter another number of samples is another picture, and the message says so.
    @Test func samplesMayNotGrowWhileTheShutterIsOpen() throws {
        func origin(_ samples: Int) throws -> KeptFrame.Origin {
            var parameters = Self.parameters
            parameters.samples = samples
            let moment = SceneMoment(
                clock: FrameClock(start: "0", fps: "24"),
                shutter: Shutter(fraction: "0.5", steps: 2))
            let blob = try moment.blob(of: SceneMaker.room, parameters, frame: 0) { _ in
                SceneMaker.room
            }
            return KeptFrame.Origin(program: .zero, blob: blob)
        }
        let frame = try PartialFrame(width: 80, height: 50)
        let bytes = KeptFrame(frame, origin: try origin(4)).pieces.flatMap(\.self)
        #expect(throws: Never.self) { try KeptFrame(bytes, expecting: try origin(4)) }
        let error = #expect(throws: Failure.self) {
            try KeptFrame(bytes, expecting: try origin(8))
        }
        #expect(error?.message.contains("with --shutter, --spp is one") == true)
    }

    private func run() throws -> RenderRun? {
        guard let device = try TestDevices.any?.open() else { return nil }
        let blob = try RenderBlob(SceneMaker.room, Self.parameters)
        return try RenderRun(blob, on: device, clock: MonotonicClock())
    }

    @Test func passesGiveTheSumsOfTilesDoneAtOnce() throws {
        guard let device = try TestDevices.any?.open(), let run = try run() else { return }
        let whole = try renderTiles(SceneMaker.room, Self.parameters, on: device)
        // Stopped after every so many slices, and gone on with from the file's bytes.
        let origin = KeptFrame.Origin(
            program: Hash256.zero, blob: try RenderBlob(SceneMaker.room, Self.parameters))
        for slices in [1, 2] {
            var frame = try PartialFrame(width: 80, height: 50)
            var sittings = 0
            while !frame.isWhole(samples: 7), sittings < 200 {
                var left = slices
                let before = frame.sampleCount
                try run.render(&frame, samples: 7) { _, done throws(Failure) in
                    #expect(done > before)
                    left -= 1
                    return left > 0
                }
                sittings += 1
                let bytes = KeptFrame(frame, origin: origin).pieces.flatMap(\.self)
                frame = try KeptFrame(bytes, expecting: origin).frame
            }
            #expect(sittings > 1)
            #expect(frame.tiles == whole)
        }
    }

    /// Every tile is seen once before any is seen twice.
    @Test func thePictureIsThereSoon() throws {
        guard let run = try run() else { return }
        var frame = try PartialFrame(width: 80, height: 50)
        try run.render(&frame, samples: 7) { frame, _ throws(Failure) in
            let counts = frame.tiles.map(\.sampleCount)
            #expect(counts.max()! <= 2 * max(counts.min()!, 1))
            return true
        }
        #expect(frame.tiles.allSatisfy { $0.sampleCount == 7 })
    }

    @Test func emptyTilesAreBlack() throws {
        let picture = Picture(try PartialFrame(width: 40, height: 3))
        #expect(picture.image.pixels.allSatisfy { $0 == .zero } && picture.nanCount == 0)
    }

    @Test func refusesWhatItDoesNotBelongTo() throws {
        guard let run = try run() else { return }
        let parameters = Self.parameters
        let blob = try RenderBlob(SceneMaker.room, parameters)
        let origin = KeptFrame.Origin(program: Hash256.zero, blob: blob)
        var frame = try PartialFrame(width: 80, height: 50)
        try run.render(&frame, samples: 1) { _, _ throws(Failure) in true }
        let bytes = KeptFrame(frame, origin: origin).pieces.flatMap(\.self)
        #expect(try KeptFrame(bytes, expecting: origin).frame == frame)

        var other = parameters
        other.seed = 1
        let reseeded = KeptFrame.Origin(
            program: Hash256.zero, blob: try RenderBlob(SceneMaker.room, other))
        let upgraded = KeptFrame.Origin(program: SHA256.hash([1]), blob: blob)
        for (wrong, piece) in [(reseeded, "other parameters"), (upgraded, "another version")] {
            let failure = #expect(throws: Failure.self) {
                _ = try KeptFrame(bytes, expecting: wrong)
            }
            #expect(failure?.message.contains(piece) == true)
        }
        for count in stride(from: 0, to: bytes.count, by: 997) {
            #expect(throws: Failure.self) {
                _ = try KeptFrame(bytes.prefix(count), expecting: origin)
            }
            var damaged = bytes
            damaged[count] ^= 4
            #expect(throws: Failure.self) { _ = try KeptFrame(damaged, expecting: origin) }
        }
    }
}
