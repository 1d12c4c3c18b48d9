public import Core

/// Where an agent keeps certificates between starts, so that its device is not examined anew at
/// each.
public protocol CertificateKeeping: Sendable {
    /// What is kept of a device, if it was `program` that examined it, under the present driver.
    ///
    /// - Returns: nil where the device has to be examined: also where it did not answer the last
    ///   time, which may have been no fault of its own.
    func certificate(for device: DeviceReport, program: Hash256) -> CertificateReport?

    /// Keeps what `program` found of a device, in place of what was known of it.
    ///
    /// - Throws: ``Failure`` `storage` when it cannot be written.
    func keep(_ report: CertificateReport, program: Hash256) throws(Failure)

    /// Forgets a device's certificate: it must pass the battery again before it is offered.
    func revoke(_ device: DeviceReport)
}
