import Compute
import Core
import Digest
import Foundation
import RigorTestKit

/// A job over shipped inputs, whose Merkle root is known beforehand.
struct Workload: Sendable, CustomStringConvertible {
    /// Its key in `Benchmarks/golden.json`.
    let name: String
    let app: any App
    let parameters: [String: TaskSpec.Parameter]
    /// Files below the repository's root, all from one folder.
    let inputs: [String]
    /// Small enough for a simulator, and clear of subnormal numbers.
    let isMicro: Bool
    var part = TaskSpec.Part()

    var description: String { name }

    static let repository = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The folder the inputs lie in.
    var folder: URL {
        let first = Self.repository.appendingPathComponent(inputs.first ?? "")
        return first.deletingLastPathComponent()
    }

    func spec() throws -> TaskSpec {
        var contents: [String: TaskSpec.ContentID] = [:]
        for path in inputs {
            let file = Self.repository.appendingPathComponent(path)
            let bytes = Bytes(try Data(contentsOf: file))
            contents[file.lastPathComponent] = TaskSpec.ContentID(
                sha256: SHA256.hash(bytes), byteCount: bytes.count)
        }
        return TaskSpec(
            app: app.id, appVersion: app.version, parameters: parameters, inputs: contents,
            parts: [part])
    }

    /// The Merkle root of what `device` computes.
    func root(on device: any ComputeDevice) throws -> Hash256 {
        let spec = try spec()
        let blob = try app.prepare(spec, inputs: folder.path)
        let run = AppRun(
            spec: spec, part: 0, blob: blob, sliceSeconds: 0.05, clock: MonotonicClock())
        let collector = Collector()
        _ = try app.run(run, on: device, observer: collector)
        return MerkleTree(leaves: collector.leaves).root
    }
}

/// Keeps what a run hands out.
final class Collector: AppObserver {
    var leaves: [Leaf] = []
    func advance(_ fraction: Double) throws(Failure) {}
    func leaf(_ leaf: Leaf) throws(Failure) { leaves.append(leaf) }
}

/// `Benchmarks/golden.json`: workload → Merkle root.
enum Golden {
    static func roots() throws -> [String: String] {
        let file = Workload.repository.appendingPathComponent("Benchmarks/golden.json")
        let root = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
        guard let roots = root as? [String: String] else {
            throw Failure(.malformed, "Benchmarks/golden.json: workload → root expected")
        }
        return roots
    }
}
