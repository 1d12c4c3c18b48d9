internal import CLinux
internal import Core
internal import Foundation

/// The machine's clocks: the only place in the program that reads them.
struct SystemClock: Clock {
    var nowSeconds: Int { Int(Self.seconds(CLOCK_REALTIME)) }
    var monotonicSeconds: Double { Self.seconds(CLOCK_MONOTONIC) }

    /// Whether the kernel counts its clock as kept by a time service (`adjtimex`); nil where it
    /// does not say.
    static var isSynchronized: Bool? {
        let answer = rigor_clock_is_synchronized()
        return answer < 0 ? nil : answer == 1
    }

    private static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
