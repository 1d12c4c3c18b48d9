internal import Exact

/// What a ray meets, and where it goes from there.
extension ReferenceTracer {
    /// A ray's triangle, and where it meets it.
    struct Meeting {
        var hit: RayCaster.Hit
        var triangle: Triangle
        var place: Place
        /// Of the path's cone.
        var coneWidth: Float
        /// The triangle's normal, toward the viewer.
        var normal: SIMD3<Float>
        var position: SIMD3<Float>
        /// 1 where the viewer sees the front, else −1.
        var side: Float
    }

    func meeting(_ path: Path, _ hit: RayCaster.Hit, depth: Int) -> Meeting {
        let triangle = triangle(hit.primitive)
        let a = position(triangle.a)
        let ab = position(triangle.b) - a
        let ac = position(triangle.c) - a
        let normal = cross(ab, ac)
        let r = cross(a - path.origin, path.direction)
        let over = Exact.rcp(dot(normal, path.direction))
        let u = dot(r, ac) * over
        let v = -dot(r, ab) * over
        let side: Float = over < 0 ? 1 : -1
        let width = fma(path.coneSpread, hit.distance, path.coneWidth)
        let choice = ReferenceRandom.bits(
            key: path.key, sample: path.sample, ReferenceRandom.Dimension.texture.at(depth: depth))
        let place = Place(
            u: u, v: v, cone: width * width * over.magnitude,
            choice: ReferenceRandom.unit(choice))
        return Meeting(
            hit: hit, triangle: triangle, place: place, coneWidth: width,
            normal: normalize(normal) * side, position: fma(ac, v, fma(ab, u, a)), side: side)
    }

    /// A surface as the path sees it.
    struct Surface {
        var position: SIMD3<Float>
        /// The triangle's normal, toward the viewer.
        var normal: SIMD3<Float>
        /// Around the shading normal.
        var frame: ReferenceFrame
        /// Toward the viewer, in the frame.
        var wo: SIMD3<Float>
        var bsdf: ReferenceBsdf
    }

    func surface(_ path: Path, _ m: Meeting) -> Surface {
        let triangle = m.triangle
        func texel(_ word: MaterialWord) -> SIMD4<Float> {
            materialTexel(triangle, word, m.place) ?? .one
        }
        let color = flushed(vertexColor(triangle, m.place.u, m.place.v) * texel(.baseTexture))
        let rough = texel(.roughnessTexture)
        let roughness = materialFloat(triangle, .roughness) * rough.y
        let alpha = roughness * roughness
        let ior = materialFloat(triangle, .ior)
        let isThin = flags(triangle) & BlobLayout.MaterialFlag.thin != 0
        let toViewer = negate(path.direction)
        let frame = ReferenceFrame(around: shadingNormal(m, toViewer: toViewer))
        let wo = frame.toLocal(toViewer)
        let bsdf = ReferenceBsdf(
            base: color,
            metallic: materialFloat(triangle, .metallic) * rough.z,
            alpha: alpha > 0x1p-10 ? alpha : 0x1p-10,
            transmission: materialFloat(triangle, .transmission) * texel(.transmissionTexture).x,
            f0: materialFloat(triangle, .f0),
            eta: isThin || m.side > 0 ? ior : Exact.rcp(ior),
            isThin: isThin, viewedAt: wo.z)
        return Surface(position: m.position, normal: m.normal, frame: frame, wo: wo, bsdf: bsdf)
    }

    /// Colour without the tiniest values, at most one.
    private func flushed(_ color: SIMD4<Float>) -> SIMD3<Float> {
        var color = flush(SIMD3(color.x, color.y, color.z))
        for channel in 0..<3 where color[channel] > 1 { color[channel] = 1 }
        return color
    }

    /// Interpolated, bent by the normal map, and never facing away from the viewer.
    private func shadingNormal(_ m: Meeting, toViewer: SIMD3<Float>) -> SIMD3<Float> {
        let t = m.triangle
        var n = m.normal
        let smooth = blend(
            vector(.vertices, t.a, 3), vector(.vertices, t.b, 3), vector(.vertices, t.c, 3),
            m.place.u, m.place.v)
        if dot(smooth, smooth) > 0x1p-20 { n = normalize(smooth) * m.side }
        if let texel = materialTexel(t, .normalTexture, m.place),
            let mapped = mappedNormal(m, n, texel)
        {
            n = mapped
        }
        let facing = dot(n, toViewer)
        if facing < 0x1p-6 { n = normalize(fma(toViewer, 0x1p-6 - facing, n)) }
        return n
    }

    /// `n` bent by a normal map's texel; nil where the triangle has no tangent.
    private func mappedNormal(
        _ m: Meeting, _ n: SIMD3<Float>, _ texel: SIMD4<Float>
    ) -> SIMD3<Float>? {
        guard blob.count(.tangents) > 0 else { return nil }
        let t = m.triangle
        let tangent = blend(
            vector4(.tangents, t.a), vector4(.tangents, t.b), vector4(.tangents, t.c),
            m.place.u, m.place.v)
        let along = SIMD3(tangent.x, tangent.y, tangent.z)
        let flat = fma(n, -dot(n, along), along)
        guard dot(flat, flat) > 0x1p-20 else { return nil }
        let x = normalize(flat)
        let y = cross(n, x) * (tangent.w * m.side < 0 ? -1 : 1)
        let scale = materialFloat(t, .normalScale)
        let mx = fma(texel.x, 2, -1) * scale
        let my = fma(texel.y, 2, -1) * scale
        let mz = fma(texel.z, 2, -1)
        let mapped = fma(x, mx, fma(y, my, n * mz))
        return dot(mapped, mapped) > 0x1p-20 ? normalize(mapped) : nil
    }

    // MARK: - Scattering

    /// The light that was asked, as the surface sends it on to the viewer; nil where something
    /// stands between, or nothing comes of it.
    func arrivingRadiance(
        _ light: LightSample, at surface: Surface, _ path: Path, depth: Int
    ) -> SIMD3<Float>? {
        let wi = surface.frame.toLocal(light.direction)
        guard let f = evaluate(surface, light.direction, wi) else { return nil }
        let weight = light.density > 0 ? Self.balance(light.density, f.density) : 1
        let radiance = path.throughput * f.color * light.radiance * weight
        guard largest(radiance) > 0x1p-40 else { return nil }
        let isShadowed = isOccluded(
            path, from: leave(surface, light.direction), along: light.direction,
            distance: light.distance, depth: depth)
        return isShadowed ? nil : radiance
    }

    /// Chooses the path's next ray; false where it ends.
    func scatter(_ path: inout Path, at surface: Surface, depth: Int) -> Bool {
        func pair(_ dimension: ReferenceRandom.Dimension) -> (x: UInt32, y: UInt32) {
            ReferenceRandom.pair(
                key: path.key, sample: path.sample, dimension.at(depth: depth))
        }
        let bits = pair(.bsdf)
        let wi = surface.bsdf.sample(
            surface.wo, [ReferenceRandom.unit(bits.x), ReferenceRandom.unit(bits.y)],
            choice: ReferenceRandom.unit(pair(.choice).y))
        guard let wi else { return false }
        let direction = surface.frame.toWorld(wi)
        guard let f = evaluate(surface, direction, wi), f.density > 0x1p-30 else { return false }
        var throughput = flush(path.throughput * f.color * Exact.rcp(f.density))
        let most = largest(throughput)
        guard most > 0 else { return false }
        // Russian roulette with the square root of the throughput, from the second bounce on.
        if depth > 0, most < 1 {
            let chance = Exact.sqrt(most)
            let roulette = ReferenceRandom.bits(
                key: path.key, sample: path.sample,
                ReferenceRandom.Dimension.roulette.at(depth: depth))
            if ReferenceRandom.unit(roulette) >= chance { return false }
            throughput *= Exact.rcp(chance)
        }
        path.origin = leave(surface, direction)
        path.direction = normalize(direction)
        path.throughput = throughput
        path.density = f.density
        // The cone grows as wide as a sample's share of what the surface sends out.
        let spread = Exact.rsqrt(f.density) * 0x1p-3
        path.coneSpread = max(path.coneSpread, min(spread, 0x1p-1))
        return true
    }

    /// The surface's function, where both normals agree on the side.
    private func evaluate(
        _ surface: Surface, _ direction: SIMD3<Float>, _ wi: SIMD3<Float>
    ) -> ReferenceBsdf.Value? {
        guard (wi.z > 0) == (dot(direction, surface.normal) > 0) else { return nil }
        return surface.bsdf.evaluate(surface.wo, wi)
    }

    /// Where a ray leaves a surface: a little off it, on the side it goes to.
    private func leave(_ surface: Surface, _ direction: SIMD3<Float>) -> SIMD3<Float> {
        let offset = header(BlobLayout.Word.offset)
        let toward = dot(direction, surface.normal) < 0 ? -offset : offset
        return fma(surface.normal, toward, surface.position)
    }
}
