public import Compute
public import Core
internal import Digest
internal import Foundation

/// What is proven of devices' own division and square root, kept on disk so that it is measured
/// once and not at every start.
///
/// A proof holds for one device, driver and set of questions, which together name its file: after
/// an update it is not found, and the device is asked again. A damaged file counts as none.
public struct NativeProofs: Sendable {
    private let folder: URL

    /// - Parameter folder: made with the first proof.
    public init(folder: String) {
        self.folder = URL(fileURLWithPath: folder, isDirectory: true)
    }

    /// The proof on disk; nil when there is none for this device with this driver.
    public func find(for device: DeviceDescription) -> OpenCLDevice.NativeOperations? {
        let key = Self.key(device)
        guard let bytes = try? Data(contentsOf: file(key)),
            bytes.count > Hash256.byteCount,
            SHA256.hash(Bytes(bytes.dropLast(Hash256.byteCount))).bytes
                == Bytes(bytes.suffix(Hash256.byteCount)),
            let proof = try? CBOR(decoding: Bytes(bytes.dropLast(Hash256.byteCount))),
            proof["key"]?.bytes == key.bytes, let native = proof["native"]?.int
        else { return nil }
        return OpenCLDevice.NativeOperations(rawValue: native & 3)
    }

    /// Asks a device that was opened without native operations, and keeps the answer.
    ///
    /// - Throws: ``Failure`` `timeout` when the device was lost on the way.
    public func measure(
        _ device: any ComputeDevice
    ) throws(Failure)
        -> OpenCLDevice
        .NativeOperations
    {
        let certificate = try Certifier(asking: Battery.native).certify(device, gateRefusals: [])
        keep(certificate.native, for: device.description)
        return certificate.native
    }

    /// Puts what was found in place of an earlier proof. Where it cannot be kept, the next start
    /// measures again, so nothing is reported.
    public func keep(
        _ native: OpenCLDevice.NativeOperations, for device: DeviceDescription
    ) {
        let key = Self.key(device)
        let proof = CBOR.map([
            "device": .text(device.label), "key": .bytes(key.bytes),
            "native": CBOR(native.rawValue),
        ]).encoded
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try? Data(proof + SHA256.hash(proof).bytes).write(to: file(key), options: .atomic)
    }

    private static func key(_ device: DeviceDescription) -> Hash256 {
        SHA256.hash(
            CBOR.array([
                .bytes(questions.bytes), .text(device.platform), .text(device.platformVersion),
                .text(device.name), .text(device.driverVersion), .text(device.pciAddress ?? ""),
            ]).encoded)
    }

    /// Kernels and inputs that a proof stands on.
    private static let questions = Battery.hash(of: Battery.native)

    private func file(_ key: Hash256) -> URL {
        folder.appendingPathComponent("\(key.bytes.prefix(16).hex).proof")
    }
}
