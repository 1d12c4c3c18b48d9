import Core
import Foundation
import Imaging
import Rendering
import Testing

@Suite struct ImportMaterialTests {
    /// The fixture with one image, embedded, and a texture of it.
    static func textured() throws -> GLTFFixture {
        var fixture = GLTFFixture()
        let view = fixture.addView(try GLTFFixture.image())
        fixture.set("images", [["bufferView": view, "mimeType": "image/png"] as [String: Any]])
        fixture.set("textures", [["source": 0]])
        return fixture
    }

    @Test func factorsAndDefaults() throws {
        var fixture = GLTFFixture()
        let plain = try fixture.scene().materials[0]
        #expect(plain.baseColor == .one && plain.metallic == 1 && plain.roughness == 1)
        #expect(plain.ior == 1.5 && plain.alphaMode == .opaque && !plain.isDoubleSided)
        fixture.set(
            "materials/0",
            [
                "pbrMetallicRoughness": [
                    "baseColorFactor": [0.5, 2, -1, 0.25], "metallicFactor": 0.5,
                    "roughnessFactor": 7,
                ] as [String: Any],
                "emissiveFactor": [1, 0.5, 0], "alphaMode": "MASK", "alphaCutoff": 0.75,
                "doubleSided": true,
                "extensions": [
                    "KHR_materials_emissive_strength": ["emissiveStrength": 8],
                    "KHR_materials_transmission": ["transmissionFactor": 0.5],
                    "KHR_materials_ior": ["ior": 1.33],
                ],
            ] as [String: Any])
        let material = try fixture.scene().materials[0]
        #expect(material.isThinWalled)
        fixture.set("materials/0/extensions/KHR_materials_volume", ["thicknessFactor": 0.1])
        #expect(try !fixture.scene().materials[0].isThinWalled)
        #expect(material.baseColor == [0.5, 1, 0, 0.25])
        #expect(material.metallic == 0.5 && material.roughness == 1)
        #expect(material.emissive == [8, 4, 0])
        #expect(material.alphaMode == .mask && material.alphaCutoff == 0.75)
        #expect(material.isDoubleSided && material.transmission == 0.5 && material.ior == 1.33)
    }

    @Test func primitivesWithoutMaterialTakeTheDefault() throws {
        var fixture = GLTFFixture()
        fixture.set("meshes/0/primitives/0/material", nil)
        let scene = try fixture.scene()
        #expect(scene.materials == [Material()])
    }

    @Test func oneImageAsColourAndAsDataGivesTwoTextures() throws {
        var fixture = try Self.textured()
        fixture.set("samplers", [["wrapS": 33071, "wrapT": 33648, "magFilter": 9728]])
        fixture.set("textures", [["source": 0], ["source": 0, "sampler": 0]])
        fixture.set(
            "materials/0",
            [
                "pbrMetallicRoughness": [
                    "baseColorTexture": ["index": 0], "metallicRoughnessTexture": ["index": 0],
                ],
                "emissiveTexture": ["index": 0], "occlusionTexture": ["index": 1, "strength": 0.5],
                "normalTexture": ["index": 0, "scale": 2],
            ] as [String: Any])
        let scene = try fixture.scene()
        let material = scene.materials[0]
        #expect(scene.textures.count == 3)
        #expect(scene.textures.map(\.isSRGB) == [true, false, false])
        #expect(scene.textures[0].rgba8 == [255, 0, 0, 255, 0, 255, 0, 255])
        #expect(material.emissiveTexture == material.baseColorTexture)
        #expect(material.normalTexture == material.metallicRoughnessTexture)
        #expect(material.normalScale == 2 && material.occlusionStrength == 0.5)
        let other = scene.textures[2]
        #expect(other.wrapU == .clampToEdge && other.wrapV == .mirroredRepeat)
        #expect(other.filter == .nearest && scene.textures[0].wrapU == .repeat)
        // u grows along x and v falls along y, so the tangent is +x and green is up: w is +1.
        #expect(scene.tangents == [[1, 0, 0, 1], [1, 0, 0, 1], [1, 0, 0, 1]])
    }

    @Test func everyUseHasItsOwnTransformAndSet() throws {
        var fixture = try Self.textured()
        let more = fixture.add([0, 0, 2, 0, 0, 2], "VEC2")
        fixture.set("meshes/0/primitives/0/attributes/TEXCOORD_1", more)
        func use(_ transform: [String: Any], set: Int = 0) -> [String: Any] {
            [
                "index": 0, "texCoord": set,
                "extensions": ["KHR_texture_transform": transform],
            ]
        }
        fixture.set(
            "materials/0",
            [
                "pbrMetallicRoughness": [
                    "baseColorTexture": use(["offset": [10, 20], "scale": [2, 3]]),
                    "metallicRoughnessTexture": ["index": 0],
                ],
                "emissiveTexture": use(["rotation": 1.5707963267948966]),
                "normalTexture": use(["texCoord": 1], set: 0),
            ] as [String: Any])
        let scene = try fixture.scene()
        #expect(
            scene.uv0 == [[0, 1], [1, 1], [0, 0]] && scene.uv1 == [[0, 0], [2, 0], [0, 2]])
        #expect(scene.warnings.isEmpty)
        let material = scene.materials[0]
        let base = try #require(material.baseColorTexture)
        #expect(base.uvSet == 0 && base.transform == UVTransform(u: [2, 0, 10], v: [0, 3, 20]))
        #expect(base.transform.apply([1, 1]) == [12, 23])
        #expect(material.metallicRoughnessTexture?.transform == UVTransform())
        #expect(material.normalTexture?.uvSet == 1)
        let turned = try #require(material.emissiveTexture).transform.apply([1, 0])
        #expect(turned.x.magnitude < 1e-6 && (turned.y + 1).magnitude < 1e-6)
        // Four uses of two textures.
        let blob = try RenderBlob(scene, RenderParameters(width: 8, height: 8))
        #expect(blob.count(.textures) == 4 && scene.textures.count == 2)
        #expect(try RenderBlob(bytes: blob.bytes).words == blob.words)
    }

    @Test func samplersSayHowTexelsAreFiltered() throws {
        func texture(_ filter: Int?) throws -> Texture {
            var fixture = try Self.textured()
            fixture.set("samplers", [filter.map { ["minFilter": $0] } ?? [:]])
            fixture.set("textures", [["source": 0, "sampler": 0]])
            fixture.set("materials/0/emissiveTexture", ["index": 0])
            return try fixture.scene().textures[0]
        }
        for (code, filter, mipmap) in [
            (nil, .linear, .linear), (9728, .nearest, .none), (9729, .linear, .none),
            (9984, .nearest, .nearest), (9985, .linear, .nearest), (9986, .nearest, .linear),
            (9987, .linear, .linear),
        ] as [(Int?, Texture.Filter, Texture.Mipmap)] {
            let found = try texture(code)
            #expect(found.minFilter == filter && found.mipmap == mipmap)
        }
        #expect(throws: Failure.self) { _ = try texture(9990) }
    }

    @Test func layersAreReadWhereTheyCount() throws {
        var fixture = try Self.textured()
        func material(_ extensions: [String: Any]) throws -> Material {
            fixture.set("materials/0", ["extensions": extensions])
            return try fixture.scene().materials[0]
        }
        func layers(_ name: String, _ value: [String: Any]) throws -> MaterialLayers {
            try material(["KHR_materials_" + name: value]).layers
        }
        for (name, value) in [
            ("clearcoat", ["clearcoatRoughnessFactor": 0.5]),
            ("sheen", ["sheenRoughnessFactor": 0.5]),
            ("anisotropy", ["anisotropyRotation": 1]), ("iridescence", ["iridescenceIor": 2]),
            ("dispersion", ["dispersion": 1]),
            ("diffuse_transmission", ["diffuseTransmissionColorFactor": [1, 0, 0]]),
        ] as [(String, [String: Any])] {
            #expect(try layers(name, value) == MaterialLayers(), "\(name)")
        }
        let coat = try layers(
            "clearcoat",
            ["clearcoatFactor": 0.5, "clearcoatNormalTexture": ["index": 0, "scale": 2]])
        #expect(coat.clearcoat == 0.5 && coat.clearcoatNormalScale == 2)
        #expect(coat.clearcoatNormalTexture != nil)
        let brushed = try layers(
            "anisotropy", ["anisotropyStrength": 2, "anisotropyRotation": 1.5707963267948966])
        #expect(brushed.anisotropy == 1 && brushed.anisotropyAxis.y == 1)
        #expect(try fixture.scene().tangents[0] == [1, 0, 0, 1])
        fixture.set("materials/0/extensions/KHR_materials_anisotropy/anisotropyRotation", 1e30)
        #expect(
            try fixture.message().hasSuffix(
                "anisotropyRotation: radians from -1000 to 1000 expected, 1e+30 there"))
        let specular = try layers(
            "specular", ["specularFactor": 0.5, "specularColorFactor": [2, 1, 0]])
        #expect(specular.specular == 0.5 && specular.specularColor == [2, 1, 0])
        let gloss = try material([
            "KHR_materials_pbrSpecularGlossiness": [
                "diffuseFactor": [0.5, 0.25, 0, 1], "specularFactor": [0.1, 0.2, 0.3],
                "glossinessFactor": 0.25, "specularGlossinessTexture": ["index": 0],
            ] as [String: Any]
        ])
        #expect(gloss.baseColor == [0.5, 0.25, 0, 1] && gloss.metallic == 0 && gloss.ior == 0)
        #expect(gloss.roughness == 0.75 && gloss.layers.specularColor == [0.1, 0.2, 0.3])
        #expect(gloss.layers.isGlossiness && gloss.layers.specularColorTexture != nil)
    }

    @Test func volumesAttenuate() throws {
        var fixture = GLTFFixture()
        func material(_ volume: [String: Any]) throws -> Material {
            fixture.set("materials/0", ["extensions": ["KHR_materials_volume": volume]])
            return try fixture.scene().materials[0]
        }
        let thin = try material(["attenuationDistance": 2])
        #expect(thin.isThinWalled && thin.attenuationDistance == .infinity)
        let solid = try material([
            "thicknessFactor": 1, "attenuationDistance": 2, "attenuationColor": [0.5, 1, 2],
        ])
        #expect(!solid.isThinWalled && solid.attenuationDistance == 2)
        #expect(solid.attenuationColor == [0.5, 1, 1])
        #expect(throws: Failure.self) {
            _ = try material(["thicknessFactor": 1, "attenuationDistance": 0])
        }
    }

    /// A cube of six colours, in RGBD with an alpha of a fifth.
    @Test func imageLightsBecomeTheEnvironment() throws {
        var fixture = GLTFFixture()
        let colors: [[UInt8]] = [
            [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [255, 0, 255], [0, 255, 255],
        ]
        var images: [[String: Any]] = []
        for color in colors {
            let texel: Bytes = color + [51]
            let pixels: Bytes = texel + texel + texel + texel
            let png = try PNG.encode(width: 2, height: 2, pixels: pixels)
            images.append(["bufferView": fixture.addView(png), "mimeType": "image/png"])
        }
        fixture.set("images", images)
        fixture.set("scenes/0/extensions", ["EXT_lights_image_based": ["light": 0]])
        func environment(_ rotation: [Double]) throws -> Environment? {
            fixture.set(
                "extensions",
                [
                    "EXT_lights_image_based": [
                        "lights": [
                            [
                                "intensity": 2, "rotation": rotation, "specularImageSize": 2,
                                "specularImages": [[0, 1, 2, 3, 4, 5]],
                            ] as [String: Any]
                        ]
                    ]
                ])
            return try fixture.scene().environment
        }
        let plain = try #require(try environment([0, 0, 0, 1]))
        #expect(plain.width == 8 && plain.height == 4)
        // The middle is +x, a quarter to the right +z.
        #expect(plain.texels[8 + 4] == [10, 0, 0] && plain.texels[8 + 6] == [10, 0, 10])
        #expect(plain.texels[8] == [0, 10, 0] && plain.texels[8 + 2] == [0, 10, 10])
        #expect(plain.texels[4] == [0, 0, 10] && plain.texels[24 + 4] == [10, 10, 0])
        // A quarter turn around +y brings +x to −z.
        let half = 0.7071067811865476
        let turned = try #require(try environment([0, half, 0, half]))
        #expect(turned.texels[8 + 2] == [10, 0, 0])
        fixture.set("images/0", nil)
        #expect(throws: Failure.self) { _ = try environment([0, 0, 0, 1]) }
    }

    @Test func unlitIsLight() throws {
        var fixture = try Self.textured()
        fixture.set("extensionsUsed", ["KHR_materials_unlit"])
        fixture.set(
            "materials/0",
            [
                "pbrMetallicRoughness": [
                    "baseColorFactor": [0.5, 0.25, 1, 0.5], "baseColorTexture": ["index": 0],
                ] as [String: Any],
                "extensions": ["KHR_materials_unlit": [String: Any]()],
            ] as [String: Any])
        let material = try fixture.scene().materials[0]
        #expect(material.emissive == [0.5, 0.25, 1])
        #expect(material.emissiveTexture == material.baseColorTexture)
        #expect(material.baseColor == [0, 0, 0, 0.5] && material.isUnlit)
    }

    @Test func lightsAndCameras() throws {
        var fixture = GLTFFixture()
        fixture.set(
            "extensions",
            [
                "KHR_lights_punctual": [
                    "lights": [
                        ["type": "directional", "intensity": 2, "color": [1, 0.5, 0]]
                            as [String: Any],
                        ["type": "spot", "spot": ["outerConeAngle": 0.5], "range": 9]
                            as [String: Any],
                    ]
                ]
            ])
        fixture.set(
            "cameras",
            [
                ["type": "perspective", "perspective": ["yfov": 1.0, "aspectRatio": 2]]
                    as [String: Any],
                ["type": "orthographic", "orthographic": ["xmag": 3, "ymag": 2]] as [String: Any],
            ])
        func light(_ index: Int) -> [String: Any] { ["KHR_lights_punctual": ["light": index]] }
        fixture.set("scenes/0/nodes", [0, 1, 2, 3, 4])
        fixture.set(
            "nodes",
            [
                ["mesh": 0] as [String: Any],
                [
                    "extensions": light(0),
                    "rotation": [0, 0.7071067811865476, 0, 0.7071067811865476],
                ]
                    as [String: Any],
                ["extensions": light(1), "translation": [1, 2, 3], "scale": [5, 5, 5]]
                    as [String: Any],
                ["camera": 0, "translation": [0, 0, 4], "name": "front"] as [String: Any],
                ["camera": 1] as [String: Any],
            ])
        let scene = try fixture.scene()
        #expect(scene.lights[0].kind == .directional)
        #expect((scene.lights[0].direction - SIMD3(-1, 0, 0)).max() < 1e-6)
        #expect(scene.lights[0].intensity == [2, 1, 0])
        #expect(scene.lights[1].position == [1, 2, 3] && scene.lights[1].range == 9)
        #expect(scene.lights[1].cosInner == 1)
        #expect((scene.lights[1].cosOuter - 0.87758255).magnitude < 1e-6)
        let camera = scene.cameras[0]
        #expect(camera.name == "front" && camera.position == [0, 0, 4])
        #expect(
            camera.forward == [0, 0, -1] && camera.right == [1, 0, 0] && camera.up == [0, 1, 0])
        #expect((camera.halfHeight - 0.5463025).magnitude < 1e-6)
        #expect(camera.halfWidth == 2 * camera.halfHeight)
        #expect(camera.fitted(width: 300, height: 100).halfWidth == 3 * camera.halfHeight)
        #expect(scene.cameras[1].isOrthographic && scene.cameras[1].halfWidth == 3)
    }

    @Test func automaticCameraFramesTheBox() throws {
        let camera = Camera.automatic(framing: try GLTFFixture().scene(), width: 200, height: 100)
        // The box is 1 × 1 × 0 around (0.5, 0.5, 0); half its diagonal is √½.
        let direction = SIMD3<Float>(0.6, 0.35, 1) / Float(0.36 + 0.1225 + 1).squareRoot()
        let expected = SIMD3<Float>(0.5, 0.5, 0) + direction * (Float(0.5).squareRoot() * 2.8)
        let off = camera.position - expected
        #expect((off * off).sum() < 1e-10)
        #expect((camera.forward + direction).max() < 1e-6)
        #expect((camera.halfWidth - 0.41421357).magnitude < 1e-7)
        #expect(camera.halfHeight == camera.halfWidth / 2)
        #expect(camera.right.y == 0)
    }
}
