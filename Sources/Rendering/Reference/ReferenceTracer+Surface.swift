internal import Exact

/// What a ray meets, and where it goes from there.
extension ReferenceTracer {
    /// A ray's triangle, and where it meets it.
    struct Meeting {
        var distance: Float
        /// The triangle's place among those stored.
        var stored: UInt32
        var instance: UInt32
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

    func meeting(_ path: Path, _ hit: Hit, depth: Int) -> Meeting {
        let stored = hit.found.primitive &- shift(of: hit.instance)
        let triangle = triangle(stored)
        let (a, ab, ac) = edges(triangle, hit.instance)
        let handedness = handedness(of: hit.instance)
        let normal = cross(ab, ac)
        let over = Exact.rcp(dot(normal, path.direction))
        let (u, v) = barycentrics(triangle, hit.instance, path.origin, path.direction)
        let side: Float = over * handedness < 0 ? 1 : -1
        let width = fma(path.coneSpread, hit.found.distance, path.coneWidth)
        let choice = ReferenceRandom.bits(
            key: path.key, sample: path.sample, ReferenceRandom.Dimension.texture.at(depth: depth))
        let place = Place(
            u: u, v: v, cone: width * width * over.magnitude,
            choice: ReferenceRandom.unit(choice))
        return Meeting(
            distance: hit.found.distance, stored: stored, instance: hit.instance,
            triangle: triangle, place: place, coneWidth: width,
            normal: normalize(normal * handedness) * side,
            position: fma(ac, v, fma(ab, u, a)), side: side)
    }

    /// A corner in the world, and the edges from it.
    private func edges(
        _ triangle: Triangle, _ instance: UInt32
    ) -> (a: SIMD3<Float>, ab: SIMD3<Float>, ac: SIMD3<Float>) {
        let a = corner(triangle.a, of: instance)
        return (a, corner(triangle.b, of: instance) - a, corner(triangle.c, of: instance) - a)
    }

    /// Where a ray from `origin` meets a triangle.
    private func barycentrics(
        _ triangle: Triangle, _ instance: UInt32, _ origin: SIMD3<Float>,
        _ direction: SIMD3<Float>
    ) -> (u: Float, v: Float) {
        let (a, ab, ac) = edges(triangle, instance)
        let r = cross(a - origin, direction)
        let over = Exact.rcp(dot(cross(ab, ac), direction))
        return (dot(r, ac) * over, -dot(r, ab) * over)
    }

    /// The same place as the ray finds it once more from the surface itself, as it does for the
    /// layers: nearer, it rounds otherwise.
    private func again(_ m: Meeting, _ path: Path) -> Meeting {
        var m = m
        (m.place.u, m.place.v) = barycentrics(
            m.triangle, m.instance, m.position, path.direction)
        return m
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
        /// Coat and sheen; nil for glTF's core.
        var layers: ReferenceLayers?
        var interface: Interface?
        /// The part of light that an interface of no index lets by as it came.
        var straight: Float = 0
        /// Of a dispersive solid.
        var band: Int?
        /// Whether light from behind may come through, as far as the choice of a light knows.
        var isOpen: Bool
    }

    func surface(_ path: Path, _ m: Meeting) -> Surface {
        let triangle = m.triangle
        func texel(_ word: MaterialWord) -> SIMD4<Float> {
            materialTexel(triangle, word, m.place) ?? .one
        }
        let rough = texel(.roughnessTexture)
        let roughness = materialFloat(triangle, .roughness) * rough.y
        let interface = interface(m)
        let index = interface.map { relativeIndex($0, path) } ?? materialFloat(triangle, .ior)
        let isLayered = flags(triangle) & BlobLayout.MaterialFlag.layered != 0
        let nearby = isLayered ? again(m, path) : m
        let band = isLayered ? band(m, path, eta: index) : nil
        let bsdf = ReferenceBsdf(
            base: flushed(
                vertexColor(triangle, m.place.u, m.place.v) * texel(.baseTexture)),
            metallic: materialFloat(triangle, .metallic) * rough.z,
            alpha: (isLayered ? glossyAlpha(nearby) : nil) ?? Self.squared(roughness),
            transmission: materialFloat(triangle, .transmission) * texel(.transmissionTexture).x,
            f0: materialFloat(triangle, .f0), eta: band?.eta ?? index,
            isThin: flags(triangle) & BlobLayout.MaterialFlag.thin != 0)
        let toViewer = negate(path.direction)
        let normal = shadingNormal(
            m, toViewer: toViewer, map: .normalTexture, scale: .normalScale)
        let frame = ReferenceFrame(around: normal)
        var surface = Surface(
            position: m.position, normal: m.normal, frame: frame, wo: frame.toLocal(toViewer),
            bsdf: bsdf, interface: interface, band: band?.band,
            isOpen: isLayered || bsdf.transmission > 0)
        if isLayered {
            let (extra, tangent) = extra(nearby, alpha: bsdf.alpha, normal: normal)
            surface.bsdf.extra = extra
            surface.frame = ReferenceFrame(around: normal, along: tangent)
            surface.wo = surface.frame.toLocal(toViewer)
            surface.layers = layers(nearby, toViewer, normal: normal)
        }
        takeOutStraight(&surface)
        surface.bsdf = surface.bsdf.seen(at: surface.wo.z)
        return surface
    }

    /// Between two solids of one index a part of the light goes on straight; the rest meets the
    /// surface without its clear part.
    private func takeOutStraight(_ surface: inout Surface) {
        guard surface.interface != nil, surface.bsdf.eta == 1 else { return }
        let metallic = surface.bsdf.metallic
        surface.straight = (1 - metallic) * surface.bsdf.transmission
        let share = surface.straight < 1 ? Exact.div(metallic, 1 - surface.straight) : 0
        surface.bsdf.metallic = share < 1 ? share : 1
        surface.bsdf.transmission = 0
        surface.bsdf.f0 = 0
        surface.bsdf.extra?.specular = .zero
    }

    /// Colour without the tiniest values, at most one.
    private func flushed(_ color: SIMD4<Float>) -> SIMD3<Float> {
        var color = flush(SIMD3(color.x, color.y, color.z))
        for channel in 0..<3 where color[channel] > 1 { color[channel] = 1 }
        return color
    }

    /// Interpolated, bent by a normal map, and never facing away from the viewer.
    func shadingNormal(
        _ m: Meeting, toViewer: SIMD3<Float>, map: MaterialWord, scale: MaterialWord
    ) -> SIMD3<Float> {
        let t = m.triangle
        var n = m.normal
        let smooth = blend(
            normal(t.a, of: m.instance), normal(t.b, of: m.instance),
            normal(t.c, of: m.instance), m.place.u, m.place.v)
        if dot(smooth, smooth) > 0x1p-20 { n = normalize(smooth) * m.side }
        if let texel = materialTexel(t, map, m.place), let axes = tangentAxes(m, n) {
            let scale = materialFloat(t, scale)
            let mx = fma(texel.x, 2, -1) * scale
            let my = fma(texel.y, 2, -1) * scale
            let mz = fma(texel.z, 2, -1)
            let mapped = fma(axes.x, mx, fma(axes.y, my, n * mz))
            if dot(mapped, mapped) > 0x1p-20 { n = normalize(mapped) }
        }
        let facing = dot(n, toViewer)
        if facing < 0x1p-6 { n = normalize(fma(toViewer, 0x1p-6 - facing, n)) }
        return n
    }

    /// Tangent and bitangent at right angles to `n`; nil where the triangle has no tangent.
    func tangentAxes(
        _ m: Meeting, _ n: SIMD3<Float>
    ) -> (x: SIMD3<Float>, y: SIMD3<Float>)? {
        guard blob.count(.tangents) > 0 else { return nil }
        let t = m.triangle
        let tangent = blend(
            tangent(t.a, of: m.instance), tangent(t.b, of: m.instance),
            tangent(t.c, of: m.instance), m.place.u, m.place.v)
        let along = SIMD3(tangent.x, tangent.y, tangent.z)
        let flat = fma(n, -dot(n, along), along)
        guard dot(flat, flat) > 0x1p-20 else { return nil }
        let x = normalize(flat)
        return (x, cross(n, x) * (tangent.w * m.side < 0 ? -1 : 1))
    }

    // MARK: - Scattering

    /// The light that was asked, as the surface sends it on to the viewer; nil where something
    /// stands between, or nothing comes of it.
    func arrivingRadiance(
        _ light: LightSample, at surface: Surface, _ path: Path, depth: Int
    ) -> SIMD3<Float>? {
        let wi = surface.frame.toLocal(light.direction)
        guard let f = evaluate(surface, path, light.direction, wi) else { return nil }
        let own = f.density * (1 - surface.straight)
        let share = light.density > 0 ? Self.balance(light.density, own) : 1
        let weight = share * (1 - surface.straight)
        let medium =
            wi.z > 0
            ? medium(before: surface.interface, path) : medium(after: surface.interface, path)
        let radiance = limited(
            path.throughput * f.color * light.radiance * weight
                * transmittance(medium, light.distance), isIndirect: depth > 0)
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
        var choice = ReferenceRandom.unit(pair(.choice).y)
        if choice < surface.straight {
            path.origin = leave(surface, path.direction)
            path.density = 0
            goThrough(surface.interface, &path)
            return true
        }
        choice = Exact.div(choice - surface.straight, 1 - surface.straight)
        let bits = pair(.bsdf)
        let u = SIMD2(ReferenceRandom.unit(bits.x), ReferenceRandom.unit(bits.y))
        guard let wi = sample(surface, u, choice: choice) else { return false }
        let direction = surface.frame.toWorld(wi)
        guard let f = evaluate(surface, path, direction, wi), f.density > 0x1p-30 else {
            return false
        }
        let density = f.density * (1 - surface.straight)
        let throughput = flush(path.throughput * f.color * Exact.rcp(f.density))
        guard let survivor = survivor(path, throughput, depth: depth) else { return false }
        path.throughput = survivor
        path.origin = leave(surface, direction)
        path.direction = normalize(direction)
        path.density = density
        // The cone grows as wide as a sample's share of what the surface sends out.
        let spread = Exact.rsqrt(density) * 0x1p-3
        path.coneSpread = max(path.coneSpread, min(spread, 0x1p-1))
        if wi.z < 0 {
            goThrough(surface.interface, &path)
            if surface.band != nil { path.isBandChosen = true }
        }
        return true
    }

    /// Russian roulette with the square root of the throughput, from the second bounce on.
    private func survivor(
        _ path: Path, _ throughput: SIMD3<Float>, depth: Int
    ) -> SIMD3<Float>? {
        let most = largest(throughput)
        guard most > 0 else { return nil }
        guard depth > 0, most < 1 else { return throughput }
        let chance = Exact.sqrt(most)
        let roulette = ReferenceRandom.bits(
            key: path.key, sample: path.sample, ReferenceRandom.Dimension.roulette.at(depth: depth))
        return ReferenceRandom.unit(roulette) < chance ? throughput * Exact.rcp(chance) : nil
    }

    private func sample(
        _ surface: Surface, _ u: SIMD2<Float>, choice: Float
    ) -> SIMD3<Float>? {
        guard let layers = surface.layers else {
            return surface.bsdf.sample(surface.wo, u, choice: choice)
        }
        return layers.sample(surface.bsdf, surface.frame, surface.wo, u, choice: choice)
    }

    /// The surface's function, where both normals agree on the side.
    private func evaluate(
        _ surface: Surface, _ path: Path, _ direction: SIMD3<Float>, _ wi: SIMD3<Float>
    ) -> ReferenceBsdf.Value? {
        guard (wi.z > 0) == (dot(direction, surface.normal) > 0) else { return nil }
        guard let layers = surface.layers else { return surface.bsdf.evaluate(surface.wo, wi) }
        var value = layers.evaluate(surface.bsdf, surface.wo, wi, direction)
        // A refraction leaves one band of the three, which stands for all.
        if let band = surface.band, wi.z <= 0, !path.isBandChosen {
            for channel in 0..<3 {
                value.color[channel] = channel == band ? value.color[channel] * 3 : 0
            }
        }
        return value
    }

    /// Where a ray leaves a surface: a little off it, on the side it goes to.
    private func leave(_ surface: Surface, _ direction: SIMD3<Float>) -> SIMD3<Float> {
        let offset = header(BlobLayout.Word.offset)
        let toward = dot(direction, surface.normal) < 0 ? -offset : offset
        return fma(surface.normal, toward, surface.position)
    }
}
