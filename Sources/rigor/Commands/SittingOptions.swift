import ArgumentParser
import Core

/// How a render goes on over the time it takes.
struct SittingOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Write the picture so far every so many seconds.", valueName: "seconds"),
        transform: Accepted.whole(1...86_400))
    var preview: Int?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            """
            Keep what is done every so many seconds, in a file beside the picture or part; 0 for \
            never. (default: \(checkpointSeconds))
            """, valueName: "seconds"),
        transform: Accepted.whole(0...86_400))
    var checkpoint = checkpointSeconds

    @Flag(
        name: .long,
        help: ArgumentHelp(
            """
            Go on with a render that was interrupted, or begin where nothing is kept; --spp may \
            have grown, but for --shutter.
            """))
    var resume = false

    private static let checkpointSeconds = 60

    /// What of these works for one device alone.
    func check(devices: Int) throws(Failure) {
        guard resume || preview != nil else { return }
        let option = resume ? "--resume" : "--preview"
        guard devices == 1 else {
            throw Failure(.usage, "\(option): one device expected, not \(devices)")
        }
    }
}
