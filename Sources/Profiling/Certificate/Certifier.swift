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

    /// Certifies an OpenCL device: what it must announce, then what it must answer.
    ///
    /// - Parameter working: opens the device as apps work on it, with the native operations that
    ///   were proven: the known workloads then run the programs that will be run. Nil runs them on
    ///   `device` itself.
    /// - Throws: ``Failure`` `timeout` when the device was lost on the way. Any other failure of a
    ///   probe is an outcome and in the certificate.
    public func certify(
        _ device: OpenCLDevice,
        working: ((OpenCLDevice.NativeOperations) throws(Failure) -> OpenCLDevice)? = nil,
        progress: (String) -> Void = { _ in }
    ) throws(Failure) -> Certificate {
        try certify(
            device, gateRefusals: device.info.gateRefusals,
            working: { native throws(Failure) in try working?(native) ?? device },
            progress: progress)
    }

    /// Certifies any device behind the port.
    ///
    /// - Parameter gateRefusals: reasons to refuse it whatever it answers.
    public func certify(
        _ device: any ComputeDevice, gateRefusals: [String],
        working: ((OpenCLDevice.NativeOperations) throws(Failure) -> any ComputeDevice)? = nil,
        progress: (String) -> Void = { _ in }
    ) throws(Failure) -> Certificate {
        var results: [Certificate.ProbeResult] = []
        var passed: Set<String> = []
        var hasher = SHA256.Hasher()
        for probe in probes {
            progress(probe.name)
            let outcome = try ask(probe, on: device)
            if outcome.reason == nil { passed.insert(probe.name) }
            if probe.need != .optional {
                hasher.update(Bytes(probe.name.utf8) + [0])
                outcome.words.withUnsafeBytes { hasher.update($0) }
            }
            results.append(
                Certificate.ProbeResult(
                    name: probe.name, need: probe.need.rawValue,
                    hasPassed: outcome.reason == nil, reason: outcome.reason))
        }
        let native = Battery.native(passed: passed)
        let worker = workloads.isEmpty ? device : try working?(native) ?? device
        for workload in workloads {
            progress(workload.name)
            let reason = try workload.fault(on: worker)
            results.append(
                Certificate.ProbeResult(
                    name: workload.name, need: Probe.Need.normal.rawValue,
                    hasPassed: reason == nil, reason: reason))
        }
        for check in libraryChecks {
            progress(check.name)
            let reason = check.run()
            results.append(
                Certificate.ProbeResult(
                    name: check.name, need: "library", hasPassed: reason == nil, reason: reason))
        }
        let (verdict, reasons) = Self.judge(results, gateRefusals)
        let description = device.description
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

    // MARK: - One probe

    /// The device's words for all items, and what is wrong with them.
    private func ask(
        _ probe: Probe, on device: any ComputeDevice
    ) throws(Failure) -> (words: [UInt32], reason: String?) {
        do throws(Failure) {
            for control in probe.controls {
                if let reason = try blindness(to: control, probe, device) { return ([], reason) }
            }
            var words: [UInt32] = []
            for count in Probe.itemCounts {
                words = try run(probe.call, probe.items, count: count, on: device)
                if let reason = Self.difference(words, probe.answers(count), count, probe.items) {
                    return (words, reason)
                }
            }
            return (words, nil)
        } catch {
            // A lost device answers nothing more; a kernel that does not build is an answer.
            if error.code == .timeout { throw error }
            return ([], error.firstLine)
        }
    }

    /// Why the control proves nothing here; nil when it does its duty.
    private func blindness(
        to control: Probe.Control, _ probe: Probe, _ device: any ComputeDevice
    ) throws(Failure) -> String? {
        let count = Probe.itemCountMax
        guard control.answers != probe.answers(count) else {
            return "control \(control.name): the inputs cannot show it"
        }
        guard let call = control.call else { return nil }
        let words = try run(call, probe.items, count: count, on: device)
        guard let reason = Self.difference(words, control.answers, count, probe.items) else {
            return nil
        }
        return "control \(control.name): \(reason)"
    }

    private func run(
        _ call: Probe.Call, _ items: [SIMD4<UInt32>], count: Int, on device: any ComputeDevice
    ) throws(Failure) -> [UInt32] {
        let program = try device.program(call.program)
        let wordCount = max(2 * count, Battery.counterWords)
        let fill: UInt32 = call.startsAtZero ? 0 : Self.unwritten
        let input = try device.makeBuffer(Array(items.prefix(count)))
        let output = try device.makeBuffer([UInt32](repeating: fill, count: wordCount))
        var arguments: [KernelArgument] = [
            .buffer(input), .buffer(output), .uint(UInt32(count)), .float(-0.0),
        ]
        var global = count
        if call.localBytes > 0 {
            arguments.append(.local(byteCount: call.localBytes))
            global = (count + 31) / 32 * 32
        }
        try device.launch(
            call.kernel, of: program, global: [global], local: call.localBytes > 0 ? [32] : nil,
            arguments: arguments)
        return try device.read(UInt32.self, count: wordCount, from: output)
    }

    /// What an output word holds until a kernel writes it.
    static let unwritten: UInt32 = 0xa5a5_a5a5

    /// The first wrong word, said with its inputs; and whether the output is alive at all, since
    /// output that is constant or all NaN can pass for different from anything.
    static func difference(
        _ words: [UInt32], _ answers: [UInt32], _ count: Int, _ items: [SIMD4<UInt32>]
    ) -> String? {
        let wrong = answers.indices.filter { words[$0] != answers[$0] }
        guard let first = wrong.first else { return nil }
        func hex(_ word: UInt32) -> String { word.bigEndianBytes.hex0x }
        if count > 1, Set(answers.indices.map { words[$0] }).count == 1 {
            return "\(count) items: every word of the output is \(hex(words[0]))"
        }
        let item = items[min(first / 2, count - 1)]
        let operands = (0..<4).map { hex(item[$0]) }.joined(separator: " ")
        return """
            \(count) items: \(wrong.count) words wrong; word \(first) is \(hex(words[first])), \
            expected \(hex(answers[first])), for \(operands)
            """
    }
}

extension Failure {
    /// The message without the compiler's log that may follow it.
    var firstLine: String { String(message.prefix { $0 != "\n" }) }
}
