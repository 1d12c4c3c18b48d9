import ArgumentParser
import Rendering

/// `rigor dispute`: where do two results part?
struct DisputeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dispute",
        abstract: "Narrow two results that differ to frame, tile, pixel, sample and bounce.",
        discussion: """
            `rigor dispute A B` compares two results: leaf files, part files, receipts of tasks \
            (whose leaves are in the pool's folder beside the ledger). `rigor dispute devices` \
            computes a picture's tiles on two devices, or on one against a stored result, and \
            goes on to the sample, the bounce and the field of a path's state that differs first. \
            `rigor dispute model` runs an ONNX model on two devices, or on one against a trace, \
            and names the first value of its graph that differs, then the first element.

            EXAMPLES
              rigor dispute a.leaves b.leaves
              rigor dispute mine.part theirs.part --json
              rigor dispute devices shop.glb --device 0 --against 1
              rigor dispute devices shop.glb --device gpu --against theirs.part
              rigor dispute model net.onnx --input x=x.npy --device 0 --against 1

            Exit codes: 0 the results are the same, 1 they differ.
            """,
        subcommands: [
            DisputeResultsCommand.self, DisputeDevicesCommand.self, DisputeModelCommand.self,
        ],
        defaultSubcommand: DisputeResultsCommand.self)
}

/// `rigor dispute A B`.
struct DisputeResultsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "results",
        abstract: "Compare two stored results, leaf by leaf. (default)")

    @Argument(help: "A leaf file, a part file or a receipt.", completion: .file())
    var first: String
    @Argument(help: "Another one of the same work.", completion: .file())
    var second: String
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = Console()
        let comparison = ResultComparison(
            first: try StoredResult(first), second: try StoredResult(second))
        let finding = try comparison.finding()
        if output.json {
            console.write(finding.json)
        } else {
            for line in finding.lines { console.say(line) }
        }
        if !finding.isSame { throw ExitCode.failure }
    }
}

/// `rigor dispute devices SCENE`.
struct DisputeDevicesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices",
        abstract: "Compute a picture on a device and hold it against another one, or a result.",
        discussion: """
            Takes the options of `rigor render` that say which picture; a frame of an animation \
            through the market is that of --frames with its number, and between two devices all \
            frames of a range are compared. Stops at the first tile that differs. A stored \
            result is sums over samples, which tell no sample: for that name a second device. \
            With --noise it is also said where a tile ended with other samples.
            """)

    @OptionGroup var render: RenderCommand

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "What it is held against: another device, or a leaf or part file.",
            valueName: "device|file"),
        transform: Accepted.text("a device or a file"))
    var against: String

    func validate() throws {
        let why = "a dispute is about one picture, and makes none"
        guard render.picture.output == nil else { throw ValidationError("-o: \(why)") }
        try render.refuseMaking(why)
    }

    func run() async throws {
        let console = Console()
        let finding = try DeviceDispute(self, console).run()
        if render.format.json {
            console.write(finding.json)
        } else {
            for line in finding.lines { console.say(line) }
        }
        if !finding.isSame { throw ExitCode.failure }
    }
}
