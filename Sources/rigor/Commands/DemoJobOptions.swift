internal import ArgumentParser

/// What a demo buys: the shipped jobs, or the user's own.
struct DemoJobOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Jobs to buy, separated by commas: render, infer. By default the user's own, else both "
                + "shipped ones."))
    var apps: String?
    @Option(
        name: .long,
        help: ArgumentHelp("A scene of your own: .gltf or .glb.", valueName: "file"))
    var scene: String?
    @Option(
        name: .long, help: ArgumentHelp("Light around --scene: .hdr or .exr.", valueName: "file"))
    var env: String?
    @Option(name: .long, help: ArgumentHelp("The picture's size.", valueName: "WxH"))
    var size = PictureSize(width: 320, height: 180)
    @Option(name: .long, help: "The picture's samples a pixel.")
    var spp = 64
    @Option(name: .long, help: ArgumentHelp("A model of your own: .onnx.", valueName: "file"))
    var model: String?
    @OptionGroup var inputs: ModelInputOptions
    @Option(name: .long, help: ArgumentHelp("Work of the hash job.", visibility: .hidden))
    var hashRounds = 20_000

    /// Whether the user brings a job.
    var isOwn: Bool { scene != nil || model != nil }

    func validate() throws {
        if env != nil && scene == nil { throw ValidationError("--env lights a scene: add --scene") }
        let hasInputs = !inputs.input.isEmpty || inputs.labels != nil
        if hasInputs && model == nil {
            throw ValidationError("--input and --labels are for a model: add --model")
        }
        if model != nil && inputs.input.isEmpty {
            throw ValidationError("--model computes on something: add --input NAME=FILE")
        }
    }
}
