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
        try FileBytes.replace(path, with: [LeafFile.bytes(part.leaves)])
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

    /// Of which job a part is, by its first leaf alone: nothing else of it is checked.
    static func job(_ path: String) throws(Failure) -> RenderPart.Job {
        let bytes = try FileBytes.read(path, byteCountMax: bytesMax)
        do throws(Failure) {
            return try RenderPart.job(
                of: try LeafFile.leaves(Bytes(bytes.prefix(headBytesMax)), countMax: 1))
        } catch {
            throw error.at(path)
        }
    }

    private static let headBytesMax = 1 << 20

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
