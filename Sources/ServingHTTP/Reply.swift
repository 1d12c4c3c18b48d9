internal import Core
internal import NIOHTTP1
internal import Serving

/// An answer as HTTP has it.
struct Reply: Sendable {
    var status: HTTPResponseStatus
    var body: Bytes
    var headers: [(String, String)]
    /// Bytes that are reserved for it.
    var reservedBytes = 0

    init(_ status: HTTPResponseStatus, _ document: JSON? = nil) {
        self.status = status
        body = document.map { Bytes($0.line.utf8) } ?? []
        headers = document == nil ? [] : [("Content-Type", "application/json")]
    }

    init(_ answer: InferResponse.Body) {
        status = .ok
        body = answer.bytes
        if let count = answer.headerCount {
            headers = [
                ("Content-Type", "application/octet-stream"), (Self.headerLength, "\(count)"),
            ]
        } else {
            headers = [("Content-Type", "application/json")]
        }
    }

    /// One line about what was wrong.
    init(_ status: HTTPResponseStatus, error: String) {
        self.init(status, ["error": .string(error.withoutControls)])
        if status == .serviceUnavailable { headers.append(("Retry-After", "1")) }
    }

    init(_ failure: Failure) {
        let status: HTTPResponseStatus =
            switch failure.code {
            case .busy, .memory: .serviceUnavailable
            case .device, .timeout, .io, .storage: .internalServerError
            default: .badRequest
            }
        self.init(status, error: failure.message)
    }

    /// Bytes of JSON before a body's tensors.
    static let headerLength = "Inference-Header-Content-Length"
}
