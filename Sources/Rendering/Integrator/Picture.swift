public import Core
internal import Exact
public import Imaging

/// A frame put together from its tiles.
public struct Picture: Sendable {
    /// Linear radiance, Rec. 709 primaries: sums over samples, rounded to binary32 here and nowhere
    /// before.
    public let image: ImageFloat
    /// Samples of which a channel was not a number.
    public let nanCount: Int

    /// - Throws: ``Failure`` unless `tiles` are a frame's tiles, each once and with samples.
    public init(_ tiles: [TileSums], width: Int, height: Int) throws(Failure) {
        let parameters = RenderParameters(width: width, height: height)
        try parameters.check()
        guard tiles.count == parameters.tileCount,
            Set(tiles.map(\.tile)) == Set(0..<parameters.tileCount)
        else { throw Failure(.malformed, "picture: \(parameters.tileCount) tiles expected") }
        for tile in tiles {
            let size = parameters.size(ofTile: tile.tile)
            guard (tile.width, tile.height) == size, tile.sampleCount > 0 else {
                throw Failure(.malformed, "\(tile.leafName): another size expected")
            }
        }
        self.init(checked: tiles, parameters)
    }

    /// What there is of a frame so far; black where there is nothing.
    public init(_ frame: PartialFrame) {
        self.init(
            checked: frame.tiles.filter { $0.sampleCount > 0 },
            RenderParameters(width: frame.width, height: frame.height))
    }

    private init(checked tiles: [TileSums], _ grid: RenderParameters) {
        let width = grid.width
        var pixels = [SIMD3<Float>](repeating: .zero, count: width * grid.height)
        for tile in tiles {
            let left = tile.tile % grid.tilesWide * TileSums.side
            let top = tile.tile / grid.tilesWide * TileSums.side
            let whole = Double(tile.sampleCount) * Double(TileSums.unitsPerOne)
            for y in 0..<tile.height {
                for x in 0..<tile.width {
                    let place = 3 * (y * tile.width + x)
                    pixels[(top + y) * width + left + x] = [
                        Float(Double(tile.sums[place]) / whole),
                        Float(Double(tile.sums[place + 1]) / whole),
                        Float(Double(tile.sums[place + 2]) / whole),
                    ]
                }
            }
        }
        image = ImageFloat(width: width, height: grid.height, pixels: pixels)
        nanCount = tiles.reduce(0) { $0 + $1.nanCount }
    }

    /// A PNG file of the picture.
    public func png(_ look: PictureLook = PictureLook()) throws(Failure) -> Bytes {
        try PNG.encode(image, view: look.view, scale: look.scale, bits: look.bits)
    }
}

/// How a picture is shown in a PNG. The settled sums do not depend on it.
public struct PictureLook: Hashable, Sendable {
    /// Stops: the picture is exposed by two to this power.
    public var exposure: Double
    public var view: ViewTransform
    /// Bits a channel.
    public var bits: Int

    public static let exposures = -32.0...32.0
    public static let depths = [8, 16]

    public init(exposure: Double = 0, view: ViewTransform = .standard, bits: Int = 8) {
        self.exposure = exposure
        self.view = view
        self.bits = bits
    }

    var scale: Float { exposure == 0 ? 1 : Exact.exp2(Float(exposure)) }
}

extension PictureLook {
    /// What a specification asks for.
    ///
    /// - Throws: ``Failure`` naming the parameter that is out of range.
    public init(_ spec: TaskSpec) throws(Failure) {
        self.init()
        if spec.parameters["exposure"] != nil {
            guard let stops = Double(try spec.text("exposure")), Self.exposures.contains(stops)
            else {
                let (low, high) = (Int(Self.exposures.lowerBound), Int(Self.exposures.upperBound))
                throw Failure(
                    .malformed,
                    "render: parameter exposure: a decimal number from \(low) to \(high) expected")
            }
            exposure = stops
        }
        if spec.parameters["view"] != nil {
            guard let named = ViewTransform(rawValue: try spec.text("view")) else {
                let names = ViewTransform.allCases.map(\.rawValue).joined(separator: ", ")
                throw Failure(.malformed, "render: parameter view: one of \(names) expected")
            }
            view = named
        }
        if spec.parameters["png_bits"] != nil {
            bits = try spec.int("png_bits")
            guard Self.depths.contains(bits) else {
                throw Failure(.malformed, "render: parameter png_bits: 8 or 16 expected")
            }
        }
    }

    /// As a specification's parameters: those that differ from what one gets without them.
    var parameters: [String: TaskSpec.Parameter] {
        let plain = PictureLook()
        var parameters: [String: TaskSpec.Parameter] = [:]
        if exposure != plain.exposure { parameters["exposure"] = .string("\(exposure)") }
        if view != plain.view { parameters["view"] = .string(view.rawValue) }
        if bits != plain.bits { parameters["png_bits"] = .int(bits) }
        return parameters
    }
}
