import Core
import Digest
import Imaging
import Testing

@Suite struct ViewTransformTests {
    /// Colour, then display light of PBR Neutral and of AgX: the published formulas, computed in
    /// binary64.
    static let known: [(SIMD3<Float>, SIMD3<Float>, SIMD3<Float>)] = [
        ([0, 0, 0], [0, 0, 0], [0, 0, 0]),
        ([0.18, 0.18, 0.18], [0.14, 0.14, 0.14], [0.214549, 0.214502, 0.214499]),
        ([0.5, 0.25, 0.02], [0.4825, 0.2325, 0.0025], [0.441964, 0.266772, 0.076123]),
        ([1, 1, 1], [0.869091, 0.869091, 0.869091], [0.590229, 0.590136, 0.590102]),
        ([4, 0.5, 0.1], [0.983256, 0.382473, 0.313812], [0.986347, 0.524875, 0.354265]),
        ([0, 0, 30], [0.811506, 0.811506, 0.998046], [0.720293, 0.834795, 1]),
        ([1000, 900, 800], [0.999942, 0.999279, 0.998617], [0.996978, 0.996879, 0.996779]),
        ([0.03, 0.9, 0.2], [0.010052, 0.838032, 0.171842], [0.232702, 0.55931, 0.271022]),
    ]

    private func difference(_ a: SIMD3<Float>, _ b: SIMD3<Float>) -> Float {
        let d = a - b
        return max(d.x.magnitude, d.y.magnitude, d.z.magnitude)
    }

    @Test(arguments: known)
    func formulas(color: SIMD3<Float>, neutral: SIMD3<Float>, agx: SIMD3<Float>) {
        #expect(difference(ViewTransform.pbrNeutral.displayed(color), neutral) < 2e-6)
        #expect(difference(ViewTransform.agx.displayed(color), agx) < 2e-6)
        let clipped = color.clamped(lowerBound: .zero, upperBound: .one)
        #expect(ViewTransform.standard.displayed(color) == clipped)
        #expect(ViewTransform.none.displayed(color) == clipped)
    }

    /// Darkness, subnormal numbers and light beyond all measure, where a formula may divide by
    /// zero or overflow.
    static let ramp: ImageFloat = {
        let pixels = (0..<4096).map { index in
            let x = Float(sign: .plus, exponent: index / 32 - 66, significand: 1)
            let hue = Float(index % 32) / 31
            return SIMD3(x, x * hue, x * (1 - hue))
        }
        return ImageFloat(width: 64, height: 64, pixels: pixels)
    }()

    /// The same codes on every machine.
    @Test(arguments: [
        (
            ViewTransform.none,
            "0x7b63f71860eafd66ef9ba656df6f3c2e0dc5b3ee034c0f5ac54508fe32d77b9c"
        ), (.standard, "0x40b339f17620512bb10222d3d7f415732323e6966d87f71880bdb57d3c36f396"),
        (.pbrNeutral, "0xe02a54dadc0bd8bafa23d47112121d8c1d966c7435df8555b8168a02f9266184"),
        (.agx, "0xd080472f231f2fee80720ea8ef1ef693db729385c27516ab6c2140d05020d259"),
    ])
    func codesAreFixed(view: ViewTransform, hash: String) {
        let codes = view.codes8(Self.ramp, scale: 1)
        let wide = view.codes16(Self.ramp, scale: 1)
        let all = codes + wide.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
        #expect(SHA256.hash(all).description == hash)
        for (code, wide) in zip(codes, wide) {
            #expect((Float(code) - Float(wide) / 257).magnitude <= 0.5 + 1e-3)
        }
    }

    @Test func whatIsNotANumberIsBlack() {
        for view in ViewTransform.allCases {
            let shown = view.displayed([.nan, .nan, .nan])
            #expect(shown.min() >= 0 && shown.max() <= 1)
        }
    }

    @Test func sixteenBitsInTheFile() throws {
        let image = ImageFloat(
            width: 2, height: 2, pixels: [[0, 0.25, 0.5], [1, 2, -1], [0.1, 0.2, 0.3], .one])
        let eight = try PNG.decode(PNG.encode(image, view: .none, bits: 8))
        let sixteen = try PNG.decode(PNG.encode(image, view: .none, bits: 16))
        // A reader of eight bits keeps the high byte.
        let high = ViewTransform.none.codes16(image, scale: 1).map { UInt8($0 >> 8) }
        for pixel in 0..<4 {
            #expect(
                Array(sixteen.pixels[4 * pixel..<4 * pixel + 3])
                    == Array(high[3 * pixel..<3 * pixel + 3]))
        }
        #expect(eight.pixels[1] == 64 && sixteen.pixels[1] == 64)
        let bytes = try PNG.encode(image, bits: 16)
        #expect(bytes[24] == 16, "bit depth in the header")
    }

    @Test func exposureScales() {
        let image = ImageFloat(width: 1, height: 1, pixels: [[0.1, 0.2, 0.3]])
        let doubled = ImageFloat(width: 1, height: 1, pixels: [[0.2, 0.4, 0.6]])
        for view in ViewTransform.allCases {
            #expect(view.codes8(image, scale: 2) == view.codes8(doubled, scale: 1))
        }
    }
}
