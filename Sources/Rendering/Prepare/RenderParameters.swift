public import Core

/// What a render job asks for beside its scene.
public struct RenderParameters: Hashable, Sendable {
    /// Pixels.
    public var width: Int
    public var height: Int
    /// Samples a pixel.
    public var samples: Int
    /// Scattering events after the first, as Blender Cycles counts `max_bounces`.
    public var bounces: Int
    public var seed: UInt64
    public var camera: CameraChoice
    /// Most that light scattered more than once may add to a sample, by its largest channel; nil
    /// for no limit. It takes away fireflies, and light.
    public var indirectMax: Float?
    /// Nil for a pinhole.
    public var lens: Lens?
    /// Where tiles may end before they have all samples; nil where none may.
    public var noise: NoiseTarget?

    public static let sideMax = 16384
    public static let pixelsMax = 1 << 27
    public static let samplesMax = 1 << 16
    public static let bouncesMax = 64

    public init(
        width: Int = 640, height: Int = 360, samples: Int = 64, bounces: Int = 4, seed: UInt64 = 0,
        camera: CameraChoice = .first, indirectMax: Float? = nil, lens: Lens? = nil,
        noise: NoiseTarget? = nil
    ) {
        self.width = width
        self.height = height
        self.samples = samples
        self.bounces = bounces
        self.seed = seed
        self.camera = camera
        self.indirectMax = indirectMax
        self.lens = lens
        self.noise = noise
    }

    /// - Throws: ``Failure`` with code `limit` naming the parameter and its range.
    public func check() throws(Failure) {
        try Self.check("width", width, 1...Self.sideMax)
        try Self.check("height", height, 1...Self.sideMax)
        try Self.check("pixels", width * height, 1...Self.pixelsMax)
        try Self.check("samples a pixel", samples, 1...Self.samplesMax)
        try Self.check("bounces", bounces, 0...Self.bouncesMax)
        guard indirectMax.map({ $0 >= 0x1p-20 && $0 <= 0x1p26 }) ?? true else {
            throw Failure(.limit, "clamp \(indirectMax ?? 0): 2^-20 to 2^26 expected")
        }
        try lens?.check()
        try noise?.check()
    }

    private static func check(
        _ name: String, _ value: Int, _ range: ClosedRange<Int>
    ) throws(Failure) {
        guard range.contains(value) else {
            throw Failure(
                .limit, "\(name) \(value): \(range.lowerBound)…\(range.upperBound) expected")
        }
    }

    /// Tiles of 32×32 pixels along each side, the last ones clipped.
    public var tilesWide: Int { (width + TileSums.side - 1) / TileSums.side }
    public var tilesHigh: Int { (height + TileSums.side - 1) / TileSums.side }
    public var tileCount: Int { tilesWide * tilesHigh }

    package func size(ofTile tile: Int) -> (width: Int, height: Int) {
        let left = tile % tilesWide * TileSums.side
        let top = tile / tilesWide * TileSums.side
        return (min(TileSums.side, width - left), min(TileSums.side, height - top))
    }
}

/// Which camera looks.
public enum CameraChoice: Hashable, Sendable {
    /// The file's first, or the automatic one where it has none.
    case first
    /// Looks at the whole scene; ``Camera/automatic(framing:width:height:)``.
    case automatic
    case index(Int)
    case named(String)

    /// From a command line: `first`, `auto`, a number, or a name.
    public init(argument: String) {
        switch argument {
        case "first": self = .first
        case "auto": self = .automatic
        default: self = Int(argument).map { .index($0) } ?? .named(argument)
        }
    }
}

extension CameraChoice {
    /// As a command line says it.
    public var argument: String {
        switch self {
        case .first: "first"
        case .automatic: "auto"
        case .index(let index): String(index)
        case .named(let name): name
        }
    }
}

extension Scene {
    /// Whether a choice gives the automatic camera.
    public func isFramed(for choice: CameraChoice) -> Bool {
        choice == .automatic || choice == .first && cameras.isEmpty
    }

    /// The camera that `parameters` choose, its width fitted to the picture.
    ///
    /// - Throws: ``Failure`` naming the cameras there are.
    package func camera(for parameters: RenderParameters) throws(Failure) -> Camera {
        var chosen: Camera?
        switch parameters.camera {
        case .first: chosen = cameras.first
        case .automatic: break
        case .index(let index): chosen = cameras.indices.contains(index) ? cameras[index] : nil
        case .named(let name): chosen = cameras.first { $0.name == name }
        }
        if let chosen, let fault = chosen.fault {
            throw Failure(
                .malformed,
                "camera \"\(chosen.name)\": \(fault): choose another with --camera, such as auto")
        }
        if let chosen { return chosen.fitted(width: parameters.width, height: parameters.height) }
        switch parameters.camera {
        case .first, .automatic:
            return steadyCamera
                ?? .automatic(framing: self, width: parameters.width, height: parameters.height)
        case .index, .named:
            let names = cameras.enumerated().map { "\($0.offset) \"\($0.element.name)\"" }
            let known = names.isEmpty ? "has none" : "has \(names.joined(separator: ", "))"
            throw Failure(
                .malformed, "camera \"\(parameters.camera.argument)\": the scene \(known)")
        }
    }
}
