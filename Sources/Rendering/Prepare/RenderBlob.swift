public import Core

/// A scene and a job's parameters as kernels read them: ``BlobLayout``.
///
/// Made from a checked ``Scene`` in a prepare host, or read back from bytes in a device host, where
/// every index is checked again before a device sees it.
public struct RenderBlob: Sendable {
    package let words: [UInt32]
    /// Where a shutter stays open: what the scene is at its later steps.
    package let later: [RenderBlob]

    /// Memberwise, for words that have been checked.
    init(checked words: [UInt32], later: [RenderBlob] = []) {
        self.words = words
        self.later = later
    }

    /// The blob on disk and between processes: the words, little-endian; steps one by one.
    public var bytes: Bytes {
        var bytes = words.withUnsafeBytes { Bytes($0) }
        for step in later { step.words.withUnsafeBytes { bytes.append(contentsOf: $0) } }
        return bytes
    }

    public var width: Int { Int(words[BlobLayout.Word.width]) }
    public var height: Int { Int(words[BlobLayout.Word.height]) }
    public var bounces: Int { Int(words[BlobLayout.Word.bounces]) }

    /// What the scene wants of kernels beside the plain ones.
    package var features: RenderFeatures {
        later.reduce(RenderFeatures(rawValue: words[BlobLayout.Word.features])) {
            $0.union($1.features)
        }
    }

    /// Elements of a section.
    package func count(_ section: BlobLayout.Section) -> Int {
        Int(words[BlobLayout.Word.sections + 2 * section.rawValue + 1])
    }

    /// First word of a section.
    package func offset(_ section: BlobLayout.Section) -> Int {
        Int(words[BlobLayout.Word.sections + 2 * section.rawValue])
    }

    /// Rec. 709 luminance, by the weights that kernels use.
    static func luminance(_ c: SIMD3<Float>) -> Double {
        0.2126 * Double(c.x) + 0.7152 * Double(c.y) + 0.0722 * Double(c.z)
    }

    /// Radiances and factors below 2⁻⁶⁰ count as zero, which keeps subnormals out of kernels; the
    /// rest is kept below 2⁶⁰.
    static func tame(_ value: Float) -> Float {
        guard value.magnitude >= 0x1p-60 else { return 0 }
        return min(max(value, -0x1p60), 0x1p60)
    }

    static func tame(_ v: SIMD3<Float>) -> SIMD3<Float> { [tame(v.x), tame(v.y), tame(v.z)] }
}

// MARK: - Preparing

extension RenderBlob {
    /// Packs `scene` for `parameters`: tree, lights, textures, camera.
    ///
    /// - Throws: ``Failure`` when parameters are out of range, the scene contradicts itself, or
    ///   it is larger than a blob can be.
    public init(_ scene: Scene, _ parameters: RenderParameters) throws(Failure) {
        try self.init(scene, parameters, treeLightsMin: LightTree.lightsMin)
    }

    /// With a ``LightTree`` from another number of lights on than is the rule.
    package init(
        _ scene: Scene, _ parameters: RenderParameters, treeLightsMin: Int
    ) throws(Failure) {
        try parameters.check()
        try scene.check()
        let camera = try scene.camera(for: parameters)
        guard parameters.lens == nil || !camera.isOrthographic else {
            throw Failure(
                .unsupported, "camera \"\(camera.name)\": orthographic: no lens blurs what it sees")
        }
        var packer = BlobPacker(scene, treeLightsMin: treeLightsMin)
        try packer.pack(parameters, camera)
        words = packer.words
        later = []
    }
}

extension Scene {
    static let trianglesMax = 1 << 28

    /// Checks that every array fits its neighbours and every index its array.
    func check() throws(Failure) {
        let count = positions.count
        let parallel = [normals.count, tangents.count, uv0.count, uv1.count, colors.count]
        guard parallel.allSatisfy({ $0 == count }) else {
            throw Failure(.malformed, "scene: \(count) vertices, other attributes \(parallel)")
        }
        let most = Self.trianglesMax
        guard triangles.count == triangleMaterials.count, triangles.count <= most else {
            throw Failure(.limit, "scene: \(triangles.count) triangles, at most \(most) expected")
        }
        for (index, triangle) in triangles.enumerated() {
            guard triangle.x < count, triangle.y < count, triangle.z < count,
                triangleMaterials[index] < materials.count
            else { throw Failure(.malformed, "scene: triangle \(index): index out of range") }
        }
        for (index, position) in positions.enumerated() {
            let size = max(position.x.magnitude, position.y.magnitude, position.z.magnitude)
            guard size < 0x1p40 else {
                throw Failure(.limit, "scene: vertex \(index): a coordinate below 2^40 expected")
            }
        }
        try checkInstances()
        for (index, texture) in textures.enumerated() {
            let sides = 1...BlobLayout.textureSideMax
            guard sides.contains(texture.width), sides.contains(texture.height),
                texture.rgba8.count == 4 * texture.width * texture.height
            else { throw Failure(.malformed, "scene: texture \(index): size and bytes disagree") }
        }
        for (index, material) in materials.enumerated() {
            for reference in material.references {
                guard textures.indices.contains(reference.texture),
                    (0...1).contains(reference.uvSet)
                else {
                    throw Failure(
                        .malformed,
                        "scene: material \(index): texture \(reference.texture) unknown")
                }
            }
        }
        if let environment {
            guard environment.width > 0, environment.height > 0, environment.width <= 1 << 15,
                environment.height <= 1 << 15,
                environment.texels.count == environment.width * environment.height
            else { throw Failure(.malformed, "environment: size and texels disagree") }
        }
    }
}

extension Material {
    /// Textures that the renderer reads.
    var references: [TextureRef] {
        [
            baseColorTexture, metallicRoughnessTexture, normalTexture, emissiveTexture,
            transmissionTexture,
        ].compactMap { $0 } + layers.references
    }
}
