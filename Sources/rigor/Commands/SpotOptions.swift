internal import ArgumentParser

/// `rigor verify --spot`: what of a task is computed again, and from where its files come.
struct SpotOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            """
            Also compute so many of the task's tiles, items or chunks again, drawn at random, and \
            hold them against the leaves that were settled.
            """, valueName: "n"),
        transform: Accepted.whole(1...1_000_000))
    var spot: Int?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Draw as the run did that printed this seed.", valueName: "n"),
        transform: Accepted.whole(0...UInt64.max))
    var seed: UInt64?

    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            The pool's folder, with specification, inputs and leaves; by default beside the ledger.
            """,
            valueName: "dir"),
        completion: .directory, transform: Accepted.text("a folder"))
    var pool: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Take the task's input files from here; their hashes are checked.", valueName: "dir"),
        completion: .directory, transform: Accepted.text("a folder"))
    var inputs: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Hold this file of leaves against the task.", valueName: "file"),
        completion: .file(), transform: Accepted.text("a file"))
    var leaves: String?

    @OptionGroup var device: DeviceOptions

    func validate() throws {
        guard spot == nil else { return }
        for (name, isGiven) in [
            ("--seed", seed != nil), ("--pool", pool != nil), ("--inputs", inputs != nil),
            ("--leaves", leaves != nil), ("--device", device.device != nil),
        ] where isGiven {
            throw ValidationError("\(name) is for computing again: add --spot N")
        }
    }
}
