public import Core
internal import Digest
internal import Foundation

/// A library that unpacks meshes.
public enum MeshCodec: String, Hashable, Sendable {
    case draco = "Draco"
    case meshopt = "meshopt"
}

/// Known answers of the mesh decoders, part of a rig's certificate as those of pictures are.
public enum MeshKnownAnswers {
    /// One file's verdict.
    public struct Answer: Hashable, Sendable {
        /// The codec and the feature, such as `draco edgebreaker`.
        public let name: String
        public let codec: MeshCodec
        /// SHA-256 of what every rig must get, and of what this one got; nil where it refused.
        public let expected: Hash256
        public let found: Hash256?
        public var isRight: Bool { expected == found }
    }

    package struct KnownFile: Sendable {
        /// How a file is to be decoded.
        package enum Kind: Sendable {
            /// The attributes' ids, each with its number of components.
            case draco([(id: Int, components: Int)])
            case meshopt(count: Int, stride: Int, mode: Meshopt.Mode, filter: Meshopt.Filter)
        }

        package let name: String
        package let kind: Kind
        let sha256: String
        let base64: String

        package var bytes: Bytes { Bytes(Data(base64Encoded: base64) ?? Data()) }

        var codec: MeshCodec { if case .draco = kind { .draco } else { .meshopt } }

        /// Everything that the file decodes to, one after the other.
        package func decoded() throws(Failure) -> Bytes {
            switch kind {
            case .meshopt(let count, let stride, let mode, let filter):
                return try Meshopt.decode(
                    bytes, count: count, stride: stride, mode: mode, filter: filter)
            case .draco(let attributes):
                let mesh = try DracoMesh(decoding: bytes)
                var out = mesh.corners.flatMap(\.littleEndianBytes)
                for (id, components) in attributes {
                    switch try mesh.values(id: id, components: components) {
                    case .integers(let values): out += values.flatMap(\.littleEndianBytes)
                    case .floats(let values):
                        out += values.flatMap { $0.bitPattern.littleEndianBytes }
                    }
                }
                return out
            }
        }
    }

    /// The first known file that this machine's library decodes to something else, by codec.
    package static let wrong: [MeshCodec: String] = Dictionary(
        check().filter { !$0.isRight }.map { ($0.codec, $0.name) }, uniquingKeysWith: { $1 })

    /// Decodes every file.
    ///
    /// - Parameter isControl: damages one bit of each answer, so that every one must come out
    ///   wrong: the proof that the check can fail.
    public static func check(isControl: Bool = false) -> [Answer] {
        files.map { file in
            guard let expected = Hex.decode(file.sha256).flatMap({ Hash256($0) }) else {
                preconditionFailure("the embedded file \(file.name) is whole")
            }
            var decoded = try? file.decoded()
            if isControl, let count = decoded?.count { decoded?[count / 2] ^= 1 }
            return Answer(
                name: file.name, codec: file.codec, expected: expected,
                found: decoded.map { SHA256.hash($0) })
        }
    }
}
