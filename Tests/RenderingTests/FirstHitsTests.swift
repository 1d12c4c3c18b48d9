import Compute
import Core
import Imaging
import Rendering
import RigorTestKit
import Testing

/// Layers of what camera rays meet first.
@Suite struct FirstHitsTests {
    private static let parameters = RenderParameters(width: 40, height: 36, samples: 16, bounces: 0)

    /// A wall two metres away over the left half of the view, and a nearer, tilted one to the
    /// right; nothing in the lowest quarter.
    private static var walls: Scene {
        var maker = SceneMaker()
        let red = maker.material([0.8, 0.2, 0.1])
        let grey = maker.material([0.5, 0.5, 0.5])
        maker.scene.materials[0].name = "Red"
        maker.scene.materials[1].name = "Grey"
        maker.quad([-9, -1, -2], [0, -1, -2], [0, 9, -2], [-9, 9, -2], red)
        maker.quad([0, -1, -2], [9, -1, 7], [9, 9, 7], [0, 9, -2], grey)
        maker.camera(at: .zero, halfHeight: 1)
        maker.scene.objects = [
            SceneObject(name: "Wall", triangles: 0..<2),
            SceneObject(name: "Wall", triangles: 2..<4),
        ]
        return maker.scene
    }

    private func hits(
        _ scene: Scene, tuning: RenderRun.Tuning = .init(), samples: Int = 16
    ) throws -> FirstHits? {
        guard let device = try TestDevices.any?.open() else { return nil }
        let run = try RenderRun(
            try RenderBlob(scene, Self.parameters), on: device, clock: MonotonicClock(),
            tuning: tuning)
        return try run.firstHits(SceneNames(scene), samples: samples) { _ throws(Failure) in }
    }

    private func planes(_ hits: FirstHits) -> [String: [UInt32]] {
        let channels = hits.channels(Set(Auxiliary.allCases), isHalf: false)
        return Dictionary(
            uniqueKeysWithValues: channels.map { ($0.name, $0.values.map(\.bitPattern)) })
    }

    @Test func wallsAreWhereTheyAre() throws {
        guard let hits = try hits(Self.walls) else { return }
        let channels = hits.channels(Set(Auxiliary.allCases), isHalf: false)
        func value(_ name: String, _ x: Int, _ y: Int) throws -> Float {
            try #require(channels.first { $0.name == name }).values[y * 40 + x]
        }
        // Left: the wall that faces the camera.
        #expect(abs(try value("depth.Z", 5, 10) - 2) < 1e-5)
        #expect(abs(try value("albedo.R", 5, 10) - 0.8) < 1e-5)
        #expect(abs(try value("normal.Z", 5, 10) - 1) < 1e-5)
        #expect(try value("object.X", 5, 10) == 1 && value("material.X", 5, 10) == 1)
        // Right: at 45°, toward the left.
        #expect(try value("depth.Z", 35, 10) < 1.5)
        #expect(abs(try value("normal.X", 35, 10) + 0.70710678) < 1e-4)
        #expect(try value("object.X", 35, 10) == 2 && value("material.X", 35, 10) == 2)
        // Below both.
        #expect(try value("depth.Z", 5, 35) == FirstHits.depthOfNothing)
        #expect(try value("object.X", 5, 35) == 0 && value("albedo.R", 5, 35) == 0)

        // Two things of one name are told apart; a pixel between them has both, half each.
        let left = Cryptomatte.identifier("Wall")
        let right = Cryptomatte.identifier("Wall.001")
        #expect(try value("CryptoObject00.R", 5, 10) == left)
        #expect(try value("CryptoObject00.G", 5, 10) == 1 && value("CryptoObject00.A", 5, 10) == 0)
        #expect(try value("CryptoObject00.R", 35, 10) == right)
        #expect(try value("CryptoMaterial00.R", 35, 10) == Cryptomatte.identifier("Grey"))
        for (row, seen) in [(10, 1 as Float), (26, 1), (27, 0)] where row != 27 || seen == 0 {
            let sum = try ["00.G", "00.A", "01.G"].reduce(0 as Float) {
                $0 + (try value("CryptoObject\($1)", 19, row))
            }
            #expect(abs(sum - seen) < 1e-6)
        }
        let attributes = hits.attributes([.cryptomatte])
        let manifest = attributes.first {
            $0.key.hasSuffix("/manifest") && $0.value.contains("Wall")
        }
        #expect(manifest?.value.contains("\"Wall.001\":\"") == true)
        #expect(attributes.values.contains("MurmurHash3_32"))
    }

    /// However the work is cut, with wide vectors and narrow.
    @Test func noCutMovesABit() throws {
        guard let whole = try hits(SceneMaker.room) else { return }
        for tuning in [
            RenderRun.Tuning(pathsMax: 2048), .init(isNarrow: true), .init(pathsMax: 8192),
        ] {
            guard let other = try hits(SceneMaker.room, tuning: tuning) else { return }
            #expect(planes(other) == planes(whole))
        }
        let few = try #require(try hits(SceneMaker.room, samples: 3))
        #expect(planes(few) != planes(whole))
    }

    /// The picture's own samples: layers do not stand aside from it at edges.
    @Test func samplesAreThePictures() throws {
        guard let device = try TestDevices.any?.open() else { return }
        var maker = SceneMaker()
        let lamp = maker.material([0, 0, 0], emissive: [1, 1, 1])
        maker.sphere([0, 0, -3], radius: 1, level: 2, lamp)
        maker.camera(at: .zero, halfHeight: 0.6)
        let tiles = try renderTiles(maker.scene, Self.parameters, on: device)
        let picture = try Picture(tiles, width: 40, height: 36)
        maker.scene.objects = [SceneObject(name: "Lamp", triangles: 0..<128)]
        let channels = try #require(try hits(maker.scene)).channels([.cryptomatte], isHalf: false)
        let coverage = try #require(channels.first { $0.name == "CryptoObject00.G" }).values
        #expect(picture.image.pixels.map(\.x) == coverage)
        #expect(Set(coverage).count > 5)
    }
}
