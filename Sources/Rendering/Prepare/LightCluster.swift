/// A light that has a place: what a ``LightTree`` is made of.
package struct PlacedLight {
    /// Which way lights shine.
    package enum Kind { case everywhere, surface, spot }

    /// Index among the emitters.
    package var emitter: Int
    package var kind: Kind
    package var low: SIMD3<Double>
    package var high: SIMD3<Double>
    /// Unit: a surface's normal, to both sides of which it shines, or a spot's direction.
    package var axis: SIMD3<Double> = .zero
    /// Cosine of the angle that a spot reaches.
    package var cosReach = 0.0
    /// Candela-like, where it shines brightest.
    package var intensity: Double

    var middle: SIMD3<Double> { (low + high) * 0.5 }

    /// A point or a spot; nil for a directional light, and for one that is nowhere.
    package init?(_ light: Light, emitter: Int) {
        let place = SIMD3<Double>(light.position)
        let isSomewhere = (0..<3).allSatisfy { place[$0].magnitude < Self.coordinateMax }
        guard light.kind != .directional, isSomewhere else { return nil }
        self.emitter = emitter
        low = place
        high = place
        intensity = RenderBlob.luminance(RenderBlob.tame(light.intensity))
        kind = .everywhere
        let direction = SIMD3<Double>(light.direction)
        let square = (direction * direction).sum()
        guard light.kind == .spot, square > 0.5, square < 2, light.cosOuter.magnitude <= 1
        else { return }
        kind = .spot
        axis = direction / square.squareRoot()
        cosReach = Double(light.cosOuter)
    }

    /// A triangle with corners `a`, `b` and `c`.
    package init(
        _ a: SIMD3<Double>, _ b: SIMD3<Double>, _ c: SIMD3<Double>, radiance: Double, emitter: Int
    ) {
        self.emitter = emitter
        kind = .surface
        low = a.replacing(with: b, where: b .< a)
        low = low.replacing(with: c, where: c .< low)
        high = a.replacing(with: b, where: b .> a)
        high = high.replacing(with: c, where: c .> high)
        let p = b - a
        let q = c - a
        let n = SIMD3<Double>(
            p.y * q.z - p.z * q.y, p.z * q.x - p.x * q.z, p.x * q.y - p.y * q.x)
        let length = (n * n).sum().squareRoot()
        intensity = radiance * length * 0.5
        if length > 0 { axis = n / length } else { kind = .everywhere }
    }

    /// Light from beyond comes to nothing.
    private static let coordinateMax = 0x1p44
}

/// Lights together: a ball around them and a cone around their directions, as kernels want them.
struct LightCluster {
    let count: Int
    let intensity: Double
    /// `everywhere` where kinds mix.
    private(set) var kind: PlacedLight.Kind
    let center: SIMD3<Double>
    let radius: Double
    /// Where the lights' middles are.
    let middleLow: SIMD3<Double>
    let middleHigh: SIMD3<Double>
    private(set) var axis = SIMD3<Double>.zero
    /// What to add to the cosine of an angle off the axis: for surfaces the sine of the cone's
    /// angle, for spots its chord less the cosine that they reach.
    private(set) var spread = 2.0

    init(_ lights: ArraySlice<PlacedLight>) {
        var low = SIMD3<Double>(repeating: .infinity)
        var high = -low
        var intensity = 0.0
        var along = SIMD3<Double>.zero
        var kind: PlacedLight.Kind?
        var middleLow = low
        var middleHigh = high
        for light in lights {
            low = low.replacing(with: light.low, where: light.low .< low)
            high = high.replacing(with: light.high, where: light.high .> high)
            let middle = light.middle
            middleLow = middleLow.replacing(with: middle, where: middle .< middleLow)
            middleHigh = middleHigh.replacing(with: middle, where: middle .> middleHigh)
            intensity += light.intensity
            let isTurned = light.kind == .surface && (along * light.axis).sum() < 0
            along += light.axis * (isTurned ? -light.intensity : light.intensity)
            kind = kind == nil || kind == light.kind ? light.kind : .everywhere
        }
        count = lights.count
        self.middleLow = middleLow
        self.middleHigh = middleHigh
        self.intensity = intensity
        self.kind = kind ?? .everywhere
        // As kernels read it; the ball is around that.
        center = SIMD3<Double>(SIMD3<Float>((low + high) * 0.5))
        let above = high - center
        let below = center - low
        let half = above.replacing(with: below, where: below .> above)
        radius = (half * half).sum().squareRoot() * (1 + 0x1p-20)
        if self.kind != .everywhere { narrow(lights, along) }
    }

    /// The cone around all directions, with an axis along `sum`.
    private mutating func narrow(
        _ lights: ArraySlice<PlacedLight>, _ sum: SIMD3<Double>
    ) {
        let length = (sum * sum).sum().squareRoot()
        axis = length > 0x1p-80 ? sum / length : lights[lights.startIndex].axis
        var cosSpread = 1.0
        var cosReach = 1.0
        for light in lights {
            let cosine = (light.axis * axis).sum()
            cosSpread = min(cosSpread, kind == .surface ? cosine.magnitude : cosine)
            cosReach = min(cosReach, light.cosReach)
        }
        switch kind {
        case .surface: spread = max(1 - cosSpread * cosSpread, 0).squareRoot()
        case .spot: spread = max(2 - 2 * cosSpread, 0).squareRoot() - cosReach
        case .everywhere: break
        }
    }
}
