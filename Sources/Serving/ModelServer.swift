public import Compute
public import Core
internal import Dispatch
internal import Foundation
internal import Inference
internal import Synchronization

/// Answers requests to models: a bounded queue, and a thread for each device, which joins requests
/// that wait for the same model.
public final class ModelServer: Sendable {
    public struct Limits: Hashable, Sendable {
        /// Items that are computed together.
        public var batchMax = 16
        /// How long the first request of a batch waits for others, unless the one before it was
        /// alone.
        public var batchWaitSeconds = 0.002
        /// Requests that wait or are computed.
        public var queueMax = 256
        public init() {}
    }

    public typealias Completion = @Sendable (Result<InferResponse, Failure>) -> Void

    /// A request in the queue.
    public final class Ticket: Sendable {
        let model: String
        let request: InferRequest
        let itemCount: Int?
        let arrival: DispatchTime
        let done: Completion
        private let isGone = Atomic<Bool>(false)

        init(
            _ model: String, _ request: InferRequest, _ itemCount: Int?,
            _ done: @escaping Completion
        ) {
            self.model = model
            self.request = request
            self.itemCount = itemCount
            self.done = done
            arrival = .now()
        }

        /// Nobody waits for the answer: where computing has not begun it never will.
        public func cancel() { isGone.store(true, ordering: .relaxed) }

        var isCancelled: Bool { isGone.load(ordering: .relaxed) }

        /// Whether both can be computed together.
        func joins(_ other: Ticket) -> Bool {
            itemCount != nil && other.itemCount != nil && model == other.model
                && zip(request.inputs, other.request.inputs).allSatisfy {
                    $0.shape.dropFirst() == $1.shape.dropFirst()
                }
        }
    }

    private struct State {
        var waiting: [Ticket] = []
        var runningCount = 0
        var isClosed = false
        var warmCount = 0
        var workerCount = 0
        var broken: Failure?
        /// Models whose items are not their own.
        var mixed: Set<String> = []
        /// Models whose last request was alone: the next one waits for no others.
        var lonely: Set<String> = []
        var statistics: [String: ModelStatistics] = [:]
    }

    public let models: [ServedModel]
    public let limits: Limits
    /// Told what an owner may want to know: a line without its end, on any thread.
    private let note: @Sendable (String) -> Void
    private let state = Mutex(State())
    private let arrivals = DispatchSemaphore(value: 0)
    private let ends = DispatchSemaphore(value: 0)
    private static let stackBytes = 16 << 20

    /// Starts a thread for each device, on which models are compiled at once.
    ///
    /// - Parameter note: takes lines for the owner, on any thread.
    /// - Throws: ``Failure`` where two models have one name, or there is no room for a thread.
    public init(
        _ models: [ServedModel], on devices: [any ComputeDevice], limits: Limits = Limits(),
        note: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(Failure) {
        self.note = note
        self.models = models
        self.limits = limits
        for (index, model) in models.enumerated()
        where models[..<index].contains(where: { $0.name == model.name }) {
            throw Failure(.usage, "two models are named \(model.name); --name NAME=MODEL helps")
        }
        state.withLock { state in
            state.workerCount = devices.count
            for model in models { state.statistics[model.name] = ModelStatistics() }
        }
        for device in devices {
            do throws(Failure) {
                try SystemThread.start("rigor serve", stackBytes: Self.stackBytes) {
                    self.work(device)
                }
            } catch {
                // Those that did start end.
                state.withLock { $0.isClosed = true }
                arrivals.signal()
                throw error
            }
        }
    }

    // MARK: What there is

    /// - Throws: ``Failure`` `missing` where no model has that name, or not that version.
    public func model(_ name: String, version: String? = nil) throws(Failure) -> ServedModel {
        guard let model = models.first(where: { $0.name == name }) else {
            throw Failure(.missing, "no model \"\(name.printable)\"")
        }
        guard version == nil || version == ServedModel.version else {
            throw Failure(
                .missing,
                "model \(name): no version \"\(version?.printable ?? "")\"; it has "
                    + ServedModel.version)
        }
        return model
    }

    /// Whether models are compiled, and their devices work.
    public var isReady: Bool {
        state.withLock { $0.warmCount == $0.workerCount && !$0.isClosed && $0.broken == nil }
    }

    public func statistics(_ model: ServedModel) -> JSON {
        state.withLock { $0.statistics[model.name] ?? ModelStatistics() }.json(model.name)
    }

    // MARK: Requests

    /// Puts a request into the queue. `done` is called once, on another thread.
    ///
    /// - Throws: ``Failure`` where it does not fit the model, or `busy` where the queue is full.
    @discardableResult
    public func submit(
        _ request: InferRequest, to model: ServedModel, _ done: @escaping Completion
    ) throws(Failure) -> Ticket {
        let request = try model.checked(request)
        let ticket = Ticket(model.name, request, model.itemCount(request), done)
        let refusal = state.withLock { state -> Failure? in
            if let broken = state.broken { return broken }
            if state.isClosed { return Failure(.busy, "the server is shutting down") }
            guard state.waiting.count + state.runningCount < limits.queueMax else {
                return Failure(.busy, "\(limits.queueMax) requests wait; try again later")
            }
            state.waiting.append(ticket)
            return nil
        }
        if let refusal { throw refusal }
        arrivals.signal()
        return ticket
    }

    /// The answer to a request.
    public func infer(
        _ request: InferRequest, _ model: ServedModel
    ) async throws(Failure) -> InferResponse {
        let result = await withCheckedContinuation { continuation in
            do throws(Failure) {
                try submit(request, to: model) { continuation.resume(returning: $0) }
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
        return try result.get()
    }

    /// Takes no more requests, and waits until those taken are answered.
    public func close() {
        let workers = state.withLock { state in
            let isFirst = !state.isClosed
            state.isClosed = true
            return isFirst ? state.workerCount : 0
        }
        for _ in 0..<workers { arrivals.signal() }
        for _ in 0..<workers { ends.wait() }
    }

    // MARK: Threads

    private func work(_ device: any ComputeDevice) {
        defer { ends.signal() }
        var runners: [String: ModelRunner] = [:]
        let bytesMax = device.description.memoryBytes / 4 / max(models.count, 1)
        for model in models {
            let runner = ModelRunner(
                model, on: device, batchMax: limits.batchMax, bytesMax: bytesMax)
            runner.warm()
            tell(runner)
            runners[model.name] = runner
        }
        state.withLock { $0.warmCount += 1 }
        while let group = next() {
            guard let runner = runners[group[0].model] else { continue }
            compute(group, runner, Array(runners.values))
        }
        // Another thread may have waited for a while with this one's wake-up.
        arrivals.signal()
    }

    /// - Parameter all: the runners of the device, which hold memory of it.
    private func compute(_ group: [Ticket], _ runner: ModelRunner, _ all: [ModelRunner]) {
        let start = DispatchTime.now()
        var answers = runner.answers(group.map(\.request))
        for (index, ticket) in group.enumerated() where Self.lacksMemory(answers[index]) {
            // What is kept for later is worth less than an answer.
            for runner in all { runner.letGo() }
            answers[index] = runner.answers([ticket.request])[0]
            if Self.lacksMemory(answers[index]) { for runner in all { runner.letGo() } }
        }
        let end = DispatchTime.now()
        state.withLock { state in
            state.runningCount -= group.count
            state.statistics[runner.served.name]?.add(group, answers, start, end)
            for case .failure(let failure) in answers where Self.isDeviceLost(failure) {
                state.broken = failure
            }
        }
        tell(runner)
        for (ticket, answer) in zip(group, answers) {
            ticket.done(
                answer.map {
                    InferResponse(
                        model: ticket.model, version: ServedModel.version, outputs: $0)
                })
        }
    }

    /// Joins no more requests of a model whose items may depend on each other, and says so once.
    private func tell(_ runner: ModelRunner) {
        guard case .mixed(let doubt) = runner.items,
            state.withLock({ $0.mixed.insert(runner.served.name).inserted }), let doubt
        else { return }
        note(
            "model \(runner.served.name): requests are computed one by one: items may depend on "
                + "each other in \(doubt.place)")
    }

    private static func lacksMemory(_ answer: ModelRunner.Answer) -> Bool {
        if case .failure(let failure) = answer { failure.code == .memory } else { false }
    }

    private static func isDeviceLost(_ failure: Failure) -> Bool {
        failure.code == .device || failure.code == .timeout
    }

    /// Requests to compute together, once there are some; nil after the last.
    private func next() -> [Ticket]? {
        while true {
            let (group, deadline) = state.withLock { takeGroup(&$0) }
            if let group {
                if group.isEmpty { return nil }
                return group
            }
            if let deadline {
                _ = arrivals.wait(timeout: deadline)
            } else {
                arrivals.wait()
            }
        }
    }

    /// A group; an empty one at the end; or none, and until when to wait for more.
    private func takeGroup(_ state: inout State) -> ([Ticket]?, DispatchTime?) {
        state.waiting.removeAll { $0.isCancelled }
        guard let first = state.waiting.first else { return (state.isClosed ? [] : nil, nil) }
        var group = [first]
        var items = first.itemCount ?? 0
        if first.itemCount != nil, !state.mixed.contains(first.model) {
            for ticket in state.waiting.dropFirst() where ticket.joins(first) {
                let count = ticket.itemCount ?? 0
                guard items + count <= limits.batchMax else { continue }
                group.append(ticket)
                items += count
            }
            let deadline = first.arrival + limits.batchWaitSeconds
            if items < limits.batchMax, !state.isClosed, DispatchTime.now() < deadline,
                group.count > 1 || !state.lonely.contains(first.model)
            {
                return (nil, deadline)
            }
        }
        if group.count > 1 {
            state.lonely.remove(first.model)
        } else {
            state.lonely.insert(first.model)
        }
        state.waiting.removeAll { ticket in group.contains { $0 === ticket } }
        state.runningCount += group.count
        // The wake-up of what is left may have been this one's.
        if !state.waiting.isEmpty { arrivals.signal() }
        return (group, nil)
    }
}

extension Failure.Code {
    /// More work than is taken; it may be asked for again later.
    public static let busy = Failure.Code(rawValue: "busy")
}
