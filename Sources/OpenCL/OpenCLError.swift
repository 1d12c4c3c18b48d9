public import Core

/// A failed OpenCL call: the code, the C function, and what it was about.
public struct OpenCLError: Error, Hashable, Sendable, CustomStringConvertible {
    public let status: OpenCLStatus
    /// The C function that answered, such as `clBuildProgram`.
    public let function: String
    /// The device, kernel, size or build log that explains it; may be empty.
    public let context: String

    public init(_ status: OpenCLStatus, _ function: String, _ context: String = "") {
        self.status = status
        self.function = function
        self.context = context
    }

    /// One line, except that a compiler's log keeps its own lines.
    public var description: String {
        "\(function): \(status)" + (context.isEmpty ? "" : ": \(context)")
    }

    /// As the rest of the program reports it; memory that ran out is a limit, not a broken device.
    public var failure: Failure {
        switch status {
        case .memoryAllocationFailure, .outOfHostMemory: Failure(.limit, description)
        default: Failure(.device, description)
        }
    }
}

/// Runs an OpenCL call that answers with a status, and names it when it fails.
func checked(
    _ function: String, _ context: @autoclosure () -> String = "", _ body: () -> Int32
) throws(OpenCLError) {
    let status = OpenCLStatus(rawValue: body())
    if status != .success { throw OpenCLError(status, function, context()) }
}

/// Runs an OpenCL call that makes an object, and names it when it fails. A driver that reports
/// success without an object is caught too.
func made(
    _ function: String, _ context: @autoclosure () -> String = "",
    _ body: (inout Int32) -> OpaquePointer?
) throws(OpenCLError) -> OpaquePointer {
    var code: Int32 = 0
    let object = body(&code)
    let status = OpenCLStatus(rawValue: code)
    if status != .success { throw OpenCLError(status, function, context()) }
    guard let object else {
        throw OpenCLError(status, function, "no object, and no error: \(context())")
    }
    return object
}
