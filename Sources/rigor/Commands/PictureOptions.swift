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
    var exposure: Double?

    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            How a .png shows light: none (linear, clipped), standard (sRGB, clipped), pbr-neutral \
            (Khronos PBR Neutral) or agx. (default: \(PictureLook().view.rawValue))
            """, valueName: "view"),
        completion: .list(ViewTransform.allCases.map(\.rawValue)),
        transform: Accepted.oneOf(ViewTransform.allCases))
    var view: ViewTransform?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Bits a channel of a .png, 8 or 16. (default: 8)", valueName: "n"),
        completion: .list(PictureLook.depths.map(String.init)), transform: Accepted.depth)
    var pngBits: Int?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How an .exr keeps colours: float or half. (default: float)", valueName: "type"),
        completion: .list(Precision.allCases.map(\.rawValue)),
        transform: Accepted.oneOf(Precision.allCases))
    var exr: Precision?

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

    var look: PictureLook {
        let plain = PictureLook()
        return PictureLook(
            exposure: exposure ?? plain.exposure, view: view ?? plain.view,
            bits: pngBits ?? plain.bits)
    }

    func validate() throws {
        guard aov.isEmpty || isEXR else {
            throw ValidationError(
                "--aov: layers are for an .exr: name one with -o; those of parts are made by "
                    + "`rigor merge --aov`")
        }
        guard let output else { return }
        let strange = [
            ("--exposure", exposure != nil && isEXR), ("--view", view != nil && isEXR),
            ("--png-bits", pngBits != nil && isEXR), ("--exr", exr != nil && !isEXR),
        ]
        for (name, isGiven) in strange where isGiven {
            let kind = isEXR ? ".png" : ".exr"
            throw ValidationError("\(name): is for a \(kind), and -o names \(output)")
        }
    }

    private var isEXR: Bool { output?.lowercased().hasSuffix(".exr") ?? false }

    /// - Parameters:
    ///   - hits: what the layers show, where any are wanted.
    ///   - mark: what the file says of itself, to be known again: ``FrameMark``.
    func write(
        _ picture: Picture, _ hits: FirstHits? = nil, mark: String? = nil
    ) throws(Failure) {
        guard let output else { return }
        var file: Bytes
        if isEXR {
            file = try exrFile(picture, hits, mark)
        } else {
            file = try picture.png(look)
            if let mark { file = FrameMark.adding(mark, toPNG: file) }
        }
        try FileBytes.replace(output, with: [file])
    }

    private func exrFile(
        _ picture: Picture, _ hits: FirstHits?, _ mark: String?
    ) throws(Failure) -> Bytes {
        let isHalf = (exr ?? .float) == .half
        let image = picture.image
        let attributes = hits?.attributes(aov) ?? [:]
        let channels =
            EXR.channels(image, isHalf: isHalf) + (hits?.channels(aov, isHalf: isHalf) ?? [])
        func encode(_ more: [String: String]) throws(Failure) -> Bytes {
            try EXR.encode(
                width: image.width, height: image.height, channels: channels,
                attributes: attributes.merging(more) { own, _ in own })
        }
        guard let mark else { return try encode([:]) }
        return try FrameMark.adding(mark, toEXR: encode)
    }
}
