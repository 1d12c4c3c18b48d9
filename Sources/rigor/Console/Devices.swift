internal import Compute
internal import Core
internal import Foundation

extension DeviceOptions {
    /// Opens the devices that `--device` names; the best single one without it.
    ///
    /// - Parameters:
    ///   - home: the data folder, when the command was given one: compiled programs are then kept
    ///     below it, else in the user's cache folder.
    ///   - computeUnits: splits processors into parts of so many compute units.
    /// - Throws: ``Failure`` naming the devices there are, when none matches.
    func open(
        home: URL? = nil, computeUnits: Int? = nil, native: OpenCLDevice.NativeOperations = []
    ) throws(Failure) -> [OpenCLDevice] {
        var options = OpenCLDevice.Options(cacheFolder: Self.programCache(home: home).path)
        options.native = native
        return try DeviceCatalog().open(
            DeviceSelector(device), computeUnits: computeUnits, options: options,
            clock: SystemClock())
    }

    /// Where compiled programs are kept: `<home>/cache/programs`, else `rigor/programs` in
    /// `$XDG_CACHE_HOME` (by default `~/.cache`).
    static func programCache(home: URL?) -> URL {
        if let home { return home.appendingPathComponent("cache/programs", isDirectory: true) }
        let named = ProcessInfo.processInfo.environment["XDG_CACHE_HOME"] ?? ""
        // The XDG specification ignores relative paths.
        let base =
            named.hasPrefix("/")
            ? URL(fileURLWithPath: named, isDirectory: true)
            : URL(fileURLWithPath: NSHomeDirectory(), isDirectory: true)
                .appendingPathComponent(".cache", isDirectory: true)
        return base.appendingPathComponent("rigor/programs", isDirectory: true)
    }
}
