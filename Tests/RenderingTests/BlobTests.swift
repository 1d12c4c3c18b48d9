import Core
import Rendering
import Testing

/// Bytes from elsewhere never reach a device unless every index in them is in range.
@Suite struct BlobTests {
    private let parameters = RenderParameters(width: 40, height: 30)

    @Test func readsBackWhatItWrote() throws {
        let blob = try RenderBlob(SceneMaker.room, parameters)
        #expect(try RenderBlob(bytes: blob.bytes).words == blob.words)
    }

    @Test func sameSceneSameBytes() throws {
        let one = try RenderBlob(SceneMaker.room, parameters)
        #expect(one.words == (try RenderBlob(SceneMaker.room, parameters)).words)
    }

    @Test func refusesWhatPointsOutside() throws {
        let blob = try RenderBlob(SceneMaker.room, parameters)
        func broken(_ change: (inout [UInt32]) -> Void) -> Bytes {
            var words = blob.words
            change(&words)
            return words.withUnsafeBytes { Bytes($0) }
        }
        let sections: [(BlobLayout.Section, Int)] = [
            (.nodes, 48), (.blocks, 96), (.triangles, 0), (.triangles, 3), (.materials, 15),
            (.emitters, 1), (.triangleEmitters, 0),
        ]
        for (section, word) in sections {
            let bytes = broken { $0[blob.offset(section) + word] = 0xbfff_fff0 }
            #expect(throws: Failure.self, "\(section)") { _ = try RenderBlob(bytes: bytes) }
        }
        let lights = try RenderBlob(SceneMaker.room, parameters, treeLightsMin: 2)
        for (word, value) in [
            (BlobLayout.Word.lightTable, 9), (BlobLayout.Word.lightBase, 3),
            (BlobLayout.Word.lightLevels, 0), (BlobLayout.Word.lightLevels, 33),
            (lights.offset(.lightNodes) + 11, 0), (lights.offset(.lightNodes) + 11, 4),
            (lights.offset(.lightNodes) + 10, 4), (lights.offset(.lightNodes) + 12 + 10, 0),
            (lights.offset(.lightNodes) + 11, 0x8000_0000),
            (lights.offset(.lightNodes) + 11, 0x8000_0009),
        ] as [(Int, UInt32)] {
            var words = lights.words
            words[word] = value
            let bytes = words.withUnsafeBytes { Bytes($0) }
            #expect(throws: Failure.self, "\(word): \(value)") { _ = try RenderBlob(bytes: bytes) }
        }
        // A node that is its own child would never end.
        let loop = broken { $0[blob.offset(.nodes) + 48] = 0 }
        #expect(throws: Failure.self) { _ = try RenderBlob(bytes: loop) }
        for word in [0, 1, 2, 3, 4, 33, 65, 72, 73] {
            let bytes = broken { $0[word] = 0xffff_ff00 }
            #expect(throws: Failure.self, "word \(word)") { _ = try RenderBlob(bytes: bytes) }
        }
        #expect(throws: Failure.self) { _ = try RenderBlob(bytes: Bytes(blob.bytes.dropLast(4))) }
        #expect(throws: Failure.self) { _ = try RenderBlob(bytes: []) }
    }

    @Test func randomDamageNeverTraps() throws {
        let blob = try RenderBlob(SceneMaker.room, parameters)
        let seed: UInt64 = 42
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        var refused = 0
        for _ in 0..<300 {
            var words = blob.words
            for _ in 0..<3 {
                // Half of the damage goes to the header, where it is worst.
                let range = random.next() % 2 == 0 ? 128 : words.count
                words[Int(random.next() % UInt64(range))] = UInt32(
                    truncatingIfNeeded: random.next() >> (random.next() % 48))
            }
            let bytes = words.withUnsafeBytes { Bytes($0) }
            do { _ = try RenderBlob(bytes: bytes) } catch { refused += 1 }
        }
        #expect(refused > 30)
    }

    @Test func saysWhatIsOutOfRange() {
        for (change, word) in [
            ({ $0.width = 0 }, "width"), ({ $0.height = 1 << 20 }, "height"),
            ({ $0.samples = 1 << 17 }, "samples"), ({ $0.bounces = -1 }, "bounces"),
        ] as [((inout RenderParameters) -> Void, String)] {
            var wrong = parameters
            change(&wrong)
            let failure = #expect(throws: Failure.self) { try wrong.check() }
            #expect(failure?.message.contains(word) == true)
        }
    }

    @Test func namesTheCamerasThereAre() throws {
        var wrong = parameters
        wrong.camera = .named("Door")
        let failure = #expect(throws: Failure.self) { _ = try RenderBlob(SceneMaker.room, wrong) }
        #expect(failure?.message.contains("Door") == true)
        #expect(CameraChoice(argument: "2") == .index(2))
        #expect(CameraChoice(argument: "auto") == .automatic)
    }

    @Test func treeBoundsItsStack() throws {
        // Ever smaller triangles toward one corner make a lopsided tree.
        var corners: [WideBvh.Corner] = []
        var size: Float = 1
        for index in 0..<4000 {
            let x = size
            if let corner = WideBvh.Corner(
                [x, 0, 0], [x * 1.01, 0, 0], [x, x * 0.01, x * 0.01], word: UInt32(index))
            {
                corners.append(corner)
            }
            size = index % 40 == 39 ? size * 0.75 : size * 0.999
        }
        let tree = try WideBvh(corners, pad: 0x1p-18)
        #expect(tree.stackNeed <= BlobLayout.stackSize)
        #expect(tree.blockCount * 8 >= corners.count)
    }
}
