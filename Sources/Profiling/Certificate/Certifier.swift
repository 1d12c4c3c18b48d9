public import Compute
public import Core
internal import Digest
internal import OpenCL

/// Asks a device every question of the battery and draws the conclusion.
public struct Certifier: Sendable {
    /// A check of the machine rather than the device, such as an image codec: its name and what is
    /// wrong, nil when nothing is.
    public struct LibraryCheck: Sendable {
        public var name: String
        public var run: @Sendable () -> String?
        public init(name: String, run: @escaping @Sendable () -> String?) {
            self.name = name
            self.run = run
        }
    }

    private let libraryChecks: [LibraryCheck]
    private let workloads: [KnownWorkload]
    private let probes: [Probe]

    /// Asks everything: the battery, the apps' known workloads, and `libraryChecks`.
    public init(libraryChecks: [LibraryCheck] = []) {
        self.init(libraryChecks: libraryChecks, workloads: KnownWorkload.all)
    }

    package init(libraryChecks: [LibraryCheck] = [], workloads: [KnownWorkload]) {
        self.libraryChecks = libraryChecks
        self.workloads = workloads
        probes = Battery.probes
    }

    /// Asks these alone.
    package init(asking probes: [Probe], workloads: [KnownWorkload] = []) {
        libraryChecks = []
        self.workloads = workloads
        self.probes = probes
    }

    /// Asks only the probes with these names: for tests of single ones.
    package init(asking names: Set<String>, workloads: [KnownWorkload] = []) {
        self.init(
            asking: Battery.probes.filter { names.contains($0.name) }, workloads: workloads)
    }

    /// Certifies an OpenCL device of this process: what it must announce, then what it must answer.
    ///
    /// - Throws: ``Failure`` `timeout` when the device was lost on the way. Any other failure of a
    ///   probe is an outcome and in the certificate.
    public func certify(_ device: OpenCLDevice) throws(Failure) -> Certificate {
        try certify(
            device.description, gateRefusals: device.info.gateRefusals,
            examinees: [DeviceExaminee(device)])
    }

    /// Certifies any device behind the port.
    ///
    /// - Parameter gateRefusals: reasons to refuse it whatever it answers.
    public func certify(
        _ device: any ComputeDevice, gateRefusals: [String]
    ) throws(Failure) -> Certificate {
        try certify(
            device.description, gateRefusals: gateRefusals, examinees: [DeviceExaminee(device)])
    }

    /// Certifies a device that is asked through one or several examinees, which share the
    /// questions.
    ///
    /// - Parameters:
    ///   - gateRefusals: reasons to refuse it whatever it answers.
    ///   - progress: gets the name of the question that is asked, and the part of them answered.
    /// - Throws: ``Failure`` of an examinee that cannot go on: `timeout` when the device was lost.
    public func certify(
        _ description: DeviceDescription, gateRefusals: [String], examinees: [any Examinee],
        progress: (_ name: String, _ fraction: Double) -> Void = { _, _ in }
    ) throws(Failure) -> Certificate {
        let questions = probes.map { Question($0) } + workloads.map { Question($0) }
        var examination = Examination(questions)
        let answers = try examination.run(examinees, progress: progress)
        var results: [Certificate.ProbeResult] = []
        var hasher = SHA256.Hasher()
        for (question, answer) in zip(questions, answers) {
            if question.countsForConformance {
                hasher.update(Bytes(question.name.utf8) + [0])
                answer.words.withUnsafeBytes { hasher.update($0) }
            }
            results.append(
                Certificate.ProbeResult(
                    name: question.name, need: question.need.rawValue,
                    hasPassed: answer.reason == nil, reason: answer.reason,
                    isUnanswered: answer.isMissing))
        }
        let native = Battery.native(passed: Set(results.filter(\.hasPassed).map(\.name)))
        for check in libraryChecks {
            progress(check.name, 1)
            let reason = check.run()
            results.append(
                Certificate.ProbeResult(
                    name: check.name, need: "library", hasPassed: reason == nil, reason: reason))
        }
        let (verdict, reasons) = Self.judge(results, gateRefusals)
        return Certificate(
            platform: description.platform, device: description.name,
            driverVersion: description.driverVersion, platformVersion: description.platformVersion,
            pciAddress: description.pciAddress, battery: Battery.hash, verdict: verdict,
            reasons: reasons, native: native,
            conformanceHash: hasher.finalize(), probes: results)
    }

    /// Rule 1 of the formats: subnormals alone make `exact-normal`, anything else makes `no`.
    static func judge(
        _ results: [Certificate.ProbeResult], _ gateRefusals: [String]
    ) -> (Verdict, [String]) {
        func failed(_ need: Probe.Need) -> [String] {
            results.filter { $0.need == need.rawValue && !$0.hasPassed }
                .map { "\($0.name): \($0.reason ?? "failed")" }
        }
        let normal = gateRefusals + failed(.normal)
        let subnormal = failed(.subnormal)
        if !normal.isEmpty { return (.no, normal + subnormal) }
        return subnormal.isEmpty ? (.exact, []) : (.exactNormal, subnormal)
    }
}

extension Failure {
    /// The message without the compiler's log that may follow it.
    var firstLine: String { String(message.prefix { $0 != "\n" }) }
}
