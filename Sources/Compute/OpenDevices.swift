public import Core
public import OpenCL
internal import Synchronization

/// The OpenCL devices of this machine, ready to be chosen from and opened.
public struct DeviceCatalog: Sendable {
    public let system: OpenCLSystem
    /// In the order that indices count: platforms as the loader lists them, their devices in order.
    public let descriptions: [DeviceDescription]
    private let split = SplitDevices()

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
    ///   - share: when given, of those parts this one alone, if there are so many.
    ///   - clock: for build times.
    /// - Throws: ``Failure`` `device` when the driver refuses.
    public func open(
        _ index: Int, computeUnits: Int? = nil, share: Int? = nil, options: OpenCLDevice.Options,
        clock: any Clock
    ) throws(Failure) -> [OpenCLDevice] {
        let device = system.devices[index]
        guard let computeUnits else {
            return [try OpenCLDevice(device, options: options, clock: clock)]
        }
        let split = try split.parts(index, computeUnits) { () throws(Failure) in
            try Self.split(device, computeUnits, label: descriptions[index].label)
        }
        var parts: [OpenCLDevice] = []
        for (number, part) in split.enumerated() where number == share ?? number {
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

/// The parts that devices were split into, for as long as the catalog lives: PoCL 3.1 crashes now
/// and then after a sub-device is released, whose last commands its threads still tidy up.
private final class SplitDevices: Sendable {
    private struct Key: Hashable {
        let index: Int
        let computeUnits: Int
    }

    private let known = Mutex<[Key: [SubDevice]]>([:])

    func parts(
        _ index: Int, _ computeUnits: Int, _ split: () throws(Failure) -> [SubDevice]
    ) throws(Failure) -> [SubDevice] {
        let key = Key(index: index, computeUnits: computeUnits)
        if let parts = known.withLock({ $0[key] }) { return parts }
        let parts = try split()
        known.withLock { $0[key] = parts }
        return parts
    }
}
