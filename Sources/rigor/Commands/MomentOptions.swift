internal import ArgumentParser
internal import Core
internal import Foundation
internal import Rendering

/// When a scene is wanted, and which of the pictures that it holds.
struct MomentOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Seconds on the animations' clock; without it, nodes are at rest.",
            valueName: "seconds"),
        transform: Accepted.decimalText(-1e6...1e6))
    var time: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            Frames to render, such as 1-250: frame n is at n / fps seconds, after --time. The \
            output's name gets the number: picture.0001.png, or in place of its #### signs.
            """, valueName: "n-m"),
        transform: FrameRange.init(accepting:))
    var frames: FrameRange?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Frames a second. (default: 24)", valueName: "n"),
        transform: Accepted.decimalText(1...1_000))
    var fps: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The animation to play, by name or index.", valueName: "animation"))
    var animation = "all"

    @Option(
        name: .long,
        help: ArgumentHelp("The file's material variant of that name.", valueName: "variant"))
    var variant: String?

    @OptionGroup var shutter: ShutterOptions

    func validate() throws {
        if shutter.value != nil, time == nil, frames == nil {
            throw ValidationError("--shutter blurs what moves at a --time or in --frames")
        }
        if fps != nil, frames == nil, shutter.value == nil {
            throw ValidationError(
                "--fps is how fast --frames go, or how long --shutter is open at a --time: add one")
        }
        if animation != "all", time == nil, frames == nil {
            throw ValidationError("--animation plays at a --time or for --frames")
        }
    }

    /// Whether anything at all is said.
    var isGiven: Bool { time != nil || frames != nil || variant != nil }

    /// The frames to render, and one where the scene stands still.
    var numbers: ClosedRange<Int> { frames?.numbers ?? first...first }

    var first: Int { frames?.numbers.lowerBound ?? 0 }

    var moment: SceneMoment {
        let rate = frames == nil && shutter.value == nil ? nil : fps ?? "24"
        let isMoving = time != nil || frames != nil
        return SceneMoment(
            clock: isMoving ? FrameClock(start: time ?? "0", fps: rate) : nil,
            animation: AnimationChoice(argument: animation), variant: variant,
            shutter: shutter.value)
    }

    /// Where the picture of `frame` goes.
    func path(_ output: String, frame: Int) -> String {
        frames == nil ? output : FrameClock.path(output, frame: frame)
    }
}

/// `1-250` on a command line.
struct FrameRange {
    let numbers: ClosedRange<Int>

    /// - Throws: `ValidationError` saying what was expected.
    @Sendable init(accepting text: String) throws {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
            first >= 0, first <= last, last <= FrameClock.frameMax
        else {
            throw ValidationError(
                "a frame or a range of them expected, such as 7 or 1-250, up to "
                    + "\(FrameClock.frameMax)")
        }
        numbers = first...last
    }
}
