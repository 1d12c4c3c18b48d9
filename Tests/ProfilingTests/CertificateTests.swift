import Compute
import Core
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
