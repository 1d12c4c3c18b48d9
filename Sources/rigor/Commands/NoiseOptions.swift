import ArgumentParser
import Rendering

/// When `rigor render` lets a tile be.
struct NoiseOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            """
            Let tiles be when they have no more noise than this; --spp is then the most. 0.01 is \
            little, 0.1 much.
            """, valueName: "level"),
        transform: Accepted.decimal(NoiseTarget.levels))
    var noise: Double?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Samples a pixel that every tile gets with --noise. (default: \(samplesMin))",
            valueName: "n"),
        transform: Accepted.whole(1...RenderParameters.samplesMax))
    var sppMin: Int?

    private static let samplesMin = 16

    var target: NoiseTarget? {
        noise.map { NoiseTarget(level: $0, samplesMin: sppMin ?? Self.samplesMin) }
    }

    func validate() throws {
        guard sppMin == nil || noise != nil else {
            throw ValidationError("--spp-min: --noise expected with it")
        }
    }
}
