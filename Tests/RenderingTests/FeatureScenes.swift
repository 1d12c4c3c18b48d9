import Core
import Rendering

/// A small scene for each thing that the integrator does.
enum FeatureScene {
    static let all: [(name: String, scene: Scene)] = [
        ("room", SceneMaker.room), ("metals", metals), ("thin glass", glass(isThin: true)),
        ("solid glass", glass(isThin: false)), ("textures", textures(isLinear: true)),
        ("nearest texels", textures(isLinear: false)), ("far textures", farTextures),
        ("mask", coverage(.mask)),
        ("blend", coverage(.blend)), ("punctual lights", punctualLights),
        ("shining triangles", shiningTriangles), ("environment", environment),
        ("default sky", sky), ("orthographic", orthographic), ("no light", dark),
        ("single-sided", singleSided), ("nested solids", solids), ("layers", layers),
        ("unlit", unlit),
        ("instances", instances), ("instances alone", instancesAlone),
        ("many lights", manyLights),
    ]

    /// Every kind of material on shared meshes that are turned, squeezed and mirrored, beside
    /// triangles in the world and a lamp.
    private static var instances: Scene {
        var maker = SceneMaker()
        maker.scene = layers
        var random = SplitMix64(seed: 11)
        let bytes = (0..<4 * 8 * 8).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        maker.scene.textures = [Texture(width: 8, height: 8, rgba8: bytes, isSRGB: true)]
        let lamp = maker.material([0, 0, 0], emissive: [4, 3, 2])
        maker.quad([-0.4, 1, 0], [0.4, 1, 0], [0.4, 1, 0.5], [-0.4, 1, 0.5], lamp)
        let materials: [(inout Material) -> Void] = [
            {
                $0.normalTexture = TextureRef(texture: 0)
                $0.baseColorTexture = TextureRef(texture: 0)
            },
            {
                $0.alphaMode = .blend
                $0.baseColor.w = 0.6
            },
            {
                $0.transmission = 1
                $0.isThinWalled = false
                $0.ior = 1.5
                $0.attenuationColor = [0.5, 0.9, 0.6]
                $0.attenuationDistance = 0.3
            },
            {
                $0.layers.clearcoat = 0.9
                $0.layers.anisotropy = 0.7
                $0.isDoubleSided = false
            },
        ]
        let numbers = materials.map { maker.material([0.8, 0.7, 0.6], $0) }
        let first = maker.scene.positions.count
        for (place, material) in numbers.enumerated() {
            maker.mesh { $0.sphere([0.1, 0, 0], radius: 0.3, level: 1, material) }
            for _ in 0..<2 {
                maker.scene.instances.append(
                    SceneInstance(mesh: place, placement: random.placement(spread: 1)))
            }
        }
        for vertex in first..<maker.scene.positions.count {
            let n = maker.scene.normals[vertex]
            maker.scene.tangents[vertex] = [n.z, 0, -n.x, vertex % 2 == 0 ? 1 : -1]
        }
        return maker.scene
    }

    private static var instancesAlone: Scene {
        var maker = SceneMaker(environment: [0.6, 0.7, 0.9])
        let grey = maker.material([0.6, 0.6, 0.6]) { $0.roughness = 0.5 }
        maker.camera(at: [0, 0, 3], halfHeight: 0.4)
        maker.mesh { $0.sphere(.zero, radius: 0.2, level: 1, grey) }
        var random = SplitMix64(seed: 12)
        for _ in 0..<12 {
            maker.scene.instances.append(
                SceneInstance(mesh: 0, placement: random.placement(spread: 1)))
        }
        return maker.scene
    }

    private static func stage(environment: SIMD3<Float> = .zero) -> SceneMaker {
        var maker = SceneMaker(environment: environment)
        let floor = maker.material([0.6, 0.55, 0.5])
        maker.quad([-2, -0.6, 2], [2, -0.6, 2], [2, -0.6, -2], [-2, -0.6, -2], floor)
        maker.camera(at: [0, 0, 3], halfHeight: 0.4)
        return maker
    }

    private static var metals: Scene {
        var maker = stage(environment: [0.9, 1, 1.1])
        for (place, roughness) in [Float(0), 0.2, 0.5, 1].enumerated() {
            let metal = maker.material([0.95, 0.6, 0.2]) {
                $0.metallic = place == 2 ? 0.5 : 1
                $0.roughness = roughness
                $0.ior = 1.5
            }
            maker.sphere(
                [Float(place) * 0.6 - 0.9, -0.3, 0], radius: 0.28, level: 2, metal)
        }
        return maker.scene
    }

    private static func glass(isThin: Bool) -> Scene {
        var maker = stage(environment: [0.4, 0.6, 0.9])
        for (place, roughness) in [Float(0), 0.3, 0.8].enumerated() {
            let glass = maker.material([0.9, 1, 0.8]) {
                $0.transmission = place == 1 ? 0.7 : 1
                $0.roughness = roughness
                $0.ior = [1.33, 1.5, 2.4][place]
                $0.isThinWalled = isThin
                $0.metallic = place == 1 ? 0.2 : 0
            }
            maker.sphere([Float(place) * 0.7 - 0.7, -0.2, 0], radius: 0.33, level: 2, glass)
        }
        var light = Light(kind: .point)
        light.position = [0, 1.5, 1]
        light.intensity = [4, 4, 4]
        maker.scene.lights = [light]
        return maker.scene
    }

    /// A bubble and a core in glass that fades light, overlapping water, and one index twice.
    private static var solids: Scene {
        var maker = stage(environment: [0.8, 0.9, 1])
        func solid(_ ior: Float, _ color: SIMD3<Float>, transmission: Float = 1) -> UInt32 {
            maker.material([0.95, 1, 0.9]) {
                $0.transmission = transmission
                $0.roughness = 0.1
                $0.ior = ior
                $0.isThinWalled = false
                $0.attenuationColor = color
                $0.attenuationDistance = 0.5
            }
        }
        let glass = solid(1.5, [0.9, 0.5, 0.4])
        let water = solid(1.33, [0.4, 0.7, 0.9])
        let same = solid(1.5, [0.3, 0.9, 0.3], transmission: 0.6)
        maker.sphere([-0.6, -0.1, 0], radius: 0.45, level: 2, glass)
        maker.sphere([-0.6, -0.1, 0], radius: 0.2, level: 2, water)
        maker.sphere([0.1, -0.1, 0], radius: 0.4, level: 2, glass)
        maker.sphere([0.3, -0.1, 0.1], radius: 0.35, level: 2, water)
        maker.sphere([0.8, -0.1, 0], radius: 0.4, level: 2, glass)
        maker.sphere([0.8, -0.1, 0], radius: 0.25, level: 2, same)
        var light = Light(kind: .point)
        light.position = [0, 1.5, 1]
        light.intensity = [4, 4, 4]
        maker.scene.lights = [light]
        return maker.scene
    }

    /// A ball for each layer.
    private static var layers: Scene {
        var maker = stage(environment: [0.8, 0.9, 1])
        let changes: [(inout Material) -> Void] = [
            { $0.layers.specularColor = [1, 0.3, 0.2] },
            {
                $0.layers.clearcoat = 0.8
                $0.layers.clearcoatRoughness = 0.1
            },
            {
                $0.layers.sheenColor = [0.9, 0.4, 0.7]
                $0.layers.sheenRoughness = 0.4
            },
            {
                $0.metallic = 1
                $0.layers.anisotropy = 0.8
                $0.layers.anisotropyAxis = [0.6, 0.8]
            },
            {
                $0.layers.iridescence = 1
                $0.layers.iridescenceThicknessMax = 450
            },
            {
                $0.transmission = 1
                $0.isThinWalled = false
                $0.roughness = 0.05
                $0.layers.dispersion = 4
            },
            {
                $0.layers.diffuseTransmission = 0.7
                $0.layers.diffuseTransmissionColor = [0.4, 0.9, 0.3]
            },
        ]
        for (place, change) in changes.enumerated() {
            let material = maker.material([0.6, 0.6, 0.7]) {
                $0.roughness = 0.4
                $0.ior = 1.5
                change(&$0)
            }
            let x = Float(place % 4) * 0.6 - 0.9
            maker.sphere(
                [x, place < 4 ? 0.3 : -0.3, 0], radius: 0.25, level: 1, material)
        }
        for vertex in maker.scene.positions.indices {
            let n = maker.scene.normals[vertex]
            maker.scene.tangents[vertex] = [n.z, 0, -n.x, 1]
        }
        return maker.scene
    }

    /// Every kind of texture, both sets of coordinates, all ways to wrap, tangents, colours.
    private static func textures(isLinear: Bool) -> Scene {
        var maker = stage(environment: [0.5, 0.5, 0.5])
        var random = SplitMix64(seed: 99)
        let wraps: [Texture.Wrap] = [.repeat, .mirroredRepeat, .clampToEdge]
        for place in 0..<6 {
            let (width, height) = (3 + place, 8 - place)
            let bytes = (0..<4 * width * height).map { _ in
                UInt8(truncatingIfNeeded: random.next())
            }
            var texture = Texture(
                width: width, height: height, rgba8: bytes, isSRGB: place % 2 == 0)
            texture.wrapU = wraps[place % 3]
            texture.wrapV = wraps[(place + 1) % 3]
            texture.filter = isLinear ? .linear : .nearest
            maker.scene.textures.append(texture)
        }
        for place in 0..<4 {
            let material = maker.material([0.9, 0.9, 0.9], emissive: [0.5, 0.5, 0.5]) {
                $0.metallic = 0.8
                $0.transmission = 0.5
                $0.ior = 1.4
                $0.normalScale = 0.8
                $0.isThinWalled = place % 2 == 0
                $0.baseColorTexture = TextureRef(texture: place, uvSet: place % 2)
                $0.metallicRoughnessTexture = TextureRef(texture: (place + 1) % 6)
                $0.normalTexture = TextureRef(texture: (place + 3) % 6, uvSet: 1)
                $0.emissiveTexture = TextureRef(texture: (place + 4) % 6)
                $0.transmissionTexture = TextureRef(texture: (place + 5) % 6, uvSet: 1)
            }
            let x = Float(place) * 0.55 - 0.85
            maker.quad(
                [x - 0.3, -0.4, 0.1], [x + 0.2, -0.4, 0.3], [x + 0.2, 0.3, 0], [x - 0.3, 0.3, 0],
                material)
        }
        for vertex in maker.scene.positions.indices {
            maker.scene.uv0[vertex] = maker.scene.uv0[vertex] * 2.5 - 0.7
            maker.scene.uv1[vertex] = maker.scene.uv1[vertex] * -1.3 + 0.2
            maker.scene.tangents[vertex] = SIMD4(random.direction(), vertex % 3 == 0 ? -1 : 1)
            maker.scene.colors[vertex] = SIMD4(random.color(), 1)
        }
        return maker.scene
    }

    /// Light with the vertices' colours, with a texture and without, over a floor that it lights.
    private static var unlit: Scene {
        var maker = stage()
        var random = SplitMix64(seed: 41)
        let bytes = (0..<4 * 16).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        maker.scene.textures = [Texture(width: 4, height: 4, rgba8: bytes, isSRGB: true)]
        for place in 0..<2 {
            let light = maker.material(.zero, emissive: [0.9, 0.8, 0.7]) {
                $0.isUnlit = true
                $0.emissiveTexture = place == 0 ? nil : TextureRef(texture: 0)
            }
            let x = Float(place) - 0.9
            maker.quad(
                [x, -0.5, 0], [x + 0.8, -0.5, 0.2], [x + 0.8, 0.4, 0], [x, 0.4, 0], light)
        }
        for vertex in maker.scene.positions.indices {
            maker.scene.colors[vertex] = SIMD4(random.color(), 1)
        }
        return maker.scene
    }

    /// A floor to the horizon, of which a pixel sees many texels.
    private static var farTextures: Scene {
        var maker = stage(environment: .one)
        var random = SplitMix64(seed: 5)
        let bytes = (0..<4 * 64 * 48).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        for mipmap in [Texture.Mipmap.none, .nearest, .linear] {
            var texture = Texture(width: 64, height: 48, rgba8: bytes, isSRGB: mipmap != .nearest)
            texture.mipmap = mipmap
            texture.wrapV = .mirroredRepeat
            let x = Float(maker.scene.textures.count) * 4 - 6
            let number = maker.scene.textures.count
            maker.scene.textures.append(texture)
            let floor = maker.material([1, 1, 1]) {
                $0.baseColorTexture = TextureRef(
                    texture: number, transform: UVTransform(u: [4, 1, 0.3], v: [-1, 9, 0.1]))
            }
            maker.quad(
                [x, -0.5, 2], [x + 4, -0.5, 2], [x + 4, -0.5, -30], [x, -0.5, -30], floor)
        }
        return maker.scene
    }

    private static func coverage(_ mode: Material.AlphaMode) -> Scene {
        var maker = stage(environment: [0.7, 0.8, 0.9])
        var random = SplitMix64(seed: 7)
        let bytes = (0..<4 * 8 * 8).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        maker.scene.textures = [Texture(width: 8, height: 8, rgba8: bytes, isSRGB: true)]
        let leaf = maker.material([0.3, 0.8, 0.2]) {
            $0.alphaMode = mode
            $0.alphaCutoff = 0.45
            $0.baseColor.w = 0.9
            $0.baseColorTexture = TextureRef(texture: 0)
        }
        for place in 0..<4 {
            let z = Float(place) * 0.3 - 0.5
            maker.quad([-0.8, -0.5, z], [0.8, -0.5, z], [0.8, 0.7, z], [-0.8, 0.7, z], leaf)
        }
        var sun = Light(kind: .directional)
        sun.direction = [0, -0.8, -0.6]
        maker.scene.lights = [sun]
        return maker.scene
    }

    private static var punctualLights: Scene {
        var maker = stage()
        let ball = maker.material([0.8, 0.3, 0.3]) {
            $0.roughness = 0.4
            $0.ior = 1.5
        }
        maker.sphere([0, -0.2, 0], radius: 0.4, level: 2, ball)
        let kinds: [Light.Kind] = [.directional, .point, .spot, .point, .spot]
        for (place, kind) in kinds.enumerated() {
            var light = Light(kind: kind)
            light.position = [Float(place) * 0.5 - 1, 1.2, 0.8]
            light.direction = [0.36, -0.8, -0.48]
            light.intensity = [1, Float(place), 2]
            light.range = place >= 3 ? 2.5 : 0
            light.cosInner = 0.9
            light.cosOuter = place == 4 ? 0.9 : 0.6
            maker.scene.lights.append(light)
        }
        return maker.scene
    }

    private static var shiningTriangles: Scene {
        var maker = stage()
        for place in 0..<5 {
            let lamp = maker.material(
                [0.5, 0.5, 0.5], emissive: [Float(place), 1, 3 - Float(place) * 0.5])
            let x = Float(place) * 0.5 - 1
            maker.quad(
                [x, 0.2, 0], [x + 0.3, 0.2, 0.1], [x + 0.3, 0.6, 0.2], [x, 0.6, 0], lamp)
        }
        let mirror = maker.material([0.9, 0.9, 0.9]) {
            $0.metallic = 1
            $0.roughness = 0
        }
        maker.sphere([0, -0.3, 0.4], radius: 0.25, level: 2, mirror)
        return maker.scene
    }

    /// A tree of points, spots and triangles above a sun and a sky, around surfaces that light
    /// comes through and others.
    private static var manyLights: Scene {
        var maker = stage(environment: [0.2, 0.3, 0.4])
        var random = SplitMix64(seed: 21)
        let surfaces: [(inout Material) -> Void] = [
            { $0.transmission = 0.8 }, { $0.layers.diffuseTransmission = 0.5 },
            { $0.roughness = 0.3 },
        ]
        for (place, change) in surfaces.enumerated() {
            let material = maker.material([0.8, 0.7, 0.6], emissive: .zero, change)
            maker.sphere(
                [Float(place) * 0.6 - 0.6, -0.3, 0], radius: 0.28, level: 1, material)
        }
        let lamp = maker.material([0, 0, 0], emissive: [3, 4, 5])
        for _ in 0..<30 {
            let a = random.point() * 0.7
            let side = random.direction() * 0.2
            maker.quad(a, a + side, a + side + [0.05, 0.1, 0.1], a + [0.05, 0.1, 0.1], lamp)
        }
        for place in 0..<41 {
            var light = Light(kind: place == 40 ? .directional : place % 2 == 0 ? .point : .spot)
            light.position = random.point() * 1.5
            light.direction = random.direction()
            light.intensity = random.color() * 0.2
            light.cosOuter = random.unit() * 0.9
            light.cosInner = 0.95
            maker.scene.lights.append(light)
        }
        return maker.scene
    }

    /// One bright texel among dim ones, not square, asked and met by chance.
    private static var environment: Scene {
        var maker = stage()
        var random = SplitMix64(seed: 3)
        var texels = (0..<11 * 7).map { _ in random.color() * 0.5 }
        texels[25] = [60, 50, 40]
        texels[40] = .zero
        maker.scene.environment = Environment(width: 11, height: 7, texels: texels)
        let ball = maker.material([0.9, 0.9, 0.9]) {
            $0.metallic = 1
            $0.roughness = 0.3
        }
        maker.sphere([0.3, -0.1, 0], radius: 0.4, level: 2, ball)
        return maker.scene
    }

    private static var sky: Scene {
        var maker = stage()
        maker.scene.environment = nil
        let ball = maker.material([0.2, 0.3, 0.8]) {
            $0.ior = 1.5
            $0.roughness = 0.1
        }
        maker.sphere([0, -0.1, 0], radius: 0.45, level: 2, ball)
        return maker.scene
    }

    private static var orthographic: Scene {
        var scene = SceneMaker.room
        scene.cameras[0].isOrthographic = true
        scene.cameras[0].halfWidth = 1.1
        scene.cameras[0].halfHeight = 1.1
        return scene
    }

    private static var dark: Scene {
        var scene = SceneMaker.room
        for index in scene.materials.indices { scene.materials[index].emissive = .zero }
        scene.environment = Environment(width: 1, height: 1, texels: [.zero])
        scene.lights = []
        return scene
    }

    private static var singleSided: Scene {
        var scene = SceneMaker.room
        for index in scene.materials.indices {
            scene.materials[index].isDoubleSided = index % 2 == 0
        }
        return scene
    }
}
