import Core
import Foundation
import Imaging
import Rendering
import RigorTestKit
import Testing

/// Shapes without area, matrices at the edge of numbers, pictures of one row: a clear error or a
/// scene that renders without a value that is not a number.
@Suite struct ImportDegenerateTests {
    /// Every vertex in one point, or on one line, or twice the same corner; all of it glowing.
    private static func degenerate() -> GLTFFixture {
        var fixture = GLTFFixture()
        fixture.set("materials/0/emissiveFactor", [1, 1, 1])
        let positions = fixture.add(
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 3, 0, 0, 0, 1, 0], "VEC3")
        let indices = fixture.add(
            bytes: [0, 1, 2, 3, 4, 5, 3, 3, 6, 0, 3, 6], "SCALAR", component: 5121, count: 12)
        fixture.set("meshes/0/primitives/0/attributes", ["POSITION": positions])
        fixture.set("meshes/0/primitives/0/indices", indices)
        return fixture
    }

    private func renders(_ scene: Scene) throws {
        guard let device = try TestDevices.any?.open() else { return }
        let parameters = RenderParameters(width: 8, height: 8, samples: 4, bounces: 2)
        let tiles = try renderTiles(scene, parameters, on: device)
        let picture = try Picture(tiles, width: 8, height: 8)
        #expect(picture.nanCount == 0)
        #expect(picture.image.pixels.allSatisfy { $0.x >= 0 && $0.x.isFinite })
    }

    @Test func trianglesWithoutArea() throws {
        let scene = try Self.degenerate().scene()
        #expect(scene.triangles.count == 4)
        #expect(scene.normals.allSatisfy { (($0 * $0).sum() - 1).magnitude < 1e-5 })
        try renders(scene)
    }

    @Test func aSceneWithoutSurfaceIsTold() throws {
        let told = "no triangle has an area: there is nothing to see but the sky"
        var fixture = Self.degenerate()
        #expect(try !fixture.scene().warnings.contains(told))
        fixture.set("nodes/0/scale", [0, 0, 0])
        let scene = try fixture.scene()
        #expect(scene.triangles.count == 4 && scene.warnings.contains(told))
    }

    /// Nothing but points remains.
    @Test(arguments: [[0, 0, 0], [1, 0, 1], [1e-300, 1e-300, 1e-300], [1e12, 0, 0]])
    func scalesWithoutSize(_ scale: [Double]) throws {
        var fixture = Self.degenerate()
        fixture.set("nodes/0/scale", scale)
        let scene = try fixture.scene()
        #expect(scene.normals.allSatisfy { (($0 * $0).sum() - 1).magnitude < 1e-5 })
        try renders(scene)
    }

    @Test func matricesOutOfRange() throws {
        var fixture = GLTFFixture()
        fixture.set(
            "nodes",
            [["children": [1], "scale": [1e200, 1, 1]], ["mesh": 0, "scale": [1e200, 1, 1]]])
        #expect(try fixture.message() == "s.gltf: nodes[1]: transform overflows")
        // JSON has no word for infinity and what is beyond doubles is not read as one.
        let text = String(decoding: try GLTFFixture().text(bufferURI: "s.bin"), as: UTF8.self)
        for number in ["1e999", "NaN", "Infinity", "-1e999"] {
            let broken = text.replacingOccurrences(
                of: #""nodes":[{"mesh":0}]"#,
                with: #""nodes":[{"mesh":0,"translation":[0,\#(number),0]}]"#)
            #expect(broken != text)
            let files = SceneFiles(memory: [
                "s.gltf": Bytes(broken.utf8), "s.bin": GLTFFixture().binary,
            ])
            #expect(throws: Failure.self, "\(number)") {
                _ = try Scene(importing: "s.gltf", from: files)
            }
        }
        var huge = GLTFFixture()
        huge.set("nodes/0/matrix", [1e300, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])
        let scene = try huge.scene()
        #expect(scene.triangles.isEmpty)
        try renders(scene)
    }

    @Test func verticesOutOfRange() throws {
        for value in [Float.nan, .infinity, -.infinity, .greatestFiniteMagnitude, 0x1p41] {
            var fixture = GLTFFixture()
            let positions = fixture.add([value, 0, 0, 1, 0, 0, 0, 1, 0], "VEC3")
            let normals = fixture.add([value, value, value, 0, 0, 0, 0, 0, 0x1p-140], "VEC3")
            fixture.set("meshes/0/primitives/0/attributes/NORMAL", normals)
            let bent = try fixture.scene()
            #expect(bent.triangles.count == 1, "\(value)")
            #expect(bent.normals.allSatisfy { (($0 * $0).sum() - 1).magnitude < 1e-5 })
            try renders(bent)
            fixture.set("meshes/0/primitives/0/attributes/POSITION", positions)
            #expect(try fixture.scene().triangles.isEmpty, "\(value)")
        }
    }

    @Test func picturesOfOneRow() throws {
        func message(_ width: Int, _ height: Int) throws -> String? {
            var fixture = GLTFFixture()
            let png = try PNG.encode(
                width: width, height: height, pixels: Bytes(repeating: 9, count: 3 * width * height)
            )
            let view = fixture.addView(png)
            fixture.set("images", [["bufferView": view]])
            fixture.set("textures", [["source": 0]])
            fixture.set("materials/0/emissiveTexture", ["index": 0])
            let files = SceneFiles(memory: ["s.glb": try fixture.glb()])
            let scene: Scene
            do throws(Failure) {
                scene = try Scene(importing: "s.glb", from: files)
            } catch { return error.message }
            #expect(scene.textures[0].width == width)
            try renders(scene)
            return nil
        }
        #expect(try message(1, 1) == nil)
        #expect(try message(100_000, 1) == nil)
        #expect(try message(1, 100_000) == nil)
        let said = "PNG: 200000×1 pixels: at most 131072 a side expected"
        #expect(try message(200_000, 1)?.hasSuffix(said) == true)
    }

    @Test func nothingAtAll() throws {
        for (path, value) in [
            ("meshes/0/primitives", [Any]()), ("nodes", [Any]()), ("scenes/0/nodes", [Any]()),
        ] as [(String, Any)] {
            var fixture = GLTFFixture()
            fixture.set(path, value)
            if path == "nodes" { fixture.set("scenes/0/nodes", [Int]()) }
            let scene = try fixture.scene()
            #expect(
                scene.warnings == ["no triangles: there is nothing to see but the sky"], "\(path)")
            try renders(scene)
        }
        for (path, value, said) in [
            ("accessors/0/count", 0, "accessors[0].count: 1 to 67108864 expected, 0 there"),
            ("bufferViews/0/byteLength", 0, "accessors[0]: 36 bytes expected in its view, 0 there"),
            ("accessors/3/count", 0, "accessors[3].count: 1 to 67108864 expected, 0 there"),
        ] {
            var fixture = GLTFFixture()
            fixture.set(path, value)
            #expect(try fixture.message().hasSuffix(said))
        }
        // Two corners make no triangle.
        var fixture = GLTFFixture()
        fixture.set("accessors/3/count", 2)
        #expect(try fixture.scene().triangles.isEmpty)
    }
}
