public import Core
public import HostProtocol
public import Profiling

/// An agent's certificates are the user's: one says of a device what the other does.
extension CertificateStore: CertificateKeeping {
    public func certificate(
        for device: DeviceReport, program: Hash256
    ) -> CertificateReport? {
        guard let version = device.platformVersion,
            let known = certificate(
                platform: device.platform, platformVersion: version, device: device.name,
                driverVersion: device.driver, pciAddress: device.pciAddress),
            known.program == program, known.isConclusive
        else { return nil }
        return CertificateReport(known, device: device)
    }

    /// A host that gave no certificate that can be read here has its device examined again.
    public func keep(_ report: CertificateReport, program: Hash256) throws(Failure) {
        guard let bytes = report.certificate,
            var certificate = try? Certificate(encoded: bytes),
            certificate.platform == report.device.platform,
            certificate.device == report.device.name,
            certificate.pciAddress == report.device.pciAddress
        else { return }
        certificate.program = program
        try save(certificate)
    }

    public func revoke(_ device: DeviceReport) {
        revoke(
            platform: device.platform, device: device.name, pciAddress: device.pciAddress)
    }
}

extension CertificateReport {
    /// What an agent has to know of a certificate.
    init(_ certificate: Certificate, device: DeviceReport) {
        self.init(
            device: device, verdict: certificate.verdict, conformance: certificate.conformanceHash,
            reasons: certificate.reasons, certificate: certificate.encoded)
    }
}
