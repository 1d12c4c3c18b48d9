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
        name: .long,
        help: ArgumentHelp(
            "How an .exr keeps colours: float or half. (default: float)", valueName: "type"),
        completion: .list(Precision.allCases.map(\.rawValue)),
        transform: Accepted.oneOf(Precision.allCases))
    var exr = Precision.float

    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            Layers beside the picture in an .exr, between commas: \
            \(Auxiliary.allCases.map(\.rawValue).joined(separator: ", ")), or all.
            """, valueName: "list"),
        transform: Accepted.layers)
    var aov: Set<Auxiliary> = []

    enum Precision: String, CaseIterable { case float, half }

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The picture: .png or .exr; without it, the digest alone.", valueName: "file"),
        completion: .file(extensions: ["png", "exr"]),
        transform: Accepted.file(ending: ["png", "exr"]))
    var output: String?

    var look: PictureLook { PictureLook(exposure: exposure, view: view, bits: pngBits) }

    func validate() throws {
        guard aov.isEmpty || isEXR else {
            throw ValidationError("--aov: layers are for an .exr: name one with -o")
        }
    }

    private var isEXR: Bool { output?.lowercased().hasSuffix(".exr") ?? false }

    /// - Parameter hits: what the layers show, where any are wanted.
    func write(_ picture: Picture, _ hits: FirstHits? = nil) throws(Failure) {
        guard let output else { return }
        try FileBytes.replace(output, with: [isEXR ? exrFile(picture, hits) : picture.png(look)])
    }

    private func exrFile(_ picture: Picture, _ hits: FirstHits?) throws(Failure) -> Bytes {
        let isHalf = exr == .half
        let image = picture.image
        return try EXR.encode(
            width: image.width, height: image.height,
            channels: EXR.channels(image, isHalf: isHalf)
                + (hits?.channels(aov, isHalf: isHalf) ?? []),
            attributes: hits?.attributes(aov) ?? [:])
    }
}
