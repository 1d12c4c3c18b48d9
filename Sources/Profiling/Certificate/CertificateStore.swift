public import Core
internal import Digest
internal import Files
internal import Foundation

/// Certificates on disk, one file a device: what was measured once is not measured at every start.
/// Agents and commands share it, so that all say the same of a device.
///
/// A damaged file counts as none: the device is certified again.
public struct CertificateStore: Sendable {
    private let folder: URL

    /// - Parameter folder: made with the first certificate.
    public init(folder: String) {
        self.folder = URL(fileURLWithPath: folder, isDirectory: true)
    }

    /// Writes `certificate` in place of an earlier one of the same device, whole or not at all.
    ///
    /// - Throws: ``Failure`` `storage` when the folder cannot be written.
    public func save(_ certificate: Certificate) throws(Failure) {
        let file = file(certificate.platform, certificate.device, certificate.pciAddress)
        try Folder.make(folder.path)
        do {
            try Data(certificate.encoded).write(to: file, options: .atomic)
        } catch {
            throw Failure(.storage, "\(file.path): cannot be written: \(systemMessage(error))")
        }
    }

    /// The device's last certificate, if its driver is still the one that was measured.
    ///
    /// Whether today's battery asks more is for ``Certificate/holds(for:)``.
    public func certificate(
        platform: String, platformVersion: String, device: String, driverVersion: String,
        pciAddress: String?
    ) -> Certificate? {
        guard let bytes = try? Data(contentsOf: file(platform, device, pciAddress)),
            let certificate = try? Certificate(encoded: Bytes(bytes)),
            certificate.platform == platform, certificate.device == device,
            certificate.pciAddress == pciAddress, certificate.driverVersion == driverVersion,
            certificate.platformVersion == platformVersion
        else { return nil }
        return certificate
    }

    /// Forgets a device's certificate, whatever its driver: it must be certified again.
    public func revoke(platform: String, device: String, pciAddress: String?) {
        try? FileManager.default.removeItem(at: file(platform, device, pciAddress))
    }

    /// Names of devices hold any character, so the file has their hash for a name.
    private func file(_ platform: String, _ device: String, _ pciAddress: String?) -> URL {
        let identity = [platform, device, pciAddress ?? ""].joined(separator: "\0")
        let name = SHA256.hash(Bytes(identity.utf8)).bytes.prefix(16).hex
        return folder.appendingPathComponent("\(name).certificate")
    }
}
