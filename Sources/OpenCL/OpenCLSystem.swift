internal import COpenCL

/// Every platform and device that answers, with handles; read once.
///
/// Reading loads vendor drivers into the process. It survives a machine without the loader's
/// drivers, platforms without devices, drivers listed twice, and platforms that answer with errors.
/// It cannot survive a driver that crashes; probing therefore belongs into a child process.
public struct OpenCLSystem: Sendable {
    public let platforms: [Platform]
    /// Why no platform could be listed; nil when listing worked, even if the list is empty.
    public let problem: String?

    /// A platform and its handle.
    public struct Platform: Sendable {
        public let id: PlatformID
        public let info: PlatformInfo
        public let devices: [Device]
    }

    /// A device and its handle.
    public struct Device: Sendable {
        public let id: DeviceID
        public let platform: PlatformID
        public let info: DeviceInfo
        public let platformInfo: PlatformInfo
    }

    /// Values alone, for inventories and recordings.
    public var infos: [PlatformInfo] { platforms.map(\.info) }

    /// The devices that can be opened: no duplicates, compiler at hand, in the order of platforms.
    public var devices: [Device] {
        platforms.filter { $0.info.duplicateOf == nil }.flatMap(\.devices)
            .filter { $0.info.isAvailable && $0.info.hasCompiler }
    }

    /// The drivers installed on this machine.
    public static func read() -> OpenCLSystem {
        return OpenCLSystem(from: InstalledDrivers())
    }

    public init(from source: some InfoSource) {
        let ids: [PlatformID]
        do throws(OpenCLError) {
            ids = try source.platforms()
        } catch {
            // A loader without drivers is an ordinary machine, not a fault.
            platforms = []
            problem = error.status == .platformNotFound ? nil : error.description
            return
        }
        var read: [Platform] = []
        for id in ids {
            var platform = Self.readPlatform(id, from: source)
            if let first = read.firstIndex(where: { Self.isSame($0, platform) }) {
                var info = platform.info
                info.duplicateOf = first
                platform = Platform(id: id, info: info, devices: platform.devices)
            }
            read.append(platform)
        }
        platforms = read
        problem = nil
    }

    /// The same driver listed twice: the same handle, or equal answers down to the devices' places.
    private static func isSame(_ first: Platform, _ second: Platform) -> Bool {
        if first.id == second.id { return true }
        guard first.info.name == second.info.name, first.info.vendor == second.info.vendor,
            !second.devices.isEmpty
        else { return false }
        return Set(first.info.devices.map(Place.init)) == Set(second.info.devices.map(Place.init))
    }

    /// What tells devices of one platform apart: two equal GPUs differ in their PCI address.
    private struct Place: Hashable {
        let name: String
        let uuid: String?
        let pci: DeviceInfo.PCIAddress?
        init(_ info: DeviceInfo) {
            name = info.name
            uuid = info.uuid
            pci = info.pciAddress
        }
    }

    private static func readPlatform(_ id: PlatformID, from source: some InfoSource) -> Platform {
        func text(_ parameter: Int32) -> String {
            ((try? source.info(parameter, of: id)) ?? []).text
        }
        var info = PlatformInfo(
            name: text(CL_PLATFORM_NAME), vendor: text(CL_PLATFORM_VENDOR),
            version: text(CL_PLATFORM_VERSION), profile: text(CL_PLATFORM_PROFILE),
            extensions: text(CL_PLATFORM_EXTENSIONS).split(separator: " ").map(String.init))
        if info.name.isEmpty { info.problem = "clGetPlatformInfo: the platform has no name" }
        let ids: [DeviceID]
        do throws(OpenCLError) {
            ids = try source.devices(of: id)
        } catch {
            if error.status != .deviceNotFound { info.problem = error.description }
            return Platform(id: id, info: info, devices: [])
        }
        var found: [(DeviceID, DeviceInfo)] = []
        for device in ids {
            do throws(OpenCLError) {
                found.append((device, try DeviceInfo(reading: device, from: source)))
            } catch {
                info.problem = error.description
            }
        }
        info.devices = found.map(\.1)
        return Platform(
            id: id, info: info,
            devices: found.map { device, answers in
                Device(id: device, platform: id, info: answers, platformInfo: info)
            })
    }
}
