internal import Exact

/// Lights that a surface asks, and triangles that shine.
extension ReferenceTracer {
    /// A light that was asked, as it would arrive with nothing between.
    struct LightSample {
        /// From the surface, unit.
        var direction: SIMD3<Float>
        /// How far the shadow ray goes.
        var distance: Float
        /// Over the chance of choosing it; for what has an extent, over `density`.
        var radiance: SIMD3<Float>
        /// Per solid angle; zero for lights that no ray can hit by chance.
        var density: Float
    }

    /// Asks one light by chance; nil where it could send nothing.
    func askLight(_ path: Path, from asker: LightAsker, depth: Int) -> LightSample? {
        guard blob.count(.emitters) > 0 else { return nil }
        func draw(_ dimension: ReferenceRandom.Dimension) -> (x: UInt32, y: UInt32) {
            ReferenceRandom.pair(
                key: path.key, sample: path.sample, dimension.at(depth: depth))
        }
        let choice = draw(.choice).x
        let bits = draw(.light)
        let (emitter, chance) = chooseEmitter(choice, asker)
        let which = word(.emitters, emitter, 1) & 0x3fff_ffff
        var light: LightSample
        switch word(.emitters, emitter, 1) >> 30 {
        case 0: light = environmentLight(bits)
        case 1:
            light = punctualLight(which, from: asker.position)
            light.radiance *= Exact.rcp(chance ?? float(.emitters, emitter, 2))
        default:
            let density = float(.emitters, emitter, 3)
            light = triangleLight(
                which, areaDensity: chance.map { $0 * density } ?? density,
                ReferenceRandom.unit(bits.x), ReferenceRandom.unit(bits.y), from: asker.position)
        }
        return largest(light.radiance) > 0 && light.distance != 0 ? light : nil
    }

    /// The emitter that `choice` falls on, and what chance the tree gave it; nil where it is in
    /// the table, which says so itself.
    private func chooseEmitter(
        _ choice: UInt32, _ asker: LightAsker
    ) -> (emitter: UInt32, chance: Float?) {
        var count = blob.count(.emitters)
        if let tree = lightTree {
            if choice >= tree.base {
                let found = tree.choose((choice - tree.base) >> 2, asker)
                return (found.emitter, tree.chance(found.chances))
            }
            count = tree.tableCount
        }
        // The first whose running total lies above the choice.
        let emitter = (0..<count - 1).first { word(.emitters, UInt32($0)) > choice } ?? count - 1
        return (UInt32(emitter), nil)
    }

    private func environmentLight(_ bits: (x: UInt32, y: UInt32)) -> LightSample {
        let drawn = drawEnvironment(bits)
        let density = drawn.density * header(BlobLayout.Word.environmentChance)
        return LightSample(
            direction: drawn.direction, distance: 0x1p100,
            radiance: Self.over(density, drawn.radiance), density: density)
    }

    /// Radiance over the density of the draw; none where the draw is too unlikely to divide by.
    private static func over(_ density: Float, _ radiance: SIMD3<Float>) -> SIMD3<Float> {
        density > 0x1p-30 ? radiance * Exact.rcp(density) : .zero
    }

    // MARK: - Punctual lights

    /// KHR_lights_punctual: intensity at a distance, with range and cone.
    private func punctualLight(_ index: UInt32, from position: SIMD3<Float>) -> LightSample {
        let kind = word(.lights, index)
        let axis = vector(.lights, index, 4)
        let intensity = vector(.lights, index, 7)
        if kind == Light.Kind.directional.rawValue {
            return LightSample(
                direction: negate(axis), distance: 0x1p100, radiance: intensity, density: 0)
        }
        let toward = vector(.lights, index, 1) - position
        let length = dot(toward, toward)
        let squared = length > 0x1p-60 ? length : 0x1p-60
        let over = Exact.rsqrt(squared)
        let direction = toward * over
        var attenuation = Exact.rcp(squared)
        let overRange = float(.lights, index, 10)
        if overRange > 0 {
            let q = squared * overRange * overRange
            let window = fma(-q, q, 1)
            attenuation *= window > 0 && q < 1 ? window : 0
        }
        if kind == Light.Kind.spot.rawValue {
            let cosine = -dot(axis, direction)
            let cone = fma(cosine, float(.lights, index, 11), float(.lights, index, 12))
            let limited: Float = cone < 0 ? 0 : (cone > 1 ? 1 : cone)
            attenuation *= limited * limited
        }
        return LightSample(
            direction: direction, distance: squared * over, radiance: intensity * attenuation,
            density: 0)
    }

    // MARK: - Triangles

    /// A point of an emissive triangle, uniform in area.
    private func triangleLight(
        _ primitive: UInt32, areaDensity: Float, _ first: Float, _ second: Float,
        from position: SIMD3<Float>
    ) -> LightSample {
        let triangle = triangle(primitive)
        let root = Exact.sqrt(first)
        let u = fma(-root, second, root)
        let v = root * second
        let a = self.position(triangle.a)
        let ab = self.position(triangle.b) - a
        let ac = self.position(triangle.c) - a
        let toward = fma(ac, v, fma(ab, u, a)) - position
        let length = dot(toward, toward)
        let squared = length > 0x1p-60 ? length : 0x1p-60
        let over = Exact.rsqrt(squared)
        let direction = toward * over
        let cosine = dot(normalize(cross(ab, ac)), direction).magnitude
        let density = cosine > 0x1p-20 ? Exact.div(areaDensity * squared, cosine) : 0
        let radiance = density == 0 ? .zero : emission(triangle, Place(u: u, v: v))
        return LightSample(
            // Short of the triangle itself, which would stand in its own light.
            direction: direction, distance: squared * over * 0x1.ffep-1,
            radiance: Self.over(density, radiance), density: density)
    }

    private func emission(_ triangle: Triangle, _ place: Place) -> SIMD3<Float> {
        let radiance = vector(.materials, triangle.material, MaterialWord.emissive.rawValue)
        guard let texel = materialTexel(triangle, .emissiveTexture, place) else { return radiance }
        return radiance * SIMD3(texel.x, texel.y, texel.z)
    }

    /// The light of a triangle that a ray met by chance; nil where it does not shine.
    func emittedRadiance(_ path: Path, _ meeting: Meeting) -> SIMD3<Float>? {
        let triangle = meeting.triangle
        guard flags(triangle) & BlobLayout.MaterialFlag.emissive != 0 else { return nil }
        var weight: Float = 1
        if path.density > 0 { weight = Self.balance(path.density, density(path, meeting)) }
        return path.throughput * emission(triangle, meeting.place) * weight
    }

    /// Density with which light sampling would have chosen this point of a triangle.
    private func density(_ path: Path, _ meeting: Meeting) -> Float {
        guard blob.count(.triangleEmitters) > 0 else { return 0 }
        let emitter = word(.triangleEmitters, meeting.hit.primitive)
        guard emitter != BlobLayout.emitterNone else { return 0 }
        let cosine = dot(path.direction, meeting.normal).magnitude
        guard cosine > 0x1p-20 else { return 0 }
        let distance = meeting.hit.distance
        let density = Exact.div(float(.emitters, emitter, 3) * distance * distance, cosine)
        guard let tree = lightTree else { return density }
        guard var asker = path.asker else { return 0 }
        // The path went on from a little off the surface that asked.
        asker.position = path.origin
        return density * tree.chance(tree.chances(word(.emitters, emitter), asker))
    }
}
