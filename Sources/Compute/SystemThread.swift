internal import CLinux
package import Core
internal import Foundation

/// Threads of which it is known whether they started: Foundation's do not say.
package enum SystemThread {
    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void
        init(_ name: String, _ run: @escaping @Sendable () -> Void) {
            (self.name, self.run) = (name, run)
        }
    }

    /// - Parameter stackBytes: of memory that is taken when it is first written to.
    /// - Throws: ``Failure`` `memory` where the system has no room for the thread or its stack.
    package static func start(
        _ name: String, stackBytes: Int, _ body: @escaping @Sendable () -> Void
    ) throws(Failure) {
        let held = Unmanaged.passRetained(Body(name, body))
        let status = rigor_start_thread(
            UInt(stackBytes),
            { context in
                guard let context else { return nil }
                let body = Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
                rigor_name_thread(body.name)
                body.run()
                return nil
            }, held.toOpaque())
        guard status == 0 else {
            held.release()
            throw Failure(
                .memory,
                "\(name): no thread with \(stackBytes >> 20) MiB of stack: "
                    + String(cString: strerror(status)) + AddressSpace.note)
        }
    }
}

/// What the process may have of memory, as `ulimit -v` sets it.
package enum AddressSpace {
    /// Nil where there is no limit.
    package static var bytesMax: Int? {
        let bytes = rigor_address_space()
        return bytes == 0 ? nil : Int(clamping: bytes)
    }

    /// What messages about memory end with; nothing where there is no limit.
    package static var note: String {
        bytesMax.map { "; this process may have \($0 >> 20) MiB (ulimit -v)" } ?? ""
    }
}
