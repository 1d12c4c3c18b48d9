internal import ArgumentParser
internal import Rendering

/// What a demo buys: the shipped jobs, or the user's own.
struct DemoJobOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Jobs to buy, separated by commas: render, infer, train. By default the user's own, "
                + "else the first two, shipped."))
    var apps: String?
    @Option(
        name: .long,
        help: ArgumentHelp("A scene of your own: .gltf or .glb.", valueName: "file"),
        completion: .file(extensions: ["gltf", "glb"]), transform: Accepted.text("a file"))
    var scene: String?
    @Option(
        name: .long, help: ArgumentHelp("Light around --scene: .hdr or .exr.", valueName: "file"),
        completion: .file(extensions: ["hdr", "exr"]), transform: Accepted.text("a file"))
    var env: String?
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("The picture's size. (default: 320x180)", valueName: "WxH"),
        transform: PictureSize.init(accepting:))
    var size: PictureSize?
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("The picture's samples a pixel. (default: 64)", valueName: "n"),
        transform: Accepted.whole(1...RenderParameters.samplesMax))
    var spp: Int?
    @OptionGroup var moment: MomentOptions
    @Option(
        name: .long, help: ArgumentHelp("A model of your own: .onnx.", valueName: "file"),
        completion: .file(extensions: ["onnx"]), transform: Accepted.text("a file"))
    var model: String?
    @OptionGroup var inputs: ModelInputOptions
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Work of the hash job.", visibility: .hidden),
        transform: Accepted.whole(0...1_000_000_000))
    var hashRounds = 20_000

    /// Whether anything at all is said of the jobs.
    var isGiven: Bool {
        isOwn || apps != nil || size != nil || spp != nil || moment.isGiven
    }

    /// Whether the user brings a job.
    var isOwn: Bool { scene != nil || model != nil }

    func validate() throws {
        if env != nil && scene == nil { throw ValidationError("--env lights a scene: add --scene") }
        if moment.isGiven && scene == nil {
            throw ValidationError(
                "--time, --frames and --variant are of a scene of your own: add --scene")
        }
        let hasInputs = !inputs.input.isEmpty || inputs.labels != nil || inputs.seed != nil
        if hasInputs && model == nil {
            throw ValidationError("--input, --labels and --seed are for a model: add --model")
        }
        if model != nil && inputs.input.isEmpty {
            throw ValidationError("--model computes on something: add --input NAME=FILE")
        }
    }
}
