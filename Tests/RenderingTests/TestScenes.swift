import Core
import Rendering

/// Scenes made in code, for tests that know what to expect.
struct SceneMaker {
    var scene = Scene()

    init(environment: SIMD3<Float> = .zero) {
        scene.environment = Environment(width: 1, height: 1, texels: [environment])
    }

    /// Adds a material; its index.
    mutating func material(
        _ color: SIMD3<Float>, emissive: SIMD3<Float> = .zero,
        _ change: (inout Material) -> Void = { _ in }
    ) -> UInt32 {
        var material = Material()
        material.baseColor = SIMD4(color, 1)
        material.metallic = 0
        material.roughness = 1
        material.ior = 1
        material.isDoubleSided = true
        material.emissive = emissive
        change(&material)
        scene.materials.append(material)
        return UInt32(scene.materials.count - 1)
    }

    /// A quadrilateral, counter-clockwise as seen from its front.
    mutating func quad(
        _ a: SIMD3<Float>, _ b: SIMD3<Float>, _ c: SIMD3<Float>, _ d: SIMD3<Float>,
        _ material: UInt32
    ) {
        let p = b - a
        let q = d - a
        var n = SIMD3<Float>(
            p.y * q.z - p.z * q.y, p.z * q.x - p.x * q.z, p.x * q.y - p.y * q.x)
        n /= (n * n).sum().squareRoot()
        let first = UInt32(scene.positions.count)
        for (corner, uv) in zip(
            [a, b, c, d], [[0, 1], [1, 1], [1, 0], [0, 0]] as [SIMD2<Float>])
        {
            vertex(corner, n, uv)
        }
        triangle(first, first + 1, first + 2, material)
        triangle(first, first + 2, first + 3, material)
    }

    mutating func vertex(_ position: SIMD3<Float>, _ normal: SIMD3<Float>, _ uv: SIMD2<Float>) {
        scene.positions.append(position)
        scene.normals.append(normal)
        scene.tangents.append(.zero)
        scene.uv0.append(uv)
        scene.uv1.append(uv)
        scene.colors.append(.one)
    }

    mutating func triangle(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ material: UInt32) {
        scene.triangles.append([a, b, c])
        scene.triangleMaterials.append(material)
    }

    /// A sphere of 8 · 4^`level` triangles, smooth or with the triangles' own normals.
    mutating func sphere(
        _ centre: SIMD3<Float>, radius: Float, level: Int, _ material: UInt32, isSmooth: Bool = true
    ) {
        let corners: [SIMD3<Float>] = [
            [1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1],
        ]
        let faces = [
            (4, 0, 2), (0, 5, 2), (5, 1, 2), (1, 4, 2), (0, 4, 3), (5, 0, 3), (1, 5, 3), (4, 1, 3),
        ]
        func unit(_ v: SIMD3<Float>) -> SIMD3<Float> { v / (v * v).sum().squareRoot() }
        var triangles = faces.map { [corners[$0.0], corners[$0.1], corners[$0.2]] }
        for _ in 0..<level {
            triangles = triangles.flatMap { t in
                let (a, b, c) = (unit(t[0] + t[1]), unit(t[1] + t[2]), unit(t[2] + t[0]))
                return [[t[0], a, c], [a, t[1], b], [c, b, t[2]], [a, b, c]]
            }
        }
        for t in triangles {
            let first = UInt32(scene.positions.count)
            let flat = unit(t[0] + t[1] + t[2])
            for corner in t {
                vertex(centre + corner * radius, isSmooth ? corner : flat, [corner.x, corner.y])
            }
            triangle(first, first + 1, first + 2, material)
        }
    }

    /// A mesh to be shared, of what `build` adds; after everything that is in the world.
    mutating func mesh(_ build: (inout SceneMaker) -> Void) {
        let (triangle, vertex) = (scene.triangles.count, scene.positions.count)
        build(&self)
        scene.meshes.append(
            SharedMesh(
                triangles: triangle..<scene.triangles.count,
                vertices: vertex..<scene.positions.count))
    }

    /// A camera at `position` that looks along −z with square pixels.
    mutating func camera(at position: SIMD3<Float>, halfHeight: Float) {
        var camera = Camera()
        camera.position = position
        camera.halfWidth = halfHeight
        camera.halfHeight = halfHeight
        scene.cameras.append(camera)
    }

    /// The room with a ball of each kind of layers in it.
    static var gallery: Scene {
        var maker = SceneMaker()
        maker.scene = room
        let changes: [(inout Material) -> Void] = [
            {
                $0.layers.clearcoat = 0.9
                $0.layers.clearcoatRoughness = 0.1
                $0.layers.sheenColor = [0.5, 0.2, 0.1]
                $0.layers.sheenRoughness = 0.4
            },
            {
                $0.metallic = 0.8
                $0.roughness = 0.3
                $0.layers.anisotropy = 0.7
                $0.layers.anisotropyAxis = [0.6, 0.8]
                $0.layers.iridescence = 0.8
            },
            {
                $0.transmission = 1
                $0.roughness = 0.1
                $0.ior = 1.6
                $0.isThinWalled = false
                $0.attenuationDistance = 0.5
                $0.attenuationColor = [0.9, 0.4, 0.6]
                $0.layers.dispersion = 1
            },
            {
                $0.layers.diffuseTransmission = 0.5
                $0.layers.specular = 0.7
                $0.layers.specularColor = [1, 0.5, 0.2]
                $0.ior = 1.5
            },
        ]
        for (place, change) in changes.enumerated() {
            let material = maker.material([0.6, 0.7, 0.8], emissive: .zero, change)
            maker.sphere(
                [Float(place) * 0.5 - 0.75, 0.35, 0.1], radius: 0.22, level: 2, material)
        }
        for index in maker.scene.tangents.indices { maker.scene.tangents[index] = [0, 1, 0, 1] }
        return maker.scene
    }

    /// A Lambert plane in z = 0 with albedo 0.5, seen from z = 2 in a spot around the origin.
    static func plane(_ change: (inout SceneMaker) -> Void) -> Scene {
        var maker = SceneMaker()
        let gray = maker.material([0.5, 0.5, 0.5])
        maker.quad([-50, -50, 0], [50, -50, 0], [50, 50, 0], [-50, 50, 0], gray)
        maker.camera(at: [0, 0, 2], halfHeight: 0.005)
        change(&maker)
        return maker.scene
    }

    /// Five walls, a lamp, a glossy and a glass ball: everything that the integrator does, small.
    static var room: Scene {
        var maker = SceneMaker(environment: [0.1, 0.15, 0.2])
        let white = maker.material([0.75, 0.75, 0.75])
        let red = maker.material([0.7, 0.1, 0.1])
        let green = maker.material([0.1, 0.6, 0.15])
        let lamp = maker.material([0, 0, 0], emissive: [12, 10, 7])
        let gold = maker.material([0.9, 0.7, 0.3]) {
            $0.metallic = 1
            $0.roughness = 0.3
        }
        let glass = maker.material([1, 1, 1]) {
            $0.transmission = 1
            $0.roughness = 0.05
            $0.ior = 1.5
            $0.isThinWalled = false
        }
        let veil = maker.material([0.2, 0.3, 0.9]) {
            $0.alphaMode = .blend
            $0.baseColor.w = 0.5
            $0.ior = 1.5
            $0.roughness = 0.4
        }
        maker.quad([-1, -1, 1], [1, -1, 1], [1, -1, -1], [-1, -1, -1], white)
        maker.quad([-1, 1, -1], [1, 1, -1], [1, 1, 1], [-1, 1, 1], white)
        maker.quad([-1, -1, -1], [1, -1, -1], [1, 1, -1], [-1, 1, -1], white)
        maker.quad([-1, -1, 1], [-1, -1, -1], [-1, 1, -1], [-1, 1, 1], red)
        maker.quad([1, -1, -1], [1, -1, 1], [1, 1, 1], [1, 1, -1], green)
        maker.quad(
            [-0.3, 0.99, -0.3], [0.3, 0.99, -0.3], [0.3, 0.99, 0.3], [-0.3, 0.99, 0.3], lamp)
        maker.quad([-0.9, -0.9, 0.5], [0, -0.9, 0.5], [0, 0, 0.5], [-0.9, 0, 0.5], veil)
        maker.sphere([-0.4, -0.6, -0.2], radius: 0.4, level: 3, gold)
        maker.sphere([0.45, -0.65, 0.2], radius: 0.35, level: 3, glass)
        var light = Light(kind: .spot)
        light.position = [0.8, 0.8, 0.8]
        light.direction = [-0.57735026, -0.57735026, -0.57735026]
        light.intensity = [2, 2, 3]
        light.cosInner = 0.95
        light.cosOuter = 0.85
        maker.scene.lights.append(light)
        maker.camera(at: [0, 0, 3.6], halfHeight: 0.42)
        return maker.scene
    }
}
