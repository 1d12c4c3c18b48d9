import Compute
import Core
import Rendering
import RigorTestKit
import Testing

/// A device that lies is caught at the bounce, and in the field, where it lies.
@Suite(.serialized) struct PathTraceTests {
    private let parameters = RenderParameters(width: 60, height: 40, samples: 4, bounces: 3)

    private func run(
        _ device: any ComputeDevice, isNarrow: Bool? = nil
    ) throws -> RenderRun {
        try RenderRun(
            try RenderBlob(SceneMaker.room, parameters), on: device, clock: MonotonicClock(),
            tuning: .init(isNarrow: isNarrow))
    }

    @Test func fieldsAreThoseOfTheKernels() throws {
        let fields = try PathField.all()
        #expect(Set(fields.map(\.number)) == Set(0..<RenderFeatures.all.stateWords))
        #expect(fields.first?.name.hasPrefix("hit_") == true)
        #expect(fields.contains { $0.name == "throughput.y" })
    }

    @Test func honestDevicesDoNotDiffer() throws {
        guard let test = TestDevices.any else { return }
        let wide = try run(try test.open())
        let narrow = try run(try test.open(), isNarrow: true)
        for tile in [0, 3] {
            let own = try wide.trace(tile: tile, sample: 2)
            let other = try narrow.trace(tile: tile, sample: 2)
            #expect(own.moments.count > 3)
            let difference = try own.difference(from: other)
            #expect(difference == nil)
            // Samples differ, from the camera on.
            let next = try wide.trace(tile: tile, sample: 3)
            #expect(try own.difference(from: next) != nil)
        }
    }

    /// A kernel that scales the throughput a little, at one bounce alone.
    @Test func aLieAtOneBounceIsFound() throws {
        guard let test = TestDevices.any else { return }
        let bounce = 1
        let liar = FlakyDevice(
            try test.open(),
            [
                .rewrite { source in
                    guard source.name == "render/scatter", let text = try? source.text() else {
                        return source
                    }
                    let lie = text.replacing(
                        "P_THROUGHPUT, slot, throughput)",
                        with: "P_THROUGHPUT, slot, "
                            + "scale3(throughput, depth == \(bounce)u ? 1.0009765625f : 1.0f))")
                    return ProgramSource("lie", customText: lie, defines: source.defines)
                }
            ])
        let (own, other) = (try run(try test.open()), try run(liar))
        let difference = try #require(
            try own.trace(tile: 1, sample: 1).difference(
                from: try other.trace(tile: 1, sample: 1)))
        #expect(difference.bounce == bounce)
        #expect(difference.field.hasPrefix("throughput"), "\(difference)")
        #expect(difference.own != difference.other)
        #expect(32..<60 ~= difference.x && 0..<32 ~= difference.y)

        // From the whole tile down.
        let found = try #require(
            try Dispute.narrow(tile: 1, samples: 0..<4, of: parameters, own, other))
        #expect(found.repeats == [true, true])
        #expect(found.difference?.bounce == bounce)
        #expect(found.difference?.field.hasPrefix("throughput") == true, "\(found)")
        let sample = try #require(found.sample)
        #expect(found.difference.map { ($0.x, $0.y) } ?? (0, 0) == (found.x, found.y))
        // No earlier sample differs, this one does.
        for (number, isDifferent) in (0...sample).map({ ($0, $0 == sample) }) {
            let sums = try [own, other].map { run in
                try computed(run, tile: 1, sample: number)
            }
            #expect((sums[0] != sums[1]) == isDifferent, "sample \(number)")
        }
        let agreed = try Dispute.narrow(tile: 1, samples: 0..<4, of: parameters, own, own)
        #expect(agreed == nil)
    }

    private func computed(_ run: RenderRun, tile: Int, sample: Int) throws -> [TileSums] {
        var tiles: [TileSums] = []
        try run.render(
            tiles: tile..<tile + 1, samples: sample..<sample + 1,
            advance: { (_: Double) throws(Failure) in },
            finish: { (sums: TileSums) throws(Failure) in tiles.append(sums) })
        return tiles
    }
}
