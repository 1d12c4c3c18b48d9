internal import Compute
internal import Core
internal import Foundation
internal import Synchronization

/// Asks several examinees at once, each on a thread of its own. All decisions are made on the
/// thread that called; the others ask and report.
///
/// Drivers compile one kernel at a time in a process, and compiling is most of an examination: in
/// several processes it takes a fraction of the time.
struct Examination {
    private let questions: [Question]
    /// Indices of questions by topic, those first that others wait for, then those that take long.
    private var topics: [[Int]]
    private var answers: [Question.Answer?]
    private var undecided: Int

    init(_ questions: [Question]) {
        self.questions = questions
        answers = Array(repeating: nil, count: questions.count)
        undecided = questions.count { $0.decidesNative }
        var byTopic: [String: [Int]] = [:]
        for (index, question) in questions.enumerated() {
            byTopic[question.topic, default: []].append(index)
        }
        func rank(_ topic: [Int]) -> (Int, Int) {
            let isDeciding = topic.contains { questions[$0].decidesNative }
            if isDeciding { return (0, topic[0]) }
            // The last workload is the largest.
            return questions[topic[0]].awaitsNative ? (1, -topic[0]) : (2, topic[0])
        }
        topics = byTopic.values.sorted { rank($0) < rank($1) }
    }

    /// All answers, in the order of the questions.
    ///
    /// - Throws: the first ``Failure`` of an examinee; the others are dismissed.
    mutating func run(
        _ examinees: [any Examinee], progress: (_ name: String, _ fraction: Double) -> Void
    ) throws(Failure) -> [Question.Answer] {
        let reports = Mailbox<Report>()
        let lanes = examinees.indices.map { index in
            Lane(examinees[index], number: index, reports: reports)
        }
        defer {
            // No examinee is left with a question: the next device's must not meet it.
            for lane in lanes { lane.close() }
            for lane in lanes { lane.join() }
        }
        var idle = Array(lanes.indices)
        var openCount = questions.count
        while openCount > 0 {
            while let lane = idle.first, let topic = nextTopic() {
                idle.removeFirst()
                lanes[lane].take(topic.map { ($0, questions[$0]) }, native: native)
            }
            switch reports.take() {
            case .began(let index):
                progress(
                    questions[index].name,
                    Double(questions.count - openCount) / Double(questions.count))
            case .answered(let index, let answer):
                answers[index] = answer
                openCount -= 1
                if questions[index].decidesNative { undecided -= 1 }
            case .idle(let lane): idle.append(lane)
            case .failed(let failure): throw failure
            }
        }
        return answers.compactMap { $0 }
    }

    private mutating func nextTopic() -> [Int]? {
        let index = topics.firstIndex { undecided == 0 || !questions[$0[0]].awaitsNative }
        return index.map { topics.remove(at: $0) }
    }

    /// What is proven by the answers so far.
    private var native: OpenCLDevice.NativeOperations {
        var passed: Set<String> = []
        for (question, answer) in zip(questions, answers) {
            if let answer, answer.reason == nil { passed.insert(question.name) }
        }
        return Battery.native(passed: passed)
    }

    // MARK: - Lanes

    private struct Order: Sendable {
        var examinee: any Examinee
        var questions: [(Int, Question)]
        var native: OpenCLDevice.NativeOperations
    }

    private enum Report: Sendable {
        case began(Int)
        case answered(Int, Question.Answer)
        case idle(Int)
        case failed(Failure)
    }

    /// One examinee's thread.
    private struct Lane {
        private let orders = Mailbox<Order?>()
        private let examinee: any Examinee
        private let end = End()

        private final class End: Sendable {
            let isNear = Mutex(false)
            let isReached = DispatchSemaphore(value: 0)
        }

        init(_ examinee: any Examinee, number: Int, reports: Mailbox<Report>) {
            self.examinee = examinee
            // An examinee comes with each order and goes with it: a thread that kept it would be
            // the last to let go, and close a device while the caller opens another.
            let (orders, end) = (orders, end)
            let thread = Thread {
                while let order = orders.take() {
                    do throws(Failure) {
                        try Self.ask(order, reports, until: end)
                        reports.put(.idle(number))
                    } catch {
                        reports.put(.failed(error))
                    }
                }
                end.isReached.signal()
            }
            thread.name = "examination"
            // Importers and builders of the workloads run here.
            thread.stackSize = 16 << 20
            thread.start()
        }

        private static func ask(
            _ order: Order, _ reports: Mailbox<Report>, until end: End
        ) throws(Failure) {
            for (index, question) in order.questions where !end.isNear.withLock({ $0 }) {
                reports.put(.began(index))
                let answer = try order.examinee.answer(question, native: order.native)
                reports.put(.answered(index, answer))
            }
        }

        func take(_ questions: [(Int, Question)], native: OpenCLDevice.NativeOperations) {
            orders.put(Order(examinee: examinee, questions: questions, native: native))
        }

        func close() {
            end.isNear.withLock { $0 = true }
            orders.put(nil)
            examinee.dismiss()
        }

        /// Waits for the end of a closed lane's thread.
        func join() { end.isReached.wait() }
    }

    private final class Mailbox<Value: Sendable>: Sendable {
        private let waiting = Mutex<[Value]>([])
        private let arrived = DispatchSemaphore(value: 0)

        func put(_ value: Value) {
            waiting.withLock { $0.append(value) }
            arrived.signal()
        }

        func take() -> Value {
            arrived.wait()
            return waiting.withLock { $0.removeFirst() }
        }
    }
}
