import Compute
import Core
import Foundation
import Profiling
import RigorTestKit
import Synchronization
import Testing

/// What the battery says of the implementations at hand, and of devices broken on purpose.
@Suite struct CertificateTests {
    @Test(arguments: TestDevices.all)
    func measuresTheExpectedVerdict(_ test: TestDevice) throws {
        let certificate = try Certifier().certify(try test.open())
        #expect(certificate.verdict == test.verdict, "\(certificate.reasons)")
        #expect(certificate.reasons.isEmpty == (certificate.verdict == .exact))
        #expect((certificate.warning == nil) == (certificate.verdict == .exact))
    }

    @Test func exactDevicesAnswerAlikeAndOthersDoNot() throws {
        var exact: Set<Hash256> = []
        var others: Set<Hash256> = []
        for test in TestDevices.all {
            let certificate = try Certifier().certify(try test.open())
            if certificate.verdict == .exact {
                exact.insert(certificate.conformanceHash)
            } else {
                others.insert(certificate.conformanceHash)
            }
        }
        #expect(exact.count <= 1)
        #expect(exact.isDisjoint(with: others))
    }

    /// Rebuilds the programs of `device` from changed text.
    private func certify(
        asking probes: Set<String>, changing change: @escaping @Sendable (String) -> String
    ) throws -> Certificate? {
        guard let test = TestDevices.any else { return nil }
        let device = FlakyDevice(
            try test.open(),
            [
                .rewrite { source in
                    guard let text = try? source.text() else { return source }
                    return ProgramSource(source.name, customText: change(text))
                }
            ])
        return try Certifier(asking: probes).certify(device, gateRefusals: [])
    }

    private func failed(_ certificate: Certificate) -> Set<String> {
        Set(certificate.probes.filter { !$0.hasPassed }.map(\.name))
    }

    @Test func contractionIsFound() throws {
        guard
            let certificate = try certify(
                asking: ["fma", "multiply", "multiply then add", "multiply then subtract"],
                changing: { $0.replacing("#pragma OPENCL FP_CONTRACT OFF", with: "") })
        else { return }
        #expect(certificate.verdict == .no)
        // fma itself is right, but its control can no longer be told from it.
        #expect(failed(certificate) == ["fma", "multiply then add", "multiply then subtract"])
        #expect(certificate.reasons.first?.contains("control split") == true)
        #expect(certificate.warning != nil)
    }

    /// The same device, rewriting nothing, is exact: the cases here fail for their own reason.
    @Test func rewritingNothingIsExact() throws {
        guard
            let certificate = try certify(
                asking: ["add", "fma", "add, subnormal", "own divide", "narrow", "float to int"],
                changing: { $0 })
        else { return }
        #expect(certificate.probes.count == 6)
        #expect(certificate.verdict == .exact, "\(certificate.reasons)")
    }

    @Test(arguments: [
        // What is replaced, by what, the probe that must notice, the verdict.
        ("certify_fma, fma(a, b, c)", "certify_fma, a * b + c", "fma", Verdict.no),
        (
            "certify_fma, fma(a, b, c)",
            "certify_fma, fma(a, b, fabs(c) < 0x1p-126f && fabs(c) != 0.0f ? 0.0f : c)",
            "fma, subnormal", .exactNormal
        ),
        (
            "certify_add, a + b",
            "certify_add, (fabs(a + b) < 0x1p-126f ? copysign(0.0f, a + b) : a + b)",
            "add, subnormal", .exactNormal
        ),
        ("ex_div(a, b))", "a * ex_rcp(b))", "own divide", .no),
        ("const float x = expression;", "const float x = fma(a, b, c);", "narrow", .no),
        ("convert_int_rte(as_float(a))", "convert_int(as_float(a))", "float to int", .no),
        ("mul_hi(a, b))", "0u)", "multiply uint", .no),
        (
            "barrier(CLK_LOCAL_MEM_FENCE);\n        scratch[l] += left;",
            "scratch[l] += left + 1u;",
            "local memory and barriers", .no
        ),
        ("atomic_inc((volatile __global uint *)&out[slot + 3u]);", "", "atomics", .no),
        ("if (i >= count) return;", "if (i >= count || i >= 1999u) return;", "add", .no),
        ("out[2 * i] = certify_bits(expression);", "out[2 * i] = 0x7fc00000u;", "add", .no),
    ])
    func aChangedKernelIsFound(
        _ old: String, _ new: String, _ probe: String, _ verdict: Verdict
    ) throws {
        guard
            let certificate = try certify(
                asking: [probe], changing: { $0.replacing(old, with: new) })
        else { return }
        #expect(certificate.verdict == verdict, "\(certificate.reasons)")
        #expect(failed(certificate).contains(probe))
    }

    /// Where the device's own division and root are certified, exact functions take them: with the
    /// same bits.
    @Test(arguments: TestDevices.quick)
    func certifiedNativeOperationsKeepTheBits(_ test: TestDevice) throws {
        let questions: Set<String> = [
            "native divide", "native divide beside ours", "native sqrt",
            "native sqrt beside ours", "own divide", "own sqrt", "own divide, subnormal",
        ]
        let certificate = try Certifier(asking: questions).certify(try test.open())
        var options = OpenCLDevice.Options()
        options.native = certificate.native
        let native = try Certifier(asking: questions).certify(try test.open(options))
        #expect(native.verdict == .exact, "\(native.reasons)")
        #expect(native.conformanceHash == certificate.conformanceHash)
    }

    @Test func aFlippedBitIsFoundWithItsInputs() throws {
        guard let test = TestDevices.any else { return }
        let device = FlakyDevice(try test.open(), [.flipFromRead(1, byte: 12)])
        let certificate = try Certifier(asking: ["add"]).certify(device, gateRefusals: [])
        #expect(certificate.verdict == .no)
        #expect(certificate.isConclusive)
        #expect(certificate.reasons.first?.contains("expected 0x") == true)
    }

    @Test func aDeadDeviceIsJudgedAndAHungOneThrows() throws {
        guard let test = TestDevices.any else { return }
        let dying = FlakyDevice(try test.open(), [.failLaunch(5)])
        let certifier = Certifier(asking: ["add", "fma"])
        let refused = try certifier.certify(dying, gateRefusals: [])
        #expect(refused.verdict == .no)
        #expect(!refused.isConclusive)
        #expect(try !Certificate(encoded: refused.encoded).isConclusive)
        let hanging = FlakyDevice(try test.open(), [.hangAtLaunch(5)])
        let failure = #expect(throws: Failure.self) {
            try certifier.certify(hanging, gateRefusals: [])
        }
        #expect(failure?.code == .timeout)
    }

    /// Right on every single operation and wrong on an app's kernels: each app has its own look.
    @Test(arguments: [
        (["wi.z * 0x1.45f306p-2f": "wi.z * 0x1.45f308p-2f"], ["path tracing"]),
        (["throughput = scale3(throughput, ex_rcp(chance));": ""], ["path tracing"]),
        (
            ["EX_INLINE T name(T x) {": "$0 x += 0x1p-20f;"],
            ["exact functions", "small network"]
        ),
        (
            // Windows of any shape, and near ones where a processor has its own code for them.
            [
                "max(best, (pool_keys)(u.even, v.even))":
                    "max(best - 64, (pool_keys)(u.even, v.even))",
                "best = max(even, odd);": "best = max(even, odd) - 64;",
            ],
            ["small network"]
        ),
    ])
    func aWrongAppIsFound(_ changes: [String: String], _ workloads: [String]) throws {
        guard let test = TestDevices.any else { return }
        let rewritten = Mutex(Set<String>())
        let flaw = FlakyDevice.Flaw.rewrite { source in
            guard var text = try? source.text() else { return source }
            let found = changes.filter { text.contains($0.key) }
            guard !found.isEmpty else { return source }
            rewritten.withLock { $0.formUnion(found.keys) }
            for (old, new) in found {
                text = text.replacing(old, with: new.replacing("$0", with: old))
            }
            return ProgramSource(source.name, customText: text, defines: source.defines)
        }
        let certifier = Certifier(asking: ["add"], workloads: KnownWorkload.all)
        let right = try certifier.certify(try test.open(), gateRefusals: [])
        #expect(right.verdict == .exact, "\(right.reasons)")
        let wrong = try certifier.certify(FlakyDevice(try test.open(), [flaw]), gateRefusals: [])
        #expect(rewritten.withLock { $0 } == Set(changes.keys), "text that no kernel has")
        #expect(wrong.verdict == .no)
        #expect(failed(wrong) == Set(workloads))
    }

    // MARK: Several examinees

    /// However many share the questions, the certificate is the same.
    @Test func sharedQuestionsGiveTheSameCertificate() throws {
        guard let test = TestDevices.any else { return }
        let asked: Set<String> = [
            "native divide", "native divide beside ours", "add", "narrow", "multiply uint",
        ]
        let workloads = KnownWorkload.all.filter { $0.name != "path tracing" }
        let certifier = Certifier(asking: asked, workloads: workloads)
        let alone = try certifier.certify(try test.open(), gateRefusals: [])
        let device = try test.open()
        let examinees = try (0..<3).map { _ in
            let probed = try test.open()
            // A workload's device is opened with what the probes have proven, never with less.
            let opening: DeviceExaminee.Working = { (native) throws(Failure) in
                guard native == alone.native else {
                    throw Failure(.refused, "opened with \(native), not \(alone.native)")
                }
                return probed
            }
            return DeviceExaminee(probed, working: opening)
        }
        var names: [String] = []
        var fractions: [Double] = []
        let shared = try certifier.certify(
            device.description, gateRefusals: [], examinees: examinees
        ) { name, fraction in
            names.append(name)
            fractions.append(fraction)
        }
        #expect(shared == alone)
        #expect(names.sorted() == alone.probes.map(\.name).sorted())
        #expect(fractions == fractions.sorted() && fractions.allSatisfy { (0..<1).contains($0) })
    }

    /// One that cannot go on ends the examination; the others are asked nothing more, and none is
    /// left with a question.
    @Test func aLostExamineeEndsTheExamination() throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        let lost = Failure(.timeout, "lost")
        let asked = Mutex((begun: 0, ended: 0))
        let examinees = [
            StubExaminee { (_) throws(Failure) in
                while asked.withLock({ $0.begun }) == 0 { usleep(1000) }
                throw lost
            },
            StubExaminee { (_) throws(Failure) in
                asked.withLock { $0.begun += 1 }
                Thread.sleep(forTimeInterval: 0.05)
                asked.withLock { $0.ended += 1 }
                return Question.Answer(reason: nil)
            },
        ]
        let failure = #expect(throws: Failure.self) {
            try Certifier(workloads: []).certify(
                device.description, gateRefusals: [], examinees: examinees)
        }
        #expect(failure == lost)
        #expect(examinees.allSatisfy { $0.isDismissed.withLock { $0 } })
        #expect(asked.withLock { $0 } == (1, 1))
        Thread.sleep(forTimeInterval: 0.1)
        #expect(asked.withLock { $0 } == (1, 1))
    }

    private final class StubExaminee: Examinee {
        let isDismissed = Mutex(false)
        private let body: @Sendable (Question) throws(Failure) -> Question.Answer

        init(_ body: @escaping @Sendable (Question) throws(Failure) -> Question.Answer) {
            self.body = body
        }

        func answer(
            _ question: Question, native: OpenCLDevice.NativeOperations
        ) throws(Failure) -> Question.Answer { try body(question) }

        func dismiss() { isDismissed.withLock { $0 = true } }
    }

    @Test func theGateAndLibrariesCount() throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        let certificate = try Certifier(
            libraryChecks: [.init(name: "codec", run: { "other pixels" })]
        ).certify(device, gateRefusals: ["profile is EMBEDDED_PROFILE"])
        #expect(certificate.verdict == .no)
        #expect(certificate.reasons == ["profile is EMBEDDED_PROFILE"])
        #expect(failed(certificate).contains("codec"))
    }

    @Test func codecsHaveTheirKnownAnswers() {
        #expect(LibraryChecks.all.count > 10)
        for check in LibraryChecks.all { #expect(check.run() == nil, "\(check.name)") }
    }

    @Test func survivesEncodingAndEndsWithTheDriver() throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        let certificate = try Certifier(libraryChecks: LibraryChecks.all).certify(device)
        #expect(try Certificate(encoded: certificate.encoded) == certificate)
        #expect(certificate.holds(for: device.description))
        var updated = device.description
        updated.driverVersion += ".1"
        #expect(!certificate.holds(for: updated))
        #expect(throws: Failure.self) {
            try Certificate(encoded: Bytes(certificate.encoded.dropLast()))
        }
        let said = Certificate.json(index: 0, of: device.description, .success(certificate)).text
        #expect(said.contains("\"verdict\": \"\(certificate.verdict.rawValue)\""))
    }
}

@Suite struct CertificateStoreTests {
    private let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("rigor-certificates-\(UUID().uuidString)", isDirectory: true)

    private func sample(_ device: String, pci: String? = nil) throws -> Certificate {
        try Certificate(
            encoded: CBOR.map([
                "version": CBOR(Certificate.version), "platform": .text("P"),
                "device": .text(device), "driver": .text("1"), "platform_version": .text("2"),
                "pci": pci.map(CBOR.text) ?? .null,
                "battery": .bytes(Bytes(repeating: 3, count: 32)),
                "verdict": .text("exact-normal"), "reasons": .array([.text("flushes")]),
                "native": CBOR(0), "conformance": .bytes(Bytes(repeating: 4, count: 32)),
                "probes": .array([]),
            ]).encoded)
    }

    private func find(
        _ store: CertificateStore, _ device: String, driver: String = "1", pci: String? = nil
    ) -> Certificate? {
        store.certificate(
            platform: "P", platformVersion: "2", device: device, driverVersion: driver,
            pciAddress: pci)
    }

    @Test func givesBackWhatWasKept() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = CertificateStore(folder: folder.path)
        #expect(find(store, "A") == nil)
        let first = try sample("A", pci: "0000:01:00.0")
        let second = try sample("A", pci: "0000:02:00.0")
        try store.save(first)
        try store.save(second)
        #expect(find(store, "A", pci: "0000:01:00.0") == first)
        #expect(find(store, "A", pci: "0000:02:00.0") == second)
        #expect(find(store, "A") == nil)
        // A new driver makes it stale.
        #expect(find(store, "A", driver: "2", pci: "0000:01:00.0") == nil)
        store.revoke(platform: "P", device: "A", pciAddress: "0000:01:00.0")
        #expect(find(store, "A", pci: "0000:01:00.0") == nil)
        #expect(find(store, "A", pci: "0000:02:00.0") == second)
    }

    @Test func damageIsNoCertificate() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = CertificateStore(folder: folder.path)
        try store.save(try sample("A"))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        try #require(names.count == 1)
        let file = folder.appendingPathComponent(names[0])
        try Data(contentsOf: file).dropLast(3).write(to: file)
        #expect(find(store, "A") == nil)
        try store.save(try sample("A"))
        #expect(find(store, "A") != nil)
    }
}
