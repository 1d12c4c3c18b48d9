import Compute
import Core
import Rendering
import RigorTestKit
import Testing

/// The layered surface as a function of two directions, without a scene.
@Suite struct LayerTests {
    /// Floats of a surface, in the order that the probe below reads them.
    struct Surface: Sendable {
        var name: String
        var base: SIMD3<Float> = [0.8, 0.8, 0.8]
        var metallic: Float = 0
        var alpha: Float = 0.25
        var alphaAlong: Float?
        var specular: Float = 0.04
        var rim: Float = 1
        var film: Float = 0
        var filmThickness: Float = 0
        var through: Float = 0
        var coat: Float = 0
        var coatAlpha: Float = 0.1
        var sheen: Float = 0
        var sheenRoughness: Float = 0.5
        var transmission: Float = 0
        var isThin = true

        var words: [Float] {
            [
                base.x, base.y, base.z, metallic, alpha, alphaAlong ?? alpha, specular, rim, film,
                filmThickness, through, coat, coatAlpha, sheen, sheenRoughness, transmission,
                isThin ? 1 : 0,
            ]
        }
    }

    static let surfaces: [Surface] = [
        Surface(name: "plain"),
        Surface(name: "specular", specular: 0.3, rim: 0.5),
        Surface(name: "anisotropic metal", metallic: 1, alpha: 0.1, alphaAlong: 0.5),
        Surface(name: "film over metal", metallic: 1, film: 1, filmThickness: 380),
        Surface(name: "film over dielectric", film: 0.7, filmThickness: 250),
        Surface(name: "coat", coat: 1),
        Surface(name: "coat over metal", metallic: 1, alpha: 0.3, coat: 0.8, coatAlpha: 0.2),
        Surface(name: "sheen", alpha: 1, sheen: 0.9, sheenRoughness: 0.3),
        Surface(name: "rough sheen on black", base: .zero, alpha: 1, sheen: 1, sheenRoughness: 0.8),
        Surface(name: "diffuse transmission", alpha: 1, through: 0.6),
        Surface(name: "thin glass under a coat", coat: 1, transmission: 0.8),
        Surface(
            name: "all at once", metallic: 0.3, alpha: 0.2, alphaAlong: 0.4, specular: 0.1,
            film: 0.5, filmThickness: 300, through: 0.3, coat: 0.5, sheen: 0.4),
    ]

    private static let probe = """
        EX_INLINE void probe_surface(
            __global const float *p, __global const uint *sheen, vec3 wo, Bsdf *b, Layers *l) {
            b->base = make3(p[0], p[1], p[2]);
            b->metallic = p[3];
            b->alpha = p[4];
            b->alpha_along = p[5];
            b->f0 = p[6];
            b->specular = same3(p[6] * p[7]);
            b->rim = p[7];
            b->film = p[8];
            b->film_ior = 1.35f;
            b->film_thickness = p[9];
            b->diffuse_through = p[10];
            b->through_color = same3(0.9f);
            l->coat = p[11];
            l->coat_roughness.along = l->coat_roughness.across = p[12];
            l->sheen = same3(p[13]);
            l->sheen_roughness = p[14];
            l->sheen_table = sheen;
            b->transmission = p[15];
            b->is_thin = p[16] > 0.0f;
            b->eta = 1.5f;
            l->sheen_back = sheen_back(sheen, wo.z, p[14]);
            b->sheen_weight = p[13];
            l->coat_frame.tangent = make3(1.0f, 0.0f, 0.0f);
            l->coat_frame.bitangent = make3(0.0f, 1.0f, 0.0f);
            l->coat_frame.normal = make3(0.0f, 0.0f, 1.0f);
            l->coat_wo = wo;
            l->coat_chance = l->coat > 0.0f ? 0.25f : 0.0f;
            b->specular_chance = specular_chance(b, wo.z);
        }

        __kernel void evaluate_pairs(
            __global const float *p, __global const uint *sheen, __global const float *pairs,
            __global float *out, uint count) {
            uint i = get_global_id(0);
            if (i >= count) return;
            vec3 wo = make3(pairs[6 * i], pairs[6 * i + 1], pairs[6 * i + 2]);
            vec3 wi = make3(pairs[6 * i + 3], pairs[6 * i + 4], pairs[6 * i + 5]);
            Bsdf b;
            Layers l;
            probe_surface(p, sheen, wo, &b, &l);
            vec4 f = layered_evaluate(&l, &b, wo, wi, wi);
            out[4 * i] = f.x;
            out[4 * i + 1] = f.y;
            out[4 * i + 2] = f.z;
            out[4 * i + 3] = f.w;
        }

        __kernel void sample_many(
            __global const float *p, __global const uint *sheen, __global const float *pairs,
            __global float *out, uint count) {
            uint i = get_global_id(0);
            if (i >= count) return;
            vec3 wo = make3(pairs[0], pairs[1], pairs[2]);
            Bsdf b;
            Layers l;
            probe_surface(p, sheen, wo, &b, &l);
            bit_pair bits = draw_pair(7u, i, 1u);
            float choice = unit_float(draw_pair(7u, i, 2u).y);
            vec2 u = make2(unit_float(bits.x), unit_float(bits.y));
            vec3 wi = layered_sample(&l, &b, &l.coat_frame, wo, u, choice);
            vec4 f = none4();
            if (wi.z != 0.0f) f = layered_evaluate(&l, &b, wo, wi, wi);
            bool is_found = f.w > 0.0f;
            out[4 * i] = is_found ? f.x * ex_rcp(f.w) : 0.0f;
            out[4 * i + 1] = is_found ? f.y * ex_rcp(f.w) : 0.0f;
            out[4 * i + 2] = is_found ? f.z * ex_rcp(f.w) : 0.0f;
            out[4 * i + 3] = is_found ? 1.0f : 0.0f;
        }
        """

    /// Builds the kernels' own text with the probe behind it.
    private final class Prober {
        let device: OpenCLDevice
        let program: any ComputeProgram
        let sheen: any ComputeBuffer

        init(_ device: OpenCLDevice) throws {
            let files = [
                "exact/divide.cl", "exact/root.cl", "exact/inverse.cl", "exact/exponential.cl",
                "exact/logarithm.cl", "exact/power.cl", "exact/trigonometric.cl",
            ]
            let own = ["vector", "layout", "random", "film", "bsdf", "layered"]
            let text = try ProgramSource(
                "tests/layers", files: files + own.map { "render/\($0).cl" }
            ).text()
            self.device = device
            program = try device.program(
                ProgramSource(
                    "tests/layers", customText: text + LayerTests.probe,
                    defines: ["RIGOR_LAYERED": "1"]))
            sheen = try device.makeBuffer(SheenTable.words)
        }

        func run(
            _ kernel: String, _ surface: Surface, _ pairs: [Float], count: Int
        ) throws -> [SIMD4<Double>] {
            let out = try device.makeBuffer(byteCount: 16 * count)
            try device.launch(
                kernel, of: program, global: [(count + 31) / 32 * 32], local: [32],
                arguments: [
                    .buffer(try device.makeBuffer(surface.words)), .buffer(sheen),
                    .buffer(try device.makeBuffer(pairs)), .buffer(out), .uint(UInt32(count)),
                ])
            let values = try device.read(Float.self, count: 4 * count, from: out)
            return (0..<count).map { item in
                var value = SIMD4<Double>.zero
                for lane in 0..<4 { value[lane] = Double(values[4 * item + lane]) }
                return value
            }
        }
    }

    private static func prober() throws -> Prober? {
        try TestDevices.any.map { try Prober($0.open()) }
    }

    /// The rational parameter, −1…1 on each half of a circle.
    private func circleParameter(_ turn: Double) -> Double {
        (turn * 2 - 1 + (turn < 0.5 ? 0.5 : -0.5)) * 2
    }

    private func direction(cosine: Double, turn: Double) -> [Float] {
        let sine = max(1 - cosine * cosine, 0).squareRoot()
        let s = circleParameter(turn)
        let sign: Double = turn < 0.5 ? -1 : 1
        let down = 1 + s * s
        let (x, y) = ((1 - s * s) / down * sign, 2 * s / down)
        return [Float(sine * x), Float(sine * y), Float(cosine)]
    }

    /// ∫ over the sphere, by the middle of cells in cosine and in the parameter of the circle.
    private func integral(
        _ prober: Prober, _ surface: Surface, _ wo: [Float]
    ) throws -> SIMD4<Double> {
        let (rows, columns) = (512, 256)
        var pairs: [Float] = []
        var weights: [Double] = []
        for row in 0..<rows {
            for column in 0..<columns {
                let cosine = (Double(row) + 0.5) / Double(rows) * 2 - 1
                let turn = (Double(column) + 0.5) / Double(columns)
                pairs += wo + direction(cosine: cosine, turn: turn)
                // dφ = 2 ds / (1 + s²); s runs through −1…1 on each half.
                let s = circleParameter(turn)
                weights.append(8 / (1 + s * s) / Double(columns) * 2 / Double(rows))
            }
        }
        let values = try prober.run("evaluate_pairs", surface, pairs, count: rows * columns)
        var sum = SIMD4<Double>.zero
        for (value, weight) in zip(values, weights) { sum += value * weight }
        return sum
    }

    @Test func densityIsThatOfTheSamplesAndNoLightIsMade() throws {
        guard let prober = try Self.prober() else { return }
        for surface in Self.surfaces {
            for cosine in [0.95, 0.5, 0.2] { try compare(prober, surface, cosine: cosine) }
        }
    }

    private func compare(_ prober: Prober, _ surface: Surface, cosine: Double) throws {
        let place = "\(surface.name), cosine \(cosine)"
        let wo = direction(cosine: cosine, turn: 0.1)
        let whole = try integral(prober, surface, wo)
        let count = 1 << 15
        var drawn = SIMD4<Double>.zero
        for sample in try prober.run("sample_many", surface, wo, count: count) {
            drawn += sample / Double(count)
        }
        // Samples that end below the surface are lost: the density counts them nowhere.
        #expect((whole.w - drawn.w).magnitude < 0.02, "\(place): \(whole.w), \(drawn.w)")
        #expect(whole.w <= 1.01, "\(place)")
        for channel in 0..<3 {
            let (a, b) = (whole[channel], drawn[channel])
            #expect((a - b).magnitude < 0.02 + 0.02 * a, "\(place): \(a), drawn \(b)")
            #expect(a < 1.01, "\(place) sends back \(a)")
        }
    }

    @Test func directionsMayBeExchanged() throws {
        guard let prober = try Self.prober() else { return }
        for surface in Self.surfaces { try exchange(prober, surface) }
    }

    private func exchange(_ prober: Prober, _ surface: Surface) throws {
        var forth: [Float] = []
        var back: [Float] = []
        let count = 256
        for i in 0..<count {
            let a = direction(
                cosine: 0.05 + 0.9 * Double(i % 16) / 15, turn: Double(i * 37 % 101) / 101)
            let b = direction(
                cosine: 0.05 + 0.9 * Double(i / 16) / 15, turn: Double(i * 53 % 97) / 97)
            forth += a + b
            back += b + a
        }
        let one = try prober.run("evaluate_pairs", surface, forth, count: count)
        let two = try prober.run("evaluate_pairs", surface, back, count: count)
        for i in 0..<count {
            let a = one[i].x / Double(forth[6 * i + 5])
            let b = two[i].x / Double(back[6 * i + 5])
            #expect((a - b).magnitude < 1e-4 + 2e-4 * a, "\(surface.name), \(i): \(a), \(b)")
        }
    }

    /// The table against the lobe itself: black under a white sheen sends back nothing else.
    @Test func sheenTableIsTheLobesIntegral() throws {
        guard let prober = try Self.prober() else { return }
        for row in [6, 9, 12, 15] {
            for column in [2, 6, 12] {
                let surface = Surface(
                    name: "sheen", base: .zero, specular: 0, rim: 0, sheen: 1,
                    sheenRoughness: Float(row) / 15)
                let wo = direction(cosine: Double(column) / 15, turn: 0.3)
                let found = try integral(prober, surface, wo).x
                let wanted = Double(SheenTable.values[row * SheenTable.side + column])
                #expect((found - wanted).magnitude < 0.01, "\(row), \(column): \(found), \(wanted)")
            }
        }
    }
}
