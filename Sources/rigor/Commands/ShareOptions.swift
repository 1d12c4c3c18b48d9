import ArgumentParser
import Core
import Rendering

/// How one frame is cut: between this machine's devices, or between machines.
struct ShareOptions: ParsableArguments {
    @Flag(
        name: .long,
        help: """
            All devices of --device (by default every one) compute the picture together, each by \
            its speed; the bits are those of one alone.
            """)
    var share = false

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            """
            Compute these tiles of 32x32 pixels alone, both ends included; 640x360 has 0-239. See \
            --part.
            """, valueName: "a-b"),
        transform: Self.range)
    var tiles: Range<Int>?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Compute these of a pixel's samples alone, both ends included.", valueName: "a-b"),
        transform: Self.range)
    var samples: Range<Int>?

    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            Write what was computed to a part file; `rigor merge` adds parts up. With --frames \
            each frame has a part of its own: x.0001.part.
            """, valueName: "file"),
        completion: .file(extensions: ["part"]), transform: Accepted.file(ending: ["part"]))
    var part: String?

    /// Whether the picture is cut at all.
    var isGiven: Bool { share || part != nil }

    func validate() throws {
        if tiles != nil || samples != nil, part == nil {
            throw ValidationError(
                "--tiles and --samples are for `rigor render` alone, and compute a part of the "
                    + "picture: add --part FILE")
        }
    }

    /// The piece of the frame that is asked for.
    ///
    /// - Throws: ``Failure`` naming the option that reaches out of it, or cuts what has a noise
    ///   target by samples.
    func piece(of parameters: RenderParameters) throws(Failure) -> RenderPiece {
        // Where a tile's samples end is decided from all of them, in order.
        guard parameters.noise == nil || samples == nil else {
            throw Failure(
                .usage,
                "--samples: a render with --noise is cut by tiles alone, such as "
                    + "--tiles 0-\((parameters.tileCount - 1) / 2)")
        }
        var piece = RenderPiece(wholeOf: parameters)
        for (name, asked, all) in [
            ("tile", tiles, piece.tiles), ("sample", samples, piece.samples),
        ] {
            guard let asked, asked.upperBound > all.upperBound else { continue }
            throw Failure(
                .usage,
                "--\(name)s \(asked.lowerBound)-\(asked.upperBound - 1): the picture has "
                    + "\(Units.count(all.count, name)), 0-\(all.upperBound - 1)")
        }
        piece.tiles = tiles ?? piece.tiles
        piece.samples = samples ?? piece.samples
        return piece
    }

    /// `7` or `0-63`, both ends included.
    @Sendable private static func range(_ text: String) throws -> Range<Int> {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(ends.count), let low = ends[0], let high = ends[ends.count - 1],
            0 <= low, low <= high, high < 1 << 31
        else {
            throw ValidationError("a number or two with - between expected, such as 0-63")
        }
        return low..<high + 1
    }
}
