import Compute
import Core
import Imaging
import Rendering
import RigorTestKit
import Testing

/// Very many lights: chances that sum to all there are, the light that comes of them, and less
/// noise than by power alone.
@Suite struct LightTreeTests {
    private let parameters = RenderParameters(width: 8, height: 8)

    /// Points, spots and triangles, a few very strong and many of no extent.
    private func mixed(_ count: Int, seed: UInt64) -> Scene {
        var random = SplitMix64(seed: seed)
        var maker = SceneMaker(environment: [0.1, 0.1, 0.1])
        let lamps = [Float(0.01), 1, 100].map { maker.material(.zero, emissive: .one * $0) }
        for place in 0..<count {
            if place % 3 == 0 {
                let a = random.point() * 2
                let side = random.direction() * 0.1
                maker.quad(
                    a, a + side, a + side + [0, 0.1, 0], a + [0, 0.1, 0], lamps[place / 3 % 3])
                continue
            }
            var light = Light(kind: place % 3 == 1 ? .point : .spot)
            light.position = place % 7 == 0 ? .one : random.point() * 3
            light.direction = random.direction()
            light.intensity = random.color() * (place % 50 == 0 ? 1000 : 1)
            light.cosOuter = random.unit()
            maker.scene.lights.append(light)
        }
        return maker.scene
    }

    private func askers(_ count: Int, seed: UInt64) -> [LightAsker] {
        var random = SplitMix64(seed: seed)
        return (0..<count).map { place in
            LightAsker(
                position: random.point() * (place % 4 == 0 ? 100 : 2),
                normal: random.direction(), isOpen: place % 2 == 0)
        } + [
            // From where nothing can be told.
            LightAsker(position: [.nan, 0, 0], normal: [0, 1, 0], isOpen: false),
            LightAsker(position: [0x1p100, 0, 0], normal: [.nan, 1, 0], isOpen: true),
            LightAsker(position: .one, normal: [0, 0, 1], isOpen: false),
        ]
    }

    private func word(
        _ blob: RenderBlob, _ section: BlobLayout.Section, _ index: Int, _ word: Int
    ) -> UInt32 { blob.words[blob.offset(section) + index * section.stride + word] }

    // MARK: - Chances

    /// In whole numbers: each emitter has one at the least, all together those of the root.
    @Test(arguments: [2, 70, 1000]) func chancesSumToAllThereAre(_ count: Int) throws {
        let blob = try RenderBlob(mixed(count, seed: 5), parameters, treeLightsMin: 2)
        let tree = try #require(ReferenceLightTree(blob))
        #expect(tree.tableCount == 1)
        for asker in askers(20, seed: 9) {
            var sum = 0
            for emitter in tree.tableCount..<blob.count(.emitters) {
                let chances = tree.chances(word(blob, .emitters, emitter, 0), asker)
                #expect(chances > 0)
                sum += Int(chances)
            }
            #expect(sum == Int(tree.chances))
        }
    }

    /// What a choice falls on has the chances that its trail leads to, and is found that often.
    @Test func trailsLeadWhereChoicesFall() throws {
        let blob = try RenderBlob(mixed(200, seed: 6), parameters)
        let tree = try #require(ReferenceLightTree(blob))
        var random = SplitMix64(seed: 3)
        for asker in askers(20, seed: 10) {
            for _ in 0..<200 {
                let choice = UInt32(random.next() % UInt64(tree.chances))
                let found = tree.choose(choice, asker)
                let trail = word(blob, .emitters, Int(found.emitter), 0)
                #expect(found.chances == tree.chances(trail, asker))
            }
            // Evenly spread choices, one in 2^14, find a light as often as its chances say.
            var found: [UInt32: (count: Int, chances: UInt32)] = [:]
            for choice in stride(from: 0, to: tree.chances, by: 1 << 14) {
                let (emitter, chances) = tree.choose(choice, asker)
                found[emitter] = ((found[emitter]?.count ?? 0) + 1, chances)
            }
            for (count, chances) in found.values {
                #expect((count - Int(chances >> 14)).magnitude <= 1)
            }
        }
    }

    /// Near lights come first, and those that shine away or stand behind the surface last.
    @Test func whatSendsMoreIsAskedMore() throws {
        var maker = SceneMaker()
        for place in 0..<100 {
            var light = Light(kind: place < 50 ? .point : .spot)
            light.position = [Float(place % 50) - 25, place % 2 == 0 ? 1 : -1, 0]
            light.direction = [0, place % 4 < 2 ? -1 : 1, 0]
            light.cosOuter = 0.8
            maker.scene.lights.append(light)
        }
        let blob = try RenderBlob(maker.scene, parameters)
        let tree = try #require(ReferenceLightTree(blob))
        let asker = LightAsker(position: [-25, 0, 0], normal: [0, 1, 0], isOpen: false)
        func chance(_ light: Int) -> Float {
            tree.chance(tree.chances(word(blob, .emitters, light, 0), asker))
        }
        // Nearly above; far; below; a spot above that shines down, and one below.
        #expect(chance(0) > 10 * chance(24))
        #expect(chance(0) > 50 * chance(1))
        #expect(chance(52) > 2 * chance(53))
    }

    // MARK: - Light

    /// As many lights in one place shine like one of their sum.
    @Test func lightsInOnePlaceShineLikeOne() throws {
        let scene = SceneMaker.plane {
            var light = Light(kind: .point)
            light.position = [0, 0, 3]
            light.intensity = .one * 0.09
            $0.scene.lights = [Light](repeating: light, count: 1000)
        }
        guard let found = try meanRadiance(scene, samples: 4) else { return }
        #expect((found.x / (0.5 / .pi * 10) - 1).magnitude < 1e-3, "\(found)")
    }

    /// A lamp of 2 × 40² triangles lights a room as one of two does, also from where it is met by
    /// chance, and beside other lights.
    @Test func aLampInPiecesShinesLikeTheWhole() throws {
        func room(pieces: Int, hasSun: Bool) -> Scene {
            var maker = SceneMaker(environment: hasSun ? [0.3, 0.3, 0.3] : .zero)
            let gray = maker.material([0.6, 0.6, 0.6])
            let glossy = maker.material([0.8, 0.8, 0.8]) {
                $0.metallic = 1
                $0.roughness = 0.3
            }
            maker.quad([-2, -1, 2], [2, -1, 2], [2, -1, -2], [-2, -1, -2], gray)
            maker.quad([-2, -1, -2], [2, -1, -2], [2, 1, -2], [-2, 1, -2], glossy)
            let lamp = maker.material([0, 0, 0], emissive: [4, 3, 2])
            let side = 2 / Float(pieces)
            for x in 0..<pieces {
                for z in 0..<pieces {
                    let a = SIMD3(Float(x) * side - 1, 0.9, Float(z) * side - 1)
                    maker.quad(
                        a, a + [side, 0, 0], a + [side, 0, side], a + [0, 0, side], lamp)
                }
            }
            if hasSun {
                var sun = Light(kind: .directional)
                sun.direction = [0.6, -0.8, 0]
                maker.scene.lights = [sun]
            }
            maker.camera(at: [0, 0, 3.5], halfHeight: 0.5)
            return maker.scene
        }
        for hasSun in [false, true] {
            let whole = room(pieces: 1, hasSun: hasSun)
            let parted = room(pieces: 40, hasSun: hasSun)
            guard let one = try meanRadiance(whole, samples: 1024, bounces: 2, side: 16),
                let other = try meanRadiance(parted, samples: 1024, bounces: 2, side: 16)
            else { return }
            for channel in 0..<3 {
                let ratio = other[channel] / one[channel]
                #expect((ratio - 1).magnitude < 0.004, "\(one), \(other)")
            }
        }
    }

    /// 40 × 40 small lamps close above a floor, and above the camera.
    private var street: Scene {
        var random = SplitMix64(seed: 17)
        var maker = SceneMaker()
        let floor = maker.material([0.7, 0.7, 0.7])
        maker.quad([-10, 0, 10], [10, 0, 10], [10, 0, -10], [-10, 0, -10], floor)
        let lamp = maker.material([0, 0, 0], emissive: [16, 16, 16])
        for place in 0..<1600 {
            let x = Float(place % 40) * 0.5 - 9.75
            let z = Float(place / 40) * 0.5 - 9.75
            let a = SIMD3(x, 0.4 + 0.2 * random.unit(), z)
            if place % 2 == 0 {
                maker.quad(
                    a, a + [0.05, 0, 0], a + [0.05, 0, 0.05], a + [0, 0, 0.05], lamp)
                continue
            }
            var light = Light(kind: .point)
            light.position = a
            light.intensity = .one * 0.04
            maker.scene.lights.append(light)
        }
        maker.camera(at: [0, 0.35, 5], halfHeight: 0.4)
        maker.scene.cameras[0].forward = [0, -0.6, -0.8]
        maker.scene.cameras[0].up = [0, 0.8, -0.6]
        return maker.scene
    }

    private func picture(
        _ scene: Scene, samples: Int, seed: UInt64, hasTree: Bool, on device: any ComputeDevice
    ) throws -> [SIMD3<Double>] {
        let parameters = RenderParameters(
            width: 32, height: 32, samples: samples, bounces: 1, seed: seed)
        let blob = try RenderBlob(scene, parameters, treeLightsMin: hasTree ? 65 : .max)
        #expect(blob.features.contains(.lightTree) == hasTree)
        let run = try RenderRun(blob, on: device, clock: MonotonicClock())
        var tiles: [TileSums] = []
        try run.render(
            tiles: 0..<1, samples: 0..<samples, advance: { (_: Double) throws(Failure) in },
            finish: { (tile: TileSums) throws(Failure) in tiles.append(tile) })
        return try Picture(tiles, width: 32, height: 32).image.pixels.map(SIMD3<Double>.init)
    }

    private func meanSquare(_ a: [SIMD3<Double>], _ b: [SIMD3<Double>]) -> Double {
        var sum = 0.0
        for (a, b) in zip(a, b) { sum += ((a - b) * (a - b)).sum() }
        return sum / Double(a.count)
    }

    @Test func sameLightWithLessNoise() throws {
        guard let device = try TestDevices.any?.open() else { return }
        func picture(_ samples: Int, _ seed: UInt64, hasTree: Bool) throws -> [SIMD3<Double>] {
            try self.picture(
                street, samples: samples, seed: seed, hasTree: hasTree, on: device)
        }
        let byTree = try picture(4096, 1, hasTree: true)
        let byPower = try picture(8192, 2, hasTree: false)
        var sums = (tree: SIMD3<Double>.zero, power: SIMD3<Double>.zero)
        for pixel in byTree { sums.tree += pixel }
        for pixel in byPower { sums.power += pixel }
        #expect((sums.tree.x / sums.power.x - 1).magnitude < 0.01, "\(sums)")

        let noise = meanSquare(try picture(64, 3, hasTree: true), byTree)
        let noiseByPower = meanSquare(try picture(64, 3, hasTree: false), byTree)
        #expect(noiseByPower > 4 * noise, "variance \(noise), by power \(noiseByPower)")
    }

    /// The kernels leave a compiler nothing to contract on the way down the tree.
    @Test func contractionFindsNothing() throws {
        guard let device = TestDevices.exact.first(where: { !$0.isSlow }) else {
            return TestDevices.skip("no exact implementation is installed")
        }
        let base = try device.open()
        let contracting = FlakyDevice(
            base,
            [
                .rewrite { source in
                    guard let own = try? source.text() else { return source }
                    return ProgramSource(
                        source.name,
                        customText: own.replacing("FP_CONTRACT OFF", with: "FP_CONTRACT ON"),
                        defines: source.defines)
                }
            ])
        let parameters = RenderParameters(width: 32, height: 32, samples: 8, bounces: 2)
        let plain = try renderTiles(street, parameters, on: base)
        #expect(try renderTiles(street, parameters, on: contracting) == plain)
    }

    // MARK: - Bad input

    @Test func lightsThatSendNothingAreLeftOut() throws {
        let scene = SceneMaker.plane {
            let lamp = $0.material([0, 0, 0], emissive: .one)
            for place in 0..<100 {
                var light = Light(kind: place % 2 == 0 ? .point : .spot)
                light.position = [Float(place), 0, 3]
                switch place % 5 {
                case 0: light.intensity = [.nan, .nan, .nan]
                case 1: light.position = [.infinity, 0, 0]
                case 2: light.position.y = .nan
                case 3: light.direction = .zero
                default: break
                }
                $0.scene.lights.append(light)
                // No area.
                let a = SIMD3<Float>(Float(place), 1, 2)
                $0.quad(a, a, a + [1, 0, 0], a + [2, 0, 0], lamp)
            }
        }
        let blob = try RenderBlob(scene, parameters, treeLightsMin: 2)
        let tree = try #require(ReferenceLightTree(blob))
        // Those of no intensity are nowhere, those without a place in the table.
        #expect(tree.tableCount == 40)
        #expect(blob.count(.emitters) == 80)
        #expect(try RenderBlob(bytes: blob.bytes).words == blob.words)
        guard let found = try meanRadiance(scene, samples: 16) else { return }
        #expect(found.x.isFinite && found.x > 0)
    }

    /// Places that halve and halve again make no deep tree, and a million lights no slow one.
    @Test func treesAreShallowAndSoon() {
        var lights: [PlacedLight] = []
        for place in 0..<2000 {
            var light = Light(kind: .point)
            light.position = [Float(sign: .plus, exponent: -(place % 120), significand: 1), 0, 0]
            if let light = PlacedLight(light, emitter: place) { lights.append(light) }
        }
        #expect(LightTree(lights, radius: 1).levels <= 32)

        var random = SplitMix64(seed: 8)
        let many = (0..<1_000_000).map { emitter in
            let a = SIMD3<Double>(random.point())
            return PlacedLight(
                a, a + [0.01, 0, 0], a + [0, 0.01, 0], radiance: 1, emitter: emitter)
        }
        let start = ContinuousClock.now
        let tree = LightTree(many, radius: 1)
        let elapsed = ContinuousClock.now - start
        print("a tree of \(many.count) lights: \(elapsed), \(tree.levels) levels")
        #expect(elapsed < .seconds(40))
        #expect(tree.levels <= 32)
        #expect(tree.nodes.count == 12 * (2 * many.count - 1))
    }
}
