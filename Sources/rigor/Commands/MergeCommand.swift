import ArgumentParser
import Compute
import Core
import Digest
import Files
import Foundation
import Rendering

/// `rigor merge`: parts of pictures, computed anywhere, become the pictures.
struct MergeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Add up parts of pictures, wherever they were computed.",
        discussion: """
            Parts come from `rigor render --part`, with --tiles or --samples. In whatever order \
            and on whatever devices they were computed, a picture and its digest are those of \
            one device alone. Parts of another job, samples that are there twice and samples that \
            are in no part are refused by name. Parts of several frames become a picture each, \
            named as `rigor render --frames` names them. Layers (--aov) are in no part: they are \
            made of the scene, by a device here.

            EXAMPLES
              rigor render shop.glb --samples 0-127 --spp 256 --part a.part
              rigor render shop.glb --samples 128-255 --spp 256 --part b.part
              rigor merge a.part b.part -o shop.exr
              rigor merge a.part b.part -o shop.exr --aov all --scene shop.glb
              rigor merge left.*.part right.*.part -o fox.####.png
            """)

    @Argument(
        help: ArgumentHelp("The parts.", valueName: "part"),
        completion: .file(extensions: ["part"]))
    var parts: [String]

    @OptionGroup var picture: PictureOptions
    @OptionGroup var layers: LayerOptions
    @OptionGroup var format: OutputOptions
    @OptionGroup var home: HomeOptions

    func validate() throws { try layers.check(hasLayers: !picture.aov.isEmpty) }

    func run() async throws {
        let console = Console()
        try checkOutput(picture.output)
        let frames = try partsByFrame()
        let device = try openDevice()
        var documents: [JSON] = []
        for (frame, parts) in frames {
            var picture = picture
            if let output = picture.output, frames.count > 1 || output.contains("#") {
                picture.output = FrameClock.path(output, frame: frame)
                try checkOutput(picture.output)
            }
            do throws(Failure) {
                documents.append(try write(picture, frame, parts, device, console))
            } catch {
                throw frames.count > 1 ? error.at("frame \(frame)") : error
            }
        }
        guard format.json else { return }
        console.write(frames.count > 1 ? ["frames": .array(documents)] : documents[0])
    }

    private func checkOutput(_ output: String?) throws(Failure) {
        guard let output else { return }
        try FileBytes.checkWritable(output)
        let inputs = parts + [layers.scene, layers.env].compactMap(\.self)
        try FileBytes.checkApart(output, from: inputs)
    }

    /// The parts of each frame, in the order in which they were named.
    ///
    /// - Throws: ``Failure`` also where frames are not of one animation.
    private func partsByFrame() throws(Failure) -> [(frame: Int, parts: [String])] {
        var frames: [Int: [String]] = [:]
        var first: RenderPart.Job?
        for part in parts {
            let job = try PartFile.job(part)
            var expected = first ?? job
            (expected.frame, expected.blob) = (job.frame, job.blob)
            if let difference = job.difference(from: expected) {
                throw Failure(.refused, "\(part): of another job than \(parts[0]): \(difference)")
            }
            first = first ?? job
            frames[job.frame, default: []].append(part)
        }
        return frames.sorted { $0.key < $1.key }.map { (frame: $0.key, parts: $0.value) }
    }

    /// Opened where layers are wanted.
    private func openDevice() throws(Failure) -> OpenCLDevice? {
        guard !picture.aov.isEmpty else { return nil }
        let devices = try layers.device.open(home: home.given)
        guard devices.count == 1 else {
            throw Failure(.usage, "--device: one expected, \(devices.count) match")
        }
        return devices[0]
    }

    /// One frame.
    private func write(
        _ picture: PictureOptions, _ number: Int, _ parts: [String], _ device: OpenCLDevice?,
        _ console: Console
    ) throws(Failure) -> JSON {
        let merged = try merge(parts, console)
        let digest = TileSums.tree(over: merged.tiles).root
        let size = merged.job.parameters
        let frame = try Picture(merged.tiles, width: size.width, height: size.height)
        var hits: FirstHits?
        if let device {
            hits = try layers.firstHits(merged.job, from: parts[0], on: device)
        }
        try picture.write(frame, hits)
        if !format.json {
            if let output = picture.output { console.say("picture  \(output)") }
            console.say("digest   \(digest)")
        }
        return [
            "frame": .int(number), "digest": .hash(digest),
            "image": .optional(picture.output, JSON.string),
            "parts": .int(parts.count), "width": .int(size.width),
            "height": .int(size.height), "samples": .int(size.samples),
            "bounces": .int(size.bounces), "seed": .string(String(size.seed)),
            "nan_samples": .int(frame.nanCount),
        ]
    }

    private func merge(
        _ parts: [String], _ console: Console
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
