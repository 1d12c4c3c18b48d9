import ArgumentParser
import Core
import Digest
import Files
import Foundation
import Rendering

/// `rigor merge`: parts of a picture, computed anywhere, become the picture.
struct MergeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Add up parts of a picture, wherever they were computed.",
        discussion: """
            Parts come from `rigor render --part`, with --tiles or --samples. In whatever order \
            and on whatever devices they were computed, the picture and its digest are those of \
            one device alone. Parts of another job, samples that are there twice and samples that \
            are in no part are refused by name.

            EXAMPLES
              rigor render shop.glb --samples 0-127 --spp 256 --part a.part
              rigor render shop.glb --samples 128-255 --spp 256 --part b.part
              rigor merge a.part b.part -o shop.exr
            """)

    @Argument(
        help: ArgumentHelp("The parts.", valueName: "part"),
        completion: .file(extensions: ["part"]))
    var parts: [String]

    @OptionGroup var picture: PictureOptions
    @OptionGroup var format: OutputOptions

    func run() async throws {
        let console = Console()
        let output = picture.output
        guard picture.aov.isEmpty else {
            throw ValidationError("--aov: parts hold no layers; render --aov makes them")
        }
        if let output {
            try FileBytes.checkWritable(output)
            try FileBytes.checkApart(output, from: parts)
        }
        let merged = try merge(console)
        let digest = TileSums.tree(over: merged.tiles).root
        let size = merged.job.parameters
        let frame = try Picture(merged.tiles, width: size.width, height: size.height)
        try picture.write(frame)
        if format.json {
            console.write([
                "digest": .hash(digest), "image": .optional(output, JSON.string),
                "parts": .int(parts.count), "width": .int(size.width),
                "height": .int(size.height), "samples": .int(size.samples),
                "bounces": .int(size.bounces), "seed": .string(String(size.seed)),
                "nan_samples": .int(frame.nanCount),
            ])
        } else {
            if let output { console.say("picture  \(output)") }
            console.say("digest   \(digest)")
        }
    }

    private func merge(
        _ console: Console
    ) throws(Failure) -> (job: RenderPart.Job, tiles: [TileSums]) {
        defer { console.endProgress() }
        let first = try PartFile.read(parts[0])
        var merge = try FrameMerge(first.job.parameters)
        for (number, path) in parts.enumerated() {
            console.progress("merging \(number + 1) of \(parts.count)")
            let part = number == 0 ? first : try PartFile.read(path)
            if let difference = part.job.difference(from: first.job) {
                throw Failure(.refused, "\(path): of another job than \(parts[0]): \(difference)")
            }
            try merge.add(part.tiles, of: part.piece, from: path)
        }
        return (first.job, try merge.finished())
    }
}
