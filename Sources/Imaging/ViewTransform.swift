public import Core
internal import Exact

/// How linear radiance becomes what a display shows. Every operation is one of ``Exact``'s, so a
/// picture's codes are the same on every machine.
public enum ViewTransform: String, CaseIterable, Sendable {
    /// Linear values, clipped at one and not encoded: data, as Blender's Raw shows it.
    case none
    /// Clipped at one: Blender's Standard.
    case standard
    /// Khronos PBR Neutral 1.0 (https://github.com/KhronosGroup/ToneMapping): a base colour lit by
    /// white light of one comes out as it is, and what is brighter loses its colour step by step.
    case pbrNeutral = "pbr-neutral"
    /// AgX after Troy Sobotka, with the Rec. 2020 primaries that Blender gave it, as Filament and
    /// three.js compute it: matrices in and out, and Benjamin Wrensch's polynomial of degree six
    /// for the curve (https://iolite-engine.com/blog_posts/minimal_agx_implementation).
    case agx

    /// Display light of a colour, each channel from 0 to 1.
    public func displayed(_ color: SIMD3<Float>) -> SIMD3<Float> {
        switch self {
        case .none, .standard: Self.clipped(color)
        case .pbrNeutral: Self.clipped(Self.neutral(color))
        case .agx: Self.clipped(AgX.displayed(color))
        }
    }

    /// Each channel's code for display: the nearest of 8-bit sRGB; without a view, of 8-bit linear
    /// values.
    public func codes8(_ image: ImageFloat, scale: Float) -> [UInt8] {
        var codes: [UInt8] = []
        codes.reserveCapacity(3 * image.pixels.count)
        for pixel in image.pixels {
            let shown = displayed(pixel * scale)
            for lane in 0..<3 {
                codes.append(
                    self == .none
                        ? UInt8((shown[lane] * 255).rounded(.toNearestOrEven))
                        : SRGB.code(shown[lane]))
            }
        }
        return codes
    }

    /// The same in 16 bits. Of sRGB the nearest code or its neighbour: the curve is computed.
    public func codes16(_ image: ImageFloat, scale: Float) -> [UInt16] {
        var codes: [UInt16] = []
        codes.reserveCapacity(3 * image.pixels.count)
        for pixel in image.pixels {
            let shown = displayed(pixel * scale)
            for lane in 0..<3 {
                let value = self == .none ? shown[lane] : SRGB.encoded(shown[lane])
                codes.append(UInt16((value * 65535).rounded(.toNearestOrEven)))
            }
        }
        return codes
    }

    private static func clipped(_ color: SIMD3<Float>) -> SIMD3<Float> {
        // NaN compares false and becomes zero.
        func clip(_ x: Float) -> Float { x > 0 ? (x < 1 ? x : 1) : 0 }
        return [clip(color.x), clip(color.y), clip(color.z)]
    }

    /// The published formula, with its constants' names.
    private static func neutral(_ color: SIMD3<Float>) -> SIMD3<Float> {
        let fresnel: Float = 0.04
        let startCompression: Float = 0.8 - fresnel
        let desaturation: Float = 0.15
        let least = color.min()
        let offset = least < 2 * fresnel ? least - 6.25 * (least * least) : fresnel
        let base = color - SIMD3(repeating: offset)
        let peak = base.max()
        guard peak >= startCompression else { return base }
        let range = 1 - startCompression
        let newPeak = 1 - Exact.div(range * range, peak + range - startCompression)
        let scaled = base * Exact.div(newPeak, peak)
        let white = 1 - Exact.div(1, desaturation * (peak - newPeak) + 1)
        return scaled * (1 - white) + SIMD3(repeating: newPeak * white)
    }
}

/// The AgX view: Rec. 709 in and out.
private enum AgX {
    private typealias Matrix = (SIMD3<Float>, SIMD3<Float>, SIMD3<Float>)

    // Columns, as published.
    private static let toRec2020: Matrix = (
        [0.6274, 0.0691, 0.0164], [0.3293, 0.9195, 0.0880], [0.0433, 0.0113, 0.8956]
    )
    private static let fromRec2020: Matrix = (
        [1.6605, -0.1246, -0.0182], [-0.5876, 1.1329, -0.1006], [-0.0728, -0.0083, 1.1187]
    )
    private static let inset: Matrix = (
        [0.856627153315983, 0.137318972929847, 0.11189821299995],
        [0.0951212405381588, 0.761241990602591, 0.0767994186031903],
        [0.0482516061458583, 0.101439036467562, 0.811302368396859]
    )
    private static let outset: Matrix = (
        [1.1271005818144368, -0.1413297634984383, -0.14132976349843826],
        [-0.11060664309660323, 1.157823702216272, -0.11060664309660294],
        [-0.016493938717834573, -0.016493938717834257, 1.2519364065950405]
    )
    /// log2 of 0.18, ten stops down and six and a half up.
    private static let evMin: Float = -12.47393
    private static let evMax: Float = 4.026069
    /// The curve's coefficients, from the power of six down.
    private static let curve: [Float] = [15.5, -40.14, 31.96, -6.868, 0.4298, 0.1191, -0.00232]
    private static let decoding: Float = 2.2

    static func displayed(_ color: SIMD3<Float>) -> SIMD3<Float> {
        let wide = product(inset, product(toRec2020, color))
        let curved = SIMD3(shaped(wide.x), shaped(wide.y), shaped(wide.z))
        let out = product(outset, curved)
        let linear = SIMD3(decoded(out.x), decoded(out.y), decoded(out.z))
        return product(fromRec2020, linear)
    }

    /// Stops around middle grey, from 0 to 1, through the curve.
    private static func shaped(_ value: Float) -> Float {
        let stops = Exact.log2(value > 1e-10 ? value : 1e-10)
        let place = Exact.div(stops - evMin, evMax - evMin)
        let inside = min(max(place, 0), 1)
        return curve.reduce(0) { $1.addingProduct($0, inside) }
    }

    private static func decoded(_ value: Float) -> Float {
        value > 0 ? Exact.pow(value, decoding) : 0
    }

    private static func product(_ m: Matrix, _ v: SIMD3<Float>) -> SIMD3<Float> {
        (m.0 * v.x + m.1 * v.y) + m.2 * v.z
    }
}

extension PNG {
    /// Encodes linear RGB, exposed by `scale` and seen through `view`.
    ///
    /// - Parameter bits: a channel's, 8 or 16.
    public static func encode(
        _ image: ImageFloat, view: ViewTransform = .standard, scale: Float = 1, bits: Int = 8
    ) throws(Failure) -> Bytes {
        guard bits == 16 else {
            return try encode(
                width: image.width, height: image.height,
                pixels: view.codes8(image, scale: scale))
        }
        return try encode(
            width: image.width, height: image.height, pixels16: view.codes16(image, scale: scale))
    }
}
