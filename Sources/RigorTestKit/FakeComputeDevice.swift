public import Compute
public import Core
internal import Synchronization

/// A device without hardware: kernels are Swift closures over byte arrays, launches run in order
/// when the queue is waited for, and faults come by script.
///
/// It checks what a real device checks (argument counts are up to the closure), so schedulers and
/// apps meet the same failures.
public final class FakeComputeDevice: ComputeDevice {
    /// A kernel: runs once per launch, over the whole global range.
    public typealias Kernel = @Sendable (inout Launch) throws(Failure) -> Void

    public let description: DeviceDescription
    private let kernels: [String: Kernel]
    private let faults: [Fault]
    private let state = Mutex(State())

    /// What goes wrong, counted in launches from 1.
    public enum Fault: Hashable, Sendable {
        /// The nth launch fails; the device is lost, as after a real kernel's fault.
        case fail(launch: Int)
        /// The nth launch never ends: the next wait reports a timeout and the device is lost.
        case hang(launch: Int)
        /// One bit of the first buffer argument is flipped after the nth launch.
        case flip(launch: Int)
        /// Building any program fails.
        case build
    }

    /// What a kernel sees: sizes, by-value arguments, and buffers it may read and write.
    public struct Launch: Sendable {
        public let global: [Int]
        public let local: [Int]?
        public let arguments: [KernelArgument]
        /// Bytes of each buffer argument, by argument position.
        public var buffers: [Int: Bytes]

        /// A buffer argument as values of `T`.
        public func values<T: BitwiseCopyable>(_ type: T.Type, _ index: Int) -> [T] {
            let bytes = buffers[index] ?? []
            return bytes.withUnsafeBytes { raw in
                (0..<raw.count / MemoryLayout<T>.stride).map {
                    raw.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.stride, as: T.self)
                }
            }
        }

        /// Puts `values` at the start of a buffer argument.
        public mutating func set<T: BitwiseCopyable>(_ values: [T], _ index: Int) {
            let bytes = values.withUnsafeBytes { Bytes($0) }
            buffers[index]?.replaceSubrange(0..<bytes.count, with: bytes)
        }

        /// A by-value argument; nil when it is of another kind.
        public func int(_ index: Int) -> Int? {
            switch arguments[index] {
            case .int(let value): Int(value)
            case .uint(let value): Int(value)
            case .long(let value): Int(value)
            case .ulong(let value): Int(exactly: value)
            default: nil
            }
        }
    }

    private struct State {
        var queue: [(kernel: String, launch: Launch, buffers: [Int: FakeBuffer])] = []
        var launchCount = 0
        var lost: Failure?
        var bytesInUse = 0
    }

    public init(
        name: String = "fake", memoryBytes: Int = 1 << 30, allocationBytesMax: Int? = nil,
        kernels: [String: Kernel], faults: [Fault] = []
    ) {
        self.kernels = kernels
        self.faults = faults
        description = DeviceDescription(
            platform: "Test kit", name: name, driverVersion: "1", platformVersion: "1",
            kind: .other, computeUnits: 1, memoryBytes: memoryBytes,
            allocationBytesMax: allocationBytesMax ?? memoryBytes / 4, localMemoryBytes: 32 << 10,
            workGroupItemsMax: 256, prefersWideVectors: false)
    }

    /// Kernels launched so far, failed ones included.
    public var launchCount: Int { state.withLock { $0.launchCount } }
    /// Bytes of buffers that are alive.
    public var bytesInUse: Int { state.withLock { $0.bytesInUse } }

    public func program(_ source: ProgramSource) throws(Failure) -> any ComputeProgram {
        try checkAlive()
        if faults.contains(.build) {
            throw Failure(.device, "\(description.label): program \(source.name): scripted fault")
        }
        return FakeProgram(source)
    }

    public func makeBuffer(byteCount: Int) throws(Failure) -> any ComputeBuffer {
        try checkAlive()
        guard byteCount > 0, byteCount <= description.allocationBytesMax,
            bytesInUse + byteCount <= description.memoryBytes
        else {
            throw Failure(.limit, "\(description.label): a buffer of \(byteCount) bytes")
        }
        state.withLock { $0.bytesInUse += byteCount }
        return FakeBuffer(byteCount: byteCount) { [weak self] in
            self?.state.withLock { $0.bytesInUse -= byteCount }
        }
    }

    public func write(
        _ bytes: UnsafeRawBufferPointer, to buffer: any ComputeBuffer, at offset: Int
    ) throws(Failure) {
        let own = try own(buffer, offset, bytes.count)
        try finish()
        let copy = Bytes(bytes)
        own.bytes.withLock { $0.replaceSubrange(offset..<offset + copy.count, with: copy) }
    }

    public func read(
        from buffer: any ComputeBuffer, at offset: Int, into bytes: UnsafeMutableRawBufferPointer
    ) throws(Failure) {
        let own = try own(buffer, offset, bytes.count)
        try finish()
        bytes.copyBytes(from: own.bytes.withLock { $0[offset..<offset + bytes.count] })
    }

    public func launch(
        _ kernel: String, of program: any ComputeProgram, global: [Int], local: [Int]?,
        arguments: [KernelArgument]
    ) throws(Failure) {
        try checkAlive()
        guard kernels[kernel] != nil else {
            throw Failure(.missing, "program \(program.source.name): no kernel named \(kernel)")
        }
        guard !global.contains(0) else { return }
        var buffers: [Int: FakeBuffer] = [:]
        for (index, argument) in arguments.enumerated() {
            if case .buffer(let buffer) = argument { buffers[index] = try own(buffer, 0, 0) }
        }
        let launch = Launch(global: global, local: local, arguments: arguments, buffers: [:])
        state.withLock { $0.queue.append((kernel, launch, buffers)) }
    }

    public func finish() throws(Failure) {
        try checkAlive()
        while let next = state.withLock({ $0.queue.isEmpty ? nil : $0.queue.removeFirst() }) {
            let number = state.withLock { state -> Int in
                state.launchCount += 1
                return state.launchCount
            }
            if faults.contains(.fail(launch: number)) {
                try lose(Failure(.device, "\(description.label): \(next.kernel): scripted fault"))
            }
            if faults.contains(.hang(launch: number)) {
                try lose(Failure(.timeout, "\(description.label): \(next.kernel) did not end"))
            }
            var launch = next.launch
            launch.buffers = next.buffers.mapValues { $0.bytes.withLock { $0 } }
            try kernels[next.kernel]?(&launch)
            if faults.contains(.flip(launch: number)), let first = launch.buffers.keys.min() {
                launch.buffers[first]?[0] ^= 1
            }
            for (index, buffer) in next.buffers {
                if let bytes = launch.buffers[index] { buffer.bytes.withLock { $0 = bytes } }
            }
        }
    }

    private func checkAlive() throws(Failure) {
        if let lost = state.withLock({ $0.lost }) { throw lost }
    }

    private func lose(_ failure: Failure) throws(Failure) {
        state.withLock { $0.lost = failure }
        throw failure
    }

    private func own(
        _ buffer: any ComputeBuffer, _ offset: Int, _ byteCount: Int
    ) throws(Failure) -> FakeBuffer {
        try checkAlive()
        guard let own = buffer as? FakeBuffer else {
            throw Failure(.refused, "\(description.label): a buffer of another device")
        }
        guard offset >= 0, offset + byteCount <= own.byteCount else {
            throw Failure(
                .refused,
                "\(description.label): \(byteCount) bytes at \(offset) of \(own.byteCount)")
        }
        return own
    }
}

private final class FakeProgram: ComputeProgram {
    let source: ProgramSource
    let buildSeconds = 0.0
    let isCached = false
    init(_ source: ProgramSource) { self.source = source }
}

private final class FakeBuffer: ComputeBuffer {
    let byteCount: Int
    let bytes: Mutex<Bytes>
    private let onRelease: @Sendable () -> Void

    init(byteCount: Int, onRelease: @escaping @Sendable () -> Void) {
        self.byteCount = byteCount
        self.onRelease = onRelease
        bytes = Mutex(Bytes(repeating: 0, count: byteCount))
    }

    deinit { onRelease() }
}
