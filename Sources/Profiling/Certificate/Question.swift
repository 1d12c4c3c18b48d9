public import Compute
public import Core

/// What a certificate asks a device: a probe of the battery, or an app's known workload.
public struct Question: Sendable {
    enum Kind: Sendable {
        case probe(Probe)
        case workload(KnownWorkload)
    }

    let kind: Kind

    init(_ probe: Probe) { kind = .probe(probe) }
    init(_ workload: KnownWorkload) { kind = .workload(workload) }

    /// Every question there is, in the certificate's order.
    public static let all =
        Battery.probes.map { Question($0) } + KnownWorkload.all.map { Question($0) }

    public var name: String {
        switch kind {
        case .probe(let probe): probe.name
        case .workload(let workload): workload.name
        }
    }

    var need: Probe.Need {
        switch kind {
        case .probe(let probe): probe.need
        case .workload: .normal
        }
    }

    /// Questions of one topic run the same compiled program: asked in one process, it is compiled
    /// once.
    var topic: String {
        switch kind {
        case .probe(let probe): probe.call.program.name
        case .workload(let workload): workload.name
        }
    }

    /// Whether the answer decides which native operations the workloads are run with.
    var decidesNative: Bool {
        if case .probe(let probe) = kind { Battery.decidesNative(probe) } else { false }
    }

    /// Whether the answer's words are part of the conformance hash.
    var countsForConformance: Bool {
        if case .probe(let probe) = kind { probe.need != .optional } else { false }
    }

    /// Whether it can be asked only once it is known which native operations are proven.
    var awaitsNative: Bool {
        if case .workload = kind { true } else { false }
    }

    /// What the device answered.
    public struct Answer: Hashable, Sendable {
        /// The output for all items, as far as it came; empty for a workload.
        public var words: [UInt32]
        /// What is wrong with it; nil when nothing is.
        public var reason: String?
        /// Whether there is none: the driver ended its process, or refused. Where memory had run
        /// out, it may answer another time.
        public var isMissing = false

        public init(words: [UInt32] = [], reason: String?) {
            self.words = words
            self.reason = reason
        }

        /// No answer, for this reason.
        public init(unanswered reason: String) {
            self.init(reason: reason)
            isMissing = true
        }
    }
}

/// A device that can be asked, here or in another process.
public protocol Examinee: Sendable {
    /// Asks one question. Only one is asked at a time.
    ///
    /// - Parameter native: the native operations proven so far, which workloads are run with.
    /// - Throws: ``Failure`` when nothing more can be asked: `timeout` when the device was lost. A
    ///   device that cannot do what it is asked has answered.
    func answer(
        _ question: Question, native: OpenCLDevice.NativeOperations
    ) throws(Failure) -> Question.Answer

    /// Ends what still runs, where it can: nobody wants its answer any more. Called from any
    /// thread.
    func dismiss()
}

extension Examinee {
    public func dismiss() {}
}
