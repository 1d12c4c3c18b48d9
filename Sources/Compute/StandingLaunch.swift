public import Core
internal import Dispatch
internal import Foundation
internal import OpenCL
internal import Synchronization

/// A launch whose work-groups stay for a moment when they are done: another run in that time needs
/// no launch, which would wake the threads that compute, and those the caller. Waking takes longer
/// than a small product.
public protocol StandingLaunch: AnyObject, Sendable {
    /// Runs it once, and returns when that is done.
    ///
    /// - Returns: false, with nothing done, once runs have proved too long for this to pay.
    func run() throws(Failure) -> Bool
}

/// How a kernel that stays and its host count: in words of 64 bits, each on a line of its own, as
/// `Kernels/inference/tape.cl` has them.
final class StandingState: Sendable {
    private let memory: HostMemory

    private enum Word: Int {
        case taken = 0
        case done = 8
        case dismissed = 24
    }

    private static let closed: UInt64 = 1 << 63
    static let byteCount = 256

    init(_ memory: HostMemory) {
        precondition(memory.byteCount >= Self.byteCount, "room for all words")
        self.memory = memory
        word(.taken).pointee.store(Self.closed, ordering: .relaxed)
    }

    private func word(_ word: Word) -> UnsafeMutablePointer<Atomic<UInt64>> {
        let words = memory.bytes.baseAddress?.assumingMemoryBound(to: Atomic<UInt64>.self)
        guard let words else { preconditionFailure("memory has an address") }
        return words + word.rawValue
    }

    /// Whether all of `tickets` are done.
    func hasDone(_ tickets: UInt64) -> Bool {
        word(.done).pointee.load(ordering: .acquiring) == tickets
    }

    /// Idle work-groups are to leave, and no longer to wait for another turn.
    func dismiss() { word(.dismissed).pointee.store(1, ordering: .releasing) }

    /// Before a launch, with no work-group about: all counters are zero, those of the kernel's own
    /// behind the words as well.
    func open() {
        let counters = memory.bytes[Self.byteCount...]
        _ = UnsafeMutableRawBufferPointer(rebasing: counters).initializeMemory(
            as: UInt8.self, repeating: 0)
        word(.done).pointee.store(0, ordering: .relaxed)
        word(.dismissed).pointee.store(0, ordering: .relaxed)
        word(.taken).pointee.store(0, ordering: .releasing)
    }

    /// Begins another turn; false where a work-group has left, or one never came.
    func resume() -> Bool {
        var seen = word(.taken).pointee.load(ordering: .acquiring)
        guard seen & Self.closed == 0 else { return false }
        word(.done).pointee.store(0, ordering: .relaxed)
        while seen & Self.closed == 0 {
            let next = (seen >> 32 + 1) << 32 & ~Self.closed
            let (exchanged, original) = word(.taken).pointee.compareExchange(
                expected: seen, desired: next, ordering: .acquiringAndReleasing)
            if exchanged { return true }
            seen = original
        }
        return false
    }
}

/// A standing launch of an ``OpenCLDevice`` that computes in the host's memory.
final class StandingRun: StandingLaunch {
    private let core: DeviceCore
    private let launch: OpenCLDevice.BoundLaunch
    private let state: StandingState
    private let tickets: UInt64
    private let past = Mutex(Past())

    /// What runs so far tell about the next one.
    private struct Past {
        /// Runs in a row that took too long for this to pay.
        var slowRuns = 0
        /// When the last launch was.
        var launched: UInt64 = 0
        /// What a run takes without another launch, in nanoseconds.
        var usual = UInt64.max
        /// Runs in a row that took much longer, and how many call for another launch: work-groups
        /// that share a processor while another one is free go on so until they are woken anew.
        var lateRuns = 0
        var lateRunsMax = Self.lateRunsMin

        static let lateRunsMin = 4
        private static let lateRunsLimit = 64

        mutating func noteLaunch(at now: UInt64) {
            launched = now
            guard lateRuns >= lateRunsMax else { return }
            lateRunsMax = min(2 * lateRunsMax, Self.lateRunsLimit)
            lateRuns = 0
        }

        mutating func noteRun(_ nanoseconds: UInt64) {
            usual = min(usual, nanoseconds)
            guard nanoseconds > usual + usual / 2 + 5000 else {
                (lateRuns, lateRunsMax) = (0, Self.lateRunsMin)
                return
            }
            lateRuns += 1
            // Perhaps it is the machine that is slower now.
            usual += usual / 128
        }
    }

    init(
        _ core: DeviceCore, _ launch: OpenCLDevice.BoundLaunch, tickets: Int, state: HostMemory
    ) {
        self.core = core
        self.launch = launch
        self.tickets = UInt64(tickets)
        self.state = StandingState(state)
    }

    func run() throws(Failure) -> Bool {
        let now = DispatchTime.now().uptimeNanoseconds
        let past = past.withLock { $0 }
        guard past.slowRuns < Self.slowRunsMax else { return false }
        try core.checkAlive()
        let mayStay =
            now - past.launched < Self.stayNanosecondsMax && past.lateRuns < past.lateRunsMax
        let isLaunched = !mayStay || !core.isStanding(state) || !state.resume()
        if isLaunched {
            try start()
            self.past.withLock { $0.noteLaunch(at: now) }
        }
        if isDoneSoon(since: now) {
            let taken = DispatchTime.now().uptimeNanoseconds - now
            self.past.withLock { past in
                past.slowRuns = 0
                if !isLaunched { past.noteRun(taken) }
            }
            return true
        }
        self.past.withLock { $0.slowRuns += 1 }
        core.dismissStanding()
        try core.finish()
        guard state.hasDone(tickets) else {
            throw Failure(.device, "\(core.label): kernel \(launch.kernel.name) left work undone")
        }
        return true
    }

    private func start() throws(Failure) {
        // What is on the queue comes first; then no work-group of an earlier launch is left.
        core.dismissStanding()
        try core.finish()
        state.open()
        let event = try core.call { () throws(OpenCLError) in
            try core.queue.launch(launch.kernel, global: launch.global, local: launch.local)
        }
        core.stand(state, launch.kernel.name, event)
        // Threads that are woken while this one sleeps are put apart.
        usleep(1)
    }

    /// Lets others run until all is done: a thread that sleeps takes long to wake, and so does a
    /// processor that has nothing to do.
    private func isDoneSoon(since start: UInt64) -> Bool {
        while !state.hasDone(tickets) {
            guard DispatchTime.now().uptimeNanoseconds - start < Self.nanosecondsMax else {
                return false
            }
            sched_yield()
        }
        return true
    }

    /// Longer runs gain little.
    private static let nanosecondsMax: UInt64 = 4_000_000
    private static let slowRunsMax = 4
    /// What else wants the driver's threads, by another queue, waits no longer.
    private static let stayNanosecondsMax: UInt64 = 16_000_000
}

extension OpenCLDevice {
    public func stand(
        _ prepared: any PreparedLaunch, tickets: Int, state: any ComputeBuffer
    ) throws(Failure) -> (any StandingLaunch)? {
        let memory = try own(state, offset: 0, byteCount: StandingState.byteCount).host
        guard let memory, let launch = prepared as? BoundLaunch, launch.core === core else {
            return nil
        }
        return StandingRun(core, launch, tickets: tickets, state: memory)
    }
}
