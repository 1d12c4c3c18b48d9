public import Core
internal import Digest
internal import Foundation

/// Known answers of the picture decoders, part of a rig's certificate.
///
/// Two rigs whose libraries decode one of these files differently would split on a task that needs
/// that codec; so a rig takes such tasks only where every answer of the codec is right.
public enum ImagingKnownAnswers {
    /// One file's verdict.
    public struct Answer: Hashable, Sendable {
        /// The codec and the feature, such as `jpeg 4:2:0 progressive`.
        public let name: String
        public let codec: ImageKind
        /// SHA-256 of the RGBA8 pixels that every rig must get, and of what this one got; nil where
        /// it refused the file.
        public let expected: Hash256
        public let found: Hash256?
        public var isRight: Bool { expected == found }
    }

    package struct KnownFile: Sendable {
        package let name: String
        let sha256: String
        let base64: String

        package var bytes: Bytes { Bytes(Data(base64Encoded: base64) ?? Data()) }
    }

    /// The first known file that this machine's library decodes to other pixels, by codec.
    package static let wrong: [ImageKind: String] = Dictionary(
        check().filter { !$0.isRight }.map { ($0.codec, $0.name) }, uniquingKeysWith: { $1 })

    /// Decodes every file; takes about a millisecond.
    ///
    /// - Parameter isControl: damages one bit of each picture after decoding, so that every answer
    /// must   come out wrong: the proof that the check can fail.
    public static func check(isControl: Bool = false) -> [Answer] {
        files.map { file in
            let bytes = file.bytes
            guard let expected = Hex.decode(file.sha256).flatMap({ Hash256($0) }),
                let codec = ImageKind(sniffing: bytes)
            else { preconditionFailure("the embedded file \(file.name) is whole") }
            var pixels = (try? ImageRGBA8(decoding: bytes))?.pixels
            if isControl, let count = pixels?.count { pixels?[count / 2] ^= 1 }
            return Answer(
                name: file.name, codec: codec, expected: expected,
                found: pixels.map { SHA256.hash($0) })
        }
    }
}
