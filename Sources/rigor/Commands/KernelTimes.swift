internal import Core
internal import Foundation

/// Launches and seconds on a device by kernel, for reports.
enum KernelTimes {
    static func json(_ kernels: [String: (launches: Int, seconds: Double)]) -> JSON {
        .object(
            kernels.sorted { $0.key < $1.key }.map {
                JSON.Member($0.key, .seconds($0.value.seconds))
            })
    }

    /// The slowest first.
    static func lines(_ kernels: [String: (launches: Int, seconds: Double)]) -> [String] {
        kernels.sorted { $0.value.seconds > $1.value.seconds }.map { name, time in
            // Longer names are never cut.
            let width = max(12, name.count)
            let padded = name.padding(toLength: width, withPad: " ", startingAt: 0)
            let seconds = Units.plain(time.seconds, 6)
            return "kernel   \(padded) \(seconds) s, \(time.launches) launches"
        }
    }
}
