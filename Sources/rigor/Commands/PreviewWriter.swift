import Core
import Foundation
import Rendering
import Synchronization

/// Writes pictures beside the work, one at a time; one that comes too soon is left out.
final class PreviewWriter: Sendable {
    private let queue = DispatchQueue(label: "preview")
    private let isBusy = Mutex(false)
    private let options: PictureOptions
    private let console: Console

    init(_ options: PictureOptions, _ console: Console) {
        self.options = options
        self.console = console
    }

    func write(_ frame: PartialFrame) {
        let isFirst = isBusy.withLock { busy in
            defer { busy = true }
            return !busy
        }
        guard isFirst else { return }
        queue.async { [self] in
            do { try options.write(Picture(frame)) } catch {
                console.warn("preview: \((error as? Failure)?.message ?? "\(error)")")
            }
            isBusy.withLock { $0 = false }
        }
    }

    /// Returns when nothing is being written any more.
    func finish() { queue.sync {} }
}
