import Compute
import Core
import Foundation
import Profiling
import RigorTestKit
import Testing

@Suite struct CertificateTests {
    @Test(arguments: TestDevices.all)
    func measuresTheExpectedVerdict(_ test: TestDevice) throws {
        let certificate = try Certifier().certify(try test.open())
        for reason in certificate.reasons { print("\(test.label): \(reason)") }
        for probe in certificate.probes where !probe.hasPassed {
            print("\(test.label): \(probe.name): \(probe.reason ?? "")")
        }
        print("\(test.label): \(certificate.verdict) \(certificate.conformanceHash)")
        #expect(certificate.verdict == test.verdict)
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
