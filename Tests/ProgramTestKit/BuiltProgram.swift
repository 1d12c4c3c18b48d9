internal import Foundation

/// The program that was built beside the tests.
public enum BuiltProgram {
    /// Where it is; `RIGOR_PROGRAM` names another one.
    ///
    /// - Throws: where `/proc` cannot be read.
    public static func path() throws -> String {
        if let named = ProcessInfo.processInfo.environment["RIGOR_PROGRAM"] { return named }
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        var place = URL(fileURLWithPath: own)
        while place.path != "/" {
            place.deleteLastPathComponent()
            for candidate in ["rigor", ".build/release/rigor"] {
                let path = place.appendingPathComponent(candidate).path
                var isFolder: ObjCBool = false
                if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
                    !isFolder.boolValue
                {
                    return path
                }
            }
        }
        return ".build/release/rigor"
    }
}
