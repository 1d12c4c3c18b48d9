public import Compute
public import Core

/// Runs work on a device and times it: as much of it as takes long enough to be timed, several
/// times, within a budget. Sizes follow the device's speed; what is hashed never does.
public struct Stopwatch: Sendable {
    public let device: any ComputeDevice
    let clock: any Clock
    /// A run shorter than this is mostly launch overhead.
    let runSecondsMin: Double
    /// For all runs of one figure together.
    let budgetSeconds: Double
    let runsMax: Int

    public init(
        on device: any ComputeDevice, clock: any Clock, runSecondsMin: Double = 0.03,
        budgetSeconds: Double = 0.6, runsMax: Int = 7
    ) {
        self.device = device
        self.clock = clock
        self.runSecondsMin = runSecondsMin
        self.budgetSeconds = budgetSeconds
        self.runsMax = runsMax
    }

    /// Seconds that `work` takes with the queue empty before and after.
    public func seconds(_ work: () throws(Failure) -> Void) throws(Failure) -> Double {
        try device.finish()
        let start = clock.monotonicSeconds
        try work()
        try device.finish()
        return clock.monotonicSeconds - start
    }

    /// Units of work per second, one value a run.
    ///
    /// - Parameters:
    ///   - amounts: sizes to try, ascending; the first that takes `runSecondsMin` is measured, or
    ///     the last one. A size's first run warms up and is not counted, unless it took so long
    ///     that there is time for no other.
    ///   - work: does so many units.
    public func rates(
        amounts: [Int], _ work: (Int) throws(Failure) -> Void
    ) throws(Failure) -> [Double] {
        precondition(!amounts.isEmpty, "at least one amount of work")
        let tried = fit(amounts)
        for (position, amount) in tried.enumerated() {
            let first = try seconds { () throws(Failure) in try work(amount) }
            let isLast = position + 1 == tried.count
            // The first run may have compiled or moved memory, and any one may have been
            // disturbed: the best of the next two says whether the size is large enough.
            var all: [Double] = []
            var spent = 0.0
            while all.count < 2, first + spent < budgetSeconds {
                let next = try seconds { () throws(Failure) in try work(amount) }
                all.append(next)
                spent += next
            }
            let best = all.min() ?? first
            guard best >= runSecondsMin || isLast else { continue }
            while all.count < runsMax, spent + best < budgetSeconds {
                let next = try seconds { () throws(Failure) in try work(amount) }
                all.append(next)
                spent += next
            }
            return (all.isEmpty ? [first] : all).map { Double(amount) / $0 }
        }
        return []
    }

    /// Powers of two from `first` to `last`.
    static func doublings(from first: Int, to last: Int) -> [Int] {
        var amounts = [first]
        while let next = amounts.last.map({ $0 * 2 }), next <= last { amounts.append(next) }
        return amounts
    }

    /// Processors get one group size for all launches: some drivers compile a kernel anew for each.
    func local() -> [Int]? { device.description.kind == .cpu ? [Self.group] : nil }

    static let group = 32

    /// A simulator runs a million times slower: it gets the least of everything.
    var isSimulator: Bool { device.description.kind == .other }

    /// Work-items that fill the device: a GPU wants thousands a compute unit, a processor a few
    /// groups.
    func items(each: Int, least: Int) -> Int {
        switch device.description.kind {
        case .other: 1 << 10
        case .cpu: least
        case .gpu, .accelerator: max(least, device.description.computeUnits * each)
        }
    }

    /// So many of `amounts` as the device should be tried with.
    func fit(_ amounts: [Int]) -> [Int] { isSimulator ? Array(amounts.prefix(1)) : amounts }
}
