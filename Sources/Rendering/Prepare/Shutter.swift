public import Core

/// How long a frame's shutter is open, and at how many moments of that time the scene is looked at.
///
/// Each step is a scene of its own, prepared at the middle of its part of the time; a pixel's
/// samples are dealt to them in order.
public struct Shutter: Hashable, Sendable {
    /// Of the time between two frames; decimal text, as a task's specification carries it.
    public var fraction: String
    public var steps: Int

    public static let stepsStandard = 8
    public static let stepsMax = 64

    public init(fraction: String, steps: Int = stepsStandard) {
        self.fraction = fraction
        self.steps = steps
    }

    /// Seconds from a frame's own time, around which the shutter is open, to that of each step.
    func offsets(frameSeconds: Double) throws(Failure) -> [Double] {
        guard let open = Double(fraction), open > 0, open <= 1 else {
            throw Failure(.malformed, "render: parameter shutter: more than 0, at most 1 expected")
        }
        guard (2...Self.stepsMax).contains(steps) else {
            throw Failure(
                .limit, "render: parameter shutter_steps: 2 to \(Self.stepsMax) expected")
        }
        return (0..<steps).map { step in
            ((Double(step) + 0.5) / Double(steps) - 0.5) * open * frameSeconds
        }
    }
}

extension SceneMoment {
    /// What the importer is to do for each step of the shutter, the earliest first; nil where it
    /// does not stay open.
    func steps(frame: Int) throws(Failure) -> [ImportOptions]? {
        guard let shutter else { return nil }
        let own = try options(frame: frame)
        guard let seconds = own.seconds, let rate = try clock?.rate else {
            throw Failure(
                .malformed, "render: parameter fps: expected, since the shutter stays open")
        }
        return try shutter.offsets(frameSeconds: 1 / rate).map { offset in
            var options = own
            options.seconds = seconds + offset
            return options
        }
    }

    /// What a device needs of `frame`.
    ///
    /// - Parameters:
    ///   - scene: the frame's, at its own time.
    ///   - load: the scene at another time.
    public func blob(
        of scene: Scene, _ parameters: RenderParameters, frame: Int,
        load: (ImportOptions) throws(Failure) -> Scene
    ) throws(Failure) -> RenderBlob {
        guard let steps = try steps(frame: frame) else {
            return try RenderBlob(scene, parameters)
        }
        return try RenderBlob(steps: steps.count, parameters) { step throws(Failure) in
            var moved = try load(steps[step])
            // A camera that frames the scene stays where it is, or it would follow what moves.
            if scene.isFramed(for: parameters.camera) {
                moved.steadyCamera = try scene.camera(for: parameters)
            }
            return moved
        }
    }
}
