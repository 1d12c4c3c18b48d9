import Core
import Foundation
import Rendering
import Testing

/// Real scenes that are too large to ship, read from `$RIGOR_SHARED/scenes`.
@Suite struct ImportSharedSceneTests {
    static func scenes() -> URL? {
        guard let path = ProcessInfo.processInfo.environment["RIGOR_SHARED"] else {
            print("skip: RIGOR_SHARED names no folder with scenes")
            return nil
        }
        return URL(fileURLWithPath: path, isDirectory: true).appendingPathComponent("scenes")
    }

    @Test func flightHelmet() throws {
        guard let folder = Self.scenes()?.appendingPathComponent("FlightHelmet") else { return }
        let files = SceneFiles(folder: folder)
        let scene = try Scene(importing: "FlightHelmet.gltf", from: files)
        #expect(scene.triangles.count == 94_722)
        #expect(scene.materials.count == 6)
        #expect(files.pathsRead.count == 17)
        #expect(scene.warnings.isEmpty)
        print("FlightHelmet", scene.triangles.count, scene.positions.count, scene.textures.count)
    }

    @Test func waterBottle() throws {
        guard let folder = Self.scenes()?.appendingPathComponent("WaterBottle") else { return }
        let scene = try Scene(contentsOf: folder.appendingPathComponent("WaterBottle.gltf"))
        #expect(scene.triangles.count == 4_510)
        print("WaterBottle", scene.triangles.count, scene.positions.count, scene.textures.count)
    }

    @Test func fox() throws {
        guard let folder = Self.scenes() else { return }
        let scene = try Scene(contentsOf: folder.appendingPathComponent("Fox.glb"))
        #expect(scene.triangles.count == 576)
        print("Fox", scene.triangles.count, scene.positions.count, scene.warnings)
    }
}
