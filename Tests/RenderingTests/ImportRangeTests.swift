import Core
import Foundation
import Rendering
import Testing

/// Numbers that no scene should have are taken as others, and told, each property once.
@Suite struct ImportRangeTests {
    private static func json(_ text: String) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
    }

    private static func extended(_ name: String, _ fields: String) -> String {
        #"{"extensions": {"\#(name)": {\#(fields)}}}"#
    }

    private static func pbr(_ fields: String) -> String {
        #"{"pbrMetallicRoughness": {\#(fields)}}"#
    }

    /// Materials' fields, and what is said of them.
    static let strange: [(material: String, said: String)] = [
        (
            pbr(#""baseColorFactor": [7, 1, 0.5, -1]"#),
            "pbrMetallicRoughness.baseColorFactor [7, 1, 0.5, -1] taken as [1, 1, 0.5, 0] "
                + "(0 to 1 expected)"
        ),
        (pbr(#""metallicFactor": 1.5"#), "metallicFactor 1.5 taken as 1 (0 to 1 expected)"),
        (pbr(#""roughnessFactor": -2"#), "roughnessFactor -2 taken as 0 (0 to 1 expected)"),
        (
            #"{"emissiveFactor": [0, -1, 3]}"#,
            "emissiveFactor [0, -1, 3] taken as [0, 0, 3] (0 or more expected)"
        ),
        (#"{"alphaCutoff": -0.5}"#, "alphaCutoff -0.5 taken as 0 (0 to 2^26 expected)"),
        (
            extended("KHR_materials_transmission", #""transmissionFactor": 5"#),
            "transmissionFactor 5 taken as 1 (0 to 1 expected)"
        ),
        (extended("KHR_materials_ior", #""ior": 0.2"#), "ior 0.2 taken as 1.5 (0, or 1 to 4 "),
        (
            extended("KHR_materials_emissive_strength", #""emissiveStrength": -1"#),
            "emissiveStrength -1 taken as 0"
        ),
        (
            extended("KHR_materials_clearcoat", #""clearcoatFactor": 3"#),
            "clearcoatFactor 3 taken as 1"
        ),
        (
            extended("KHR_materials_clearcoat", #""clearcoatFactor": -3"#),
            "clearcoatFactor -3 taken as 0"
        ),
        (
            extended(
                "KHR_materials_clearcoat", #""clearcoatFactor": 1, "clearcoatRoughnessFactor": 2"#),
            "clearcoatRoughnessFactor 2 taken as 1"
        ),
        (
            extended("KHR_materials_sheen", #""sheenColorFactor": [-1, 1, 1]"#),
            "sheenColorFactor [-1, 1, 1] taken as [0, 1, 1]"
        ),
        (
            extended("KHR_materials_anisotropy", #""anisotropyStrength": 2"#),
            "anisotropyStrength 2 taken as 1"
        ),
        (
            extended(
                "KHR_materials_iridescence", #""iridescenceFactor": 1, "iridescenceIor": 0.5"#),
            "iridescenceIor 0.5 taken as 1 (1 to 5 expected)"
        ),
        (
            extended(
                "KHR_materials_iridescence",
                #""iridescenceFactor": 1, "iridescenceThicknessMinimum": -9"#),
            "iridescenceThicknessMinimum -9 taken as 0"
        ),
        (
            extended("KHR_materials_specular", #""specularFactor": 1.25"#),
            "specularFactor 1.25 taken as 1"
        ),
        (
            extended("KHR_materials_diffuse_transmission", #""diffuseTransmissionFactor": 2"#),
            "diffuseTransmissionFactor 2 taken as 1"
        ),
        (
            extended("KHR_materials_volume", #""thicknessFactor": -1"#),
            "thicknessFactor -1 taken as 0"
        ),
        (
            extended(
                "KHR_materials_volume", #""thicknessFactor": 1, "attenuationColor": [2, 0, 0]"#),
            "attenuationColor [2, 0, 0] taken as [1, 0, 0]"
        ),
        (
            extended("KHR_materials_pbrSpecularGlossiness", #""glossinessFactor": 4"#),
            "glossinessFactor 4 taken as 1"
        ),
    ]

    @Test(arguments: strange.indices)
    func materials(index: Int) throws {
        let (material, said) = Self.strange[index]
        var fixture = GLTFFixture()
        var fields = try #require(try Self.json(material) as? [String: Any])
        fields["name"] = "Glass"
        fixture.set("materials/0", fields)
        let warnings = try fixture.scene().warnings
        #expect(warnings.count == 1)
        #expect(warnings.first?.hasPrefix("material \"Glass\": \(said)") == true, "\(warnings)")
    }

    @Test func solidsDisperse() throws {
        var fixture = GLTFFixture()
        fixture.set(
            "materials/0",
            try Self.json(
                """
                {"extensions": {"KHR_materials_transmission": {"transmissionFactor": 1},
                "KHR_materials_volume": {"thicknessFactor": 1},
                "KHR_materials_dispersion": {"dispersion": 12}}}
                """))
        let scene = try fixture.scene()
        #expect(scene.warnings == ["material 0: dispersion 12 taken as 10 (0 to 10 expected)"])
        #expect(scene.materials[0].layers.dispersion == 10)
    }

    /// The ends of ranges are in them.
    @Test func whatIsAllowedIsNotTold() throws {
        var fixture = GLTFFixture()
        fixture.set(
            "materials/0",
            try Self.json(
                """
                {"pbrMetallicRoughness": {"baseColorFactor": [0, 1, 0, 1], "metallicFactor": 0,
                "roughnessFactor": 1}, "emissiveFactor": [0, 1, 5], "alphaCutoff": 2,
                "extensions": {"KHR_materials_ior": {"ior": 0},
                "KHR_materials_emissive_strength": {"emissiveStrength": 1000},
                "KHR_materials_sheen": {"sheenColorFactor": [0, 1, 2], "sheenRoughnessFactor": 0},
                "KHR_materials_transmission": {"transmissionFactor": 0},
                "KHR_materials_clearcoat": {"clearcoatFactor": 1, "clearcoatRoughnessFactor": 0}}}
                """))
        let scene = try fixture.scene()
        #expect(scene.warnings.isEmpty, "\(scene.warnings)")
        #expect(scene.materials[0].emissive == [0, 1000, 5000])
    }

    @Test func eachPropertyIsToldOnce() throws {
        var fixture = GLTFFixture()
        let bad = try Self.json(
            Self.extended("KHR_materials_transmission", "\"transmissionFactor\": 2"))
        let primitive = try #require(
            ((fixture.json["meshes"] as? [[String: Any]])?[0]["primitives"] as? [[String: Any]])?[0]
        )
        for index in 0..<3 {
            fixture.set("materials/\(index)", bad)
            fixture.set("meshes/0/primitives/\(index)", primitive)
            fixture.set("meshes/0/primitives/\(index)/material", index)
        }
        let told =
            "material 0: transmissionFactor 2 taken as 1 (0 to 1 expected), and so of 2 other "
            + "materials"
        #expect(try fixture.scene().warnings == [told])
        let files = SceneFiles(memory: [
            "s.gltf": try fixture.text(bufferURI: "s.bin"), "s.bin": fixture.binary,
        ])
        let parts = try SceneExplanation("s.gltf", from: files).parts
        #expect(parts.filter { $0.detail == told }.map(\.handling) == [.repaired])
    }

    @Test func lights() throws {
        var fixture = GLTFFixture()
        fixture.set(
            "extensions",
            try Self.json(
                """
                {"KHR_lights_punctual": {"lights": [{"type": "point", "name": "Lamp",
                "intensity": -5, "range": -1}, {"type": "spot", "color": [1, -1, 7]}]}}
                """))
        func light(_ index: Int) -> [String: Any] { ["KHR_lights_punctual": ["light": index]] }
        fixture.append("nodes", ["extensions": light(0)])
        fixture.append("nodes", ["extensions": light(1), "scale": [0, 0, 0]])
        fixture.append("nodes", ["extensions": light(0)])
        fixture.set("scenes/0/nodes", [0, 1, 2, 3])
        let scene = try fixture.scene()
        #expect(
            scene.warnings == [
                "light \"Lamp\": intensity -5 taken as 0 (0 or more expected)",
                "light \"Lamp\": range -1 taken as none (more than 0 expected)",
                "light 1: direction of a flat transform taken as -z "
                    + "(a scale other than 0 expected)",
                "light 1: color [1, -1, 7] taken as [1, 0, 7] (0 or more expected)",
            ])
        #expect(scene.lights[0].range == 0 && scene.lights[1].intensity == [1, 0, 7])
    }

    @Test func numbersBeyondAnyNumber() throws {
        var fixture = GLTFFixture()
        fixture.set("materials/0/pbrMetallicRoughness", ["metallicFactor": 12345])
        let text = String(decoding: try fixture.text(bufferURI: "s.bin"), as: UTF8.self)
        let huge = text.replacingOccurrences(of: "12345", with: "1e999")
        let files = SceneFiles(memory: ["s.gltf": Bytes(huge.utf8), "s.bin": fixture.binary])
        let error = #expect(throws: Failure.self) {
            _ = try Scene(importing: "s.gltf", from: files)
        }
        let column = try #require(huge.range(of: "1e999"))
        let place = huge.distance(from: huge.startIndex, to: column.lowerBound) + 1
        #expect(
            error?.message
                == "s.gltf: line 1, column \(place): 1e999 is beyond what a number may be")
    }

    // MARK: Cameras

    /// A good camera between two that nothing can be seen through.
    private func withCameras() throws -> GLTFFixture {
        var fixture = GLTFFixture()
        fixture.set(
            "cameras",
            try Self.json(
                """
                [{"type": "perspective", "perspective": {"yfov": 0}},
                {"type": "perspective", "perspective": {"yfov": 1, "aspectRatio": 0}},
                {"type": "orthographic", "orthographic": {"xmag": 1, "ymag": 1}}]
                """))
        fixture.append("nodes", ["camera": 0, "name": "Flat"])
        fixture.append("nodes", ["camera": 1, "name": "Good"])
        fixture.append("nodes", ["camera": 2, "name": "Squashed", "scale": [0, 0, 0]])
        return fixture
    }

    @Test func camerasThatSeeNothingAreRefusedWhereTheyAreChosen() throws {
        var fixture = try withCameras()
        fixture.set("scenes/0/nodes", [0, 2, 1, 3])
        let scene = try fixture.scene()
        #expect(scene.cameras.map { $0.fault == nil } == [true, false, false])
        #expect(
            scene.warnings == [
                "camera 1 \"Flat\" cannot be looked through: nodes[1]: cameras[0]: "
                    + "perspective.yfov: between 0 and π expected, 0 there",
                "camera 2 \"Squashed\" cannot be looked through: nodes[3]: cameras[2]: a transform "
                    + "with three directions expected, such as no scale of 0",
                "camera \"Good\": perspective.aspectRatio 0 taken as 1 (0.001 to 1000 expected)",
            ])
        func blob(_ camera: CameraChoice) throws {
            _ = try RenderBlob(
                scene, RenderParameters(width: 8, height: 8, samples: 1, camera: camera))
        }
        for camera in [CameraChoice.first, .automatic, .named("Good"), .index(0)] {
            #expect(throws: Never.self) { try blob(camera) }
        }
        for camera in [CameraChoice.named("Flat"), .index(1), .index(2)] {
            let error = #expect(throws: Failure.self) { try blob(camera) }
            #expect(error?.message.contains("choose another with --camera") == true)
        }
    }

    /// Another one than that which everybody gets is not taken in silence.
    @Test func theFirstCameraIsChosenByDefault() throws {
        var fixture = try withCameras()
        fixture.set("scenes/0/nodes", [0, 1, 2])
        let scene = try fixture.scene()
        let error = #expect(throws: Failure.self) { try RenderBlob(scene, RenderParameters()) }
        #expect(
            error?.message
                == "camera \"Flat\": nodes[1]: cameras[0]: perspective.yfov: between 0 and π "
                + "expected, 0 there: choose another with --camera, such as auto")
    }

    // MARK: Scenes, triangles, animations

    @Test func scenesThatAreNotThere() throws {
        var fixture = GLTFFixture()
        fixture.set("scenes", nil)
        fixture.set("scene", 4)
        #expect(try fixture.message() == "s.gltf: scene 4: the file has none")
        fixture.set("scene", nil)
        #expect(try fixture.scene().triangles.count == 1)
    }

    @Test func trianglesLeftOutCountForEachUse() throws {
        var fixture = GLTFFixture()
        fixture.set("nodes", (0..<40).map { _ in ["mesh": 0, "scale": [1e30, 1e30, 1e30]] })
        fixture.append("nodes", ["mesh": 0])
        fixture.set("scenes/0/nodes", Array(0..<41))
        let scene = try fixture.scene()
        #expect(scene.triangles.count == 1)
        #expect(
            scene.warnings == [
                "triangles left out: 40 in 40 uses of meshes, with corners that are not finite or "
                    + "beyond 2^40 m"
            ])
    }

    @Test func whyAnimationsStandStill() throws {
        var fixture = GLTFFixture()
        func explained(_ animation: AnimationChoice) throws -> [String] {
            let files = SceneFiles(memory: [
                "s.gltf": try fixture.text(bufferURI: "s.bin"), "s.bin": fixture.binary,
            ])
            return try SceneExplanation(
                "s.gltf", from: files, options: ImportOptions(seconds: 1, animation: animation)
            ).parts.filter { $0.kind == "animation" }.map { "\($0.handling): \($0.detail)" }
        }
        fixture.set("animations", try Self.json(#"[{"channels": [], "samplers": []}]"#))
        #expect(try explained(.all) == ["leftOut: 0 channels: it moves nothing"])
        fixture.animate(
            "translation", times: [0, 2], values: [0, 0, 0, 0, 0, 1], "VEC3", "LINEAR")
        fixture.animate(
            "translation", times: [0, 2], values: [0, 0, 0, 0, 0, 1], "VEC3", "LINEAR")
        #expect(
            try explained(.all) == [
                "leftOut: 0 channels: it moves nothing", "used: 2.0 s, 1 channel",
                "leftOut: 2.0 s, 1 channel: it moves what an earlier one moves",
            ])
        #expect(
            try explained(.index(2)) == [
                "leftOut: 0 channels: another one is chosen",
                "leftOut: 2.0 s, 1 channel: another one is chosen", "used: 2.0 s, 1 channel",
            ])
        fixture.set("nodes/0/mesh", 9)
        #expect(try explained(.all)[0] == "leftOut: 0 channels: it moves nothing")
        fixture.set("animations/1/channels/0/sampler", 9)
        #expect(try explained(.all)[2] == "leftOut: 2.0 s, 1 channel: the scene is refused")
    }
}
