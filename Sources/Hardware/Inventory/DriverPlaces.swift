import Foundation

// Where the OpenCL loader looks for drivers and the dynamic linker for their libraries.

extension DriverEnumeration {
    /// Where drivers are named unless the environment says otherwise.
    public static let vendorFolder = "/etc/OpenCL/vendors"

    /// The folder of `.icd` files that the loader reads, or the one file; an absolute path.
    ///
    /// - Parameter environment: `OCL_ICD_VENDORS` (ocl-icd; a folder, one file, or a bare name of a
    ///   file in the usual folder) and `OPENCL_VENDOR_PATH` (Khronos) replace the usual folder.
    public static func vendorPlace(
        _ root: SystemRoot, environment: [String: String] = [:]
    ) -> String {
        let folder = value("OPENCL_VENDOR_PATH", environment).map(absolute) ?? vendorFolder
        guard let named = value("OCL_ICD_VENDORS", environment) else { return folder }
        let isBare = named.hasSuffix(".icd") && !named.contains("/")
        if isBare, root.exists("\(folder)/\(named)") { return "\(folder)/\(named)" }
        return absolute(named)
    }

    /// Faults of the drivers whose library is nowhere; nothing is loaded to find out.
    public static func missingLibraries(
        _ drivers: [Driver], _ root: SystemRoot, environment: [String: String] = [:]
    ) -> [Fault] {
        drivers.filter { !isPresent($0.library, root, environment) }.map { driver in
            Fault(driver: driver, reason: "no such library", isLibraryMissing: true)
        }
    }

    /// A path is taken as it is; a bare name is looked for as ld.so(8) says.
    private static func isPresent(
        _ library: String, _ root: SystemRoot, _ environment: [String: String]
    ) -> Bool {
        guard !library.contains("/") else { return root.exists(absolute(library)) }
        let own = (environment["LD_LIBRARY_PATH"] ?? "").split { $0 == ":" || $0 == ";" }
        let folders = own.map { absolute(String($0)) } + systemFolders
        return folders.contains { root.exists("\($0)/\(library)") }
            || cachedPaths(library, root).contains(where: root.exists)
    }

    /// What the linker searches without being told, with Debian's folders per architecture.
    private static let systemFolders = ["/lib", "/usr/lib"].flatMap { folder in
        [folder, "\(folder)64", "\(folder)/x86_64-linux-gnu", "\(folder)/aarch64-linux-gnu"]
    }

    /// Paths of a library in ldconfig's cache, whose strings end with a zero each.
    private static func cachedPaths(_ library: String, _ root: SystemRoot) -> [String] {
        (root.text("etc/ld.so.cache") ?? "").split(separator: "\0").map(String.init).filter {
            $0.hasPrefix("/") && $0.hasSuffix("/\(library)")
        }
    }

    private static func value(_ name: String, _ environment: [String: String]) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Relative paths start at the working directory, for the loader and the linker alike.
    private static func absolute(_ path: String) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.path
    }
}
