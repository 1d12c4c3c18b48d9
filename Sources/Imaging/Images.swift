public import Core

/// A picture of 8-bit RGBA pixels, row by row from the top; alpha is not premultiplied.
public struct ImageRGBA8: Hashable, Sendable {
    public let width: Int
    public let height: Int
    /// `width * height * 4` bytes.
    public let pixels: Bytes

    public init(width: Int, height: Int, pixels: Bytes) {
        precondition(pixels.count == width * height * 4, "four bytes a pixel")
        self.width = width
        self.height = height
        self.pixels = pixels
    }
}

/// A picture of linear float RGB pixels, row by row from the top.
public struct ImageFloat: Hashable, Sendable {
    public let width: Int
    public let height: Int
    public let pixels: [SIMD3<Float>]

    public init(width: Int, height: Int, pixels: [SIMD3<Float>]) {
        precondition(pixels.count == width * height, "one vector a pixel")
        self.width = width
        self.height = height
        self.pixels = pixels
    }
}

/// What a picture may ask of the machine; checked against its header before anything is allocated.
public struct ImageLimits: Hashable, Sendable {
    /// Pixels along either side.
    public var sideMax: Int
    /// Pixels in all.
    public var pixelsMax: Int

    public init(sideMax: Int, pixelsMax: Int) {
        self.sideMax = sideMax
        self.pixelsMax = pixelsMax
    }

    /// 16,384 pixels a side and 64 Mi pixels in all: 256 MiB of RGBA8.
    public static let standard = ImageLimits(sideMax: 16_384, pixelsMax: 1 << 26)

    /// - Throws: ``Failure`` when a side is zero or beyond a limit. `kind` names the format.
    func check(width: Int, height: Int, kind: String) throws(Failure) {
        guard width > 0, height > 0 else {
            throw Failure(.malformed, "\(kind): \(width)×\(height) pixels: none to decode")
        }
        guard width <= sideMax, height <= sideMax else {
            throw Failure(
                .limit, "\(kind): \(width)×\(height) pixels: at most \(sideMax) a side expected")
        }
        guard width * height <= pixelsMax else {
            throw Failure(
                .limit, "\(kind): \(width)×\(height) pixels: at most \(pixelsMax) in all expected")
        }
    }
}

/// The picture formats read here, told apart by their first bytes and not by a name.
public enum ImageKind: String, Sendable {
    case png = "PNG"
    case jpeg = "JPEG"
    case hdr = "Radiance HDR"
    case exr = "OpenEXR"
    case webp = "WebP"

    public init?(sniffing bytes: some Collection<UInt8>) {
        if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) {
            self = .png
        } else if bytes.starts(with: [0xff, 0xd8, 0xff]) {
            self = .jpeg
        } else if bytes.starts(with: Array("#?".utf8)) {
            self = .hdr
        } else if bytes.starts(with: [0x76, 0x2f, 0x31, 0x01]) {
            self = .exr
        } else if bytes.starts(with: Array("RIFF".utf8)),
            bytes.dropFirst(8).starts(with: Array("WEBP".utf8))
        {
            self = .webp
        } else {
            return nil
        }
    }
}

extension ImageRGBA8 {
    /// Decodes a PNG, JPEG or WebP file, whichever the bytes are.
    ///
    /// - Throws: ``Failure`` when they are none of them, or are damaged or beyond `limits`.
    public init(decoding bytes: Bytes, limits: ImageLimits = .standard) throws(Failure) {
        switch ImageKind(sniffing: bytes) {
        case .png: self = try PNG.decode(bytes, limits: limits)
        case .jpeg: self = try JPEG.decode(bytes, limits: limits)
        case .webp: self = try WebP.decode(bytes, limits: limits)
        case let other?:
            throw Failure(.unsupported, "\(other.rawValue) picture: PNG, JPEG or WebP expected")
        case nil: throw Failure(.malformed, "unknown picture format: PNG, JPEG or WebP expected")
        }
    }
}
