import Core
import Rendering
import Testing

/// Who gets what, in seconds of no clock: devices of any speed finish together, and nothing is lost
/// or done twice.
@Suite struct ShareScheduleTests {
    private struct Generator {
        var state: UInt64
        mutating func next(below bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        mutating func unit() -> Double { Double(next(below: 1 << 30)) / Double(1 << 30) }
    }

    /// A device in a simulation: units a second, and seconds that each piece costs beside.
    private struct Simulated {
        var speed: Double
        var overhead = 0.001
        /// Pieces after which it fails.
        var failsAfter = Int.max
        /// When it is ready to begin.
        var readyAt = 0.0
    }

    private struct Run {
        var schedule: ShareSchedule
        var pieces: [RenderPiece]
        var spread: Double
        var seconds: Double
    }

    /// Plays a schedule to its end. How long a unit takes varies by tile, as in a picture.
    private func play(
        _ devices: [Simulated], _ whole: RenderPiece, seed: UInt64, cutsSamples: Bool = true
    ) throws -> Run {
        var generator = Generator(state: seed)
        let costs = (0..<whole.tiles.upperBound).map { 1 + 0.6 * Double($0 % 20) / 20 }
        var schedule = ShareSchedule(
            [whole], cutsSamples: cutsSamples, deviceCount: devices.count, atSeconds: 0)
        var pieces: [RenderPiece] = []
        // When each device next has something to say, and what it is at.
        var times = devices.map(\.readyAt)
        var hands = [RenderPiece?](repeating: nil, count: devices.count)
        var counts = [Int](repeating: 0, count: devices.count)
        var alive = Set(devices.indices)
        var now = 0.0
        for _ in 0..<1_000_000 where !schedule.isDone {
            guard let device = alive.min(by: { (times[$0], $0) < (times[$1], $1) }) else { break }
            now = times[device]
            if let piece = hands[device] {
                hands[device] = nil
                counts[device] += 1
                if counts[device] > devices[device].failsAfter {
                    schedule.lose(device)
                    alive.remove(device)
                    continue
                }
                schedule.complete(device, atSeconds: now)
                pieces.append(piece)
            }
            switch schedule.next(for: device, atSeconds: now) {
            case .piece(let piece):
                let cost = piece.tiles.reduce(0) { $0 + costs[$1] } * Double(piece.samples.count)
                let noise = 0.97 + 0.06 * generator.unit()
                hands[device] = piece
                times[device] =
                    now + devices[device].overhead + cost / devices[device].speed * noise
            case .wait, .done: times[device] = now + 0.001
            }
        }
        let ends = alive.compactMap { schedule.devices[$0].finishedSeconds }
        let last = try #require(ends.max())
        return Run(
            schedule: schedule, pieces: pieces, spread: (last - (ends.min() ?? last)) / last,
            seconds: last)
    }

    /// Every sample of every tile is in exactly one piece.
    private func checkWhole(_ run: Run, _ whole: RenderPiece) {
        var seen = [Int](repeating: 0, count: whole.tiles.upperBound * whole.samples.upperBound)
        for piece in run.pieces {
            for tile in piece.tiles {
                for sample in piece.samples { seen[tile * whole.samples.upperBound + sample] += 1 }
            }
        }
        let inside = seen.enumerated().filter {
            whole.tiles.contains($0.offset / whole.samples.upperBound)
                && whole.samples.contains($0.offset % whole.samples.upperBound)
        }
        #expect(run.schedule.isDone)
        #expect(inside.allSatisfy { $0.element == 1 })
        #expect(run.pieces.reduce(0) { $0 + $1.units } == whole.units)
    }

    @Test func devicesOfAnySpeedFinishTogether() throws {
        let whole = RenderPiece(tiles: 0..<240, samples: 0..<256)
        for (devices, seed) in [
            ([Simulated(speed: 2000), Simulated(speed: 2000)], 1),
            ([Simulated(speed: 2000), Simulated(speed: 300)], 2),
            ([Simulated(speed: 40_000, overhead: 0.004), Simulated(speed: 900)], 3),
            (
                [
                    Simulated(speed: 5000), Simulated(speed: 4000, readyAt: 2),
                    Simulated(speed: 700), Simulated(speed: 150),
                ], 4
            ),
        ] {
            let run = try play(devices, whole, seed: UInt64(seed))
            checkWhole(run, whole)
            #expect(run.spread < 0.05, "\(seed): \(run.spread)")
            // By what they are worth, and no slower than together they could be.
            let together = devices.map(\.speed).reduce(0, +)
            let work = Double(whole.units) * 1.285
            #expect(run.seconds < 1.15 * work / together + 2, "\(seed): \(run.seconds)")
        }
    }

    @Test func randomRigs() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = Generator(state: seed)
        for _ in 0..<40 {
            let devices = (0..<2 + generator.next(below: 4)).map { _ in
                Simulated(speed: 200 + 5000 * generator.unit())
            }
            let whole = RenderPiece(
                tiles: 0..<100 + generator.next(below: 200),
                samples: 0..<64 + generator.next(below: 300))
            let run = try play(devices, whole, seed: generator.state)
            checkWhole(run, whole)
            #expect(run.spread < 0.05, "seed \(seed): \(devices.map(\.speed)): \(run.spread)")
        }
    }

    /// What a device had in hand when it failed goes to the others.
    @Test func aDeviceFailsInTheMiddle() throws {
        let whole = RenderPiece(tiles: 3..<90, samples: 16..<128)
        for failsAfter in [0, 1, 4, 9] {
            let run = try play(
                [
                    Simulated(speed: 1000), Simulated(speed: 4000, failsAfter: failsAfter),
                    Simulated(speed: 500),
                ], whole, seed: 7)
            checkWhole(run, whole)
            #expect(run.schedule.devices[1].isLost)
            #expect(run.spread < 0.06, "\(run.spread)")
        }
    }

    /// A simulator beside a card: it is not waited for.
    @Test func aDeviceOfNoUseIsNotWaitedFor() throws {
        let whole = RenderPiece(tiles: 0..<60, samples: 0..<16)
        let run = try play(
            [Simulated(speed: 5000), Simulated(speed: 0.5)], whole, seed: 9)
        checkWhole(run, whole)
        // Its first pieces, before anything was known of it.
        #expect(run.schedule.devices[1].units <= ShareSchedule.firstUnits)
    }

    /// Where a tile's samples are not to be divided, tiles are: nobody waits for ever, and no
    /// device begins a tile that another one would have done before.
    @Test func wholeTilesToo() throws {
        for tiles in [1, 2, 3, 7, 60, 600] {
            for devices in [
                [Simulated(speed: 1000)], [Simulated(speed: 1000), Simulated(speed: 1000)],
                [Simulated(speed: 4000), Simulated(speed: 300), Simulated(speed: 300)],
                [Simulated(speed: 9000), Simulated(speed: 2)],
                [Simulated(speed: 900), Simulated(speed: 3000, failsAfter: 2)],
            ] {
                let whole = RenderPiece(tiles: 2..<2 + tiles, samples: 0..<64)
                let run = try play(devices, whole, seed: UInt64(tiles), cutsSamples: false)
                checkWhole(run, whole)
                #expect(run.pieces.allSatisfy { $0.samples == whole.samples })
                let alive = devices.filter { $0.failsAfter == .max }.map(\.speed)
                let fastest = alive.max() ?? 1
                let best = Double(whole.units) * 1.6 / alive.reduce(0, +)
                // Each device has one tile of which it knew no better, and then a last one.
                let most = best + 2 * 64 * 1.6 / fastest + 64 * 1.6 / (alive.min() ?? 1) + 1
                #expect(run.seconds < most, "\(tiles) tiles, \(devices): \(run.seconds) s")
            }
        }
    }

    @Test func smallFramesToo() throws {
        for units in 1...9 {
            let whole = RenderPiece(tiles: 0..<1, samples: 0..<units)
            checkWhole(
                try play([Simulated(speed: 100), Simulated(speed: 70)], whole, seed: 3), whole)
        }
    }
}
