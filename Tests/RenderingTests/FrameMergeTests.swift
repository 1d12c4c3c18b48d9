import Core
import Digest
import Rendering
import RigorTestKit
import Testing

/// Pieces merge to the frame in any cut and order; what is missing or there twice is refused by
/// name.
@Suite struct FrameMergeTests {
    private let parameters = RenderParameters(width: 100, height: 70, samples: 12)

    /// Sums of no picture: a function of tile, sample and place.
    private func sums(_ tile: Int, _ samples: Range<Int>) throws -> TileSums {
        let width = min(32, 100 - tile % 4 * 32)
        let height = min(32, 70 - tile / 4 * 32)
        var merged = [Int64](repeating: 0, count: 3 * width * height)
        for sample in samples {
            for place in merged.indices {
                merged[place] &+= Int64(tile * 7919 + sample * 104_729 + place * place) << 12
            }
        }
        var bytes = Bytes()
        for value in [width, height, samples.count, samples.lowerBound] {
            bytes += UInt32(value).littleEndianBytes
        }
        for value in merged { bytes += value.littleEndianBytes }
        return try TileSums(Leaf(index: 0, name: "tile/\(tile)", bytes: bytes))
    }

    private func sums(_ piece: RenderPiece) throws -> [TileSums] {
        try piece.tiles.map { try sums($0, piece.samples) }
    }

    /// A random cut of a piece into pieces, in random order.
    static func cut(
        _ whole: RenderPiece, times: Int, using generator: inout SplitMix64
    ) -> [RenderPiece] {
        var pieces = [whole]
        for _ in 0..<times {
            let piece = pieces.remove(at: Int.random(in: pieces.indices, using: &generator))
            let byTile = Bool.random(using: &generator)
            let range = byTile ? piece.tiles : piece.samples
            let at = Int.random(in: range, using: &generator)
            for half in [range.lowerBound..<at, at..<range.upperBound] where !half.isEmpty {
                var part = piece
                if byTile { part.tiles = half } else { part.samples = half }
                pieces.append(part)
            }
        }
        return pieces.shuffled(using: &generator)
    }

    @Test func anyCutInAnyOrder() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SplitMix64(seed: seed)
        let whole = RenderPiece(wholeOf: parameters)
        var first = try FrameMerge(parameters)
        try first.add(try sums(whole), of: whole, from: "whole")
        let expected = TileSums.tree(over: try first.finished()).root
        for round in 0..<60 {
            var merge = try FrameMerge(parameters)
            for piece in Self.cut(whole, times: round, using: &generator) {
                try merge.add(try sums(piece), of: piece, from: "\(piece)")
            }
            // Not a count of NaN here, but what adds up of the first samples' numbers.
            let merged = try merge.finished().map { tile -> TileSums in
                var tile = tile
                tile.nanCount = 0
                return tile
            }
            #expect(TileSums.tree(over: merged).root == expected, "seed \(seed), round \(round)")
        }
    }

    @Test func overlapsAndGapsAreNamed() throws {
        func failure(_ pieces: [RenderPiece], whole: RenderPiece? = nil) throws -> Failure? {
            do {
                var merge = try FrameMerge(parameters, whole: whole)
                for (index, piece) in pieces.enumerated() {
                    try merge.add(try sums(piece), of: piece, from: "\(index).part")
                }
                _ = try merge.finished()
                return nil
            } catch let failure as Failure {
                return failure
            }
        }
        let twice = try failure([
            .init(tiles: 0..<12, samples: 0..<6), .init(tiles: 5..<6, samples: 4..<9),
        ])
        #expect(twice?.code == .refused)
        #expect(twice?.message == "1.part: samples 4-5 of tile 5 are in 0.part too")
        let gap = try failure([
            .init(tiles: 0..<12, samples: 0..<6), .init(tiles: 0..<5, samples: 6..<12),
            .init(tiles: 8..<12, samples: 6..<12),
        ])
        #expect(gap?.code == .missing)
        #expect(gap?.message == "tiles 5-7, samples 6-11: in no part")
        #expect(
            try failure([.init(tiles: 0..<12, samples: 0..<13)])?.message
                == "0.part: tiles 0-11, samples 0-12: within tiles 0-11, samples 0-11 expected")
        #expect(try failure([], whole: .init(tiles: 0..<13, samples: 0..<1))?.code == .malformed)
        #expect(
            try failure(
                [.init(tiles: 2..<4, samples: 3..<5)], whole: .init(tiles: 2..<4, samples: 3..<5))
                == nil)
    }

    /// A leaf that says what no samples can sum to.
    @Test func impossibleSumsAreNoTile() throws {
        let good = try sums(0, 0..<12)
        #expect(try TileSums(Leaf(index: 0, name: "tile/0", bytes: good.bytes)) == good)
        func refusal(at place: Int, _ value: some FixedWidthInteger) -> String? {
            var bytes = good.bytes
            let words = value.littleEndianBytes
            bytes.replaceSubrange(place..<place + words.count, with: words)
            do throws(Failure) {
                _ = try TileSums(Leaf(index: 0, name: "tile/0", bytes: bytes))
                return nil
            } catch {
                return error.message
            }
        }
        for sum: UInt64 in [1 << 63, 1 << 62, 12 << 47, .max - 4] {
            #expect(refusal(at: 16, sum)?.contains("no 12 samples") == true, "\(sum)")
        }
        #expect(refusal(at: 16, 12 * (UInt64(1) << 47 - 1)) == nil)
        #expect(refusal(at: 12, UInt32(32 * 32 * 12 + 1))?.contains("not numbers") == true)
        #expect(refusal(at: 8, UInt32(65537))?.contains("at most 65536") == true)
    }

    @Test func wrongSumsAreRefusedWhole() throws {
        var merge = try FrameMerge(parameters)
        let piece = RenderPiece(tiles: 0..<3, samples: 0..<4)
        var wrong = try sums(piece)
        wrong[2].sampleCount = 5
        #expect(throws: Failure.self) { try merge.add(wrong, of: piece, from: "a") }
        wrong = try sums(piece)
        wrong[1].width = 31
        #expect(throws: Failure.self) { try merge.add(wrong, of: piece, from: "a") }
        #expect(throws: Failure.self) {
            try merge.add(Array(try sums(piece).dropLast()), of: piece, from: "a")
        }
        // Nothing of it was taken.
        try merge.add(try sums(piece), of: piece, from: "a")
    }

    // MARK: Parts

    private func part(_ piece: RenderPiece) throws -> RenderPart {
        let blob = try RenderBlob(SceneMaker.room, parameters)
        return RenderPart(
            job: .init(blob, parameters, scene: "room.gltf"), piece: piece,
            tiles: try sums(piece))
    }

    @Test func partsReadBack() throws {
        let part = try part(.init(tiles: 4..<9, samples: 2..<5))
        let back = try RenderPart(leaves: part.leaves)
        #expect(back.job == part.job && back.piece == part.piece && back.tiles == part.tiles)
        #expect(back.job.difference(from: part.job) == nil)
        #expect(RenderPart.isPart(part.leaves))
        #expect(!RenderPart.isPart(Array(part.leaves.dropFirst())))
    }

    @Test func otherJobsAreNamed() throws {
        let job = try part(.init(tiles: 0..<1, samples: 0..<1)).job
        for (change, words) in [
            ({ $0.parameters.seed = 9 }, "seed 9, not 0"),
            ({ $0.parameters.width = 99 }, "size 99x70, not 100x70"),
            ({ $0.parameters.samples = 13 }, "samples 13, not 12"),
            ({ $0.scene = "hall.gltf" }, "scene hall.gltf, not room.gltf"),
            ({ $0.blob = .zero }, "other content"), ({ $0.kernels = .zero }, "kernels"),
            ({ $0.frame = 3 }, "frame 3, not 0"),
        ] as [((inout RenderPart.Job) -> Void, String)] {
            var other = job
            change(&other)
            let said = other.difference(from: job)
            #expect(said?.contains(words) == true, "\(said ?? "nothing")")
        }
    }

    /// What moves the blob and is no field of its own is named as its option.
    @Test func otherOptionsAreNamed() throws {
        func job(
            _ blob: Hash256, _ moment: SceneMoment, _ change: (inout RenderParameters) -> Void
        ) throws -> RenderPart.Job {
            var parameters = self.parameters
            change(&parameters)
            let content = try RenderBlob(SceneMaker.room, self.parameters)
            var job = RenderPart.Job(content, parameters, scene: "room.gltf", moment: moment)
            job.blob = blob
            return job
        }
        let still = SceneMoment()
        let moving = SceneMoment(clock: FrameClock(start: "0.5"))
        let plain = try job(.zero, still) { _ in }
        let other = SHA256.hash(Bytes("other".utf8))
        for (moment, change, said) in [
            (moving, { _ in }, "--time 0.5, not without"),
            (still, { $0.indirectMax = 10 }, "--clamp 10.0, not without"),
            (
                still, { $0.lens = Lens(.fStop(2), focusDistance: 3) },
                "--f-stop 2.0, not without"
            ),
            (SceneMoment(variant: "blue"), { _ in }, "--variant blue, not without"),
            (still, { _ in }, "other content under the same names"),
        ] as [(SceneMoment, (inout RenderParameters) -> Void, String)] {
            let changed = try job(other, moment, change)
            #expect(changed.difference(from: plain) == said)
            let leaves = RenderPart(job: changed, piece: .init(wholeOf: parameters), tiles: [])
                .leaves
            #expect(leaves.count == 2)
        }
        let late = try job(other, SceneMoment(clock: FrameClock(start: "2"))) { _ in }
        #expect(late.difference(from: try job(.zero, moving) { _ in }) == "--time 2, not 0.5")
        #expect(plain.difference(from: late) == "without --time, not 2")
        // Options that come to the same picture are no difference.
        #expect(try job(.zero, moving) { _ in }.difference(from: plain) == nil)
    }

    @Test func damagedPartsAreRefused() throws {
        let leaves = try part(.init(tiles: 4..<9, samples: 2..<5)).leaves
        #expect(throws: Failure.self) { try RenderPart(leaves: []) }
        #expect(throws: Failure.self) { try RenderPart(leaves: leaves.dropLast()) }
        let content = Array(leaves.dropLast())
        #expect(throws: Never.self) { try RenderPart(leaves: RenderPart.sealed(content)) }
        let wrong = [Array(content.dropFirst()), content.dropLast(), content + [content[1]]]
        for leaves in wrong {
            #expect(throws: Failure.self) { try RenderPart(leaves: RenderPart.sealed(leaves)) }
        }
        for place in [0, 1, leaves.count - 2, leaves.count - 1] {
            var flipped = leaves
            flipped[place].bytes[flipped[place].bytes.count / 2] ^= 4
            #expect(throws: Failure.self, "leaf \(place)") { try RenderPart(leaves: flipped) }
        }
        for key in try #require(try CBOR(decoding: leaves[0].bytes).map).keys {
            for value in [CBOR.null, .unsigned(.max), .array([CBOR(0), CBOR(Int.max)])] {
                var head = try #require(try CBOR(decoding: leaves[0].bytes).map)
                head[key] = value
                var changed = content
                changed[0].bytes = CBOR.map(head).encoded
                if key == "seed", value.unsigned != nil { continue }
                if key == "app" { continue }
                #expect(throws: Failure.self, "\(key) \(value)") {
                    try RenderPart(leaves: RenderPart.sealed(changed))
                }
            }
        }
    }
}
