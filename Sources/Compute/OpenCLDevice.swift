internal import CLinux
public import Core
internal import Digest
public import OpenCL
internal import Synchronization

/// A real device: a context and an in-order queue of an OpenCL driver.
///
/// No call waits without a limit. Driver code that may wait runs on a thread of the device's own;
/// when it does not come back in time, the device is lost, every later call throws, and its memory
/// is abandoned rather than freed under a driver that may still write to it.
public final class OpenCLDevice: ComputeDevice {
    public let description: DeviceDescription
    public let tuning: Tuning
    /// All the device says about itself.
    public let info: DeviceInfo
    public let platform: PlatformInfo
    let options: Options
    let core: DeviceCore
    let clock: any Clock
    let cache: ProgramCache?
    private let staging = Mutex<Staging?>(nil)
    let programs = Mutex<[ProgramSource: OpenCLProgram]>([:])
    /// Held while a program is built: who asks for the same one meanwhile gets that.
    let building = Mutex<Void>(())

    /// How a device is opened.
    public struct Options: Sendable {
        /// Where compiled programs are kept between runs; nil keeps none.
        public var cacheFolder: String?
        /// Bytes of compiled programs kept per driver.
        public var cacheBytesMax = 512 << 20
        /// The longest wait for the queue.
        public var waitSecondsMax = 120.0
        /// The longest wait for the driver's compiler.
        public var buildSecondsMax = 300.0
        /// Whether memory is zeroed again before it is freed.
        public var scrubsOnRelease = false
        /// Whether the driver measures each kernel; see ``OpenCLDevice/kernelTimes``.
        public var isProfiling = false
        /// Native operations that the device's certificate found correctly rounded. They replace
        /// our own with the same bits, faster.
        public var native: NativeOperations = []
        /// How work is cut; nil takes what the shipped profiles say.
        public var tuning: Tuning?
        /// Copies through pinned memory even where device and host share theirs: for tests of what
        /// cards with memory of their own go through.
        package var forcesStaging = false

        public init(cacheFolder: String? = nil) { self.cacheFolder = cacheFolder }
    }

    /// Operations OpenCL leaves to the vendor, usable where a certificate says they are exact.
    public struct NativeOperations: OptionSet, Hashable, Sendable {
        public let rawValue: Int
        public init(rawValue: Int) { self.rawValue = rawValue }
        public static let divide = NativeOperations(rawValue: 1)
        public static let squareRoot = NativeOperations(rawValue: 2)
    }

    /// Opens a device, or with `part` a part of it.
    ///
    /// - Throws: ``Failure`` `device` when the driver refuses a context or queue.
    public init(
        _ device: OpenCLSystem.Device, part: SubDevice? = nil, options: Options, clock: any Clock
    ) throws(Failure) {
        let info = part?.info ?? device.info
        self.info = info
        self.options = options
        self.clock = clock
        platform = device.platformInfo
        var description = DeviceDescription(info, platform: device.platformInfo)
        tuning = options.tuning ?? DeviceProfiles.shipped.tuning(for: description)
        description.prefersWideVectors = tuning[.wideVectors] == 1
        let label = description.label
        let thread = try DeviceThread(name: label)
        do throws(OpenCLError) {
            core = try DeviceCore(
                label: label, platform: device.platform, device: part?.id ?? device.id,
                subDevice: part, thread: thread, waitSecondsMax: options.waitSecondsMax,
                buildSecondsMax: options.buildSecondsMax, isProfiling: options.isProfiling,
                isInPlace: description.runsInPlace && !options.forcesStaging)
        } catch {
            throw error.failure.at(label)
        }
        description.runsInPlace = core.isInPlace
        // Who measures kernels wants to see each.
        if options.isProfiling || !core.isInPlace { description.runsTapes = false }
        self.description = description
        let driver = "\(device.platformInfo.name) \(device.platformInfo.version)"
        cache = options.cacheFolder.map {
            ProgramCache(folder: $0, driver: driver, bytesMax: options.cacheBytesMax)
        }
    }

    deinit {
        guard core.lost != nil, let staging = staging.withLock({ $0 }) else { return }
        _ = Unmanaged.passRetained(staging)
    }

    public func finish() throws(Failure) { try core.finish() }

    /// Native operations that programs are allowed here.
    public var native: NativeOperations { options.native }

    /// Launches and seconds on the device by kernel, since opening, as of the last wait; empty
    /// unless the device was opened with `isProfiling`.
    public var kernelTimes: [String: (launches: Int, seconds: Double)] { core.kernelTimes }

    // MARK: - Memory

    public func makeBuffer(byteCount: Int) throws(Failure) -> any ComputeBuffer {
        try core.checkAlive()
        precondition(byteCount > 0, "a buffer holds at least one byte")
        guard byteCount <= description.allocationBytesMax else {
            throw Failure(
                .limit,
                """
                \(core.label): a buffer of \(byteCount) bytes: one allocation may have \
                \(description.allocationBytesMax)
                """)
        }
        return try OpenCLBuffer(core, byteCount: byteCount, isScrubbed: options.scrubsOnRelease)
    }

    public func write(
        _ bytes: UnsafeRawBufferPointer, to buffer: any ComputeBuffer, at offset: Int
    ) throws(Failure) {
        let target = try own(buffer, offset: offset, byteCount: bytes.count)
        guard !bytes.isEmpty else { return }
        if let host = target.host, bytes.count > HeldBytes.bytesMax || !core.mayCompute {
            if core.mayCompute { try core.finish() }
            UnsafeMutableRawBufferPointer(rebasing: host.bytes[offset..<offset + bytes.count])
                .copyTogether(from: bytes)
        } else if sharesMemory, isPoCL, bytes.count <= HeldBytes.bytesMax {
            try core.write(bytes, to: target.memory(), at: offset)
        } else if sharesMemory {
            try core.mapped(target.memory(), offset, bytes.count, isWriting: true) {
                $0.copyTogether(from: bytes)
            }
        } else {
            try preparedStaging().write(bytes, to: target.memory(), at: offset, core: core)
        }
    }

    public func read(
        from buffer: any ComputeBuffer, at offset: Int, into bytes: UnsafeMutableRawBufferPointer
    ) throws(Failure) {
        let source = try own(buffer, offset: offset, byteCount: bytes.count)
        guard !bytes.isEmpty else { return }
        if let host = source.host {
            try core.finish()
            bytes.copyTogether(
                from: UnsafeRawBufferPointer(
                    rebasing: host.bytes[offset..<offset + bytes.count]))
        } else if sharesMemory {
            try core.mapped(source.memory(), offset, bytes.count, isWriting: false) {
                bytes.copyTogether(from: UnsafeRawBufferPointer($0))
            }
        } else {
            try preparedStaging().read(source.memory(), at: offset, into: bytes, core: core)
        }
    }

    // MARK: - Shared memory

    public var sharesMemory: Bool { info.isHostUnified && !options.forcesStaging }

    public func withBuffer(
        reading bytes: UnsafeRawBufferPointer, of owner: some Sendable,
        _ body: (any ComputeBuffer) throws(Failure) -> Void
    ) throws(Failure) {
        guard sharesMemory, !bytes.isEmpty else { return try withCopy(of: bytes, body) }
        try core.checkAlive()
        let outcome = Result { () throws(Failure) in
            try lend(try OpenCLBuffer(core, reading: bytes), to: body)
        }
        // A kernel that never ended may still read it, so it is never freed.
        if core.lost != nil { _ = Unmanaged.passRetained(Kept(owner)) }
        try outcome.get()
    }

    public func block(
        byteCount: Int, _ body: (any ComputeBuffer) throws(Failure) -> Void
    ) throws(Failure) -> HostBlock {
        guard core.isInPlace, byteCount > 0 else {
            return try copied(byteCount: byteCount, body)
        }
        try core.checkAlive()
        let block = try HostBlock(byteCount: byteCount)
        let outcome = Result { () throws(Failure) in
            try lend(OpenCLBuffer(core, writing: block.writableBytes), to: body)
        }
        // Nor is what one may still write.
        if core.lost != nil { _ = Unmanaged.passRetained(Kept(block)) }
        try outcome.get()
        return block
    }

    /// Gives `body` a buffer over memory that is another's once this returns.
    private func lend(
        _ buffer: OpenCLBuffer, to body: (any ComputeBuffer) throws(Failure) -> Void
    ) throws(Failure) {
        do throws(Failure) {
            try body(buffer)
        } catch {
            // What is on the queue goes there all the same.
            try? finish()
            throw error
        }
        // Who read results has waited for all that may go there.
        if core.mayCompute { try finish() }
    }

    private final class Kept<Owner: Sendable>: Sendable {
        private let owner: Owner
        init(_ owner: Owner) { self.owner = owner }
    }

    private func preparedStaging() throws(Failure) -> Staging {
        if let ready = staging.withLock({ $0 }) { return ready }
        let made = try Staging(core, byteCountMax: description.allocationBytesMax)
        staging.withLock { $0 = made }
        return made
    }

    /// The buffer as ours, with the range checked.
    func own(
        _ buffer: any ComputeBuffer, offset: Int, byteCount: Int
    ) throws(Failure) -> OpenCLBuffer {
        try core.checkAlive()
        guard let own = buffer as? OpenCLBuffer, own.core === core else {
            throw Failure(.refused, "\(core.label): a buffer of another device")
        }
        guard offset >= 0, byteCount >= 0, offset <= own.byteCount - byteCount else {
            throw Failure(
                .refused,
                "\(core.label): \(byteCount) bytes at \(offset) of a buffer of \(own.byteCount)")
        }
        return own
    }
}

extension DeviceDescription {
    init(_ info: DeviceInfo, platform: PlatformInfo) {
        let kind: Kind =
            switch info.kinds.subtracting(.default) {
            case .cpu: .cpu
            case .gpu: .gpu
            case .accelerator: .accelerator
            default: .other // a simulator claims to be all of them
            }
        self.init(
            platform: platform.name, name: info.name, driverVersion: info.driverVersion,
            platformVersion: platform.version, kind: kind, computeUnits: info.computeUnits,
            memoryBytes: info.memoryBytes, allocationBytesMax: info.allocationBytesMax,
            localMemoryBytes: info.localMemoryBytes, workGroupItemsMax: info.workGroupItemsMax,
            prefersWideVectors: false, pciAddress: info.pciAddress?.description,
            vendor: info.vendor, floatVectorWidth: info.nativeVectorWidths.float)
        // PoCL's compiler is clang for this very processor, whose memory it computes in.
        runsTapes = kind == .cpu && platform.name == "Portable Computing Language"
        compilesAtLaunch = runsTapes
        runsInPlace = runsTapes
        takesVNNI =
            runsTapes && floatVectorWidth == 16 && rigor_has_vnni() != 0
        takesAMX = takesVNNI && rigor_request_amx() != 0
        prefersWideVectors =
            DeviceProfiles.shipped.tuning(for: self)[.wideVectors] == 1
    }
}
