import Core
import Foundation
import Rendering
import RigorTestKit
import Testing

/// Directions drawn from an environment, against what it sends from all around.
@Suite struct EnvironmentTests {
    /// SplitMix64 texels; a part of them black, one like a sun.
    private static func environment(
        width: Int, height: Int, blackPart: Float, _ random: inout SplitMix64
    ) -> Environment {
        func unit() -> Float { Float(random.next() >> 40) * 0x1p-24 }
        var texels = (0..<width * height).map { _ -> SIMD3<Float> in
            unit() < blackPart ? .zero : SIMD3(unit(), unit(), unit()) + 0.05
        }
        texels[Int(random.next() % UInt64(texels.count))] = [900, 700, 400]
        return Environment(width: width, height: height, texels: texels)
    }

    private func luminance(_ c: SIMD3<Float>) -> Double {
        Double(c.x) * 0.2126 + Double(c.y) * 0.7152 + Double(c.z) * 0.0722
    }

    /// ∫ luminance over the sphere, texels joined by straight lines.
    private func power(_ environment: Environment) -> Double {
        let (width, height) = (environment.width, environment.height)
        let parts = 16
        var sum = 0.0
        for row in 0..<height * parts {
            let v = (Double(row) + 0.5) / Double(height * parts)
            let y = v * Double(height) - 0.5
            let up = Int(y.rounded(.down))
            let below = Double(min(max(up + 1, 0), height - 1))
            let rows = (min(max(up, 0), height - 1), Int(below), y - Double(up))
            // Along a row, straight lines between texels have the texels' own mean.
            var means = (0.0, 0.0)
            for x in 0..<width {
                means.0 += luminance(environment.texels[rows.0 * width + x])
                means.1 += luminance(environment.texels[rows.1 * width + x])
            }
            let mean = (means.0 + (means.1 - means.0) * rows.2) / Double(width)
            sum += mean * sin(v * .pi) / Double(height * parts)
        }
        return sum * 2 * .pi * .pi
    }

    private static let sizes = [(8, 4), (1, 1), (2, 1), (1, 3), (13, 9), (64, 32)]

    /// Luminance over density has the environment's power for its mean, and hardly varies within a
    /// row; one over density has the sphere's area, where nothing is black.
    @Test(arguments: sizes, [Float(0), 0.4])
    func drawsFollowBrightness(_ size: (Int, Int), blackPart: Float) throws {
        let seed: UInt64 = 20261125
        print("seed \(seed)")
        var random = SplitMix64(seed: seed &+ UInt64(size.0))
        let environment = Self.environment(
            width: size.0, height: size.1, blackPart: blackPart, &random)
        var maker = SceneMaker()
        maker.scene.environment = environment
        let tracer = ReferenceTracer(
            try RenderBlob(maker.scene, RenderParameters(width: 4, height: 4, samples: 1)))
        let side = 512
        var light = 0.0
        var area = 0.0
        for i in 0..<side * side {
            let across = UInt32(i % side) << 23 | UInt32(random.next() >> 41)
            let down = UInt32(i / side) << 23 | UInt32(random.next() >> 41)
            let drawn = tracer.drawEnvironment((across, down))
            #expect(drawn.density > 0)
            light += luminance(drawn.radiance) / Double(drawn.density)
            area += 1 / Double(drawn.density)
            let d = drawn.direction
            #expect(abs((d * d).sum() - 1) < 1e-5)
        }
        let count = Double(side * side)
        let expected = power(environment)
        #expect(abs(light / count / expected - 1) < 0.002, "\(light / count) of \(expected)")
        guard blackPart == 0 else { return }
        #expect(abs(area / count / (4 * .pi) - 1) < 0.05, "\(area / count)")
    }
}
