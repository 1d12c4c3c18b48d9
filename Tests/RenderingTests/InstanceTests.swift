import Compute
import Core
import Imaging
import Rendering
import RigorTestKit
import Testing

/// Meshes that are stored once and used often.
@Suite struct InstanceTests {
    private static let parameters = RenderParameters(
        width: 48, height: 40, samples: 16, bounces: 3)

    /// Two kinds of things, many times, over a floor. Every seventh use stands there twice.
    static func crowd(_ count: Int, level: Int = 1) -> Scene {
        var maker = SceneMaker(environment: [0.7, 0.8, 0.9])
        let floor = maker.material([0.6, 0.5, 0.4])
        let ball = maker.material([0.8, 0.3, 0.3]) { $0.roughness = 0.4 }
        let veil = maker.material([0.3, 0.8, 0.3]) {
            $0.alphaMode = .blend
            $0.baseColor.w = 0.7
            $0.isDoubleSided = false
        }
        maker.quad([-3, -1.2, 3], [3, -1.2, 3], [3, -1.2, -3], [-3, -1.2, -3], floor)
        maker.quad([-3, -1.2, 3], [3, -1.2, 3], [3, -1.2, -3], [-3, -1.2, -3], floor)
        maker.camera(at: [0, 0.3, 4], halfHeight: 0.4)
        maker.mesh { $0.sphere([0.02, 0, 0], radius: 0.2, level: level, ball) }
        maker.mesh { $0.sphere([0, 0.01, 0], radius: 0.15, level: level, veil) }
        maker.scene.objects = [SceneObject(name: "Floor", triangles: 0..<4)]
        var random = SplitMix64(seed: 2026)
        for index in 0..<count {
            let instance = SceneInstance(
                mesh: index % 2, placement: random.placement(spread: 1.5),
                object: maker.scene.objects.count)
            maker.scene.instances += index % 7 == 0 ? [instance, instance] : [instance]
            maker.scene.objects.append(SceneObject(name: "Use \(index)", triangles: 4..<4))
        }
        return maker.scene
    }

    // MARK: Rays

    /// Every kernel finds the least (distance, primitive) of all triangles one by one, in thousands
    /// of instances, some of which are twice in one place.
    @Test func kernelsFindTheSame() throws {
        guard let device = try TestDevices.any?.open() else { return }
        let scene = Self.crowd(1500, level: 0)
        let blob = try RenderBlob(scene, RenderParameters(width: 1, height: 1))
        let seed: UInt64 = 20_261_125
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        let corners = scene.flattened().positions
        let rays = (0..<700).map { index in
            let origin = random.point() * 2.5
            var direction = random.point()
            if index % 3 == 0 { direction = corners[random.index(corners.count)] - origin }
            if index % 7 == 0 { direction = [0, index % 2 == 0 ? -1 : 0, index % 2 == 0 ? 0 : 1] }
            return RayCaster.Ray(origin: origin, direction: direction)
        }
        let reference = ReferenceTracer(blob)
        let expected = rays.map(reference.closest)
        let drawn = DrawnTriangles(scene)
        let met = expected.filter { $0 != .none }.map { drawn.place(of: Int($0.primitive)) }
        #expect(met.count { $0?.instance != nil } > 200 && met.count { $0?.instance == nil } > 20)
        for isNarrow in [false, true] {
            let caster = try RayCaster(blob, on: device, isNarrow: isNarrow)
            for kernel in RayCaster.Kernel.allCases {
                let hits = try caster.closest(rays, by: kernel)
                for (index, hit) in hits.enumerated() where hit != expected[index] {
                    Issue.record("\(kernel) \(isNarrow) \(rays[index]): \(hit) \(expected[index])")
                    break
                }
            }
        }
    }

    /// The same hits as in the world, but for rounding.
    @Test func hitsAreWhereTheyAreInTheWorld() throws {
        guard let device = try TestDevices.any?.open() else { return }
        let scene = Self.crowd(200)
        let one = RenderParameters(width: 1, height: 1)
        let shared = try RayCaster(RenderBlob(scene, one), on: device)
        let flat = try RayCaster(RenderBlob(scene.flattened(), one), on: device)
        var random = SplitMix64(seed: 4)
        let rays = (0..<4000).map { _ in
            RayCaster.Ray(origin: random.point() * 4, direction: random.direction())
        }
        var differing = 0
        var numbersDiffer = 0
        for (own, other) in zip(try shared.closest(rays), try flat.closest(rays)) {
            // An edge may be met or missed.
            if (own.distance - other.distance).magnitude > 1e-5 { differing += 1 }
            if own.primitive != other.primitive { numbersDiffer += 1 }
        }
        #expect(differing < 4)
        // The twins are equally far, or nearly.
        #expect(numbersDiffer < 400)
    }

    // MARK: Pictures

    @Test func samePictureAsWithEveryTriangleInTheWorld() throws {
        guard let device = try TestDevices.any?.open() else { return }
        // Twins would be told apart by rounding.
        var scene = Self.crowd(60)
        scene.instances = scene.instances.enumerated().filter { index, instance in
            index == 0 || scene.instances[index - 1] != instance
        }.map(\.element)
        let flat = scene.flattened()
        #expect(flat.triangles.count == scene.drawnTriangleCount && flat.instances.isEmpty)
        let pictures = try [scene, flat].map {
            try Picture(
                renderTiles($0, Self.parameters, on: device), width: 48, height: 40)
        }
        var off: Float = 0
        var sum: Float = 0
        for (a, b) in zip(pictures[0].image.pixels, pictures[1].image.pixels) {
            for channel in 0..<3 { off += (a[channel] - b[channel]).magnitude }
            sum += b.sum()
        }
        #expect(off / sum < 0.01 && sum > 100, "\(off) of \(sum)")
        #expect(off > 0, "the second way rounds otherwise, or it was not gone")

        // What covers each pixel most, and the materials.
        var named = flat
        named.objects = [SceneObject(name: "Floor", triangles: 0..<4)]
        for (instance, start) in zip(scene.instances, scene.instanceStarts) {
            let count = scene.meshes[instance.mesh].triangles.count
            named.objects.append(SceneObject(name: "Use", triangles: start..<start + count))
        }
        let planes = try [scene, named].map { scene in
            let run = try RenderRun(
                RenderBlob(scene, Self.parameters), on: device, clock: MonotonicClock())
            let hits = try run.firstHits(SceneNames(scene), samples: 16) { _ throws(Failure) in }
            return hits.channels([.object, .material, .depth, .normal], isHalf: false)
        }
        for name in ["object.X", "material.X"] {
            let values = planes.map { $0.first { $0.name == name }?.values ?? [] }
            #expect(values[0] == values[1] && Set(values[0]).count > 2, "\(name)")
        }
        for name in ["depth.Z", "normal.X", "normal.Y", "normal.Z"] {
            let values = planes.map { $0.first { $0.name == name }?.values ?? [] }
            let far = zip(values[0], values[1]).count { ($0 - $1).magnitude > 1e-4 }
            #expect(far < 20 && values[0].count == 48 * 40, "\(name): \(far)")
        }
    }

    @Test func noCutMovesABit() throws {
        guard let device = try TestDevices.any?.open() else { return }
        let scene = Self.crowd(40)
        let whole = try renderTiles(scene, Self.parameters, on: device)
        for tuning in [RenderRun.Tuning(pathsMax: 1024), .init(isNarrow: true)] {
            #expect(try renderTiles(scene, Self.parameters, on: device, tuning: tuning) == whole)
        }
    }

    // MARK: Size

    @Test func aMeshIsStoredOnce() throws {
        let few = try RenderBlob(Self.crowd(2, level: 3), Self.parameters)
        let scene = Self.crowd(1000, level: 3)
        let many = try RenderBlob(scene, Self.parameters)
        #expect(many.count(.triangles) == few.count(.triangles))
        #expect(many.count(.blocks) == few.count(.blocks))
        #expect(many.count(.instances) == scene.instances.count + 1)
        // A record, and its part of the nodes above it.
        let perUse =
            Double(many.bytes.count - few.bytes.count) / Double(scene.instances.count - 3)
        #expect(perUse < 192 + 100, "\(perUse) bytes")
        let flat = try RenderBlob(Self.crowd(10, level: 3).flattened(), Self.parameters)
        #expect(flat.bytes.count > many.bytes.count)
    }

    // MARK: Bad input

    @Test(arguments: [
        Placement(x: .zero, y: .zero, z: .zero), Placement(x: [0, 1, 0]),
        Placement(x: [.nan, 0, 0]), Placement(translation: [.infinity, 0, 0]),
        Placement(x: [1e-30, 0, 0], y: [0, 1e-30, 0], z: [0, 0, 1e-30]),
        Placement(x: [1, 1, 0], y: [1, 1.001, 0]), Placement(z: [0, 0, 1e-9]),
        Placement(x: [1e30, 0, 0], y: [0, 1e30, 0], z: [0, 0, 1e30]),
    ])
    func oddPlacesAreRefused(_ placement: Placement) {
        var scene = Self.crowd(3)
        scene.instances[1].placement = placement
        let failure = #expect(throws: Failure.self) {
            _ = try RenderBlob(scene, Self.parameters)
        }
        #expect(failure?.message.hasPrefix("scene: instance 1: ") == true)
    }

    @Test func contradictionsAreRefused() throws {
        let changes: [(String, (inout Scene) -> Void)] = [
            ("instance 0: index", { $0.instances[0].mesh = 2 }),
            ("instance 0: index", { $0.instances[0].object = 900 }),
            ("mesh 0: its triangles shine", { $0.materials[1].emissive = [1, 0, 0] }),
            ("mesh 1: out of range", { $0.meshes[1].triangles = 0..<4 }),
            ("mesh 0: out of range", { $0.meshes[0].vertices = 8..<9_000 }),
            ("mesh 0: others' vertices", { $0.triangles[$0.worldTriangles.count].x = 0 }),
            ("triangles in world space: others'", { $0.triangles[0].x = 9 }),
            ("triangles behind", { $0.meshes.removeLast() }),
            (
                "instance 0: a coordinate",
                {
                    $0.instances[0].placement = Placement(
                        x: [0x1p19, 0, 0], y: [0, 0x1p19, 0], z: [0, 0, 0x1p19],
                        translation: [0, 0x1.fffffep39, 0])
                }
            ),
        ]
        for (message, change) in changes {
            var scene = Self.crowd(3)
            change(&scene)
            let failure = #expect(throws: Failure.self, "\(message)") {
                _ = try RenderBlob(scene, Self.parameters)
            }
            #expect(failure?.message.hasPrefix("scene: \(message)") == true, "\(failure as Any)")
        }
    }

    /// Bytes from elsewhere: a tree that goes in and never comes out, and what lies outside.
    @Test func damagedBlobsAreRefused() throws {
        typealias Word = BlobLayout.InstanceWord
        let blob = try RenderBlob(Self.crowd(3), Self.parameters)
        #expect(try RenderBlob(bytes: blob.bytes).words == blob.words)
        let records = blob.offset(.instances)
        let stride = BlobLayout.Section.instances.stride
        var leaf = 0
        for node in 0..<blob.count(.nodes) {
            for lane in 0..<8 {
                let place = blob.offset(.nodes) + 64 * node + 48 + lane
                if blob.words[place] >> 30 == 3 { leaf = place }
            }
        }
        #expect(leaf > 0)
        let root = blob.words[records + stride + Word.root]
        let inside = blob.offset(.nodes) + 64 * Int(root) + 48
        let changes: [(Int, UInt32)] = [
            (leaf, 0xc000_0000), (leaf, 0xc000_1000), (inside, 0xc000_0001),
            (records + stride + Word.root, 0), (records + stride + Word.root, 0xffff),
            (records + Word.shift, 1), (records + stride + Word.count, 0xffff),
            (BlobLayout.Word.features, blob.features.rawValue & ~16),
            (BlobLayout.Word.sections + 39, 0),
        ]
        for (word, value) in changes {
            var words = blob.words
            words[word] = value
            let bytes = words.withUnsafeBytes { Bytes($0) }
            #expect(throws: Failure.self, "word \(word): \(value)") {
                _ = try RenderBlob(bytes: bytes)
            }
        }
    }
}
