internal import Compute
internal import Core
internal import Synchronization

/// A launch that can be put on the queue again, and what it is.
struct RecordedLaunch {
    let prepared: any PreparedLaunch
    let kernel: String
    let program: any ComputeProgram
    let global: [Int]
    let local: [Int]?
    let arguments: [KernelArgument]
}

/// A device that works through another one, and can remember what was launched.
final class LaunchRecorder: RelayDevice {
    let base: any ComputeDevice
    /// nil while nothing is recorded.
    private let record = Mutex<Record?>(nil)

    private struct Record {
        var launches: [RecordedLaunch] = []
        /// Whether launching was all that was done.
        var isWhole = true
    }

    init(_ base: any ComputeDevice) { self.base = base }

    /// What `body` launches, prepared for launching it again; nil when `body` does more than that.
    func recording(
        _ body: () throws(Failure) -> Void
    ) throws(Failure) -> [RecordedLaunch]? {
        record.withLock { $0 = Record() }
        do throws(Failure) {
            try body()
        } catch {
            record.withLock { $0 = nil }
            throw error
        }
        let made = record.withLock { record in
            defer { record = nil }
            return record
        }
        return made.flatMap { $0.isWhole ? $0.launches : nil }
    }

    /// Something is done that launching again would not do.
    private func spoil() { record.withLock { $0?.isWhole = false } }

    // MARK: - What the other one does

    func makeBuffer(byteCount: Int) throws(Failure) -> any ComputeBuffer {
        spoil()
        return try base.makeBuffer(byteCount: byteCount)
    }

    func write(
        _ bytes: UnsafeRawBufferPointer, to buffer: any ComputeBuffer, at offset: Int
    ) throws(Failure) {
        spoil()
        try base.write(bytes, to: buffer, at: offset)
    }

    func read(
        from buffer: any ComputeBuffer, at offset: Int, into bytes: UnsafeMutableRawBufferPointer
    ) throws(Failure) {
        spoil()
        try base.read(from: buffer, at: offset, into: bytes)
    }

    func withBuffer(
        reading bytes: UnsafeRawBufferPointer, of owner: some Sendable,
        _ body: (any ComputeBuffer) throws(Failure) -> Void
    ) throws(Failure) {
        spoil()
        try base.withBuffer(reading: bytes, of: owner, body)
    }

    func block(
        byteCount: Int, _ body: (any ComputeBuffer) throws(Failure) -> Void
    ) throws(Failure) -> HostBlock {
        spoil()
        return try base.block(byteCount: byteCount, body)
    }

    func launch(
        _ kernel: String, of program: any ComputeProgram, global: [Int], local: [Int]?,
        arguments: [KernelArgument]
    ) throws(Failure) {
        guard record.withLock({ $0 != nil }) else {
            return try base.launch(
                kernel, of: program, global: global, local: local, arguments: arguments)
        }
        let prepared = try base.prepare(
            kernel, of: program, global: global, local: local, arguments: arguments)
        let launch = RecordedLaunch(
            prepared: prepared, kernel: kernel, program: program, global: global, local: local,
            arguments: arguments)
        record.withLock { $0?.launches.append(launch) }
        try base.launch(prepared)
    }

    func finish() throws(Failure) {
        spoil()
        try base.finish()
    }
}
