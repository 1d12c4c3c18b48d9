internal import Contribution
internal import Core
internal import Digest
internal import Ethereum
internal import Files
internal import Foundation
internal import HostProtocol
internal import PoolProtocol

/// A settled task's specification, inputs and leaves, from the folder of the pool that kept them.
struct SettledTask {
    let receipt: Receipt
    let spec: TaskSpec
    /// Which of the specification's parts it is.
    let part: Int
    private let artifacts: ArtifactStore
    private let results: Bytes

    /// - Throws: ``Failure`` naming what is not there, or is not what the receipt says.
    init(_ receipt: Receipt, in hub: Hub, pool: String) throws(Failure) {
        self.receipt = receipt
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: pool, isDirectory: &isFolder),
            isFolder.boolValue
        else { throw Failure(.missing, "\(pool): no such folder; name the pool's with --pool") }
        let path = "\(pool)/specs/\(receipt.taskSpec.bytes.hex)"
        let bytes = try FileHash.contents(path: path, bytesMax: PoolProtocol.specBytesMax)
        guard Keccak256.hash(bytes) == receipt.taskSpec else {
            throw Failure(
                .untrusted, "\(path): the specification \(receipt.taskSpec) expected")
        }
        do throws(Failure) {
            spec = try TaskSpec(canonical: bytes)
        } catch {
            throw error.at(path)
        }
        guard let index = receipt.index.int, spec.parts.indices.contains(index) else {
            throw Failure(.malformed, "receipt: index \(receipt.index): \(path) has no such part")
        }
        part = index
        artifacts = try ArtifactStore(folder: "\(pool)/artifacts")
        results = hub.task(receipt.taskID)?.results ?? []
    }

    /// The leaves that were settled.
    func leaves() throws(Failure) -> [Leaf] {
        let content = try ResultLocation(results: results).leaves
        return try LeafFile.leaves(try artifacts.contents(content))
    }

    /// Lays the inputs out under their paths, each checked.
    ///
    /// - Parameter source: where they are; nil takes the pool's.
    func layInputs(from source: String?, in folder: String) throws(Failure) {
        for (path, content) in spec.inputs.sorted(by: { $0.key < $1.key }) {
            let bytes: Bytes
            if let source {
                bytes = try FileHash.contents(path: "\(source)/\(path)", expected: content)
            } else {
                bytes = try artifacts.contents(content)
            }
            let target = "\(folder)/\(path)"
            try Folder.make((target as NSString).deletingLastPathComponent)
            try FileBytes.write(bytes, to: target)
        }
    }
}
