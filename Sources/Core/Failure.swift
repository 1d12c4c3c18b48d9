/// Something that went wrong, said once and in one line: where, what, and what was expected.
public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure it is. Machines decide by this, people read `message`.
    public struct Code: Hashable, Sendable, RawRepresentable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// Input bytes that are not what their format says.
        public static let malformed = Code(rawValue: "malformed")
        /// Well-formed input that asks for something this version does not do.
        public static let unsupported = Code(rawValue: "unsupported")
        /// Input within its format but beyond a limit that protects the machine.
        public static let limit = Code(rawValue: "limit")
        /// Memory that the host or a device does not have now; it may have it later.
        public static let memory = Code(rawValue: "memory")
        /// A file or a network peer could not be read or written.
        public static let io = Code(rawValue: "io")
        /// This machine's own disk: full, read-only, or not ours. Waiting does not mend it.
        public static let storage = Code(rawValue: "storage")
        /// An OpenCL device or its driver failed.
        public static let device = Code(rawValue: "device")
        /// A wait ran past its limit.
        public static let timeout = Code(rawValue: "timeout")
        /// A signature, domain, nonce or hash that does not hold.
        public static let untrusted = Code(rawValue: "untrusted")
        /// A step that the state does not allow now.
        public static let refused = Code(rawValue: "refused")
        /// A command line whose parts do not go together. Its exit code is that of one that cannot
        /// be read.
        public static let usage = Code(rawValue: "usage")
        /// Somebody asked for the work to stop.
        public static let interrupted = Code(rawValue: "interrupted")
        /// The machine lacks something; the message says which command mends it.
        public static let missing = Code(rawValue: "missing")
    }

    public let code: Code
    /// One line, for the person who must act on it.
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }

    /// The same failure, with the place it happened in front: `scene.gltf: mesh 3: …`.
    public func at(_ place: String) -> Failure { Failure(code, "\(place): \(message)") }
}
