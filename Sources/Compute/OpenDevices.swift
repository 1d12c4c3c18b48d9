public import Core
public import OpenCL

/// The OpenCL devices of this machine, ready to be chosen from and opened.
public struct DeviceCatalog: Sendable {
    public let system: OpenCLSystem
    /// In the order that indices count: platforms as the loader lists them, their devices in order.
    public let descriptions: [DeviceDescription]

    public init(_ system: OpenCLSystem = .read()) {
        self.system = system
        descriptions = system.devices.map { DeviceDescription($0.info, platform: $0.platformInfo) }
    }

    /// Opens a device.
    ///
    /// - Parameters:
    ///   - index: counts ``descriptions``.
    ///   - computeUnits: when given, the device, a processor, is split into parts of so many
    ///     compute units, each a device of its own; one that cannot be split is refused.
    ///   - clock: for build times.
    /// - Throws: ``Failure`` `device` when the driver refuses.
    public func open(
        _ index: Int, computeUnits: Int? = nil, options: OpenCLDevice.Options, clock: any Clock
    ) throws(Failure) -> [OpenCLDevice] {
        let device = system.devices[index]
        guard let computeUnits else {
            return [try OpenCLDevice(device, options: options, clock: clock)]
        }
        var parts: [OpenCLDevice] = []
        for part in try Self.split(device, computeUnits, label: descriptions[index].label) {
            parts.append(try OpenCLDevice(device, part: part, options: options, clock: clock))
        }
        return parts
    }

    private static func split(
        _ device: OpenCLSystem.Device, _ computeUnits: Int, label: String
    ) throws(Failure) -> [SubDevice] {
        guard (1...device.info.computeUnits).contains(computeUnits) else {
            throw Failure(
                .refused,
                "\(label): \(computeUnits) compute units a part: it has \(device.info.computeUnits)"
            )
        }
        guard device.info.partitions.contains(.equally) else {
            throw Failure(.unsupported, "\(label): cannot be split into parts")
        }
        do throws(OpenCLError) {
            return try device.split(equally: computeUnits)
        } catch {
            throw error.failure.at(label)
        }
    }
}
