public import Core
internal import Digest
internal import Files
internal import Foundation
public import HostProtocol

/// Certificates on disk, so that a device is not examined anew at each start. One holds for a
/// device, its driver and the program that examined it; anything else is another device.
public struct CertificateCache: Sendable {
    private let folder: String
    private static let fileBytesMax = 1 << 20

    /// - Parameter folder: created when it is missing.
    public init(folder: String) throws(Failure) {
        self.folder = folder
        try Folder.make(folder)
    }

    private func path(_ device: DeviceReport, program: Hash256) -> String {
        let key = CBOR.array([
            .text(device.platform), .text(device.name), .text(device.driver),
            .bytes(program.bytes),
        ])
        return "\(folder)/\(SHA256.hash(key.encoded).bytes.hex)"
    }

    /// The stored certificate; nil when there is none that can be read.
    public func certificate(
        for device: DeviceReport, program: Hash256
    ) -> CertificateReport? {
        let path = path(device, program: program)
        guard let bytes = try? FileHash.contents(path: path, bytesMax: Self.fileBytesMax),
            let value = try? CBOR(decoding: bytes),
            let fields = try? MessageFields(value, place: path),
            var report = try? CertificateReport(fields)
        else { return nil }
        // The list of devices may have been reordered since.
        report.device = device
        return report
    }

    public func store(_ report: CertificateReport, program: Hash256) throws(Failure) {
        try FileHash.writeDurably(
            report.cbor.encoded, to: path(report.device, program: program))
    }

    /// Forgets a device's certificate: it must pass the battery again before it is offered.
    public func revoke(_ device: DeviceReport, program: Hash256) {
        try? FileManager.default.removeItem(atPath: path(device, program: program))
    }
}
