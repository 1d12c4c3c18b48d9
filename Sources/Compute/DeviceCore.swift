internal import Core
internal import Foundation
internal import OpenCL
internal import Synchronization

/// What a device's buffers and programs share with it: context, queue, thread, and whether the
/// device is lost.
final class DeviceCore: Sendable {
    let label: String
    let context: Context
    private let commands: CommandQueue
    let thread: DeviceThread
    let device: DeviceID
    let waitSecondsMax: Double
    let buildSecondsMax: Double
    /// Holds a sub-device for as long as anything uses it.
    private let subDevice: SubDevice?
    private let loss = Mutex<Failure?>(nil)
    /// Launches whose outcome nobody has looked at yet.
    private let pending = Mutex<[Launch]>([])
    private let isProfiling: Bool
    /// Whether buffers are the host's memory, in which the device computes: who has waited for the
    /// queue may read and write there.
    let isInPlace: Bool
    private let times = Mutex<[String: (launches: Int, seconds: Double)]>([:])

    struct Launch: Sendable {
        let kernel: String
        let event: Event
        /// What must stay until then.
        var held: (any AnyObject & Sendable)?
    }

    /// A launch that stays until something else is put on the queue.
    private let standing = Mutex<(state: StandingState, launch: Launch)?>(nil)

    init(
        label: String, platform: PlatformID, device: DeviceID, subDevice: SubDevice?,
        thread: DeviceThread, waitSecondsMax: Double, buildSecondsMax: Double, isProfiling: Bool,
        isInPlace: Bool
    ) throws(OpenCLError) {
        self.label = label
        self.device = device
        self.subDevice = subDevice
        self.isProfiling = isProfiling
        self.waitSecondsMax = waitSecondsMax
        self.buildSecondsMax = buildSecondsMax
        self.thread = thread
        context = try Context(platform: platform, device: device)
        commands = try CommandQueue(context, isProfiling: isProfiling)
        if isInPlace {
            self.isInPlace = try Self.computesInPlace(
                context, commands, thread, waitSecondsMax: waitSecondsMax)
        } else {
            self.isInPlace = false
        }
    }

    /// Whether what a command writes is in the host's memory once the queue is empty, though nobody
    /// mapped the buffer: OpenCL lets drivers keep a copy (1.2, section 5.2.1).
    private static func computesInPlace(
        _ context: Context, _ queue: CommandQueue, _ thread: DeviceThread, waitSecondsMax: Double
    ) throws(OpenCLError) -> Bool {
        let memory = try HostMemory(byteCount: 1024)
        let buffer = try Buffer(context, using: memory)
        _ = memory.bytes.initializeMemory(as: UInt8.self, repeating: 1)
        _ = try queue.fillZero(buffer, offset: 128, byteCount: 128)
        let ended: Result<Void, OpenCLError>? = thread.run(limitSeconds: waitSecondsMax) {
            Result { () throws(OpenCLError) in try queue.finish() }
        }
        guard let ended else { return false }
        try ended.get()
        return memory.bytes.enumerated().allSatisfy { offset, byte in
            byte == ((128..<256).contains(offset) ? 0 : 1)
        }
    }

    /// The buffers are gone by now, and perhaps still being zeroed. PoCL 3.1 crashes now and then
    /// where queue and sub-device are released under work, so that is waited for.
    deinit {
        let queue = queue
        let ended: Result<Void, OpenCLError>? = thread.run(limitSeconds: waitSecondsMax) {
            Result { () throws(OpenCLError) in try queue.finish() }
        }
        if ended == nil {
            // It hangs, and so might any release.
            for object: AnyObject? in [queue, context, subDevice] {
                _ = object.map(Unmanaged.passRetained)
            }
        }
    }

    /// Why the device is lost; nil while it works.
    var lost: Failure? { loss.withLock { $0 } }

    /// - Throws: why the device was lost earlier.
    func checkAlive() throws(Failure) {
        if let lost { throw lost }
    }

    /// Gives the device up. Its objects are never released again: a driver that hangs in one call
    /// may hang in any other, and may still write to memory it was given.
    func lose(_ failure: Failure) {
        let isFirst = loss.withLock { loss -> Bool in
            defer { loss = loss ?? failure }
            return loss == nil
        }
        guard isFirst else { return }
        _ = Unmanaged.passRetained(self)
        if failure.code == .timeout { Self.leaveWithoutDrivers() }
    }

    /// Makes the process leave without its drivers' clean-up, which may wait for ever for what
    /// already hangs. Handlers run last in, first out, so this one comes before the drivers'.
    private static func leaveWithoutDrivers() {
        on_exit(
            { status, _ in
                fflush(nil)
                _exit(status)
            }, nil)
    }

    /// Runs driver code on the device's thread with a limit; a limit that passes loses the device.
    func bounded<Value: Sendable>(
        _ what: String, limitSeconds: Double? = nil,
        _ body: @escaping @Sendable () -> Result<Value, OpenCLError>
    ) throws(Failure) -> Result<Value, OpenCLError> {
        try checkAlive()
        let limit = limitSeconds ?? waitSecondsMax
        guard let result = thread.run(limitSeconds: limit, body) else {
            let failure = Failure(
                .timeout, "\(label): \(what) did not end within \(Int(limit)) s; the device is lost"
            )
            lose(failure)
            throw failure
        }
        return result
    }

    /// Runs driver code that does not wait, and says where it failed.
    func call<Value>(_ body: () throws(OpenCLError) -> Value) throws(Failure) -> Value {
        do throws(OpenCLError) {
            return try body()
        } catch {
            switch error.status {
            case .memoryAllocationFailure, .outOfHostMemory:
                throw Failure(.memory, "\(label): out of memory: \(error)")
            default: throw error.failure.at(label)
            }
        }
    }

    // MARK: - Launches

    /// For putting something on the queue, or waiting for it: a launch that stays is in the way.
    var queue: CommandQueue {
        dismissStanding()
        return commands
    }

    /// Remembers a launch that stays.
    func stand(_ state: StandingState, _ kernel: String, _ event: Event) {
        standing.withLock { $0 = (state, Launch(kernel: kernel, event: event, held: state)) }
    }

    /// Whether the launch that counts there is on the queue, with nothing behind it.
    func isStanding(_ state: StandingState) -> Bool {
        standing.withLock { $0?.state === state }
    }

    /// Sends away what stays; the next wait waits for that too.
    func dismissStanding() {
        let last = standing.withLock { standing in
            defer { standing = nil }
            return standing
        }
        guard let last else { return }
        last.state.dismiss()
        pending.withLock { $0.append(last.launch) }
    }

    /// What gives mapped memory back, which reads and writes no other.
    static let unmapping = "unmap"

    /// Whether something that nobody waited for may read or write the host's memory.
    var mayCompute: Bool {
        pending.withLock { $0.contains { $0.kernel != Self.unmapping } }
    }

    /// Remembers a launch, whose outcome the next wait looks at; how many there are now.
    @discardableResult
    func remember(
        _ kernel: String, _ event: Event, holding held: HeldBytes? = nil
    ) -> Int {
        pending.withLock { launches in
            launches.append(Launch(kernel: kernel, event: event, held: held))
            return launches.count
        }
    }

    /// Remembers a launch; now and then hands the queue over, so that a device works while the host
    /// prepares more, and waits before more are outstanding than drivers take without blocking.
    func launched(
        _ kernel: String, _ event: Event, holding held: HeldBytes? = nil
    ) throws(Failure) {
        let count = remember(kernel, event, holding: held)
        if count >= Self.pendingMax {
            try finish()
        } else if count % Self.flushEvery == 0 {
            let queue = queue
            // On the device's thread, since simulators run the kernels here; waited for, so that
            // no two threads are ever in the driver at once.
            let flushed = try bounded("handing over the queue") {
                Result { () throws(OpenCLError) in try queue.flush() }
            }
            try call { () throws(OpenCLError) in try flushed.get() }
        }
    }

    /// Waits for the queue, then for each launch's outcome: some drivers report a kernel's fault
    /// there alone.
    func finish() throws(Failure) {
        let outcome = try waited()
        let launches = pending.withLock { launches -> [Launch] in
            defer { launches = [] }
            return launches
        }
        do throws(OpenCLError) {
            try outcome.get()
            for launch in launches {
                if case .failed(let status) = try launch.event.progress() {
                    throw OpenCLError(status, "clEnqueueNDRangeKernel", launch.kernel)
                }
            }
        } catch {
            // What the queue held is lost with it; nothing later can be trusted.
            let last = launches.last.map { "; last kernel \($0.kernel)" } ?? ""
            let failure = Failure(.device, "\(label): \(error)\(last); the device is lost")
            lose(failure)
            throw failure
        }
        if isProfiling { measure(launches) }
    }

    private func waited() throws(Failure) -> Result<Void, OpenCLError> {
        if isInPlace {
            try checkAlive()
            guard let last = pending.withLock({ $0.last }) else { return .success(()) }
            let done = DispatchSemaphore(value: 0)
            try call { () throws(OpenCLError) in try last.event.whenComplete { done.signal() } }
            if done.wait(timeout: .now() + Self.noticeSecondsMax) == .success {
                return .success(())
            }
        }
        let queue = queue
        return try bounded("waiting for the queue") {
            Result { () throws(OpenCLError) in try queue.finish() }
        }
    }

    private func measure(_ launches: [Launch]) {
        times.withLock { times in
            for launch in launches {
                let old = times[launch.kernel] ?? (0, 0)
                let seconds = Double(launch.event.nanoseconds ?? 0) * 1e-9
                times[launch.kernel] = (old.launches + 1, old.seconds + seconds)
            }
        }
    }

    /// Launches and seconds by kernel, where the queue profiles.
    var kernelTimes: [String: (launches: Int, seconds: Double)] { times.withLock { $0 } }

    /// For so long it is the driver's thread that wakes the caller, and not the device's thread in
    /// between: waking a thread takes as long as a small network's layer.
    private static let noticeSecondsMax = 0.25
    private static let pendingMax = 512
    private static let flushEvery = 64
}
