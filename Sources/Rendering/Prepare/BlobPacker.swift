internal import Core
internal import Imaging

/// Writes a blob section by section.
struct BlobPacker {
    private(set) var words: [UInt32]
    private let scene: Scene
    /// Each use's place among the textures.
    private var textureNumbers: [TextureRef: UInt32] = [:]

    private typealias Word = BlobLayout.Word

    private let treeLightsMin: Int

    /// - Parameter treeLightsMin: so many lights, and those with a place go into a tree.
    init(_ scene: Scene, treeLightsMin: Int) {
        self.scene = scene
        self.treeLightsMin = treeLightsMin
        words = [UInt32](repeating: 0, count: BlobLayout.headerWords)
    }

    mutating func pack(_ parameters: RenderParameters, _ camera: Camera) throws(Failure) {
        packParameters(parameters)
        packCamera(camera, parameters)
        try packTree(camera, lensRadius: parameters.lens?.radius(of: camera) ?? 0)
        packVertices()
        try packTextures()
        packMaterials()
        packLights()
        packEnvironmentAndEmitters()
        section(.srgb, SRGB.linear.map(\.bitPattern))
        var features = RenderFeatures(scene)
        if words[Word.lightLevels] > 0 { features.insert(.lightTree) }
        section(.sheen, features.contains(.layers) ? SheenTable.words : [])
        words[Word.features] = features.rawValue
        words[Word.magic] = BlobLayout.magic
        words[Word.version] = BlobLayout.version
        guard words.count < 1 << 31 else {
            throw Failure(.limit, "scene: \(words.count * 4) bytes prepared, below 8 GiB expected")
        }
        words[Word.wordCount] = UInt32(words.count)
    }

    // MARK: Sections

    /// Appends a section from a multiple of 16 words on.
    private mutating func section(_ section: BlobLayout.Section, _ content: [UInt32]) {
        begin(section, count: content.count / section.stride)
        words.append(contentsOf: content)
    }

    private mutating func begin(_ section: BlobLayout.Section, count: Int) {
        words.append(contentsOf: repeatElement(0, count: (16 - words.count % 16) % 16))
        words[Word.sections + 2 * section.rawValue] = UInt32(truncatingIfNeeded: words.count)
        words[Word.sections + 2 * section.rawValue + 1] = UInt32(count)
    }

    private mutating func set(_ word: Int, _ value: Float) { words[word] = value.bitPattern }

    private mutating func set(_ word: Int, _ value: SIMD3<Float>) {
        for axis in 0..<3 { words[word + axis] = value[axis].bitPattern }
    }

    private mutating func append(_ value: SIMD3<Float>) {
        words.append(value.x.bitPattern)
        words.append(value.y.bitPattern)
        words.append(value.z.bitPattern)
    }

    // MARK: Header

    private mutating func packParameters(_ parameters: RenderParameters) {
        words[Word.width] = UInt32(parameters.width)
        words[Word.height] = UInt32(parameters.height)
        words[Word.bounces] = UInt32(parameters.bounces)
        set(Word.clamp, parameters.indirectMax ?? 0)
        words[Word.seedLow] = UInt32(truncatingIfNeeded: parameters.seed)
        words[Word.seedHigh] = UInt32(truncatingIfNeeded: parameters.seed >> 32)
    }

    private mutating func packCamera(_ camera: Camera, _ parameters: RenderParameters) {
        set(Word.camera, camera.position)
        words[Word.cameraFlags] = camera.isOrthographic ? 1 : 0
        set(Word.right, camera.right * camera.halfWidth)
        set(Word.up, camera.up * camera.halfHeight)
        set(Word.forward, camera.forward)
        if let lens = parameters.lens {
            set(Word.lensRadius, lens.radius(of: camera))
            set(Word.focusDistance, Float(lens.focusDistance))
        }
        set(Word.twoOverWidth, 2 / Float(parameters.width))
        set(Word.twoOverHeight, 2 / Float(parameters.height))
        // Half a pixel: a pixel's samples, spread all over it, blur by themselves.
        let cone = camera.halfHeight / Float(parameters.height)
        set(camera.isOrthographic ? Word.coneWidth : Word.coneSpread, cone)
    }

    // MARK: Geometry

    private mutating func packTree(_ camera: Camera, lensRadius: Float) throws(Failure) {
        let tree = try SceneTree(scene, camera: camera, lensRadius: lensRadius)
        set(Word.pad, tree.pad)
        set(Word.offset, tree.offset)
        section(.nodes, tree.bvh.nodes)
        section(.blocks, tree.bvh.blocks)
    }

    private mutating func packVertices() {
        begin(.triangles, count: scene.triangles.count)
        for (triangle, material) in zip(scene.triangles, scene.triangleMaterials) {
            words.append(triangle.x)
            words.append(triangle.y)
            words.append(triangle.z)
            words.append(material)
        }
        begin(.vertices, count: scene.positions.count)
        for vertex in scene.positions.indices {
            append(scene.positions[vertex])
            append(scene.normals[vertex])
            words.append(scene.uv0[vertex].x.bitPattern)
            words.append(scene.uv0[vertex].y.bitPattern)
        }
        let wantsTangents = scene.materials.contains(where: \.wantsTangents)
        let wantsSet1 = scene.materials.contains { $0.references.contains { $0.uvSet == 1 } }
        let wantsColors = scene.colors.contains { $0 != .one }
        section(.tangents, wantsTangents ? scene.tangents.flatMap(Self.bits) : [])
        section(.uv1, wantsSet1 ? scene.uv1.flatMap { [$0.x.bitPattern, $0.y.bitPattern] } : [])
        section(.colors, wantsColors ? scene.colors.flatMap(Self.bits) : [])
    }

    private static func bits(_ v: SIMD4<Float>) -> [UInt32] {
        [v.x.bitPattern, v.y.bitPattern, v.z.bitPattern, v.w.bitPattern]
    }

    // MARK: Materials

    private mutating func packTextures() throws(Failure) {
        var records: [UInt32] = []
        var pyramids: [Int: Int] = [:]
        var used: [Int] = []
        var texelCount = 0
        for material in scene.materials {
            for reference in material.references where textureNumbers[reference] == nil {
                let texture = scene.textures[reference.texture]
                if pyramids[reference.texture] == nil {
                    pyramids[reference.texture] = texelCount
                    used.append(reference.texture)
                    texelCount += MipPyramid.texelCount(texture)
                    guard texelCount < 1 << 30 else {
                        throw Failure(.limit, "scene: textures beyond 4 GiB")
                    }
                }
                textureNumbers[reference] = UInt32(textureNumbers.count)
                records += Self.record(reference, texture, at: pyramids[reference.texture] ?? 0)
            }
        }
        section(.textures, records)
        begin(.texels, count: texelCount)
        words.reserveCapacity(words.count + texelCount + (1 << 20))
        for index in used { words.append(contentsOf: MipPyramid.texels(scene.textures[index])) }
    }

    /// A use of a texture: its texels, how they are addressed and filtered, and by which
    /// coordinates.
    private static func record(
        _ reference: TextureRef, _ texture: Texture, at texels: Int
    ) -> [UInt32] {
        typealias Flag = BlobLayout.TextureFlag
        typealias Word = BlobLayout.TextureWord
        var record = [UInt32](repeating: 0, count: BlobLayout.Section.textures.stride)
        record[Word.texels] = UInt32(texels)
        record[Word.width] = UInt32(texture.width)
        record[Word.height] = UInt32(texture.height)
        var flags = texture.wrapU.code | texture.wrapV.code << 2
        if texture.filter == .linear { flags |= Flag.linear }
        if texture.isSRGB { flags |= Flag.srgb }
        if texture.minFilter == .linear { flags |= Flag.minLinear }
        if texture.mipmap == .linear { flags |= Flag.levelLinear }
        if reference.uvSet == 1 { flags |= Flag.set1 }
        record[Word.flags] = flags
        for (row, factors) in [reference.transform.u, reference.transform.v].enumerated() {
            for column in 0..<3 {
                let factor = RenderBlob.tame(factors[column])
                record[Word.transform + 3 * row + column] = factor.bitPattern
            }
        }
        record[Word.levels] = UInt32(MipPyramid.levels(texture))
        let texelsAcross = Float(texture.width) * Float(texture.height)
        record[Word.area] =
            RenderBlob.tame(texelsAcross * reference.transform.areaScale).bitPattern
        return record
    }

    private mutating func packMaterials() {
        begin(.materials, count: scene.materials.count)
        for material in scene.materials {
            words.append(contentsOf: MaterialRecord(material, textureNumbers).words)
        }
    }

    // MARK: Lights

    private mutating func packLights() {
        begin(.lights, count: scene.lights.count)
        for light in scene.lights {
            var record = [UInt32](repeating: 0, count: BlobLayout.Section.lights.stride)
            record[0] = light.kind.rawValue
            let vectors = [light.position, light.direction, RenderBlob.tame(light.intensity)]
            for (place, vector) in vectors.enumerated() {
                for axis in 0..<3 { record[1 + 3 * place + axis] = vector[axis].bitPattern }
            }
            record[10] = (light.range > 0 ? 1 / light.range : 0).bitPattern
            // The cone as KHR_lights_punctual recommends it: a scale and an offset of the cosine.
            let scale = 1 / max(light.cosInner - light.cosOuter, 0.001)
            record[11] = scale.bitPattern
            record[12] = (-light.cosOuter * scale).bitPattern
            words.append(contentsOf: record)
        }
    }

    private mutating func packEnvironmentAndEmitters() {
        let environment = scene.environment ?? .sky
        let table = EnvironmentTable(environment)
        let emitters = EmitterTable(
            scene, environmentPower: table.power, treeLightsMin: treeLightsMin)
        section(.emitters, emitters.records)
        section(.triangleEmitters, emitters.triangleEmitters)
        set(Word.environmentChance, emitters.environmentChance)
        words[Word.lightTable] = UInt32(emitters.tableCount)
        words[Word.lightBase] = emitters.tableChoices
        words[Word.lightLevels] = UInt32(emitters.tree?.levels ?? 0)
        section(.lightNodes, emitters.tree?.nodes ?? [])
        words[Word.environmentWidth] = UInt32(environment.width)
        words[Word.environmentHeight] = UInt32(environment.height)
        set(Word.environmentScale, table.scale)
        set(Word.environmentDensity, table.density)
        begin(.environmentTexels, count: environment.texels.count)
        words.reserveCapacity(words.count + 3 * environment.texels.count + (1 << 20))
        for texel in environment.texels { append(RenderBlob.tame(texel)) }
        section(.environmentRows, table.rows + table.sines.map(\.bitPattern))
        section(.environmentColumns, table.columns)
    }
}

extension Texture.Wrap {
    /// The code in a texture's flag word.
    var code: UInt32 {
        switch self {
        case .repeat: 0
        case .mirroredRepeat: 1
        case .clampToEdge: 2
        }
    }
}
