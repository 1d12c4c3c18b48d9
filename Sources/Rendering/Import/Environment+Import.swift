public import Core
public import Foundation
internal import Imaging

extension Environment {
    /// Radiance beyond this is cut: it is the most that a pixel's sum may take in.
    private static let radianceMax: Float = 0x1p26

    /// Decodes an environment from a Radiance `.hdr` or OpenEXR file, whichever the bytes are.
    ///
    /// Negative, subnormal and NaN values become 0, values beyond 2²⁶ that.
    ///
    /// - Throws: ``Failure`` when the bytes are neither, or are damaged or too large.
    public init(decoding bytes: Bytes) throws(Failure) {
        let image: ImageFloat
        switch ImageKind(sniffing: bytes) {
        case .hdr: image = try RadianceHDR.decode(bytes)
        case .exr: image = try EXR.decode(bytes)
        default:
            throw Failure(.unsupported, "environment: a Radiance .hdr or OpenEXR file expected")
        }
        self.init(
            width: image.width, height: image.height,
            texels: image.pixels.map {
                SIMD3(Self.bounded($0.x), Self.bounded($0.y), Self.bounded($0.z))
            })
    }

    /// Reads an environment from `files`, by relative path.
    ///
    /// - Throws: ``Failure`` naming the file.
    public init(importing path: String, from files: SceneFiles) throws(Failure) {
        let bytes = try files.read(path)
        do throws(Failure) { try self.init(decoding: bytes) } catch { throw error.at(path) }
    }

    /// Reads an environment from disk.
    ///
    /// - Throws: ``Failure`` naming the file.
    public init(contentsOf url: URL) throws(Failure) {
        let files = SceneFiles(folder: url.deletingLastPathComponent())
        try self.init(importing: url.lastPathComponent, from: files)
    }

    private static func bounded(_ value: Float) -> Float {
        value > 0 ? min(value, radianceMax).withoutSubnormals : 0
    }
}
