import Core
import DeviceHost
import Foundation
import HostProtocol
import Profiling
import Testing

/// What agents find in the user's store of certificates.
@Suite struct CertificateKeepingTests {
    private static let program = Hash256(Bytes(1...32)) ?? .zero
    private let folder = NSTemporaryDirectory() + "kept-\(UInt64.random(in: 0 ... .max))"
    private let device = DeviceReport(
        index: 0, platform: "P", platformVersion: "OpenCL 3.0", name: "gpu", driver: "1",
        pciAddress: "0000:01:00.0", kind: "gpu", computeUnits: 2, memoryBytes: 1 << 30)

    /// A certificate whose one probe passed, was answered wrongly, or was not answered.
    private func certificate(
        _ verdict: Verdict = .exact, isUnanswered: Bool = false, need: String = "normal"
    ) throws -> Certificate {
        let reason: CBOR = verdict == .no ? .text("floor: wrong") : .null
        let probe = CBOR.map([
            "name": .text("floor"), "need": .text(need), "passed": .bool(verdict != .no),
            "reason": reason, "unanswered": .bool(isUnanswered),
        ])
        return try Certificate(
            encoded: CBOR.map([
                "version": CBOR(Certificate.version), "platform": .text(device.platform),
                "device": .text(device.name), "driver": .text(device.driver),
                "platform_version": .text("OpenCL 3.0"), "pci": .text("0000:01:00.0"),
                "battery": .bytes(Bytes(repeating: 3, count: 32)),
                "verdict": .text(verdict.rawValue),
                "reasons": .array(verdict == .no ? [reason] : []), "native": CBOR(0),
                "conformance": .bytes(Bytes(repeating: 4, count: 32)),
                "probes": .array([probe]),
            ]).encoded)
    }

    private func report(_ certificate: Certificate) -> CertificateReport {
        CertificateReport(
            device: device, verdict: certificate.verdict, conformance: certificate.conformanceHash,
            reasons: certificate.reasons, certificate: certificate.encoded)
    }

    /// What commands find of the device.
    private func known(_ store: CertificateStore) -> Certificate? {
        store.certificate(
            platform: "P", platformVersion: "OpenCL 3.0", device: "gpu", driverVersion: "1",
            pciAddress: "0000:01:00.0")
    }

    @Test func agentsAndCommandsFindTheSame() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = CertificateStore(folder: folder)
        #expect(store.certificate(for: device, program: Self.program) == nil)
        try store.keep(report(try certificate()), program: Self.program)
        #expect(known(store)?.verdict == .exact)
        #expect(known(store)?.program == Self.program)
        var moved = device
        moved.index = 5
        let found = store.certificate(for: moved, program: Self.program)
        #expect(found?.verdict == .exact)
        #expect(found?.device == moved)
        // The other program's certificate, another driver's and a twin's are others.
        #expect(store.certificate(for: device, program: .zero) == nil)
        moved.driver = "2"
        #expect(store.certificate(for: moved, program: Self.program) == nil)
        moved = device
        moved.pciAddress = "0000:02:00.0"
        #expect(store.certificate(for: moved, program: Self.program) == nil)
        store.revoke(moved)
        #expect(known(store) != nil)
        store.revoke(device)
        #expect(known(store) == nil)
    }

    /// People are told of it, and an agent asks again.
    @Test func aDeviceThatDidNotAnswerIsExaminedAgain() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = CertificateStore(folder: folder)
        try store.keep(report(try certificate(.no, isUnanswered: true)), program: Self.program)
        #expect(known(store)?.verdict == .no)
        #expect(store.certificate(for: device, program: Self.program) == nil)
        try store.keep(report(try certificate(.no)), program: Self.program)
        #expect(store.certificate(for: device, program: Self.program)?.verdict == .no)
        // What no verdict stands on need not be answered.
        let optional = try certificate(.no, isUnanswered: true, need: "optional")
        try store.keep(report(optional), program: Self.program)
        #expect(store.certificate(for: device, program: Self.program) != nil)
    }

    /// A host speaks of the device that it was asked about, or is not heard.
    @Test func anotherDevicesCertificateIsNotKept() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = CertificateStore(folder: folder)
        var strange = report(try certificate())
        strange.device.name = "other"
        try store.keep(strange, program: Self.program)
        #expect(known(store) == nil)
        strange = report(try certificate())
        strange.certificate = nil
        try store.keep(strange, program: Self.program)
        #expect(known(store) == nil)
    }
}
