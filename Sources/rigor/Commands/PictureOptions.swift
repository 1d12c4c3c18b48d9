import ArgumentParser
import Core
import Files
import Imaging
import Rendering

/// Where `rigor render` leaves a picture, and how it looks there.
struct PictureOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Exposure of a .png in stops. (default: 0)", valueName: "EV"),
        transform: Accepted.decimal(-32...32))
    var exposure = 0.0

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The picture: .png or .exr; without it, the digest alone.", valueName: "file"),
        completion: .file(extensions: ["png", "exr"]),
        transform: Accepted.file(ending: ["png", "exr"]))
    var output: String?

    func write(_ picture: Picture) throws(Failure) {
        guard let output else { return }
        let bytes =
            output.lowercased().hasSuffix(".exr")
            ? try EXR.encode(picture.image) : try PNG.encode(picture.exposed(stops: exposure))
        try FileBytes.write(bytes, to: output)
    }
}
