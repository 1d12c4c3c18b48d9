import Compute
import Core
import Digest
import Foundation
import Rendering
import RigorTestKit
import Testing

/// Several devices at one frame, each on its own thread: the bits of one alone.
@Suite(.serialized) struct FrameShareTests {
    private let parameters = RenderParameters(width: 100, height: 70, samples: 24, bounces: 3)

    /// What can work side by side here: parts of PoCL's processor, Intel's runtime. Opened once,
    /// for they compile anew each time.
    private static let opened: Result<[any ComputeDevice], any Error> = Result {
        var devices: [any ComputeDevice] = []
        for test in TestDevices.quick where test.verdict == .exact {
            devices += test.label == "PoCL" ? try test.open(computeUnits: 1) : [try test.open()]
        }
        return devices
    }

    private func devices() throws -> [any ComputeDevice] { try Self.opened.get() }

    private func workers(
        _ devices: [any ComputeDevice], of other: RenderParameters? = nil
    ) throws -> [FrameShare.Worker] {
        let parameters = other ?? parameters
        let blob = try RenderBlob(SceneMaker.room, parameters)
        return devices.enumerated().map { index, device in
            // Variants in turn: their bits are the same.
            FrameShare.Worker(
                device, blob, parameters, label: "\(index): \(device.description.label)",
                clock: MonotonicClock(),
                tuning: .init(pathsMax: 8192 << (index % 3), isNarrow: index % 2 == 1 ? true : nil))
        }
    }

    private func share(
        _ workers: [FrameShare.Worker], whole: RenderPiece? = nil,
        advance: (Double, PartialFrame) throws(Failure) -> Bool = { _, _ in true },
        lost: (String, Failure) -> Void = { _, _ in }
    ) throws -> FrameShare.Outcome {
        let share = try FrameShare(workers, parameters, whole: whole, clock: MonotonicClock())
        return try share.run(advance: advance, lost: lost)
    }

    @Test func togetherTheyGiveTheBitsOfOne() throws {
        let devices = try devices()
        guard devices.count > 1 else {
            return TestDevices.skip("one device alone cannot share a frame")
        }
        let alone = root(try renderTiles(SceneMaker.room, parameters, on: devices[0]))
        var fractions: [Double] = []
        let outcome = try share(
            try workers(devices),
            advance: { part, _ throws(Failure) in
                fractions.append(part)
                return true
            })
        #expect(root(outcome.tiles) == alone)
        #expect(TileSums.tree(over: outcome.tiles).root == alone)
        #expect(outcome.shares.allSatisfy { $0.failure == nil })
        #expect((outcome.shares.reduce(0) { $0 + $1.fraction } - 1).magnitude < 1e-9)
        #expect(fractions.last == 1)
    }

    @Test func aPieceOfTheFrame() throws {
        let devices = try devices()
        guard let first = devices.first else { return }
        let whole = RenderPiece(tiles: 3..<8, samples: 5..<17)
        let alone = try renderTiles(
            SceneMaker.room, parameters, on: first, tiles: whole.tiles, samples: whole.samples)
        #expect(try share(try workers(devices), whole: whole).tiles == alone)
    }

    /// SplitMix64 cuts, computed on whichever device comes next, in any order.
    @Test func randomCutsOnAnyMixOfDevices() throws {
        let devices = try devices()
        guard let first = devices.first else { return }
        let alone = root(try renderTiles(SceneMaker.room, parameters, on: first))
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SplitMix64(seed: seed)
        let blob = try RenderBlob(SceneMaker.room, parameters)
        let runs = try devices.map {
            try RenderRun(blob, on: $0, clock: MonotonicClock(), tuning: .init(pathsMax: 1 << 14))
        }
        for cuts in [3, 9, 17] {
            var merge = try FrameMerge(parameters)
            let whole = RenderPiece(wholeOf: parameters)
            for piece in FrameMergeTests.cut(whole, times: cuts, using: &generator) {
                let number = Int.random(in: runs.indices, using: &generator)
                var tiles: [TileSums] = []
                try runs[number].render(
                    tiles: piece.tiles, samples: piece.samples,
                    advance: { (_: Double) throws(Failure) in },
                    finish: { (tile: TileSums) throws(Failure) in tiles.append(tile) })
                try merge.add(tiles, of: piece, from: "device \(number)")
            }
            #expect(root(try merge.finished()) == alone, "seed \(seed), \(cuts) cuts")
        }
    }

    @Test func theOthersDoTheWorkOfOneThatFails() throws {
        guard let test = TestDevices.any else { return }
        let good = try test.open()
        let alone = root(try renderTiles(SceneMaker.room, parameters, on: good))
        for launch in [40, 90] {
            let flaky = FlakyDevice(try test.open(), [.failLaunch(launch)])
            let both = try workers([good, flaky])
            var lost: [String] = []
            let outcome = try share(
                Self.second(of: both, failsBeforeTheFirstGoesOn: DispatchSemaphore(value: 0)),
                lost: { label, failure in lost.append("\(label): \(failure)") })
            #expect(root(outcome.tiles) == alone)
            #expect(lost.count == 1)
            #expect(lost.first?.hasPrefix("1: ") == true, "\(lost)")
            #expect(lost.first?.contains("scripted fault") == true, "\(lost)")
            #expect(outcome.shares[1].failure?.code == .device)
        }
    }

    /// Two workers, of whom the first waits with its first piece until the second has failed.
    private static func second(
        of workers: [FrameShare.Worker], failsBeforeTheFirstGoesOn failed: DispatchSemaphore
    ) -> [FrameShare.Worker] {
        let (good, flaky) = (workers[0], workers[1])
        return [
            FrameShare.Worker(label: good.label) { () throws(Failure) in
                let render = try good.open()
                return { (piece, start, goesOn) throws(Failure) in
                    _ = failed.wait(timeout: .now() + 60)
                    failed.signal()
                    return try render(piece, start, goesOn)
                }
            },
            FrameShare.Worker(label: flaky.label) { () throws(Failure) in
                let render = try flaky.open()
                return { (piece, start, goesOn) throws(Failure) in
                    do throws(Failure) {
                        return try render(piece, start, goesOn)
                    } catch {
                        failed.signal()
                        throw error
                    }
                }
            },
        ]
    }

    @Test func whereAllFailTheReasonIsSaid() throws {
        guard let test = TestDevices.any else { return }
        let flaky = FlakyDevice(try test.open(), [.failLaunch(60)])
        let failure = #expect(throws: Failure.self) { try share(try workers([flaky])) }
        #expect(failure?.code == .device)
    }

    @Test func stopsWhenAsked() throws {
        guard let test = TestDevices.any else { return }
        let failure = #expect(throws: Failure.self) {
            try share(
                try workers([try test.open()]),
                advance: { _, _ throws(Failure) in throw Failure(.cancelled, "stopped") })
        }
        #expect(failure?.code == .cancelled)
    }

    /// Devices of different speed without hardware: shares follow speeds.
    @Test func sharesFollowSpeeds() throws {
        let parameters = parameters
        func worker(_ label: String, microseconds: UInt32) -> FrameShare.Worker {
            FrameShare.Worker(label: label) { () throws(Failure) in
                { (piece, _, goesOn) throws(Failure) in
                    usleep(UInt32(piece.units) * microseconds)
                    _ = try goesOn(1)
                    let tiles = piece.tiles.map { tile in
                        let size = parameters.size(ofTile: tile)
                        return TileSums(
                            tile: tile, width: size.width, height: size.height,
                            sampleCount: piece.samples.count, nanCount: 0,
                            sums: Array(repeating: 1, count: 3 * size.width * size.height))
                    }
                    return PartialFrame(tiles, of: parameters)
                }
            }
        }
        let outcome = try share([
            worker("slow", microseconds: 12_000), worker("fast", microseconds: 3000),
        ])
        let fractions = outcome.shares.map(\.fraction)
        #expect(fractions[1] > 2 * fractions[0], "\(fractions)")
        #expect(fractions[0] > 0.05, "\(fractions)")
    }

    // MARK: Noise targets

    private var noisy: RenderParameters {
        var parameters = parameters
        parameters.samples = 128
        parameters.noise = NoiseTarget(level: 0.03, samplesMin: 4)
        return parameters
    }

    private func alone(
        _ parameters: RenderParameters, on device: any ComputeDevice
    ) throws
        -> [TileSums]
    {
        let run = try RenderRun(
            try RenderBlob(SceneMaker.room, parameters), on: device, clock: MonotonicClock())
        var tiles: [TileSums] = []
        try run.render(RenderPiece(wholeOf: parameters), of: parameters) { (tile: TileSums) in
            tiles.append(tile)
        }
        return tiles
    }

    /// With a noise target whole tiles are dealt out, and end where they do on one device.
    @Test func tilesThatEndEarlyAreDealtOut() throws {
        let devices = try devices()
        guard let first = devices.first else { return }
        let alone = try alone(noisy, on: first)
        #expect(Set(alone.map(\.sampleCount)).count > 1)
        let share = try FrameShare(
            try workers(devices, of: noisy), noisy, clock: MonotonicClock())
        let outcome = try share.run()
        #expect(outcome.tiles == alone)
        #expect(outcome.shares.reduce(0) { $0 + $1.pieceCount } > 1)
        let cut = RenderPiece(tiles: 0..<3, samples: 0..<64)
        #expect(throws: Failure.self) {
            try FrameShare(
                try workers(devices, of: noisy), noisy, whole: cut, clock: MonotonicClock())
        }
    }

    // MARK: Sittings

    /// Interrupted again and again, kept as a file, and gone on with by other devices each time.
    @Test func sittingsWithAnyDevicesDoNotShow() throws {
        let devices = try devices()
        guard let first = devices.first else { return }
        let part = RenderPiece(tiles: 2..<11, samples: 3..<24)
        for (parameters, whole) in [
            (parameters, RenderPiece(wholeOf: parameters)), (parameters, part),
            (noisy, RenderPiece(wholeOf: noisy)),
        ] {
            let run = try RenderRun(
                try RenderBlob(SceneMaker.room, parameters), on: first, clock: MonotonicClock())
            var alone: [TileSums] = []
            try run.render(whole, of: parameters) { (tile: TileSums) in alone.append(tile) }
            let origin = KeptFrame.Origin(
                program: .zero, blob: try RenderBlob(SceneMaker.room, parameters),
                noise: parameters.noise, piece: whole == part ? part : nil)
            var frame = try PartialFrame(parameters, of: whole)
            var sittings = 0
            let all = try workers(devices, of: parameters)
            while !frame.isWhole(samples: whole.samples.count), sittings < 200 {
                let some = sittings % 2 == 0 ? all : [all[sittings / 2 % all.count]]
                let share = try FrameShare(
                    some, parameters, whole: whole, from: frame, clock: MonotonicClock())
                let before = frame.sampleCount
                let outcome = try share.run(advance: { _, frame throws(Failure) in
                    // On until something is there, so that it comes to an end.
                    frame.sampleCount == before
                })
                #expect(outcome.frame.sampleCount > before)
                let bytes = KeptFrame(outcome.frame, origin: origin).pieces.flatMap(\.self)
                frame = try KeptFrame(bytes, expecting: origin).frame
                #expect(frame == outcome.frame)
                sittings += 1
            }
            #expect(sittings > 2 && frame.tiles == alone, "\(whole): \(sittings) sittings")
        }
    }

    /// What is kept of a part is of that part alone.
    @Test func aKeptPartIsNoOther() throws {
        let blob = try RenderBlob(SceneMaker.room, parameters)
        func origin(_ piece: RenderPiece?) -> KeptFrame.Origin {
            KeptFrame.Origin(program: .zero, blob: blob, piece: piece)
        }
        let piece = RenderPiece(tiles: 2..<11, samples: 3..<24)
        let kept = KeptFrame(try PartialFrame(parameters, of: piece), origin: origin(piece))
        let bytes = kept.pieces.flatMap(\.self)
        var longer = piece
        longer.samples = 3..<99
        #expect(try KeptFrame(bytes, expecting: origin(longer)).frame == kept.frame)
        for other in [
            nil, RenderPiece(tiles: 2..<10, samples: 3..<24),
            RenderPiece(tiles: 2..<11, samples: 4..<24),
        ] {
            #expect(throws: Failure.self) { try KeptFrame(bytes, expecting: origin(other)) }
        }
    }

    /// Where somebody asks for an end, what there is of a piece under way counts too.
    @Test func whatIsUnderWayIsKept() throws {
        guard let test = TestDevices.any else { return }
        var long = parameters
        long.samples = 60_000
        long.noise = NoiseTarget(level: 1e-5, samplesMin: 60_000)
        let whole = RenderPiece(tiles: 5..<6, samples: 0..<60_000)
        let share = try FrameShare(
            try workers([try test.open()], of: long), long, whole: whole, clock: MonotonicClock())
        let began = MonotonicClock().monotonicSeconds
        // The one tile is one piece, which takes far longer.
        let outcome = try share.run(advance: { _, _ throws(Failure) in
            MonotonicClock().monotonicSeconds - began < 1.5
        })
        let kept = try #require(outcome.tiles.first)
        #expect(outcome.tiles.count == 1 && kept.sampleCount > 0 && kept.sampleCount < 60_000)
        let plain = try renderTiles(
            SceneMaker.room, parameters, on: try test.open(), tiles: 5..<6,
            samples: 0..<kept.sampleCount)
        #expect(plain == [kept])
    }

    /// A frame that an earlier sitting brought to its end asks nobody to build a program.
    @Test func nothingIsLeftToDo() throws {
        var done = try PartialFrame(parameters, of: RenderPiece(wholeOf: parameters))
        let sums = done.tiles.map { tile in
            TileSums(
                tile: tile.tile, width: tile.width, height: tile.height, sampleCount: 24,
                nanCount: 0, sums: Array(repeating: 5, count: 3 * tile.width * tile.height))
        }
        done = PartialFrame(sums, of: parameters)
        let idle = FrameShare.Worker(label: "idle") { () throws(Failure) in
            throw Failure(.device, "opened")
        }
        let share = try FrameShare([idle], parameters, from: done, clock: MonotonicClock())
        #expect(try share.run().tiles == sums)
    }
}
