internal import Core
internal import Imaging

/// All lights that a path may ask, each with its chance, which grows with its power.
///
/// Where there are many, those that have a place are in a ``LightTree``, and the table holds the
/// others.
struct EmitterTable {
    /// Four words each: running total (``ShareTable``), kind in the top two bits over the index,
    /// chance, and for triangles chance over area. In a tree, the light's trail stands for the
    /// total, and the chance counts as one.
    private(set) var records: [UInt32] = []
    /// For each triangle its emitter; empty where none emits.
    private(set) var triangleEmitters: [UInt32] = []
    private(set) var environmentChance: Float = 0
    private(set) var tree: LightTree?
    /// With a tree: the emitters, the first ones, that are in the table all the same, and how many
    /// of 2³² choices fall on these.
    private(set) var tableCount = 0
    private(set) var tableChoices: UInt32 = 0

    private enum Kind {
        static let environment: UInt32 = 0
        static let punctual: UInt32 = 1
        static let triangle: UInt32 = 2
    }

    private struct Emitter {
        var kind: UInt32
        var index: Int
        var weight: Double
        var area = 0.0

        var word: UInt32 { kind << 30 | UInt32(index) }
    }

    /// - Parameter treeLightsMin: two at least.
    init(_ scene: Scene, environmentPower: Double, treeLightsMin: Int) {
        let radius = Double(scene.boundingRadius)
        let disc = 3.141592653589793 * radius * radius
        var emitters: [Emitter] = []
        if environmentPower > 0 {
            emitters.append(
                Emitter(kind: Kind.environment, index: 0, weight: environmentPower * disc))
        }
        for (index, light) in scene.lights.enumerated() {
            let power = Self.power(light, disc: disc)
            guard power > 0 else { continue }
            emitters.append(Emitter(kind: Kind.punctual, index: index, weight: power))
        }
        for found in EmissiveTriangles(scene).found {
            emitters.append(
                Emitter(
                    kind: Kind.triangle, index: found.triangle, weight: found.power,
                    area: found.area))
        }
        guard !emitters.isEmpty else { return }
        if emitters.count >= treeLightsMin,
            let placed = Self.placed(emitters, scene, lightsMin: treeLightsMin)
        {
            makeTree(emitters, placed, radius: radius)
        } else {
            makeTable(emitters)
        }
        guard emitters.contains(where: { $0.kind == Kind.triangle }) else { return }
        triangleEmitters = [UInt32](
            repeating: BlobLayout.emitterNone, count: scene.triangles.count)
        for place in 0..<records.count / 4 where records[4 * place + 1] >> 30 == Kind.triangle {
            triangleEmitters[Int(records[4 * place + 1] & 0x3fff_ffff)] = UInt32(place)
        }
    }

    private mutating func makeTable(_ emitters: [Emitter]) {
        var weights = emitters.map(\.weight)
        raise(&weights, among: emitters.count) { emitters[$0].kind != Kind.triangle }
        let table = ShareTable.make(weights)
        for (index, emitter) in emitters.enumerated() {
            let chance = ShareTable.chance(table, index)
            let density = emitter.area > 0 ? Float(Double(chance) / emitter.area) : 0
            records += [table[index], emitter.word, chance.bitPattern, density.bitPattern]
        }
        if emitters[0].kind == Kind.environment {
            environmentChance = ShareTable.chance(table, 0)
        }
    }

    /// No light is so weak beside the others that it is never asked.
    private func raise(
        _ weights: inout [Double], among count: Int, where isRaised: (Int) -> Bool
    ) {
        var total = 0.0
        for weight in weights { total += weight }
        let least = total / Double(count) * 0.03125
        for index in weights.indices where isRaised(index) {
            weights[index] = max(weights[index], least)
        }
    }

    // MARK: - Many lights

    /// The emitters that go into a tree, by their place among all; nil where there are too few, or
    /// more than a tree holds.
    private static func placed(
        _ emitters: [Emitter], _ scene: Scene, lightsMin: Int
    ) -> [PlacedLight?]? {
        func corner(_ emitter: Emitter, _ corner: Int) -> SIMD3<Double> {
            SIMD3(scene.positions[Int(scene.triangles[emitter.index][corner])])
        }
        let placed = emitters.map { emitter -> PlacedLight? in
            switch emitter.kind {
            case Kind.punctual: PlacedLight(scene.lights[emitter.index], emitter: 0)
            case Kind.triangle:
                PlacedLight(
                    corner(emitter, 0), corner(emitter, 1), corner(emitter, 2),
                    radiance: emitter.weight / (emitter.area * 6.2831853), emitter: 0)
            default: nil
            }
        }
        let count = placed.count { $0 != nil }
        return count >= lightsMin && count <= LightTree.lightsMax ? placed : nil
    }

    private mutating func makeTree(
        _ emitters: [Emitter], _ placed: [PlacedLight?], radius: Double
    ) {
        let others = emitters.indices.filter { placed[$0] == nil }
        var lights: [PlacedLight] = []
        var order: [Int] = []
        var weights = others.map { emitters[$0].weight }
        var power = 0.0
        for place in emitters.indices {
            guard var light = placed[place] else { continue }
            light.emitter = others.count + lights.count
            lights.append(light)
            order.append(place)
            power += emitters[place].weight
        }
        weights.append(power)
        raise(&weights, among: weights.count) { _ in true }
        // The tree is asked once in sixteen times at the least, however many the others are.
        var total = 0.0
        for weight in weights { total += weight }
        weights[others.count] = max(weights[others.count], total / 15)
        var table = ShareTable.make(weights)
        if !others.isEmpty {
            // What is left falls on the tree in fours.
            table[others.count - 1] &= ~3
            tableChoices = table[others.count - 1]
        }
        tableCount = others.count
        for (index, place) in others.enumerated() {
            let chance = ShareTable.chance(table, index)
            records += [table[index], emitters[place].word, chance.bitPattern, 0]
            if emitters[place].kind == Kind.environment { environmentChance = chance }
        }
        let tree = LightTree(lights, radius: radius)
        for (trail, place) in zip(tree.trails, order) {
            let area = emitters[place].area
            let density = area > 0 ? Float(1 / area) : 0
            records += [trail, emitters[place].word, Float(1).bitPattern, density.bitPattern]
        }
        self.tree = tree
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
