public import Core

/// One device that runs kernels: a context and an in-order queue, behind a port so that schedulers
/// and apps are tested without hardware.
///
/// Every call that waits has a limit; past it the device counts as lost and each later call throws.
/// Implementations are safe to use from one thread at a time.
public protocol ComputeDevice: AnyObject, Sendable {
    /// Identity and limits, read once.
    var description: DeviceDescription { get }

    /// How its work is best cut; no result depends on it.
    var tuning: Tuning { get }

    /// Compiles `source`, or loads it from the program cache.
    ///
    /// - Throws: ``Failure`` with code `device`, holding the compiler's log.
    func program(_ source: ProgramSource) throws(Failure) -> any ComputeProgram

    /// New device memory, filled with zeros.
    func makeBuffer(byteCount: Int) throws(Failure) -> any ComputeBuffer

    /// Copies host bytes into `buffer` at `offset`: whatever comes after finds them there.
    func write(
        _ bytes: UnsafeRawBufferPointer, to buffer: any ComputeBuffer, at offset: Int
    ) throws(Failure)

    /// Copies from `buffer` at `offset` to the host, and returns when the bytes are there.
    func read(
        from buffer: any ComputeBuffer, at offset: Int, into bytes: UnsafeMutableRawBufferPointer
    ) throws(Failure)

    /// Whether kernels can read the host's memory where it lies.
    var sharesMemory: Bool { get }

    /// Gives `body` a buffer that holds `bytes`, for kernels that only read it, and waits for the
    /// queue before it returns. Where memory is shared nothing is copied.
    ///
    /// - Parameter owner: keeps the bytes where they are, for ever if a kernel may never end.
    func withBuffer(
        reading bytes: UnsafeRawBufferPointer, of owner: some Sendable,
        _ body: (any ComputeBuffer) throws(Failure) -> Void
    ) throws(Failure)

    /// Gives `body` a buffer that holds anything, for kernels that write all of it, waits for the
    /// queue, and returns what is there. Devices that compute in the host's memory copy nothing.
    func block(
        byteCount: Int, _ body: (any ComputeBuffer) throws(Failure) -> Void
    ) throws(Failure) -> HostBlock

    /// Puts a kernel on the queue and returns at once. Launches run in order.
    ///
    /// - Parameters:
    ///   - global: work-items in each of one to three dimensions. A zero launches nothing.
    ///   - local: work-items a group, dividing `global`; nil leaves it to the implementation.
    func launch(
        _ kernel: String, of program: any ComputeProgram, global: [Int], local: [Int]?,
        arguments: [KernelArgument]
    ) throws(Failure)

    /// A launch with all its arguments, for putting it on the queue again and again: what is the
    /// same every time is looked up and checked once.
    func prepare(
        _ kernel: String, of program: any ComputeProgram, global: [Int], local: [Int]?,
        arguments: [KernelArgument]
    ) throws(Failure) -> any PreparedLaunch

    /// Puts what ``prepare(_:of:global:local:arguments:)`` made on the queue and returns at once.
    func launch(_ prepared: any PreparedLaunch) throws(Failure)

    /// Makes a prepared launch of a kernel that may stay one that is run again and again.
    ///
    /// - Parameters:
    ///   - tickets: pieces of work that the kernel counts.
    ///   - state: where it counts them, used by nothing else.
    /// - Returns: nil on devices that do not compute in the host's memory.
    func stand(
        _ prepared: any PreparedLaunch, tickets: Int, state: any ComputeBuffer
    ) throws(Failure) -> (any StandingLaunch)?

    /// Waits until the queue is empty, for at most the device's wait limit.
    func finish() throws(Failure)
}

extension ComputeDevice {
    public func prepare(
        _ kernel: String, of program: any ComputeProgram, global: [Int], local: [Int]?,
        arguments: [KernelArgument]
    ) throws(Failure) -> any PreparedLaunch {
        PlainLaunch(
            kernel: kernel, program: program, global: global, local: local, arguments: arguments)
    }

    public func launch(_ prepared: any PreparedLaunch) throws(Failure) {
        guard let plain = prepared as? PlainLaunch else {
            throw Failure(.refused, "\(description.label): a launch of another device")
        }
        try launch(
            plain.kernel, of: plain.program, global: plain.global, local: plain.local,
            arguments: plain.arguments)
    }
}

extension ComputeDevice {
    public func stand(
        _ prepared: any PreparedLaunch, tickets: Int, state: any ComputeBuffer
    ) throws(Failure) -> (any StandingLaunch)? { nil }
}

/// A kernel with its arguments and sizes. Opaque: it belongs to the device that made it, holds the
/// buffers it names, and is used by one thread at a time.
public protocol PreparedLaunch: AnyObject, Sendable {}

/// Where a device gains nothing by preparing.
private final class PlainLaunch: PreparedLaunch {
    let kernel: String
    let program: any ComputeProgram
    let global: [Int]
    let local: [Int]?
    let arguments: [KernelArgument]

    init(
        kernel: String, program: any ComputeProgram, global: [Int], local: [Int]?,
        arguments: [KernelArgument]
    ) {
        self.kernel = kernel
        self.program = program
        self.global = global
        self.local = local
        self.arguments = arguments
    }
}

/// A compiled program. Opaque: it belongs to the device that made it.
public protocol ComputeProgram: AnyObject, Sendable {
    var source: ProgramSource { get }
    /// Seconds the build took; `isCached` says whether a stored binary served.
    var buildSeconds: Double { get }
    var isCached: Bool { get }
}

/// Device memory, freed with its last reference. Opaque: it belongs to the device that made it.
public protocol ComputeBuffer: AnyObject, Sendable {
    var byteCount: Int { get }
    /// Where kernels find it for as long as it lives, on devices that compute in the host's memory;
    /// nil elsewhere.
    var address: UInt64? { get }
}

extension ComputeBuffer {
    public var address: UInt64? { nil }
}

/// A kernel argument, in the order of the kernel's parameters.
public enum KernelArgument: Sendable {
    case buffer(any ComputeBuffer)
    case int(Int32)
    case uint(UInt32)
    case long(Int64)
    case ulong(UInt64)
    case float(Float)
    /// Local memory of that many bytes.
    case local(byteCount: Int)
    /// A struct by value, laid out as in `Kernels/include`.
    case bytes(Bytes)
}

/// A program: kernel files of `Kernels/` in order, behind `exact/prelude.cl`, and macros.
public struct ProgramSource: Hashable, Sendable {
    /// For people and logs: `render/closest`.
    public var name: String
    /// Paths below `Kernels/`; the prelude need not be named.
    public var files: [String]
    /// `-D name=value`, integers or identifiers only.
    public var defines: [String: String]
    /// Used in place of prelude and files: how tests build a program that breaks the rules, to
    /// prove that somebody notices.
    package let customText: String?
    /// Asks for correctly rounded native divide and square root, and is refused by a device that
    /// does not announce them: how a certificate finds out whether they are what is announced.
    package var wantsCorrectRounding = false

    public init(_ name: String, files: [String], defines: [String: String] = [:]) {
        self.name = name
        self.files = files
        self.defines = defines
        customText = nil
    }

    /// A program of exactly this text, without the prelude.
    package init(_ name: String, customText: String, defines: [String: String] = [:]) {
        self.name = name
        files = []
        self.defines = defines
        self.customText = customText
    }
}

/// What a device is and can hold. Read once: queries cost several driver calls each.
public struct DeviceDescription: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        case cpu, gpu, accelerator, other
    }

    /// Platform name, such as `Portable Computing Language`.
    public var platform: String
    public var name: String
    public var driverVersion: String
    public var platformVersion: String
    public var kind: Kind
    public var computeUnits: Int
    public var memoryBytes: Int
    public var allocationBytesMax: Int
    public var localMemoryBytes: Int
    public var workGroupItemsMax: Int
    /// False where vectors wider than float4 do not pay, or do not finish compiling; kernels then
    /// take their narrow variant, which gives the same bits. A profile decides.
    public var prefersWideVectors: Bool
    /// Where it sits, as `0000:01:00.0`; nil for processors and where the driver does not tell.
    public var pciAddress: String?
    /// Who the device says made it; empty where nobody asked.
    public var vendor: String
    /// Floats in a vector that the device calls its own.
    public var floatVectorWidth: Int
    /// Whether kernels may hold AVX-512 VNNI instructions: the compiler takes x86 assembly, and the
    /// processor has them.
    public var takesVNNI = false
    /// Whether they may hold those of AMX's tiles of bytes as well, which this process may use from
    /// when it described the device on.
    public var takesAMX = false
    /// Whether kernels may go by the addresses of buffers, which all have one, and count by the
    /// compiler's own atomic operations.
    public var runsTapes = false
    /// Whether kernels are compiled when they are first launched, while every program costs some
    /// time even where all of it is at hand: one of many kernels costs less than several.
    public var compilesAtLaunch = false
    /// Whether it computes in the host's memory wherever that lies, and its driver tells at once
    /// when a command is complete.
    public var runsInPlace = false

    public init(
        platform: String, name: String, driverVersion: String, platformVersion: String, kind: Kind,
        computeUnits: Int, memoryBytes: Int, allocationBytesMax: Int, localMemoryBytes: Int,
        workGroupItemsMax: Int, prefersWideVectors: Bool, pciAddress: String? = nil,
        vendor: String = "", floatVectorWidth: Int = 1
    ) {
        self.platform = platform
        self.name = name
        self.driverVersion = driverVersion
        self.platformVersion = platformVersion
        self.kind = kind
        self.computeUnits = computeUnits
        self.memoryBytes = memoryBytes
        self.allocationBytesMax = allocationBytesMax
        self.localMemoryBytes = localMemoryBytes
        self.workGroupItemsMax = workGroupItemsMax
        self.prefersWideVectors = prefersWideVectors
        self.pciAddress = pciAddress
        self.vendor = vendor
        self.floatVectorWidth = floatVectorWidth
    }

    /// How people and JSON name it; begins with the platform.
    public var label: String { "\(platform): \(name)" }
}

extension ComputeDevice {
    /// What the shipped profiles say.
    public var tuning: Tuning { DeviceProfiles.shipped.tuning(for: description) }

    public var sharesMemory: Bool { false }

    public func withBuffer(
        reading bytes: UnsafeRawBufferPointer, of owner: some Sendable,
        _ body: (any ComputeBuffer) throws(Failure) -> Void
    ) throws(Failure) { try withCopy(of: bytes, body) }

    public func block(
        byteCount: Int, _ body: (any ComputeBuffer) throws(Failure) -> Void
    ) throws(Failure) -> HostBlock { try copied(byteCount: byteCount, body) }

    /// Gives `body` a buffer to which `bytes` are copied.
    func withCopy(
        of bytes: UnsafeRawBufferPointer, _ body: (any ComputeBuffer) throws(Failure) -> Void
    ) throws(Failure) {
        let buffer = try makeBuffer(byteCount: max(1, bytes.count))
        if !bytes.isEmpty { try write(bytes, to: buffer, at: 0) }
        try body(buffer)
        try finish()
    }

    /// Gives `body` a buffer of the device's, and returns a copy of what is there then.
    func copied(
        byteCount: Int, _ body: (any ComputeBuffer) throws(Failure) -> Void
    ) throws(Failure) -> HostBlock {
        let buffer = try makeBuffer(byteCount: max(1, byteCount))
        try body(buffer)
        let block = try HostBlock(byteCount: byteCount)
        if byteCount > 0 { try read(from: buffer, at: 0, into: block.writableBytes) }
        return block
    }
}

// MARK: - Typed convenience

extension ComputeDevice {
    /// Gives `body` a buffer that holds `values`, as for bytes.
    public func withBuffer<T: BitwiseCopyable & Sendable>(
        reading values: [T], _ body: (any ComputeBuffer) throws(Failure) -> Void
    ) throws(Failure) {
        let result = values.withUnsafeBytes { bytes in
            Result { () throws(Failure) in try withBuffer(reading: bytes, of: values, body) }
        }
        try result.get()
    }

    /// New device memory holding `values`; at least one byte, so that empty arrays are usable.
    public func makeBuffer<T: BitwiseCopyable>(_ values: [T]) throws(Failure) -> any ComputeBuffer {
        let byteCount = values.count * MemoryLayout<T>.stride
        let buffer = try makeBuffer(byteCount: max(byteCount, 1))
        if byteCount > 0 { try write(values, to: buffer) }
        return buffer
    }

    public func write<T: BitwiseCopyable>(
        _ values: [T], to buffer: any ComputeBuffer, at offset: Int = 0
    ) throws(Failure) {
        let result: Result<Void, Failure> = values.withUnsafeBytes { bytes in
            Result { () throws(Failure) in try write(bytes, to: buffer, at: offset) }
        }
        try result.get()
    }

    /// `count` values from `buffer`, starting at byte `offset`.
    public func read<T: BitwiseCopyable>(
        _ type: T.Type, count: Int, from buffer: any ComputeBuffer, at offset: Int = 0
    ) throws(Failure) -> [T] {
        guard count > 0 else { return [] }
        var failure: Failure?
        let values = [T](unsafeUninitializedCapacity: count) { storage, initialized in
            do throws(Failure) {
                try read(from: buffer, at: offset, into: UnsafeMutableRawBufferPointer(storage))
                initialized = count
            } catch {
                failure = error
                initialized = 0
            }
        }
        if let failure { throw failure }
        return values
    }
}
