import ArgumentParser

/// How a render treats light.
struct LightOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            """
            Most that light scattered more than once may add to a sample: fewer fireflies, and \
            less light. By default there is no limit.
            """, valueName: "radiance"),
        transform: Accepted.decimal(0x1p-20...0x1p26))
    var clamp: Double?
}
