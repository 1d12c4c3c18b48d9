internal import CLinux
internal import Compute
internal import Core
internal import Foundation

/// Loading drivers runs strangers' code in this process: it may crash or never come back.
enum DriverWatch {
    /// Cards that were asleep take seconds to wake, many of them one after the other.
    private static let secondsMax: UInt32 = 60
    private static let message =
        "an OpenCL driver crashed or did not answer within \(secondsMax) s while it was loaded; "
        + "`rigor doctor` names it"

    /// The devices of this machine. Where a driver fails while it is loaded, the process ends with
    /// one line and exit code 1.
    static func catalog() -> DeviceCatalog {
        let document: JSON = [
            "error": [
                "code": .string(Failure.Code.device.rawValue), "message": .string(message),
            ]
        ]
        // Read in a signal handler: they stay where they are for good.
        let line = strdup("error: \(message)\n")
        let text = CommandLine.arguments.contains("--json") ? strdup(document.text) : nil
        rigor_begin_watch(line, text, secondsMax)
        defer { rigor_end_watch() }
        return DeviceCatalog()
    }
}
