import Core
import Rendering

extension SplitMix64 {
    /// In 0..<1.
    mutating func unit() -> Float { Float(next() >> 40) * 0x1p-24 }

    mutating func chance(_ share: Float) -> Bool { unit() < share }

    /// In 0..<count.
    mutating func index(_ count: Int) -> Int { Int(next() % UInt64(count)) }

    /// In 0…1 along each axis.
    mutating func color() -> SIMD3<Float> { (point() + 1) * 0.5 }

    mutating func direction() -> SIMD3<Float> {
        while true {
            let p = point()
            let square = (p * p).sum()
            if square > 0.01, square < 1 { return p / square.squareRoot() }
        }
    }

    /// Often an end of the range, where formulas change.
    mutating func share() -> Float {
        switch index(4) {
        case 0: 0
        case 1: 1
        default: unit()
        }
    }
}

extension SplitMix64 {
    /// A turned, squeezed, sometimes mirrored place within `spread` of the middle.
    mutating func placement(spread: Float) -> Placement {
        func cross(_ a: SIMD3<Float>, _ b: SIMD3<Float>) -> SIMD3<Float> {
            [a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x]
        }
        let x = direction()
        let side = cross(x, direction())
        let y = side / (side * side).sum().squareRoot()
        let sign: Float = chance(0.4) ? -1 : 1
        return Placement(
            x: x * (0.4 + unit()), y: y * (0.4 + unit()), z: cross(x, y) * (sign * (0.4 + unit())),
            translation: point() * spread)
    }
}

/// Scenes that nobody would make: every feature at once, with values at the ends of their ranges.
struct RandomScene {
    private(set) var maker = SceneMaker()
    private var random: SplitMix64

    static func make(seed: UInt64) -> Scene {
        var scene = RandomScene(random: SplitMix64(seed: seed))
        scene.build()
        return scene.maker.scene
    }

    private init(random: SplitMix64) { self.random = random }

    private mutating func build() {
        let textureCount = random.index(5)
        for _ in 0..<textureCount { maker.scene.textures.append(texture()) }
        let materialCount = 2 + random.index(5)
        for _ in 0..<materialCount { material() }
        for _ in 0..<10 + random.index(30) { triangle() }
        for _ in 0..<1 + random.index(3) {
            let level = random.index(2)
            let centre = random.point()
            let radius = 0.2 + 0.5 * random.unit()
            maker.sphere(
                centre, radius: radius, level: level, UInt32(random.index(materialCount)),
                isSmooth: random.chance(0.7))
            // One in another: a solid in a solid.
            guard random.chance(0.4) else { continue }
            maker.sphere(
                centre, radius: radius * 0.6, level: level, UInt32(random.index(materialCount)))
        }
        if random.chance(0.5) { instances() }
        decorate()
        for _ in 0..<random.index(4) { maker.scene.lights.append(light()) }
        maker.scene.environment = environment()
        maker.scene.cameras = [camera()]
    }

    private mutating func texture() -> Texture {
        let (width, height) = (1 + random.index(40), 1 + random.index(30))
        let bytes = (0..<4 * width * height).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        var texture = Texture(
            width: width, height: height, rgba8: Bytes(bytes), isSRGB: random.chance(0.5))
        let wraps: [Texture.Wrap] = [.repeat, .mirroredRepeat, .clampToEdge]
        texture.wrapU = wraps[random.index(3)]
        texture.wrapV = wraps[random.index(3)]
        texture.filter = random.chance(0.5) ? .nearest : .linear
        texture.minFilter = random.chance(0.5) ? .nearest : .linear
        texture.mipmap = [.none, .nearest, .linear][random.index(3)]
        return texture
    }

    private mutating func reference() -> TextureRef? {
        let count = maker.scene.textures.count
        guard count > 0, random.chance(0.4) else { return nil }
        var transform = UVTransform()
        if random.chance(0.5) { transform = UVTransform(u: random.point() * 3, v: random.point()) }
        return TextureRef(
            texture: random.index(count), uvSet: random.index(2), transform: transform)
    }

    private mutating func material() {
        var random = self.random
        let emissive = random.chance(0.3) ? random.color() * (random.chance(0.2) ? 0 : 8) : .zero
        var textures: [TextureRef?] = []
        for _ in 0..<5 { textures.append(reference()) }
        self.random = random
        let layers = random.chance(0.5) ? self.layers() : MaterialLayers()
        random = self.random
        _ = maker.material(random.color(), emissive: emissive) {
            $0.baseColor.w = random.unit()
            $0.metallic = random.share()
            $0.roughness = random.share()
            $0.ior = [0, 1, 1.2, 1.5, 2.4][random.index(5)]
            $0.transmission = random.chance(0.4) ? random.share() : 0
            $0.isThinWalled = random.chance(0.5)
            $0.isDoubleSided = random.chance(0.6)
            $0.alphaMode = [.opaque, .opaque, .mask, .blend][random.index(4)]
            $0.alphaCutoff = random.unit()
            $0.normalScale = random.unit() * 2
            $0.baseColorTexture = textures[0]
            $0.metallicRoughnessTexture = textures[1]
            $0.normalTexture = textures[2]
            $0.emissiveTexture = textures[3]
            $0.transmissionTexture = textures[4]
            if random.chance(0.5) {
                $0.attenuationDistance = random.unit() * 2
                $0.attenuationColor = random.color()
            }
            $0.layers = layers
        }
        self.random = random
    }

    private mutating func layers() -> MaterialLayers {
        var layers = MaterialLayers()
        /// A layer that is there half of the time.
        func some(_ share: Float) -> Float { random.chance(0.5) ? share : 0 }
        layers.specular = random.share()
        layers.specularTexture = reference()
        if random.chance(0.5) { layers.specularColor = random.color() * 2 }
        layers.specularColorTexture = reference()
        layers.isGlossiness = random.chance(0.2)
        layers.clearcoat = some(random.share())
        layers.clearcoatTexture = reference()
        layers.clearcoatRoughness = random.share()
        layers.clearcoatRoughnessTexture = reference()
        layers.clearcoatNormalScale = random.unit() * 2
        layers.clearcoatNormalTexture = reference()
        if random.chance(0.4) { layers.sheenColor = random.color() }
        layers.sheenColorTexture = reference()
        layers.sheenRoughness = random.share()
        layers.sheenRoughnessTexture = reference()
        layers.anisotropy = some(random.share())
        layers.anisotropyTexture = reference()
        let turn = random.unit()
        layers.anisotropyAxis = [Angle.cosine(turn), Angle.sine(turn)]
        layers.iridescence = some(random.share())
        layers.iridescenceTexture = reference()
        layers.iridescenceIOR = 1 + random.unit() * 1.5
        layers.iridescenceThicknessMin = random.unit() * 300
        layers.iridescenceThicknessMax = random.share() * 900
        layers.iridescenceThicknessTexture = reference()
        layers.dispersion = some(random.unit() * 5)
        layers.diffuseTransmission = some(random.share())
        layers.diffuseTransmissionTexture = reference()
        layers.diffuseTransmissionColor = random.color()
        layers.diffuseTransmissionColorTexture = reference()
        return layers
    }

    private mutating func triangle() {
        let centre = random.point()
        let size = 0.1 + random.unit()
        let first = UInt32(maker.scene.positions.count)
        for _ in 0..<3 {
            maker.vertex(centre + random.point() * size, random.direction(), .zero)
        }
        let material = UInt32(random.index(maker.scene.materials.count))
        // Now and then twice, or without area.
        maker.triangle(first, first + 1, first + 2, material)
        if random.chance(0.1) { maker.triangle(first, first + 1, first + 2, material) }
        if random.chance(0.1) { maker.triangle(first, first + 1, first + 1, material) }
    }

    /// Shared meshes of what does not shine, now and then twice in one place.
    private mutating func instances() {
        let dark = maker.scene.materials.indices.filter {
            maker.scene.materials[$0].emissive.max() <= 0
        }
        guard !dark.isEmpty else { return }
        for mesh in 0..<1 + random.index(3) {
            let material = UInt32(dark[random.index(dark.count)])
            let centre = random.point() * 0.2
            maker.mesh { $0.sphere(centre, radius: 0.3, level: 0, material) }
            for _ in 0..<random.index(4) {
                let instance = SceneInstance(mesh: mesh, placement: random.placement(spread: 0.8))
                maker.scene.instances.append(instance)
                if random.chance(0.2) { maker.scene.instances.append(instance) }
            }
        }
    }

    /// Vertices' attributes, of any kind.
    private mutating func decorate() {
        let hasColors = random.chance(0.4)
        for vertex in maker.scene.positions.indices {
            let uv = random.point() * 3
            maker.scene.uv0[vertex] = [uv.x, uv.y]
            maker.scene.uv1[vertex] = [uv.y, uv.z]
            let sign: Float = random.chance(0.5) ? 1 : -1
            let isAbsent = random.chance(0.1)
            maker.scene.tangents[vertex] = isAbsent ? .zero : SIMD4(random.direction(), sign)
            if random.chance(0.05) { maker.scene.normals[vertex] = .zero }
            if hasColors { maker.scene.colors[vertex] = SIMD4(random.color(), random.unit()) }
        }
    }

    private mutating func light() -> Light {
        let kinds: [Light.Kind] = [.directional, .point, .spot]
        var light = Light(kind: kinds[random.index(3)])
        light.position = random.point() * 2
        light.direction = random.direction()
        light.intensity = random.color() * 5
        light.range = random.chance(0.5) ? random.unit() * 4 : 0
        light.cosOuter = random.unit() * 0.9
        light.cosInner = light.cosOuter + (1 - light.cosOuter) * random.share()
        return light
    }

    private mutating func environment() -> Environment? {
        if random.chance(0.2) { return Environment(width: 1, height: 1, texels: [.zero]) }
        let (width, height) = (1 + random.index(8), 1 + random.index(5))
        var texels: [SIMD3<Float>] = []
        for _ in 0..<width * height {
            texels.append(random.chance(0.3) ? .zero : random.color() * (random.unit() * 4))
        }
        return Environment(width: width, height: height, texels: texels)
    }

    private mutating func camera() -> Camera {
        func cross(_ a: SIMD3<Float>, _ b: SIMD3<Float>) -> SIMD3<Float> {
            [a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x]
        }
        var camera = Camera()
        let forward = random.direction()
        let side = cross(forward, random.direction())
        camera.forward = forward
        camera.right = side / (side * side).sum().squareRoot()
        camera.up = cross(camera.right, forward)
        camera.position = forward * -2.5
        camera.isOrthographic = random.chance(0.25)
        camera.halfHeight = camera.isOrthographic ? 1.2 : 0.45
        camera.halfWidth = camera.halfHeight
        return camera
    }
}
