internal import Rendering

/// The scene that rays and paths are measured in: spheres of three materials on a floor, under the
/// default sky and one square light. Made here, from additions, multiplications and square roots,
/// so it is the same everywhere and needs no file.
struct BenchScene {
    private(set) var scene = Scene()

    /// - Parameters:
    ///   - side: spheres along each side of the field.
    ///   - level: each sphere has 8 · 4^`level` triangles.
    init(side: Int, level: Int) {
        let materials = [
            material([0.75, 0.3, 0.2]) { $0.roughness = 1 },
            material([0.9, 0.85, 0.6]) { material in
                material.metallic = 1
                material.roughness = 0.25
            },
            material([0.95, 0.95, 0.95]) { material in
                material.roughness = 0
                material.transmission = 1
                material.isThinWalled = false
            },
        ]
        let floor = material([0.5, 0.5, 0.55]) { $0.roughness = 0.8 }
        let light = material([0, 0, 0]) { $0.emissive = [12, 11, 9] }
        let half = Float(side) * 0.5
        for row in 0..<side {
            for column in 0..<side {
                sphere(
                    [Float(column) - half + 0.5, 0.4, Float(row) - half + 0.5], radius: 0.4,
                    level: level, materials[(row + column) % materials.count])
            }
        }
        quad([-half, 0, half], [half, 0, half], [half, 0, -half], [-half, 0, -half], floor)
        quad([-1, 3, -1], [1, 3, -1], [1, 3, 1], [-1, 3, 1], light)
        var camera = Camera()
        camera.position = [0, half, half * 2]
        // A 3-4-5 triangle: unit axes without a rounding to speak of.
        camera.forward = [0, -0.6, -0.8]
        camera.up = [0, 0.8, -0.6]
        camera.halfWidth = 0.5
        camera.halfHeight = 0.375
        scene.cameras = [camera]
    }

    /// Rays into the field: from one point above it and side by side, or from anywhere anywhere.
    func rays(_ count: Int, isCoherent: Bool) -> [RayCaster.Ray] {
        let half = scene.cameras[0].position.y
        return (0..<count).map { index in
            let position = SIMD3(
                Self.fraction(index, 1), Self.fraction(index, 2), Self.fraction(index, 3))
            guard isCoherent else {
                let direction = SIMD3(
                    Self.fraction(index, 4), Self.fraction(index, 5), Self.fraction(index, 6))
                let origin = position * SIMD3(half, 0.5, half) + [0, 0.55, 0]
                return RayCaster.Ray(origin: origin, direction: direction)
            }
            // Tiles of 8×8 pixels of a square that is 64 wide, one after the other.
            let (tile, inside) = (index / 64 % 64, index % 64)
            let x = tile % 8 * 8 + inside % 8
            let y = tile / 8 * 8 + inside / 8
            let place = SIMD2(Float(x), Float(y)) * 0x1p-5 - 1
            return RayCaster.Ray(
                origin: [0, half * 2, 0], direction: [place.x * half, -half * 2, place.y * half])
        }
    }

    /// A number in -1..<1 that a hash of its place gives, never zero.
    private static func fraction(_ index: Int, _ dimension: UInt32) -> Float {
        var mixed = UInt32(truncatingIfNeeded: index) &* 0x9e37_79b9 &+ dimension &* 0x85eb_ca6b
        mixed ^= mixed >> 15
        mixed = mixed &* 0x2c1b_3c6d
        mixed ^= mixed >> 12
        mixed = mixed &* 0x297a_2d39
        mixed ^= mixed >> 15
        return Float(Int32(bitPattern: mixed | 0x200) >> 9) * 0x1p-22
    }

    private mutating func material(
        _ color: SIMD3<Float>, _ change: (inout Material) -> Void
    ) -> UInt32 {
        var material = Material()
        material.baseColor = SIMD4(color, 1)
        material.metallic = 0
        change(&material)
        scene.materials.append(material)
        return UInt32(scene.materials.count - 1)
    }

    private mutating func vertex(_ position: SIMD3<Float>, _ normal: SIMD3<Float>) -> UInt32 {
        scene.positions.append(position)
        scene.normals.append(normal)
        scene.tangents.append(.zero)
        scene.uv0.append(.zero)
        scene.uv1.append(.zero)
        scene.colors.append(.one)
        return UInt32(scene.positions.count - 1)
    }

    private mutating func triangle(_ corners: SIMD3<UInt32>, _ material: UInt32) {
        scene.triangles.append(corners)
        scene.triangleMaterials.append(material)
    }

    /// Counter-clockwise as seen from its front.
    private mutating func quad(
        _ a: SIMD3<Float>, _ b: SIMD3<Float>, _ c: SIMD3<Float>, _ d: SIMD3<Float>,
        _ material: UInt32
    ) {
        // Both quadrilaterals lie flat: the floor looks up, the light down.
        let normal: SIMD3<Float> = a.y > 0 ? [0, -1, 0] : [0, 1, 0]
        let corners = [a, b, c, d].map { vertex($0, normal) }
        triangle([corners[0], corners[1], corners[2]], material)
        triangle([corners[0], corners[2], corners[3]], material)
    }

    /// An octahedron whose faces are halved `level` times and pushed out to the sphere.
    private mutating func sphere(
        _ center: SIMD3<Float>, radius: Float, level: Int, _ material: UInt32
    ) {
        let signs: [Float] = [1, -1]
        for x in signs {
            for y in signs {
                for z in signs {
                    let corners: [SIMD3<Float>] = [[x, 0, 0], [0, y, 0], [0, 0, z]]
                    let isFront = x * y * z > 0
                    let order = isFront ? corners : [corners[1], corners[0], corners[2]]
                    face(order, center, radius, level, material)
                }
            }
        }
    }

    private mutating func face(
        _ corners: [SIMD3<Float>], _ center: SIMD3<Float>, _ radius: Float, _ level: Int,
        _ material: UInt32
    ) {
        guard level > 0 else {
            let indices = corners.map { vertex(center + $0 * radius, $0) }
            return triangle([indices[0], indices[1], indices[2]], material)
        }
        let (a, b, c) = (corners[0], corners[1], corners[2])
        let (ab, bc, ca) = (Self.unit(a + b), Self.unit(b + c), Self.unit(c + a))
        for part in [[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]] {
            face(part, center, radius, level - 1, material)
        }
    }

    private static func unit(_ vector: SIMD3<Float>) -> SIMD3<Float> {
        vector / (vector * vector).sum().squareRoot()
    }
}
