internal import Exact

/// Rays against every triangle, one by one: docs/formats.md 1.7a.
extension ReferenceTracer {
    /// A triangle that rays can hit.
    struct Target: Sendable {
        /// Its place among those stored.
        var primitive: UInt32
        var corner: WideBvh.Corner
        /// The triangle's own padded box.
        var low: SIMD3<Float>
        var high: SIMD3<Float>
        /// Whether the camera sees the front alone.
        var isSingleSided: Bool
        /// Whether a hit must ask the material for its alpha.
        var hasAlpha: Bool
    }

    /// The triangles of each instance, the world first; those of one mesh are made once.
    static func targets(_ blob: RenderBlob) -> [[Target]] {
        typealias Word = BlobLayout.InstanceWord
        let pad = Float(bitPattern: blob.words[BlobLayout.Word.pad])
        guard blob.count(.instances) > 0 else {
            return [targets(blob, 0..<blob.count(.triangles), pad: pad)]
        }
        var made: [UInt32: [Target]] = [:]
        return (0..<blob.count(.instances)).map { index in
            let record = blob.offset(.instances) + index * BlobLayout.Section.instances.stride
            let first = blob.words[record + Word.first]
            let pad = Float(bitPattern: blob.words[record + Word.pad])
            if index > 0, let known = made[first] { return known }
            let range = Int(first)..<Int(first + blob.words[record + Word.count])
            let targets = targets(blob, range, pad: pad)
            if index > 0 { made[first] = targets }
            return targets
        }
    }

    private static func targets(
        _ blob: RenderBlob, _ range: Range<Int>, pad: Float
    ) -> [Target] {
        typealias Flag = BlobLayout.MaterialFlag
        func words(_ section: BlobLayout.Section, _ index: Int) -> ArraySlice<UInt32> {
            blob.words[(blob.offset(section) + index * section.stride)...].prefix(section.stride)
        }
        func position(_ vertex: UInt32) -> SIMD3<Float> {
            SIMD3(words(.vertices, Int(vertex)).prefix(3).map { Float(bitPattern: $0) })
        }
        return range.compactMap { index in
            let triangle = Array(words(.triangles, index))
            let corner = WideBvh.Corner(
                position(triangle[0]), position(triangle[1]), position(triangle[2]),
                word: UInt32(index))
            guard let corner else { return nil }
            let material = Array(words(.materials, Int(triangle[3])))
            let (b, c) = (corner.origin + corner.edge1, corner.origin + corner.edge2)
            return Target(
                primitive: UInt32(index), corner: corner,
                low: pointwiseMin(corner.origin, pointwiseMin(b, c)) - pad,
                high: pointwiseMax(corner.origin, pointwiseMax(b, c)) + pad,
                isSingleSided: material[12] & Flag.doubleSided == 0
                    && Float(bitPattern: material[6]) == 0,
                hasAlpha: material[12] & (Flag.mask | Flag.blend) != 0)
        }
    }

    /// What a ray meets: the least (distance, primitive), and whose triangle that is.
    struct Hit {
        var found = RayCaster.Hit.none
        var instance: UInt32 = 0
    }

    /// The least (distance, primitive) along a path's ray.
    func closest(_ path: Path, depth: Int) -> Hit {
        let alphaKey = ReferenceRandom.bits(
            key: path.key, sample: path.sample, ReferenceRandom.Dimension.alpha.at(depth: depth))
        var best = Hit()
        for (index, targets) in targets.enumerated() {
            let instance = UInt32(index)
            let ray = ray(path.origin, path.direction, in: instance)
            let shift = shift(of: instance)
            for target in targets {
                let number = target.primitive &+ shift
                let distance = ray.distance(
                    to: target, before: best.found.distance, isCamera: depth == 0,
                    letsThrough: { passesThrough(target.primitive, number, $0, $1, alphaKey) })
                // Targets come in order, so of equal distances the lower number is kept.
                guard let distance, distance < best.found.distance else { continue }
                best = Hit(
                    found: RayCaster.Hit(distance: distance, primitive: number),
                    instance: instance)
            }
        }
        return best
    }

    /// What ``RayCaster`` must find for a ray.
    package func closest(_ ray: RayCaster.Ray) -> RayCaster.Hit {
        let path = Path(
            key: 0, sample: 0, origin: ray.origin, direction: ray.direction, coneWidth: 0,
            coneSpread: 0)
        return closest(path, depth: 1).found
    }

    /// Whether anything stands between a surface and the light `distance` away.
    func isOccluded(
        _ path: Path, from origin: SIMD3<Float>, along direction: SIMD3<Float>, distance: Float,
        depth: Int
    ) -> Bool {
        let alphaKey = ReferenceRandom.bits(
            key: path.key, sample: path.sample,
            ReferenceRandom.Dimension.shadowAlpha.at(depth: depth))
        return targets.enumerated().contains { index, targets in
            let instance = UInt32(index)
            let ray = ray(origin, direction, in: instance)
            let shift = shift(of: instance)
            return targets.contains { target in
                ray.distance(
                    to: target, before: distance, isCamera: false,
                    letsThrough: {
                        passesThrough(
                            target.primitive, target.primitive &+ shift, $0, $1, alphaKey)
                    }) != nil
            }
        }
    }

    /// A ray in an instance's space, with where it is in the instance's box.
    private func ray(
        _ origin: SIMD3<Float>, _ direction: SIMD3<Float>, in instance: UInt32
    ) -> Ray {
        let outside = Ray(origin: origin, direction: direction)
        guard instance > 0 else { return outside }
        typealias Word = BlobLayout.InstanceWord
        let interval = outside.interval(
            vector(.instances, instance, Word.low), vector(.instances, instance, Word.high))
        var ray = Ray(
            origin: moved(origin, by: Word.toMesh, of: instance),
            direction: turned(direction, by: Word.toMesh, of: instance))
        (ray.near, ray.far) = interval
        return ray
    }

    private struct Ray {
        let origin: SIMD3<Float>
        let direction: SIMD3<Float>
        /// 1 / direction, components below 1e-18 taken as ±1e-18.
        let inverse: SIMD3<Float>
        let shifted: SIMD3<Float>
        /// Where it may hit anything.
        var near: Float = -0x1p127
        var far: Float = 0x1p127

        init(origin: SIMD3<Float>, direction: SIMD3<Float>) {
            self.origin = origin
            self.direction = direction
            inverse = [
                Self.safeInverse(direction.x), Self.safeInverse(direction.y),
                Self.safeInverse(direction.z),
            ]
            shifted = negate(origin * inverse)
        }

        /// Where the ray hits `target` no farther than `limit`, by Möller and Trumbore.
        func distance(
            to target: Target, before limit: Float, isCamera: Bool,
            letsThrough: (_ u: Float, _ v: Float) -> Bool
        ) -> Float? {
            let corner = target.corner
            let determinant = dot(corner.normal, direction)
            let sign: Float = determinant < 0 ? -1 : 1
            let size = determinant * sign
            let toward = corner.origin - origin
            let r = cross(toward, direction)
            let u = sign * dot(r, corner.edge2)
            let v = -sign * dot(r, corner.edge1)
            let scaled = sign * dot(corner.normal, toward)
            guard size > 0, u >= 0, v >= 0, u + v <= size, scaled > 0 else { return nil }
            let distance = Self.quotient(scaled, size)
            guard near <= distance, distance <= far, distance <= limit,
                isInBox(target, distance)
            else { return nil }
            // The camera does not see the back of a single-sided surface (glTF 2.0, 3.9.7).
            if isCamera, target.isSingleSided, determinant > 0 { return nil }
            if target.hasAlpha, letsThrough(Self.quotient(u, size), Self.quotient(v, size)) {
                return nil
            }
            return distance
        }

        /// Where the ray is in a box.
        func interval(_ low: SIMD3<Float>, _ high: SIMD3<Float>) -> (near: Float, far: Float) {
            var (near, far) = (-Float.infinity, Float.infinity)
            for axis in 0..<3 {
                let a = fma(low[axis], inverse[axis], shifted[axis])
                let b = fma(high[axis], inverse[axis], shifted[axis])
                let (n, f) = (a < b ? a : b, a > b ? a : b)
                near = near > n ? near : n
                far = far < f ? far : f
            }
            return (near, far)
        }

        /// Whether `distance` lies where the ray is in the target's padded box.
        private func isInBox(_ target: Target, _ distance: Float) -> Bool {
            (0..<3).allSatisfy { axis in
                let a = fma(target.low[axis], inverse[axis], shifted[axis])
                let b = fma(target.high[axis], inverse[axis], shifted[axis])
                return (a < b ? a : b) <= distance && distance <= (a > b ? a : b)
            }
        }

        /// Near numerator / denominator for a denominator above zero: an integer guess, Newton
        /// steps, one correction.
        private static func quotient(_ numerator: Float, _ denominator: Float) -> Float {
            var r = Float(bitPattern: 0x7ef3_11c7 &- denominator.bitPattern)
            for _ in 0..<3 { r = fma(r, fma(-denominator, r, 1), r) }
            let q = numerator * r
            return fma(fma(-denominator, q, numerator), r, q)
        }

        private static func safeInverse(_ d: Float) -> Float {
            let inverse = quotient(1, d.magnitude < 1e-18 ? 1e-18 : d.magnitude)
            return d < 0 ? -inverse : inverse
        }
    }

    // MARK: - Coverage

    /// Whether a ray goes on through a hit at (`u`, `v`): by mask, or by chance, of the finest
    /// texels.
    private func passesThrough(
        _ stored: UInt32, _ primitive: UInt32, _ u: Float, _ v: Float, _ alphaKey: UInt32
    ) -> Bool {
        let triangle = triangle(stored)
        let color = vertexColor(triangle, u, v)
        let texel = materialTexel(triangle, .baseTexture, Place(u: u, v: v))
        let alpha = texel.map { color.w * $0.w } ?? color.w
        if flags(triangle) & BlobLayout.MaterialFlag.mask != 0 {
            return alpha < float(.materials, triangle.material, MaterialWord.cutoff.rawValue)
        }
        return ReferenceRandom.unit(ReferenceRandom.hash(alphaKey, primitive)) >= alpha
    }
}
