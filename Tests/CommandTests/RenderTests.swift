import Foundation
import Testing

/// What `rigor render` does beside one picture of a scene at rest.
@Suite(.serialized) struct RenderTests {
    private static let noDevice = [
        "OCL_ICD_VENDORS": "/nonexistent", "OPENCL_VENDOR_PATH": "/nonexistent",
    ]

    @Test func explainingNeedsNoDevice() throws {
        let run = try CommandLineRun()
        let scene = try CommandLineRun.example("scene/demo.glb")
        let text = try run.run(["render", scene, "--explain"], environment: Self.noDevice)
        #expect(text.status == 0 && text.errors.isEmpty, "\(text)")
        #expect(text.output.contains("used      camera"), "\(text.output)")
        #expect(text.output.contains("used      extension  KHR_lights_punctual"), "\(text.output)")
        let json = try run.run(
            ["render", scene, "--explain", "--json"], environment: Self.noDevice)
        let document = try json.document()
        let counts = try #require(document["counts"] as? [String: Int])
        #expect(counts["cameras"] == 1 && (counts["triangles"] ?? 0) > 10_000)
        let parts = try #require(document["parts"] as? [[String: String]])
        #expect(parts.allSatisfy { $0["handling"] == "used" }, "\(parts)")
        #expect(document["refused"] is NSNull)
    }

    @Test func whatIsRefusedIsExplained() throws {
        let run = try CommandLineRun()
        let text = #"{"asset":{"version":"2.0"},"extensionsRequired":["KHR_texture_basisu"]}"#
        let scene = try run.write("s.gltf", text.utf8)
        let said = "extensionsRequired: KHR_texture_basisu is not supported"
        let result = try run.run(["render", scene, "--explain"], environment: Self.noDevice)
        #expect(result.status == 1 && result.line.hasSuffix(said), "\(result)")
        #expect(result.output.contains("refused   extension  KHR_texture_basisu  required"))
        let json = try run.run(
            ["render", scene, "--explain", "--json"], environment: Self.noDevice)
        #expect(json.status == 1)
        #expect(try json.document()["refused"] as? String == "s.gltf: " + said)
    }

    /// The shipped scene does not move, so that each frame is the same picture under another name.
    @Test func framesAreNumbered() throws {
        let run = try CommandLineRun()
        let scene = try CommandLineRun.example("scene/demo.glb")
        let result = try run.run([
            "render", scene, "--frames", "9-10", "--size", "16x16", "--spp", "1", "-o",
            "shot_##.png", "--json", "--home", run.folder,
        ])
        try #require(result.status == 0, "\(result)")
        let frames = try #require(try result.document()["frames"] as? [[String: Any]])
        #expect(frames.map { $0["frame"] as? Int } == [9, 10])
        #expect(frames.map { $0["image"] as? String } == ["shot_09.png", "shot_10.png"])
        #expect(frames[0]["digest"] as? String == frames[1]["digest"] as? String)
        for name in ["shot_09.png", "shot_10.png"] {
            #expect(FileManager.default.fileExists(atPath: run.path(name)))
        }
    }
}
