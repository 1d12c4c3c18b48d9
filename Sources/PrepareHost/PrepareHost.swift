public import Compute
public import Core
internal import Digest
internal import Foundation
public import HostProtocol

/// The process that reads strangers' bytes: it turns one task's inputs into a blob, and ends. It
/// has no key and no network, and writes one file.
public enum PrepareHost {
    /// Limits of the process: far above honest use, far below what hurts the machine.
    public static let limits = HostSession.Limits(
        fileBytesMax: 16 << 30, processorSecondsMax: 3600, dataBytesMax: 32 << 30)

    /// Serves requests until the agent hangs up.
    public static func serve(_ session: HostSession, apps: [any App], clock: any Clock) {
        while let request = session.next() {
            let reply: HostReply
            do throws(Failure) {
                guard case .prepare(let order) = request else {
                    throw Failure(.unsupported, "prepare host: prepares, and nothing else")
                }
                reply = .prepared(try prepare(order, apps: apps, clock: clock))
            } catch {
                reply = .failed(error)
            }
            do throws(Failure) { try session.send(reply) } catch { return }
        }
    }

    static func prepare(
        _ order: PrepareOrder, apps: [any App], clock: any Clock
    ) throws(Failure) -> PrepareReport {
        let start = clock.monotonicSeconds
        let spec = try TaskSpec(canonical: order.spec)
        let app = try apps.named(spec.app, version: spec.appVersion)
        // The agent checked the inputs when it fetched them; a file could have changed since.
        for (path, expected) in spec.inputs.sorted(by: { $0.key < $1.key }) {
            let found = try FileHash.sha256(path: "\(order.inputsPath)/\(path)")
            guard found == expected else {
                throw Failure(.untrusted, "input \(path): content \(expected.sha256) expected")
            }
        }
        let blob = try app.prepare(
            spec, frame: order.frame, inputs: order.inputsPath)
        try FileHash.writeDurably(blob, to: order.outputPath)
        return PrepareReport(
            blob: TaskSpec.ContentID(sha256: SHA256.hash(blob), byteCount: blob.count),
            seconds: clock.monotonicSeconds - start)
    }
}
