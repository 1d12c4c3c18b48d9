internal import Core

/// A thin lens before a perspective camera: what is not at the focus distance is blurred.
public struct Lens: Hashable, Sendable {
    public enum Aperture: Hashable, Sendable {
        /// The opening's diameter.
        case metres(Double)
        /// The focal length over the diameter, for a picture that is 36 mm wide on the film.
        case fStop(Double)
    }

    public var aperture: Aperture
    /// Metres from the camera to the plane that is in focus, along its axis.
    public var focusDistance: Double

    public static let apertures = 0.0...1000.0
    public static let fStops = 0.01...10_000.0
    public static let focusDistances = 1e-6...1e9
    private static let filmWidthMetres = 0.036

    public init(_ aperture: Aperture, focusDistance: Double) {
        self.aperture = aperture
        self.focusDistance = focusDistance
    }

    /// Half the opening's diameter, in metres.
    func radius(of camera: Camera) -> Float {
        switch aperture {
        case .metres(let diameter): return Float(diameter / 2)
        case .fStop(let stop):
            let focalLength = Self.filmWidthMetres / 2 / Double(camera.halfWidth)
            return Float(focalLength / stop / 2)
        }
    }

    /// - Throws: ``Failure`` with code `limit` naming the parameter and its range.
    func check() throws(Failure) {
        switch aperture {
        case .metres(let value): try Self.check("aperture", value, Self.apertures)
        case .fStop(let value): try Self.check("f-stop", value, Self.fStops)
        }
        try Self.check("focus distance", focusDistance, Self.focusDistances)
    }

    private static func check(
        _ name: String, _ value: Double, _ range: ClosedRange<Double>
    ) throws(Failure) {
        guard range.contains(value) else {
            throw Failure(
                .limit, "\(name) \(value): \(range.lowerBound)…\(range.upperBound) expected")
        }
    }
}

extension Lens {
    /// What a specification asks for; nil where it names no aperture.
    init?(_ spec: TaskSpec) throws(Failure) {
        let (metres, stop) = (try spec.decimal("aperture"), try spec.decimal("f_stop"))
        guard let distance = try spec.decimal("focus_distance") else {
            guard metres == nil, stop == nil else {
                throw Failure(.malformed, "render: parameter focus_distance expected")
            }
            return nil
        }
        switch (metres, stop) {
        case (let metres?, nil): self.init(.metres(metres), focusDistance: distance)
        case (nil, let stop?): self.init(.fStop(stop), focusDistance: distance)
        default: throw Failure(.malformed, "render: parameter aperture or f_stop expected")
        }
    }

    var parameters: [String: TaskSpec.Parameter] {
        let opening: (String, Double) =
            switch aperture {
            case .metres(let metres): ("aperture", metres)
            case .fStop(let stop): ("f_stop", stop)
            }
        return [
            opening.0: .string("\(opening.1)"), "focus_distance": .string("\(focusDistance)"),
        ]
    }
}
