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

    /// A skin of 24 joints and three animations of them.
    @Test func foxMoves() throws {
        guard let path = Self.scenes()?.appendingPathComponent("Fox.glb") else { return }
        func scene(_ animation: String, _ seconds: Double) throws -> Scene {
            try Scene(
                contentsOf: path,
                options: ImportOptions(
                    seconds: seconds, animation: AnimationChoice(argument: animation)))
        }
        let run = try scene("Run", 0.2)
        #expect(run.triangles.count == 576 && run.warnings.isEmpty)
        #expect(run.positions != (try scene("Run", 0.4)).positions)
        #expect(run.positions != (try scene("Walk", 0.2)).positions)
        let all = try scene("all", 0.2)
        #expect(all.positions == (try scene("Survey", 0.2)).positions)
        #expect(all.warnings.count == 2)
        // The fox keeps its size and stays where it is.
        for position in run.positions {
            #expect(position.x.magnitude < 100 && position.z.magnitude < 200)
            #expect(position.y > -20 && position.y < 150)
        }
    }

    /// Tangents made from coordinates agree with those the file brings: the same side everywhere
    /// but at seams, and nearly the same direction.
    @Test func tangentsMadeAreTheFilesOwn() throws {
        guard let folder = Self.scenes()?.appendingPathComponent("FlightHelmet") else { return }
        let given = try Scene(contentsOf: folder.appendingPathComponent("FlightHelmet.gltf"))
        let text = try String(
            contentsOf: folder.appendingPathComponent("FlightHelmet.gltf"), encoding: .utf8)
        var files: [String: Bytes] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            files[name] = Bytes(try Data(contentsOf: folder.appendingPathComponent(name)))
        }
        files["FlightHelmet.gltf"] = Bytes(
            text.replacingOccurrences(of: "\"TANGENT\"", with: "\"_TANGENT\"").utf8)
        let made = try Scene(importing: "FlightHelmet.gltf", from: SceneFiles(memory: files))
        #expect(made.tangents.count == given.tangents.count)
        var (sides, close) = (0, 0)
        for (a, b) in zip(made.tangents, given.tangents) {
            if a.w == b.w { sides += 1 }
            if a.x * b.x + a.y * b.y + a.z * b.z > 0.9 { close += 1 }
        }
        print("tangents:", made.tangents.count, "same side:", sides, "within 25°:", close)
        #expect(sides > made.tangents.count * 98 / 100)
        #expect(close > made.tangents.count * 90 / 100)
    }

    @Test func environment() throws {
        guard let folder = Self.scenes()?.appendingPathComponent("environments") else { return }
        let sky = try Environment(
            contentsOf: folder.appendingPathComponent("spiaggia_di_mondello_1k.hdr"))
        #expect(sky.width == 1024 && sky.height == 512)
        let brightest = sky.texels.map { $0.max() }.max() ?? 0
        print("environment: brightest", brightest)
        #expect(brightest > 100)
        #expect(sky.texels.allSatisfy { $0.min() >= 0 })
        let missing = folder.appendingPathComponent("none.hdr")
        #expect(throws: Failure(.io, "none.hdr: no such file")) {
            _ = try Environment(contentsOf: missing)
        }
    }
}
