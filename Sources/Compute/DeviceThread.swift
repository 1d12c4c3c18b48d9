internal import Core
internal import Dispatch
internal import Synchronization

/// One thread on which a device's waiting calls run, so that a driver which never returns costs
/// this thread and not the caller.
///
/// It has a large stack: drivers run whole compilers on the thread that calls them.
final class DeviceThread: Sendable {
    private typealias Job = @Sendable () -> Void

    private final class Inbox: Sendable {
        let jobs = Mutex<(queue: [Job], isClosed: Bool)>(([], false))
        /// Counts jobs, plus one for closing.
        private let arrivals = DispatchSemaphore(value: 0)

        func put(_ job: @escaping Job) {
            jobs.withLock { $0.queue.append(job) }
            arrivals.signal()
        }

        func close() {
            jobs.withLock { $0.isClosed = true }
            arrivals.signal()
        }

        /// nil once closed and empty.
        func take() -> Job? {
            arrivals.wait()
            return jobs.withLock { $0.queue.isEmpty ? nil : $0.queue.removeFirst() }
        }
    }

    /// One call and its answer.
    private final class Call<Value: Sendable>: Sendable {
        private let body: Mutex<(@Sendable () -> Value)?>
        private let value = Mutex<Value?>(nil)
        private let done = DispatchSemaphore(value: 0)

        init(_ body: @escaping @Sendable () -> Value) { self.body = Mutex(body) }

        /// On the device's thread. All that the body held is let go of before the caller goes on:
        /// else this thread might be the last to hold a driver's object, and free it while the
        /// caller is in the driver.
        func perform() {
            work()
            done.signal()
        }

        @inline(never) private func work() {
            let body = body.withLock { body in
                defer { body = nil }
                return body
            }
            let result = body?()
            value.withLock { $0 = result }
        }

        /// The answer, given out once; nil when it did not come in time.
        func wait(limitSeconds: Double) -> Value? {
            guard done.wait(timeout: .now() + limitSeconds) == .success else { return nil }
            return value.withLock { value in
                defer { value = nil }
                return value
            }
        }
    }

    private let inbox = Inbox()

    private static let stackBytes = 64 << 20

    /// - Throws: ``Failure`` `memory` where the system has no room for its stack.
    init(name: String) throws(Failure) {
        let inbox = inbox
        try SystemThread.start(name, stackBytes: Self.stackBytes) {
            while let job = inbox.take() { job() }
        }
    }

    deinit { inbox.close() }

    /// Runs `body` and waits for it, for at most `limitSeconds`; nil when that was not enough. The
    /// body then goes on, alone, and its result is dropped: it must own all it touches.
    func run<Value: Sendable>(
        limitSeconds: Double, _ body: @escaping @Sendable () -> Value
    ) -> Value? {
        let call = Call(body)
        inbox.put { call.perform() }
        return call.wait(limitSeconds: limitSeconds)
    }
}
