public import Compute
public import Core
internal import Foundation
internal import HostProtocol
public import Profiling
internal import Synchronization

/// A device that is asked in a device host of its own. A process that ends on a question may have
/// been killed from outside, so the question is asked once more in a new one; a driver that ends
/// that one too has failed it, and the next question gets a new process.
public final class HostExaminee: Examinee {
    private let index: Int
    private let helpers: Helpers
    private let state = Mutex(State())

    private struct State {
        var link: HostLink?
        var isDismissed = false
    }

    /// How device hosts are started to examine devices.
    public struct Helpers: Sendable {
        public var executable: String
        /// SHA-256 of `executable`.
        public var program: Hash256
        /// Where they keep compiled programs; nil takes the user's folder.
        public var cacheFolder: String?

        public init(executable: String, program: Hash256, cacheFolder: String?) {
            self.executable = executable
            self.program = program
            self.cacheFolder = cacheFolder
        }

        /// As many examinees of one device as can compile at once with profit.
        public func examinees(of index: Int) -> [HostExaminee] {
            let count = min(ProcessInfo.processInfo.activeProcessorCount, Self.countMax)
            return (0..<count).map { _ in HostExaminee(index, self) }
        }

        /// The largest topic takes a quarter of the time that all take.
        private static let countMax = 4
    }

    /// A question may wait for a driver's compiler more than once.
    private static let questionSecondsMax = 900.0
    /// How many processes a question may end.
    private static let deathsMax = 2

    public init(_ index: Int, _ helpers: Helpers) {
        self.index = index
        self.helpers = helpers
    }

    public func answer(
        _ question: Question, native: OpenCLDevice.NativeOperations
    ) throws(Failure) -> Question.Answer {
        let order = AskOrder(
            device: DeviceSelection(index: index), question: question.name,
            native: native.rawValue)
        var last = ""
        for _ in 0..<Self.deathsMax {
            let link = try started()
            do throws(Failure) {
                return try Self.answer(to: order, from: link)
            } catch {
                guard link.isLost, error.code == .io else { throw error }
                state.withLock { $0.link = nil }
                last = error.message
            }
        }
        return Question.Answer(
            unanswered: "the driver ended its process, \(Self.deathsMax) times: \(last)")
    }

    private static func answer(
        to order: AskOrder, from link: HostLink
    ) throws(Failure) -> Question.Answer {
        let reply = try link.ask(.ask(order), secondsMax: questionSecondsMax)
        guard case .answer(let report) = reply, let words = report.values else {
            throw Failure(.malformed, "device host: an answer expected")
        }
        var answer = Question.Answer(words: words, reason: report.reason)
        answer.isMissing = report.isMissing
        return answer
    }

    public func dismiss() {
        state.withLock { state -> HostLink? in
            state.isDismissed = true
            defer { state.link = nil }
            return state.link
        }?.stop()
    }

    private func started() throws(Failure) -> HostLink {
        let (known, isOver) = state.withLock { ($0.link, $0.isDismissed) }
        if let known { return known }
        let over = Failure(.cancelled, "device \(index): its examination is over")
        if isOver { throw over }
        let link = try HostLink.start(
            .device, executable: helpers.executable, expected: helpers.program,
            cacheFolder: helpers.cacheFolder, logPath: "/dev/null")
        let isDismissed = state.withLock { state in
            if !state.isDismissed { state.link = link }
            return state.isDismissed
        }
        if isDismissed {
            link.stop()
            throw over
        }
        return link
    }
}
