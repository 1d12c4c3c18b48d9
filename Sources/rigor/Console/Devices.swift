internal import Compute
internal import Core
internal import DeviceHost
internal import Foundation
internal import HostProtocol
internal import Profiling
internal import Synchronization

extension DeviceOptions {
    /// Opens the devices that `--device` names; the best single one without it.
    ///
    /// - Parameters:
    ///   - home: the data folder, when the command was given one: compiled programs and what is
    ///     proven of devices are then kept below it, else in the user's cache folder.
    ///   - computeUnits: splits processors into parts of so many compute units.
    ///   - isProfiling: has the driver measure each kernel.
    /// - Throws: ``Failure`` naming the devices there are, when none matches.
    func open(
        home: URL? = nil, computeUnits: Int? = nil, isProfiling: Bool = false
    ) throws(Failure) -> [OpenCLDevice] {
        var options = OpenCLDevice.Options()
        options.isProfiling = isProfiling
        let devices = try Self.opener(home: home).open(
            DeviceSelector(device), computeUnits: computeUnits, options: options)
        Self.held.withLock { $0 += devices }
        return devices
    }

    /// Until the process ends: a driver's compiler frees what it has piece by piece, for longer
    /// than a small model takes to run, and the system all at once.
    private static let held = Mutex<[OpenCLDevice]>([])

    /// How this program opens devices.
    static func opener(home: URL?) throws(Failure) -> DeviceOpener {
        DeviceOpener(
            catalog: try DriverWatch.catalog(), cacheFolder: cacheFolder(home: home).path,
            profiles: try profiles(), clock: SystemClock())
    }

    /// How processes are started that examine devices: this program's own.
    static func helpers(cacheFolder: String) throws(Failure) -> HostExaminee.Helpers {
        HostExaminee.Helpers(
            executable: Executable.path, program: try Executable.current(),
            cacheFolder: cacheFolder)
    }

    /// The shipped profiles, and those in `rigor/profiles` of `$XDG_CONFIG_HOME` (by default
    /// `~/.config`).
    static func profiles() throws(Failure) -> DeviceProfiles {
        let folder = userFolder("XDG_CONFIG_HOME", ".config").appendingPathComponent("profiles")
        return try DeviceProfiles.shipped(andThoseIn: folder.path)
    }

    /// Where compiled programs and proofs are kept: `<home>/cache`, else `rigor` in
    /// `$XDG_CACHE_HOME` (by default `~/.cache`).
    static func cacheFolder(home: URL?) -> URL {
        if let home { return home.appendingPathComponent("cache", isDirectory: true) }
        return userFolder("XDG_CACHE_HOME", ".cache")
    }

    /// `rigor` in the folder that a variable of the XDG specification names.
    private static func userFolder(_ variable: String, _ fallback: String) -> URL {
        let named = ProcessInfo.processInfo.environment[variable] ?? ""
        // The specification ignores relative paths.
        let base =
            named.hasPrefix("/")
            ? URL(fileURLWithPath: named, isDirectory: true)
            : UserFolder.home.appendingPathComponent(fallback, isDirectory: true)
        return base.appendingPathComponent("rigor", isDirectory: true)
    }
}
