public import Compute
public import Core
internal import Foundation

/// Several devices compute one frame together, each on a thread of its own, and finish together.
///
/// The bits are those of any one of them alone. What a device had in hand when it failed goes to
/// the others.
public final class FrameShare: Sendable {
    /// Computes a piece: its tiles in order.
    ///
    /// With a noise target it goes on from `start`, the piece's tiles as far as they have come.
    /// What `goesOn` throws ends it; where that says no, it gives what there is.
    public typealias Renderer = (
        _ piece: RenderPiece, _ start: PartialFrame?,
        _ goesOn: (Double) throws(Failure) -> Bool
    ) throws(Failure) -> PartialFrame

    /// Someone who computes pieces.
    public struct Worker: Sendable {
        /// What messages call it.
        public let label: String
        /// Workers of one driver make ready one after the other: compilers do not always bear a
        /// second one beside them.
        let driver: String
        package let open: @Sendable () throws(Failure) -> Renderer

        /// - Parameter open: makes ready, on the worker's own thread.
        public init(
            label: String, driver: String = "",
            open: @escaping @Sendable () throws(Failure) -> Renderer
        ) {
            self.label = label
            self.driver = driver
            self.open = open
        }

        /// A device with a scene, for a frame of `parameters`.
        public init(
            _ device: any ComputeDevice, _ blob: RenderBlob, _ parameters: RenderParameters,
            label: String? = nil, clock: any Clock, tuning: RenderRun.Tuning = .init()
        ) {
            let description = device.description
            self.init(
                label: label ?? description.label, driver: description.platform
            ) { () throws(Failure) in
                let run = try RenderRun(blob, on: device, clock: clock, tuning: tuning)
                return { (piece, start, goesOn) throws(Failure) in
                    try run.rendered(piece, of: parameters, from: start, goesOn: goesOn)
                }
            }
        }
    }

    /// What one worker did.
    public struct Share: Hashable, Sendable {
        public var label: String
        /// Samples of a pixel's tile that it computed, over all that there were to do, 0…1.
        public var fraction: Double
        public var pieceCount: Int
        /// Seconds until it was ready: programs, the scene's upload.
        public var openSeconds: Double
        /// Seconds spent on pieces.
        public var busySeconds: Double
        /// Seconds from the beginning until its last piece was done; nil where it did none.
        public var finishedSeconds: Double?
        /// Why it was lost.
        public var failure: Failure?
    }

    /// What all did together.
    public struct Outcome: Sendable {
        /// Whole, unless somebody asked for an end.
        public var frame: PartialFrame
        public var shares: [Share]
        public var seconds: Double

        public var tiles: [TileSums] { frame.tiles }

        /// How far apart the devices that last to the end finish, as a part of the whole time.
        public var finishSpread: Double {
            let ends = shares.filter { $0.failure == nil }.compactMap(\.finishedSeconds)
            guard let first = ends.min(), let last = ends.max(), last > 0 else { return 0 }
            return (last - first) / last
        }
    }

    private struct State {
        var schedule: ShareSchedule
        var shared: SharedFrame
        var openSeconds: [Double]
        var failures: [Failure?]
        var running: Int
        /// Set where all shall stop: somebody asked for it.
        var stop: Failure?
        /// Whether what is done until then is wanted.
        var isPaused = false
        /// Failures that nobody has been told of yet.
        var news: [(label: String, failure: Failure)] = []
    }

    private let workers: [Worker]
    private let clock: any Clock
    private let whole: RenderPiece
    private let startSeconds: Double
    private let condition = NSCondition()
    /// Guarded by `condition`.
    nonisolated(unsafe) private var state: State
    private let opening: [String: NSLock]
    private static let turnSeconds = 0.1

    /// - Parameters:
    ///   - parameters: of the frame. With a noise target the devices get whole tiles.
    ///   - whole: what is to be computed; by default the whole frame.
    ///   - start: what is done of that already.
    /// - Throws: ``Failure`` when `whole` reaches out of the frame, or there is nobody.
    public init(
        _ workers: [Worker], _ parameters: RenderParameters, whole: RenderPiece? = nil,
        from start: PartialFrame? = nil, clock: any Clock
    ) throws(Failure) {
        guard !workers.isEmpty else { throw Failure(.missing, "no device to share the frame") }
        self.whole = whole ?? RenderPiece(wholeOf: parameters)
        let shared = try SharedFrame(parameters, whole: self.whole, from: start)
        self.workers = workers
        self.clock = clock
        opening = Dictionary(workers.map { ($0.driver, NSLock()) }) { first, _ in first }
        startSeconds = clock.monotonicSeconds
        state = State(
            schedule: ShareSchedule(
                shared.rest, cutsSamples: parameters.noise == nil, deviceCount: workers.count,
                atSeconds: startSeconds),
            shared: shared, openSeconds: Array(repeating: 0, count: workers.count),
            failures: Array(repeating: nil, count: workers.count), running: workers.count)
    }

    /// Computes it all. May be called once.
    ///
    /// - Parameters:
    ///   - advance: called now and then on the caller's thread with the part done and the pieces
    ///     that are whole; says whether to go on. Where it does not, what there is of pieces under
    ///     way counts too. What it throws ends the work.
    ///   - lost: called on the caller's thread for a worker that failed, whose work the others do.
    /// - Throws: ``Failure`` of the last worker, when none is left.
    public func run(
        advance: (Double, PartialFrame) throws(Failure) -> Bool = { _, _ in true },
        lost: (_ label: String, Failure) -> Void = { _, _ in }
    ) throws(Failure) -> Outcome {
        // Programs are not built for nothing.
        if locked({ $0.schedule.isDone }) { return try outcome() }
        for index in workers.indices {
            let thread = Thread { [self] in work(index) }
            thread.name = workers[index].label
            thread.stackSize = 16 << 20
            thread.start()
        }
        var isOver = false
        while !isOver {
            let (fraction, frame, news, running) = look()
            for item in news { lost(item.label, item.failure) }
            isOver = running == 0
            do throws(Failure) {
                guard try !advance(fraction, frame) else { continue }
                locked { state in
                    guard state.stop == nil else { return }
                    state.isPaused = true
                    state.stop = Failure(.interrupted, "asked to stop")
                }
            } catch {
                locked { state in
                    state.isPaused = false
                    state.stop = error
                }
            }
        }
        return try outcome()
    }

    /// Waits a little for something to happen, and sees what is new.
    private func look() -> (
        Double, PartialFrame, news: [(label: String, failure: Failure)], running: Int
    ) {
        condition.lock()
        defer { condition.unlock() }
        if state.running > 0, state.news.isEmpty {
            _ = condition.wait(until: Date(timeIntervalSinceNow: Self.turnSeconds))
        }
        let news = state.news
        state.news = []
        let fraction = state.schedule.fraction(of: whole, atSeconds: clock.monotonicSeconds)
        return (fraction, state.shared.frame, news, state.running)
    }

    private func outcome() throws(Failure) -> Outcome {
        let state = locked { $0 }
        if let stop = state.stop, !state.isPaused { throw stop }
        guard state.schedule.isDone || state.isPaused else {
            let last = state.failures.compactMap(\.self).last
            throw last ?? Failure(.device, "no device is left")
        }
        var shares: [Share] = []
        for (index, worker) in workers.enumerated() {
            let device = state.schedule.devices[index]
            shares.append(
                Share(
                    label: worker.label,
                    fraction: Double(device.units) / Double(max(state.schedule.units, 1)),
                    pieceCount: device.pieceCount, openSeconds: state.openSeconds[index],
                    busySeconds: device.busySeconds,
                    finishedSeconds: device.finishedSeconds.map { $0 - startSeconds },
                    failure: state.failures[index]))
        }
        return Outcome(
            frame: state.shared.frame, shares: shares,
            seconds: clock.monotonicSeconds - startSeconds)
    }

    // MARK: A worker's thread

    private func work(_ index: Int) {
        do throws(Failure) {
            let renderer = try open(index)
            while let (piece, start) = try take(index) {
                let done = try renderer(piece, start) { (_: Double) throws(Failure) in
                    let (stop, isPaused) = locked { ($0.stop, $0.isPaused) }
                    if let stop, !isPaused { throw stop }
                    return stop == nil
                }
                try deliver(done, piece, index)
            }
        } catch {
            locked { state in
                state.schedule.lose(index)
                guard state.stop == nil else { return }
                state.failures[index] = error
                state.news.append((workers[index].label, error))
            }
        }
        locked { $0.running -= 1 }
    }

    private func open(_ index: Int) throws(Failure) -> Renderer {
        let lock = opening[workers[index].driver]
        lock?.lock()
        defer { lock?.unlock() }
        let start = clock.monotonicSeconds
        let renderer = try workers[index].open()
        let seconds = clock.monotonicSeconds - start
        locked { $0.openSeconds[index] = seconds }
        return renderer
    }

    /// The next piece; nil when there will be none.
    private func take(_ index: Int) throws(Failure) -> (RenderPiece, PartialFrame?)? {
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let stop = state.stop { throw stop }
            switch state.schedule.next(for: index, atSeconds: clock.monotonicSeconds) {
            case .piece(let piece): return (piece, state.shared.start(of: piece))
            case .done: return nil
            case .wait: _ = condition.wait(until: Date(timeIntervalSinceNow: Self.turnSeconds))
            }
        }
    }

    private func deliver(
        _ done: PartialFrame, _ piece: RenderPiece, _ index: Int
    ) throws(Failure) {
        let now = clock.monotonicSeconds
        let outcome = locked { state in
            Result { () throws(Failure) in
                try state.shared.add(done, of: piece, isWhole: !state.isPaused)
                let units = done.noise == nil ? done.tiles.reduce(0) { $0 + $1.sampleCount } : nil
                state.schedule.complete(index, atSeconds: now, units: units)
            }
        }
        try outcome.get()
    }

    private func locked<T>(_ body: (inout State) -> T) -> T {
        condition.lock()
        defer {
            condition.broadcast()
            condition.unlock()
        }
        return body(&state)
    }
}
