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
        transform: Accepted.decimal(PictureLook.exposures))
    var exposure = PictureLook().exposure

    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            How a .png shows light: none (linear, clipped), standard (sRGB, clipped), pbr-neutral \
            (Khronos PBR Neutral) or agx. (default: \(PictureLook().view.rawValue))
            """, valueName: "view"),
        completion: .list(ViewTransform.allCases.map(\.rawValue)),
        transform: Accepted.oneOf(ViewTransform.allCases))
    var view = PictureLook().view

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Bits a channel of a .png, 8 or 16. (default: 8)", valueName: "n"),
        completion: .list(PictureLook.depths.map(String.init)), transform: Accepted.depth)
    var pngBits = PictureLook().bits

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The picture: .png or .exr; without it, the digest alone.", valueName: "file"),
        completion: .file(extensions: ["png", "exr"]),
        transform: Accepted.file(ending: ["png", "exr"]))
    var output: String?

    var look: PictureLook { PictureLook(exposure: exposure, view: view, bits: pngBits) }

    func write(_ picture: Picture) throws(Failure) {
        guard let output else { return }
        let bytes =
            output.lowercased().hasSuffix(".exr")
            ? try EXR.encode(picture.image) : try picture.png(look)
        try FileBytes.replace(output, with: [bytes])
    }
}
