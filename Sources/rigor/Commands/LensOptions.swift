import ArgumentParser
import Rendering

/// The lens that `rigor render` looks through.
struct LensOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Diameter of the lens's opening in metres; 0 for a pinhole. (default: 0)",
            valueName: "metres"),
        transform: Accepted.decimal(Lens.apertures))
    var aperture: Double?

    @Option(
        name: .customLong("f-stop"), parsing: .unconditional,
        help: ArgumentHelp(
            "The same as focal length over diameter, for film 36 mm wide.", valueName: "number"),
        transform: Accepted.decimal(Lens.fStops))
    var fStop: Double?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Metres from the camera to what is in focus.", valueName: "metres"),
        transform: Accepted.decimal(Lens.focusDistances))
    var focusDistance: Double?

    /// Nil for a pinhole.
    var lens: Lens? {
        guard let focusDistance else { return nil }
        if let fStop { return Lens(.fStop(fStop), focusDistance: focusDistance) }
        guard let aperture, aperture > 0 else { return nil }
        return Lens(.metres(aperture), focusDistance: focusDistance)
    }

    func validate() throws {
        guard aperture == nil || fStop == nil else {
            throw ValidationError("--aperture, --f-stop: one of them expected")
        }
        let opens = fStop != nil || (aperture ?? 0) > 0
        guard opens == (focusDistance != nil) || (aperture == 0 && focusDistance != nil) else {
            throw ValidationError(
                opens
                    ? "--focus-distance expected, with --aperture or --f-stop"
                    : "--aperture or --f-stop expected, with --focus-distance")
        }
    }
}
