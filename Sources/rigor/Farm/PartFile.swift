internal import Core
internal import Files
internal import Foundation
internal import PoolProtocol
internal import Rendering

/// Parts of pictures on disk: leaf files whose first leaf says which part of which job.
enum PartFile {
    /// The largest picture in one part.
    private static let bytesMax = 8 << 30

    static func write(_ part: RenderPart, to path: String) throws(Failure) {
        try FileBytes.write(LeafFile.bytes(part.leaves), to: path)
    }

    /// - Throws: ``Failure`` naming the file and what was expected.
    static func read(_ path: String) throws(Failure) -> RenderPart {
        let leaves = try leaves(path)
        do throws(Failure) {
            return try RenderPart(leaves: leaves)
        } catch {
            throw error.at(path)
        }
    }

    /// The leaves of any leaf file.
    static func leaves(_ path: String) throws(Failure) -> [Leaf] {
        let bytes = Bytes(try FileBytes.read(path, byteCountMax: bytesMax))
        do throws(Failure) {
            return try LeafFile.leaves(bytes)
        } catch {
            throw error.at(path)
        }
    }
}
