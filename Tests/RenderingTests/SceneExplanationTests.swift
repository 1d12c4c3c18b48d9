import Core
import Foundation
import Rendering
import Testing

@Suite struct SceneExplanationTests {
    private func explained(
        _ fixture: GLTFFixture, options: ImportOptions = ImportOptions()
    ) throws -> SceneExplanation {
        let files = SceneFiles(memory: [
            "s.gltf": try fixture.text(bufferURI: "s.bin"), "s.bin": fixture.binary,
        ])
        return try SceneExplanation("s.gltf", from: files, options: options)
    }

    private func lines(_ explanation: SceneExplanation) -> [String] {
        explanation.parts.map {
            "\($0.handling.rawValue): "
                + [$0.kind, $0.name, $0.detail].filter { !$0.isEmpty }.joined(separator: " ")
        }
    }

    private func count(_ name: String, _ explanation: SceneExplanation) -> Int? {
        explanation.counts.first { $0.name == name }?.count
    }

    @Test func everyPartIsNamed() throws {
        var fixture = ImportSkinTests.skinned()
        let lift = fixture.add([0, 0, 0, 0, 0, 0, 0, 2, 0], "VEC3")
        fixture.set("meshes/0/primitives/0/targets", [["POSITION": lift]])
        fixture.animate(
            "translation", times: [0, 2.5], values: [0, 0, 0, 0, 0, 0], "VEC3", "STEP")
        fixture.set("animations/0/name", "Walk")
        fixture.animate("translation", times: [0], values: [0, 0, 0], "VEC3", "STEP")
        fixture.append("materials", ["name": "gold"])
        fixture.set("skins/1", ["joints": [1]])
        fixture.set("extensionsUsed", ["KHR_materials_ior", "EXT_unheard_of"])
        let weights = fixture.add([0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0], "VEC4")
        fixture.set("meshes/0/primitives/0/attributes/WEIGHTS_0", weights)
        let still = try explained(fixture)
        #expect(still.refusal == nil)
        #expect(count("triangles", still) == 1 && count("instances", still) == 1)
        #expect(count("animations", still) == 2 && count("morph_targets", still) == 1)
        #expect(
            lines(still) == [
                "used: material 0 \"plain\"",
                "left out: material 1 \"gold\" nothing in the scene has it",
                "left out: animation 0 \"Walk\" 2.5 s, 1 channel: no time is given",
                "left out: animation 1 0.0 s, 1 channel: no time is given",
                "used: skin 0 2 joints", "left out: skin 1 1 joints: no mesh in the scene has it",
                "used: morph targets of mesh 0 1", "used: extension KHR_materials_ior",
                "left out: extension EXT_unheard_of",
                "left out: note extension EXT_unheard_of is not supported and left out",
                "repaired: note meshes[0].primitives[0]: 1 vertices without weights follow their "
                    + "first joint",
            ])
        let moving = lines(try explained(fixture, options: ImportOptions(seconds: 1)))
        #expect(moving.contains("used: animation 0 \"Walk\" 2.5 s, 1 channel"))
        #expect(
            moving.contains(
                "left out: animation 1 0.0 s, 1 channel: it moves what an earlier one moves"))
    }

    @Test func refusalsAreExplained() throws {
        var fixture = GLTFFixture()
        fixture.set("extensionsUsed", ["KHR_texture_basisu"])
        fixture.set("extensionsRequired", ["KHR_texture_basisu"])
        let explanation = try explained(fixture)
        let said = "extensionsRequired: KHR_texture_basisu is not supported"
        #expect(explanation.refusal?.message == "s.gltf: " + said)
        #expect(
            lines(explanation).suffix(2) == [
                "refused: extension KHR_texture_basisu required", "refused: scene s.gltf " + said,
            ])
        #expect(count("meshes", explanation) == 1 && count("triangles", explanation) == 0)
        var broken = GLTFFixture()
        broken.set("nodes/0/mesh", 4)
        #expect(
            try explained(broken).refusal?.message == "s.gltf: nodes[0]: mesh 4: 0 to 0 expected")
        let files = SceneFiles(memory: ["s.gltf": Bytes("{}".utf8)])
        let error = #expect(throws: Failure.self) {
            _ = try SceneExplanation("s.gltf", from: files)
        }
        #expect(error?.message == "s.gltf: asset: expected, not there")
    }
}
