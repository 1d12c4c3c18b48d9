public import Core

/// A device that works through another one: what it does not do otherwise is the other one's.
public protocol RelayDevice: ComputeDevice {
    var base: any ComputeDevice { get }
}

extension RelayDevice {
    public var description: DeviceDescription { base.description }
    public var tuning: Tuning { base.tuning }
    public var sharesMemory: Bool { base.sharesMemory }

    public func program(_ source: ProgramSource) throws(Failure) -> any ComputeProgram {
        try base.program(source)
    }

    public func makeBuffer(byteCount: Int) throws(Failure) -> any ComputeBuffer {
        try base.makeBuffer(byteCount: byteCount)
    }

    public func write(
        _ bytes: UnsafeRawBufferPointer, to buffer: any ComputeBuffer, at offset: Int
    ) throws(Failure) {
        try base.write(bytes, to: buffer, at: offset)
    }

    public func read(
        from buffer: any ComputeBuffer, at offset: Int, into bytes: UnsafeMutableRawBufferPointer
    ) throws(Failure) {
        try base.read(from: buffer, at: offset, into: bytes)
    }

    public func withBuffer(
        reading bytes: UnsafeRawBufferPointer, of owner: some Sendable,
        _ body: (any ComputeBuffer) throws(Failure) -> Void
    ) throws(Failure) {
        try base.withBuffer(reading: bytes, of: owner, body)
    }

    public func block(
        byteCount: Int, _ body: (any ComputeBuffer) throws(Failure) -> Void
    ) throws(Failure) -> HostBlock {
        try base.block(byteCount: byteCount, body)
    }

    public func launch(
        _ kernel: String, of program: any ComputeProgram, global: [Int], local: [Int]?,
        arguments: [KernelArgument]
    ) throws(Failure) {
        try base.launch(kernel, of: program, global: global, local: local, arguments: arguments)
    }

    public func prepare(
        _ kernel: String, of program: any ComputeProgram, global: [Int], local: [Int]?,
        arguments: [KernelArgument]
    ) throws(Failure) -> any PreparedLaunch {
        try base.prepare(kernel, of: program, global: global, local: local, arguments: arguments)
    }

    public func launch(_ prepared: any PreparedLaunch) throws(Failure) { try base.launch(prepared) }

    public func stand(
        _ prepared: any PreparedLaunch, tickets: Int, state: any ComputeBuffer
    ) throws(Failure) -> (any StandingLaunch)? {
        try base.stand(prepared, tickets: tickets, state: state)
    }

    public func finish() throws(Failure) { try base.finish() }
}
