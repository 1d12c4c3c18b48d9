public import Core

/// How frame numbers become seconds on a scene's clock: `start` + frame ÷ `fps`.
///
/// Frame 0 is at `start`. Blender's exporter writes frame n at n ÷ fps seconds, so with a start of
/// 0 a frame here shows what Blender's frame of that number shows.
public struct FrameClock: Hashable, Sendable {
    /// Decimal text, as a task's specification carries it.
    public var start: String
    /// Frames a second, decimal text; nil where the scene stands still.
    public var fps: String?

    public init(start: String = "0", fps: String? = nil) {
        self.start = start
        self.fps = fps
    }

    public static let frameMax = 1_000_000

    /// - Throws: ``Failure`` where a number is none, or a frame is asked for without `fps`.
    public func seconds(frame: Int) throws(Failure) -> Double {
        guard let start = Double(start), start.isFinite else {
            throw Failure(.malformed, "render: parameter start: seconds expected")
        }
        guard (0...Self.frameMax).contains(frame) else {
            throw Failure(.limit, "frame \(frame): 0 to \(Self.frameMax) expected")
        }
        guard let fps else {
            if frame == 0 { return start }
            throw Failure(.malformed, "render: parameter fps: expected, since parts have frames")
        }
        return start + Double(frame) / (try Self.rate(fps))
    }

    /// Frames a second; nil where the scene stands still.
    var rate: Double? {
        get throws(Failure) {
            guard let fps else { return nil }
            return try Self.rate(fps)
        }
    }

    private static func rate(_ fps: String) throws(Failure) -> Double {
        guard let rate = Double(fps), rate > 0, rate <= 1_000 else {
            throw Failure(.malformed, "render: parameter fps: more than 0, at most 1000 expected")
        }
        return rate
    }

    /// A file's name with its frame's number: `picture.png` becomes `picture.0007.png`, and in
    /// `picture_####.png` the number takes the place of the signs.
    public static func path(_ path: String, frame: Int) -> String {
        func number(_ digits: Int) -> String {
            let text = String(frame)
            return String(repeating: "0", count: max(digits - text.count, 0)) + text
        }
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
        let name = path[folder.endIndex...]
        if let last = name.lastIndex(of: "#") {
            let first = name[...last].lastIndex { $0 != "#" }.map(name.index(after:))
            let run = (first ?? name.startIndex)...last
            return folder + name[..<run.lowerBound] + number(name[run].count)
                + name[name.index(after: last)...]
        }
        guard let dot = name.lastIndex(of: "."), dot > name.startIndex else {
            return "\(path).\(number(4))"
        }
        return folder + name[..<dot] + ".\(number(4))" + name[dot...]
    }
}

/// Which of the pictures that a scene holds is wanted.
public struct SceneMoment: Hashable, Sendable {
    /// Nil leaves nodes at rest.
    public var clock: FrameClock?
    public var animation: AnimationChoice
    public var variant: String?
    /// Nil for a picture of one moment.
    public var shutter: Shutter?

    public init(
        clock: FrameClock? = nil, animation: AnimationChoice = .all, variant: String? = nil,
        shutter: Shutter? = nil
    ) {
        self.clock = clock
        self.animation = animation
        self.variant = variant
        self.shutter = shutter
    }

    /// What the importer is to do for `frame`.
    public func options(frame: Int) throws(Failure) -> ImportOptions {
        guard clock != nil || frame == 0 else {
            throw Failure(.malformed, "render: parameter fps: expected, since parts have frames")
        }
        var options = ImportOptions(
            seconds: try clock?.seconds(frame: frame), animation: animation, variant: variant)
        // What can be shared may change while the shutter is open, and with it triangles' numbers.
        options.sharesMeshes = shutter == nil
        return options
    }

    /// The moment whose automatic camera `frame` is seen with; nil where that is its own.
    ///
    /// It is frame 0 for all frames, so that the camera stands still, and in the same place however
    /// a job is cut into frames.
    public func steadyOptions(frame: Int) throws(Failure) -> ImportOptions? {
        guard clock?.fps != nil, frame != 0 else { return nil }
        return try options(frame: 0)
    }

    /// As a task's specification says it; nothing for a scene at rest.
    var parameters: [String: TaskSpec.Parameter] {
        var found: [String: TaskSpec.Parameter] = [:]
        if let clock {
            found["start"] = .string(clock.start)
            if let fps = clock.fps { found["fps"] = .string(fps) }
        }
        if animation != .all { found["animation"] = .string(animation.argument) }
        if let variant { found["variant"] = .string(variant) }
        if let shutter {
            found["shutter"] = .string(shutter.fraction)
            found["shutter_steps"] = .int(shutter.steps)
        }
        return found
    }

    /// What a specification asks for.
    package init(_ spec: TaskSpec) throws(Failure) {
        func text(_ name: String) throws(Failure) -> String? {
            spec.parameters[name] == nil ? nil : try spec.text(name)
        }
        let start = try text("start")
        let fps = try text("fps")
        self.init(
            clock: start == nil && fps == nil ? nil : FrameClock(start: start ?? "0", fps: fps),
            animation: AnimationChoice(argument: try text("animation") ?? "all"),
            variant: try text("variant"))
        guard let fraction = try text("shutter") else { return }
        shutter = Shutter(fraction: fraction, steps: try spec.int("shutter_steps"))
    }
}
