internal import CLinux
internal import Compute
internal import Core
internal import Files
internal import Foundation

/// Loading drivers runs strangers' code in this process: it may crash or never come back.
enum DriverWatch {
    /// Cards that were asleep take seconds to wake, many of them one after the other.
    private static let secondsMax: UInt32 = 60
    /// What PoCL, its compiler and perhaps another driver map before anything is computed.
    private static let bytesMin = 448 << 20
    private static let message =
        "an OpenCL driver crashed or did not answer within \(secondsMax) s while it was loaded; "
        + "`rigor doctor` names it" + AddressSpace.note

    /// The devices of this machine. Where a driver fails while it is loaded, the process ends with
    /// one line and exit code 1; so it does later where it may have but so much memory: drivers and
    /// their compilers crash when they get no more.
    ///
    /// - Throws: ``Failure`` `memory` where there is no room for drivers.
    static func catalog() throws(Failure) -> DeviceCatalog {
        // One of them takes the watch's place while it is loaded.
        if AddressSpace.bytesMax != nil {
            try HostRoom.check(bytesMin, for: "OpenCL drivers")
        }
        begin(.device, message, secondsMax)
        let catalog = DeviceCatalog()
        rigor_end_watch()
        if let bytes = AddressSpace.bytesMax {
            begin(
                .memory,
                "a crash, probably for want of memory: this process may have \(bytes >> 20) MiB "
                    + "(ulimit -v)", 0)
        }
        return catalog
    }

    /// - Parameter seconds: 0 for no limit.
    private static func begin(_ code: Failure.Code, _ message: String, _ seconds: UInt32) {
        let document: JSON = [
            "error": ["code": .string(code.rawValue), "message": .string(message)]
        ]
        // Read in a signal handler: they stay where they are for good.
        let line = strdup("error: \(message)\n")
        let text = CommandLine.arguments.contains("--json") ? strdup(document.text) : nil
        rigor_begin_watch(line, text, seconds)
    }
}
