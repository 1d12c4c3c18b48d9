import Core
import Foundation
import Imaging
import MeshCodecs
import Rendering
import Testing

/// Entry points that read strangers' pictures and scenes, on broken variants of real files.
@Suite(.serialized) struct ImportFuzzTests {
    private static let limits = ImageLimits(sideMax: 4_096, pixelsMax: 1 << 20)

    private static func known(_ prefix: String) -> [Bytes] {
        ImagingKnownAnswers.files.filter { $0.name.hasPrefix(prefix) }.map(\.bytes)
    }

    private static func demo() throws -> Bytes {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return Bytes(try Data(contentsOf: root.appendingPathComponent("Examples/scene/demo.glb")))
    }

    @Test func png() throws {
        let findings = try Fuzz.run("png", seeds: Self.known("png")) {
            _ = try PNG.decode($0, limits: Self.limits)
        }
        #expect(findings.isEmpty)
    }

    /// The same with every chunk's checksum put right again, so that damage reaches the decoder.
    @Test func pngBehindChecksums() throws {
        let findings = try Fuzz.run("png-crc", seeds: Self.known("png")) {
            _ = try PNG.decode(Self.withChecksums($0), limits: Self.limits)
        }
        #expect(findings.isEmpty)
    }

    @Test func jpeg() throws {
        let findings = try Fuzz.run("jpeg", seeds: Self.known("jpeg")) {
            _ = try JPEG.decode($0, limits: Self.limits)
        }
        #expect(findings.isEmpty)
    }

    @Test func hdr() throws {
        let head = Bytes("#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 3 +X 9\n".utf8)
        let row: Bytes = [2, 2, 0, 9, 137, 128, 137, 7, 130, 1, 135, 2, 137, 136]
        let flat = Bytes(repeating: 77, count: 3 * 9 * 4)
        let old: Bytes = [9, 8, 7, 129, 1, 1, 1, 8]
        let seeds = [head + row + row + row, head + flat, head + old + old + old]
        let findings = try Fuzz.run("hdr", seeds: seeds) {
            _ = try RadianceHDR.decode($0, limits: Self.limits)
        }
        #expect(findings.isEmpty)
    }

    @Test func exr() throws {
        let pixels = (0..<20 * 37).map { SIMD3<Float>(repeating: Float($0 % 7)) }
        let seed = try EXR.encode(ImageFloat(width: 20, height: 37, pixels: pixels))
        let findings = try Fuzz.run("exr", seeds: [seed]) {
            _ = try EXR.decode($0, limits: Self.limits)
        }
        #expect(findings.isEmpty)
    }

    @Test func glb() throws {
        let seed = try Self.small()
        try Self.checkIsSound(seed)
        let findings = try Fuzz.run("glb", seeds: [seed]) { input in
            let files = SceneFiles(memory: ["x.glb": input])
            Self.check(try Scene(importing: "x.glb", from: files, limits: Self.sceneLimits))
        }
        #expect(findings.isEmpty)
    }

    /// Skins, morph targets and animations, whose numbers reach further than a still scene's.
    @Test func movingGLTF() throws {
        try Self.text("gltf-moving", try Self.moving(), options: ImportOptions(seconds: 0.3))
    }

    @Test func movingGLB() throws {
        let findings = try Fuzz.run("glb-moving", seeds: [try Self.moving()]) { input in
            let files = SceneFiles(memory: ["x.glb": input])
            Self.check(
                try Scene(
                    importing: "x.glb", from: files, limits: Self.sceneLimits,
                    options: ImportOptions(seconds: 0.3)))
        }
        #expect(findings.isEmpty)
    }

    @Test func webp() throws {
        let findings = try Fuzz.run("webp", seeds: Self.known("webp")) {
            _ = try WebP.decode($0, limits: Self.limits)
        }
        #expect(findings.isEmpty)
    }

    @Test func meshCodecs() throws {
        for file in MeshKnownAnswers.files {
            // Draco reads as many bits for a texture coordinate's predictor as a file says it has,
            // up to 2^31, present or not: that ends, but not soon.
            let isDraco = file.name.hasPrefix("draco")
            let findings = try Fuzz.run(
                file.name.replacingOccurrences(of: " ", with: "-"), seeds: [file.bytes],
                secondsMax: isDraco ? 180 : 4
            ) { input in
                switch file.kind {
                case .draco(let attributes):
                    let mesh = try DracoMesh(
                        decoding: input, pointsMax: 1 << 18, trianglesMax: 1 << 18)
                    precondition(mesh.corners.allSatisfy { $0 < mesh.pointCount })
                    for (id, components) in attributes {
                        _ = try mesh.values(id: id, components: components)
                    }
                case .meshopt(let count, let stride, let mode, let filter):
                    _ = try Meshopt.decode(
                        input, count: count, stride: stride, mode: mode, filter: filter)
                }
            }
            #expect(findings.isEmpty)
        }
    }

    @Test func smallGLTF() throws { try Self.text("gltf-small", try Self.small()) }

    /// Every extension of materials, whose numbers have ranges.
    @Test func layeredGLTF() throws {
        let seed = try Self.small(
            material: """
                "name":"Glass","emissiveFactor":[0.5,1,0],"alphaCutoff":0.5,"extensions":{\
                "KHR_materials_transmission":{"transmissionFactor":0.5},\
                "KHR_materials_volume":{"thicknessFactor":1,"attenuationDistance":2,\
                "attenuationColor":[1,0.5,0]},"KHR_materials_ior":{"ior":1.3},\
                "KHR_materials_dispersion":{"dispersion":1},\
                "KHR_materials_emissive_strength":{"emissiveStrength":4},\
                "KHR_materials_specular":{"specularFactor":0.5,"specularColorFactor":[1,2,3]},\
                "KHR_materials_clearcoat":{"clearcoatFactor":1,"clearcoatRoughnessFactor":0.5,\
                "clearcoatNormalTexture":{"index":0,"scale":2}},\
                "KHR_materials_sheen":{"sheenColorFactor":[1,0,1],"sheenRoughnessFactor":0.5},\
                "KHR_materials_anisotropy":{"anisotropyStrength":0.5,"anisotropyRotation":1},\
                "KHR_materials_iridescence":{"iridescenceFactor":1,"iridescenceIor":2,\
                "iridescenceThicknessMinimum":100,"iridescenceThicknessMaximum":400},\
                "KHR_materials_diffuse_transmission":{"diffuseTransmissionFactor":0.5,\
                "diffuseTransmissionColorFactor":[1,0,0]}},
                """)
        try Self.text("gltf-layered", seed)
    }

    @Test func gltf() throws { try Self.text("gltf", try Self.demo()) }

    private static func text(
        _ name: String, _ glb: Bytes, options: ImportOptions = ImportOptions()
    ) throws {
        try checkIsSound(glb, options: options)
        let length = glb[12..<16].reversed().reduce(0) { $0 << 8 | Int($1) }
        let json = Bytes(glb[20..<20 + length])
        let binary = Bytes(glb[(20 + length + 8)...])
        let header = Bytes("glTF".utf8) + UInt32(2).littleEndianBytes
        let findings = try Fuzz.run(name, seeds: [json], isText: true) { input in
            // Only the text is broken; the container around it is whole.
            var text = input
            while text.count % 4 != 0 { text.append(0x20) }
            let chunks =
                UInt32(text.count).littleEndianBytes + Bytes("JSON".utf8) + text
                + UInt32(binary.count).littleEndianBytes + Bytes("BIN\0".utf8) + binary
            let file = header + UInt32(12 + chunks.count).littleEndianBytes + chunks
            let files = SceneFiles(memory: ["x.glb": file])
            Self.check(
                try Scene(
                    importing: "x.glb", from: files, limits: Self.sceneLimits, options: options))
        }
        #expect(findings.isEmpty)
    }

    /// A seed that is refused as it is lets nothing be found behind what it is refused for.
    private static func checkIsSound(
        _ seed: Bytes, options: ImportOptions = ImportOptions()
    ) throws {
        let files = SceneFiles(memory: ["x.glb": seed])
        let scene = try Scene(
            importing: "x.glb", from: files, limits: sceneLimits, options: options)
        #expect(!scene.triangles.isEmpty)
    }

    private static var sceneLimits: ImportLimits {
        var limits = ImportLimits()
        limits.verticesMax = 1 << 18
        limits.trianglesMax = 1 << 18
        limits.drawnTrianglesMax = 1 << 18
        limits.elementsFromNothingMax = 1 << 12
        limits.texelsMax = 1 << 21
        limits.image = Self.limits
        return limits
    }

    /// Whatever import lets through must be what `Scene` promises.
    private static func check(_ scene: Scene) {
        let count = scene.positions.count
        precondition(scene.normals.count == count && scene.tangents.count == count)
        precondition(scene.uv0.count == count && scene.uv1.count == count)
        precondition(scene.colors.count == count)
        precondition(scene.triangleMaterials.count == scene.triangles.count)
        precondition(scene.triangles.allSatisfy { Int($0.max()) < count })
        precondition(scene.triangleMaterials.allSatisfy { $0 < scene.materials.count })
        precondition(scene.positions.allSatisfy { ($0 * 0).sum() == 0 })
        precondition(scene.normals.allSatisfy { (($0 * $0).sum() - 1).magnitude < 1e-3 })
        precondition(scene.uv0.allSatisfy { ($0 * 0).sum() == 0 })
        precondition(scene.lights.allSatisfy { ($0.position * 0).sum() == 0 })
        precondition(scene.lights.allSatisfy { isLight($0.intensity) && $0.range >= 0 })
        precondition(scene.materials.allSatisfy(isInRange))
        precondition(
            scene.cameras.allSatisfy { $0.fault != nil || $0.halfWidth > 0 && $0.halfHeight > 0 })
        let used = scene.materials.flatMap {
            [
                $0.baseColorTexture, $0.metallicRoughnessTexture, $0.normalTexture,
                $0.emissiveTexture, $0.occlusionTexture, $0.transmissionTexture,
            ].compactMap { $0 }
        }
        precondition(used.allSatisfy { scene.textures.indices.contains($0.texture) })
        precondition(used.allSatisfy { (0...1).contains($0.uvSet) })
        precondition(scene.textures.allSatisfy { $0.rgba8.count == $0.width * $0.height * 4 })
    }

    private static func isLight(_ color: SIMD3<Float>) -> Bool {
        color.min() >= 0 && color.max() <= 0x1p26
    }

    private static func isInRange(_ material: Material) -> Bool {
        let layers = material.layers
        let units = [
            material.baseColor.min(), material.baseColor.max(), material.metallic,
            material.roughness, material.transmission, material.occlusionStrength,
            material.attenuationColor.min(), material.attenuationColor.max(), layers.specular,
            layers.clearcoat, layers.clearcoatRoughness, layers.sheenRoughness, layers.anisotropy,
            layers.iridescence, layers.diffuseTransmission,
        ]
        return units.allSatisfy { (0...1).contains($0) } && isLight(material.emissive)
            && isLight(layers.specularColor) && isLight(layers.sheenColor)
            && isLight(layers.diffuseTransmissionColor)
            && (material.ior == 0 || (1...4).contains(material.ior))
            && (1...5).contains(layers.iridescenceIOR) && (0...10).contains(layers.dispersion)
            // Below what a float holds it is 0, which the packer knows.
            && material.attenuationDistance >= 0 && material.alphaCutoff >= 0
    }

    /// A scene of a few hundred bytes, where each change hits something.
    private static func small(material: String = "") throws -> Bytes {
        let image = try PNG.encode(width: 2, height: 1, pixels: [255, 0, 0, 0, 255, 0])
        var binary: Bytes = [0, 0, 1, 0, 2, 0, 0, 0]
        for value in [0, 0, 0, 1, 0, 0, 0, 1, 0] as [Float] {
            binary += value.bitPattern.littleEndianBytes
        }
        binary += image + Bytes(repeating: 0, count: (4 - image.count % 4) % 4)
        let json = """
            {"asset":{"version":"2.0"},"scene":0,"scenes":[{"nodes":[0,2]}],\
            "nodes":[{"children":[1],\
            "matrix":[1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1]},{"mesh":0,"scale":[1,2,-3],"rotation":[0,\
            0,0,1]},\
            {"camera":0,"extensions":{"KHR_lights_punctual":{"light":0}}}],\
            "meshes":[{"primitives":[{\
            "attributes":{"POSITION":1,"TEXCOORD_0":2},"indices":0,"material":0,"mode":4}]}],\
            "accessors":[{"bufferView":0,"byteOffset":0,"componentType":5123,"count":3,\
            "type":"SCALAR"},{"bufferView":1,"componentType":5126,"count":3,"type":"VEC3",\
            "sparse":{\
            "count":1,"indices":{"bufferView":0,"byteOffset":4,"componentType":5121},"values":{\
            "bufferView":1}}},{"componentType":5126,"count":3,"type":"VEC2"}],"bufferViews":[{\
            "buffer":0,"byteLength":8},{"buffer":0,"byteOffset":8,"byteLength":36,"byteStride":12},\
            {"buffer":0,"byteOffset":44,"byteLength":\(image.count)}],"buffers":[{"byteLength":\
            \(binary.count)}],"materials":[{\(material)"normalTexture":{"index":0,"scale":2},\
            "alphaMode":"BLEND",\
            "pbrMetallicRoughness":{"baseColorTexture":{"index":0,"extensions":{\
            "KHR_texture_transform":{"offset":[0,1],"rotation":1,"scale":[2,2]}}}}}],"textures":[{\
            "source":0,"sampler":0}],"samplers":[{"wrapS":33071}],"images":[{"bufferView":2}],\
            "cameras":[{"type":"perspective","perspective":{"yfov":1}}],"extensions":{\
            "KHR_lights_punctual":{"lights":[{"type":"spot","spot":{"outerConeAngle":0.5}}]}}}
            """
        return container(json, binary)
    }

    private static func container(_ json: String, _ binary: Bytes) -> Bytes {
        var text = Bytes(json.utf8)
        while text.count % 4 != 0 { text.append(0x20) }
        let chunks =
            UInt32(text.count).littleEndianBytes + Bytes("JSON".utf8) + text
            + UInt32(binary.count).littleEndianBytes + Bytes("BIN\0".utf8) + binary
        return Bytes("glTF".utf8) + UInt32(2).littleEndianBytes
            + UInt32(12 + chunks.count).littleEndianBytes + chunks
    }

    /// A triangle on two joints with a morph target, instances beside it, and an animation of all.
    private static func moving() throws -> Bytes {
        func floats(_ values: [Float]) -> Bytes { values.flatMap(\.bitPattern.littleEndianBytes) }
        let parts: [Bytes] = [
            floats([0, 0, 0, 1, 0, 0, 0, 1, 0]), floats([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]),
            [0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0],
            floats([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])
                + floats(
                    [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, -1, 0, 1]), floats([0, 0.25, 1]),
            floats([0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0]),
            floats((0..<27).map { Float($0) / 9 }),
        ]
        var views: [String] = []
        var binary = Bytes()
        for part in parts {
            views.append(
                #"{"buffer":0,"byteOffset":\#(binary.count),"byteLength":\#(part.count)}"#)
            binary += part
        }
        func accessor(_ view: Int, _ type: Int, _ count: Int, _ shape: String) -> String {
            #"{"bufferView":\#(view),"componentType":\#(type),"count":\#(count),"#
                + #""type":"\#(shape)"}"#
        }
        let accessors = [
            accessor(0, 5126, 3, "VEC3"), accessor(1, 5126, 3, "VEC4"),
            accessor(2, 5121, 3, "VEC4"),
            accessor(3, 5126, 2, "MAT4"), accessor(4, 5126, 3, "SCALAR"),
            accessor(5, 5126, 3, "VEC4"), accessor(6, 5126, 9, "VEC3"),
            accessor(4, 5126, 3, "SCALAR"),
        ]
        let json = """
            {"asset":{"version":"2.0"},"scene":0,"scenes":[{"nodes":[0,1]}],"nodes":[\
            {"mesh":0,"skin":0,"weights":[0.5]},{"children":[2],"rotation":[0,0,0,1]},\
            {"mesh":0,"translation":[0,1,0],"extensions":{"EXT_mesh_gpu_instancing":{\
            "attributes":{"TRANSLATION":0,"ROTATION":5,"SCALE":0}}}}],"skins":[{"joints":[1,2],\
            "inverseBindMatrices":3},{"joints":[2]}],"meshes":[{"weights":[1],"primitives":[{\
            "attributes":{"POSITION":0,"JOINTS_0":2,"WEIGHTS_0":1},"targets":[{"POSITION":0}]}]}],\
            "animations":[{"channels":[{"sampler":0,"target":{"node":1,"path":"rotation"}},\
            {"sampler":1,"target":{"node":2,"path":"translation"}},{"sampler":2,"target":{\
            "node":0,"path":"weights"}}],"samplers":[{"input":4,"output":5},{"input":4,"output":6,\
            "interpolation":"CUBICSPLINE"},{"input":4,"output":7,"interpolation":"STEP"}]}],\
            "accessors":[\(accessors.joined(separator: ","))],\
            "bufferViews":[\(views.joined(separator: ","))],\
            "buffers":[{"byteLength":\(binary.count)}]}
            """
        return container(json, binary)
    }

    private static func withChecksums(_ bytes: Bytes) -> Bytes {
        var out = bytes
        var offset = 8
        while out.count - offset >= 12 {
            let length = out[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
            guard length <= out.count - offset - 12 else { break }
            let end = offset + 8 + length
            var crc: UInt32 = 0xffff_ffff
            for byte in out[offset + 4..<end] {
                crc ^= UInt32(byte)
                for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
            }
            out.replaceSubrange(end..<end + 4, with: (~crc).bigEndianBytes)
            offset = end + 4
        }
        return out
    }
}
