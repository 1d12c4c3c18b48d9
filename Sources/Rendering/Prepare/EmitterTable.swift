internal import Core
internal import Imaging

/// All lights that a path may ask, each with its chance, which grows with its power.
struct EmitterTable {
    /// Four words each: running total (``ShareTable``), kind in the top two bits over the index,
    /// chance, and for triangles chance over area.
    private(set) var records: [UInt32] = []
    /// For each triangle its emitter; empty where none emits.
    private(set) var triangleEmitters: [UInt32] = []
    private(set) var environmentChance: Float = 0

    private static let environmentKind: UInt32 = 0
    private static let punctualKind: UInt32 = 1
    private static let triangleKind: UInt32 = 2

    init(_ scene: Scene, environmentPower: Double) {
        let radius = Double(scene.boundingRadius)
        let disc = 3.141592653589793 * radius * radius
        var kinds: [UInt32] = []
        var weights: [Double] = []
        var areas: [Double] = []
        func add(_ kind: UInt32, _ index: Int, _ weight: Double, area: Double = 0) {
            kinds.append(kind << 30 | UInt32(index))
            weights.append(weight)
            areas.append(area)
        }
        if environmentPower > 0 { add(Self.environmentKind, 0, environmentPower * disc) }
        for (index, light) in scene.lights.enumerated() {
            let power = Self.power(light, disc: disc)
            if power > 0 { add(Self.punctualKind, index, power) }
        }
        let firstTriangle = kinds.count
        let finder = EmissiveTriangles(scene)
        for found in finder.found {
            add(Self.triangleKind, found.triangle, found.power, area: found.area)
        }
        guard !weights.isEmpty else { return }
        // No light is so weak beside the others that it is never asked.
        var total = 0.0
        for weight in weights { total += weight }
        let least = total / Double(weights.count) * 0.03125
        for index in 0..<firstTriangle { weights[index] = max(weights[index], least) }

        let table = ShareTable.make(weights)
        for index in kinds.indices {
            let chance = ShareTable.chance(table, index)
            let density = areas[index] > 0 ? Float(Double(chance) / areas[index]) : 0
            records += [table[index], kinds[index], chance.bitPattern, density.bitPattern]
        }
        if kinds[0] >> 30 == Self.environmentKind {
            environmentChance = ShareTable.chance(table, 0)
        }
        guard firstTriangle < kinds.count else { return }
        triangleEmitters = [UInt32](
            repeating: BlobLayout.emitterNone, count: scene.triangles.count)
        for index in firstTriangle..<kinds.count {
            triangleEmitters[Int(kinds[index] & 0x3fff_ffff)] = UInt32(index)
        }
    }

    /// Watts-like: what the light sends out, or through the scene's disc.
    private static func power(_ light: Light, disc: Double) -> Double {
        let luminance = RenderBlob.luminance(RenderBlob.tame(light.intensity))
        switch light.kind {
        case .directional: return luminance * disc
        case .point: return luminance * 12.566370614359172
        case .spot: return luminance * 6.283185307179586 * Double(max(1 - light.cosOuter, 0.001))
        }
    }
}

/// The triangles that shine, with area and power.
private struct EmissiveTriangles {
    struct Found {
        var triangle: Int
        var area: Double
        var power: Double
    }

    private(set) var found: [Found] = []

    init(_ scene: Scene) {
        let isEmissive = scene.materials.map { $0.emissive.max() > 0x1p-40 }
        guard isEmissive.contains(true) else { return }
        for (index, triangle) in scene.triangles.enumerated() {
            let number = Int(scene.triangleMaterials[index])
            guard isEmissive[number] else { continue }
            let area = Self.area(scene, triangle)
            guard area > 0x1p-80 else { continue }
            let material = scene.materials[number]
            var shine = Self.texel(scene, material, triangle)
            if material.isUnlit { shine *= Self.ownColor(scene, triangle) }
            let luminance = RenderBlob.luminance(material.emissive * shine)
            guard luminance > 0x1p-40 else { continue }
            found.append(Found(triangle: index, area: area, power: luminance * area * 6.2831853))
        }
    }

    private static func area(_ scene: Scene, _ triangle: SIMD3<UInt32>) -> Double {
        let a = SIMD3<Double>(scene.positions[Int(triangle.x)])
        let p = SIMD3<Double>(scene.positions[Int(triangle.y)]) - a
        let q = SIMD3<Double>(scene.positions[Int(triangle.z)]) - a
        let n = SIMD3<Double>(
            p.y * q.z - p.z * q.y, p.z * q.x - p.x * q.z, p.x * q.y - p.y * q.x)
        return (n * n).sum().squareRoot() * 0.5
    }

    /// Mean of the vertices' colour, which is that of its linear blend.
    private static func ownColor(_ scene: Scene, _ triangle: SIMD3<UInt32>) -> SIMD3<Float> {
        var sum = SIMD3<Float>.zero
        for corner in 0..<3 {
            let color = scene.colors[Int(triangle[corner])]
            sum += SIMD3(color.x, color.y, color.z)
        }
        return sum * (1 / 3 as Float)
    }

    /// Mean of the emissive texture at seven points of the triangle, nearest texels. A triangle
    /// that is dark at all seven is not asked for light; what it emits elsewhere is found by
    /// chance.
    private static func texel(
        _ scene: Scene, _ material: Material, _ triangle: SIMD3<UInt32>
    ) -> SIMD3<Float> {
        guard let reference = material.emissiveTexture else { return .one }
        let texture = scene.textures[reference.texture]
        let set = reference.uvSet == 1 ? scene.uv1 : scene.uv0
        let a = set[Int(triangle.x)]
        let b = set[Int(triangle.y)]
        let c = set[Int(triangle.z)]
        let places: [SIMD2<Float>] = [
            [0.33, 0.33], [0.1, 0.1], [0.8, 0.1], [0.1, 0.8], [0.45, 0.45], [0.1, 0.45],
            [0.45, 0.1],
        ]
        var sum = SIMD3<Float>.zero
        for place in places {
            let uv = a + (b - a) * place.x + (c - a) * place.y
            sum += nearest(texture, reference.transform.apply(uv))
        }
        return sum * (1 / Float(places.count))
    }

    private static func nearest(_ texture: Texture, _ uv: SIMD2<Float>) -> SIMD3<Float> {
        let x = wrapped(uv.x, texture.width)
        let y = wrapped(uv.y, texture.height)
        let place = 4 * (y * texture.width + x)
        var color = SIMD3<Float>.zero
        for channel in 0..<3 {
            let code = Int(texture.rgba8[place + channel])
            color[channel] = texture.isSRGB ? SRGB.linear[code] : Float(code) / 255
        }
        return color
    }

    private static func wrapped(_ coordinate: Float, _ size: Int) -> Int {
        guard coordinate.magnitude < 0x1p15 else { return 0 }
        let fraction = coordinate - coordinate.rounded(.down)
        return min(Int(fraction * Float(size)), size - 1)
    }
}

extension Scene {
    /// Half the diagonal of the bounding box of all triangles; 1 where there is none.
    var boundingRadius: Float {
        guard let box = worldBox else { return 1 }
        let extent = box.high - box.low
        let half = SIMD3(extent.x, extent.y, extent.z) * 0.5
        return max((half * half).sum().squareRoot(), 0x1p-20)
    }

    /// Around all triangles that are drawn; nil where there is none.
    var worldBox: Box? {
        var box = Box.empty
        for triangle in triangles[worldTriangles] {
            for corner in 0..<3 { box.unite(SIMD4(positions[Int(triangle[corner])], 0)) }
        }
        for instance in SceneTree.boxes(of: self) { box.unite(instance) }
        return box.low.x <= box.high.x ? box : nil
    }
}
