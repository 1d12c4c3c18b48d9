internal import Synchronization

/// Bytes that many may hold at a time.
final class Budget: Sendable {
    private let bytesMax: Int
    private let taken = Mutex(0)

    init(_ bytesMax: Int) { self.bytesMax = bytesMax }

    /// - Returns: false where there is no room for that many more.
    func reserve(_ count: Int) -> Bool {
        taken.withLock { taken in
            guard count <= bytesMax - taken else { return false }
            taken += count
            return true
        }
    }

    func release(_ count: Int) { taken.withLock { $0 -= count } }
}
