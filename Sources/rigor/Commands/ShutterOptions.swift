internal import ArgumentParser
internal import Rendering

/// How long the shutter stays open.
struct ShutterOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            """
            Blur what moves: how long the shutter is open, around the frame's time, of the time \
            between two frames; 0.5 is a film camera's. (default: 0, sharp)
            """, valueName: "fraction"),
        transform: Accepted.decimalText(0...1))
    var shutter: String?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            """
            Moments that the scene is looked at while the shutter is open; each takes the memory \
            of a sharp frame. (default: \(Shutter.stepsStandard))
            """, valueName: "n"),
        transform: Accepted.whole(2...Shutter.stepsMax))
    var shutterSteps: Int?

    func validate() throws {
        if shutterSteps != nil, shutter == nil {
            throw ValidationError("--shutter-steps are those of an open shutter: add --shutter")
        }
    }

    /// What goes with an open shutter, and what does not.
    func check(samples: Int, hasNoise: Bool) throws {
        guard let value else { return }
        if hasNoise {
            throw ValidationError(
                "--noise may end a tile before the shutter closes: not with --shutter")
        }
        if value.steps > samples {
            throw ValidationError(
                "--shutter-steps \(value.steps): no more than samples a pixel (--spp \(samples)) "
                    + "expected")
        }
    }

    /// Nil where it does not stay open.
    var value: Shutter? {
        guard let shutter, Double(shutter) ?? 0 > 0 else { return nil }
        return Shutter(fraction: shutter, steps: shutterSteps ?? Shutter.stepsStandard)
    }
}
