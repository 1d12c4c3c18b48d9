internal import Exact

/// KHR_materials_iridescence: reflectance under a thin film, by Belcour and Barla ("A Practical
/// Extension to Microfacet Theory for the Modeling of Varying Iridescence", 2017) in the form that
/// the extension gives it.
enum ReferenceFilm {
    /// At a cosine, over a base that reflects `headOn`; thickness in nanometres.
    static func reflectance(
        index: Float, thickness: Float, _ c: Float, headOn: SIMD3<Float>
    ) -> SIMD3<Float> {
        // A film that vanishes has the index of what lies over it.
        let t = unit(thickness * 0x1.0aaaaap5)
        let ior = fma(index - 1, t * t * fma(-2, t, 3), 1)
        let squared = fma(-Exact.div(fma(-c, c, 1), ior), Exact.rcp(ior), 1)
        if squared < 0 { return .one }
        let inside = Exact.sqrt(squared)
        let root = Exact.div(ior - 1, ior + 1)
        let upper = schlick(root * root, c)
        let upperPhase: Float = ior < 1 ? 0 : 0x1.921fb6p1
        var phase = SIMD3<Float>.zero
        var steady = SIMD3<Float>.zero
        var first = SIMD3<Float>.zero
        var second = SIMD3<Float>.zero
        for channel in 0..<3 {
            let lower = lowerSide(headOn[channel], ior, inside)
            phase[channel] = lower.phase + upperPhase
            let f = bothSides(upper, lower.reflectance)
            steady[channel] = f.steady
            first[channel] = f.wave * f.both
            second[channel] = first[channel] * f.both
        }
        let path = 2 * ior * thickness * inside
        let once = sensitivity(path, phase)
        let twice = sensitivity(2 * path, phase * 2)
        var sum = SIMD3<Float>.zero
        for channel in 0..<3 {
            let one = fma(2 * first[channel], once[channel], steady[channel])
            sum[channel] = unit(fma(2 * second[channel], twice[channel], one))
        }
        return sum
    }

    private static func unit(_ x: Float) -> Float { x > 0 ? (x < 1 ? x : 1) : 0 }

    private static func schlick(_ f0: Float, _ c: Float) -> Float {
        let m = c < 1 ? 1 - c : 0
        let m2 = m * m
        return fma(1 - f0, m2 * m2 * m, f0)
    }

    /// The film's lower side: reflectance, and how the phase turns there.
    private static func lowerSide(
        _ f0: Float, _ ior: Float, _ cosine: Float
    ) -> (reflectance: Float, phase: Float) {
        let root = Exact.sqrt(f0 < 0x1.fff2e4p-1 ? f0 : 0x1.fff2e4p-1)
        let below = Exact.div(1 + root, 1 - root)
        let amplitude = Exact.div(below - ior, below + ior)
        return (schlick(amplitude * amplitude, cosine), below < ior ? 0x1.921fb6p1 : 0)
    }

    /// Light that goes down and up between both sides.
    private static func bothSides(
        _ upper: Float, _ lower: Float
    ) -> (both: Float, steady: Float, wave: Float) {
        var product = upper * lower
        product = product < 0x1.4f8b58p-17 ? 0x1.4f8b58p-17 : product
        product = product > 0x1.fff2e4p-1 ? 0x1.fff2e4p-1 : product
        let through = 1 - upper
        let around = Exact.div(through * through * lower, 1 - product)
        return (Exact.sqrt(product), upper + around, around - through)
    }

    /// The eye's answer to light whose phase has turned by a path in nanometres, as linear
    /// Rec. 709.
    private static func sensitivity(_ path: Float, _ shift: SIMD3<Float>) -> SIMD3<Float> {
        func wave(_ shift: Float, _ amplitude: Float, _ frequency: Float, _ damp: Float) -> Float {
            amplitude * Exact.cos(fma(frequency, path, shift)) * Exact.exp(-(path * path * damp))
        }
        let y = wave(shift.y, 0x1.000e8ap0, 0x1.71a132p-7, 0x1.8a6b26p-22)
        let z = wave(shift.z, 0x1.00499p0, 0x1.c6ae88p-7, 0x1.1848d2p-22)
        let x =
            wave(shift.x, 0x1.b1743ep-1, 0x1.5a18c4p-7, 0x1.6ee85cp-23)
            + wave(shift.x, 0x1.3b1f4ep-3, 0x1.cd2adp-7, 0x1.7fe5bep-23)
        return [
            fma(x, 0x1.9ec734p1, fma(y, -0x1.8981e8p0, z * -0x1.fe7f04p-2)),
            fma(x, -0x1.f043a2p-1, fma(y, 0x1.e0423ep0, z * 0x1.546d4p-5)),
            fma(x, 0x1.c7d4aap-5, fma(y, -0x1.a1d854p-3, z * 0x1.0ea65p0)),
        ]
    }
}
