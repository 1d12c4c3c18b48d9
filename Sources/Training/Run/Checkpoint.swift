internal import Compute
public import Core
internal import Digest
internal import Files
internal import Inference

/// Training as far as it is, in a file.
///
///     "RIGORCK1"   8 bytes
///     identity     32 bytes: SHA-256 over the kernels' hash and the task's blob
///     step         8 bytes, little-endian, as all integers and floats here
///     losses       4 bytes each, one a step
///     correct      8 bytes each, one an epoch that is done, where there is a test
///     states       the elements of each, in the task's order
///     check        SHA-256 of all before
public struct Checkpoint: Sendable {
    var step: Int
    var losses: [Float]
    var correct: [Int]
    var states: [Tensor]

    private static let magic = Bytes("RIGORCK1".utf8)
    private static let headerBytes = 8 + 32 + 8

    /// What a checkpoint of that task, made by this program, says of itself.
    public static func identity(of blob: Bytes) -> Hash256 {
        SHA256.hash(KernelFiles.hash.bytes + SHA256.hash(blob).bytes)
    }

    /// A file that one training writes.
    public struct File: Sendable {
        private let path: String
        /// What this process found or wrote there.
        private var former: FileBytes.Identity?

        public init(_ path: String) {
            self.path = path
            former = FileBytes.Identity(of: path)
        }

        /// Writes how far a trainer is, in place of the file before it: whatever ends this
        /// process, the old one or the new one is there.
        ///
        /// - Throws: ``Failure`` with the system's reason, or where another process wrote there
        ///   meanwhile: its file is left.
        public mutating func write(_ trainer: Trainer, identity: Hash256) throws(Failure) {
            var bytes = magic + identity.bytes + UInt64(trainer.step).littleEndianBytes
            bytes += trainer.losses.flatMap { $0.bitPattern.littleEndianBytes }
            bytes += trainer.correct.flatMap { UInt64($0).littleEndianBytes }
            for state in try trainer.values() { bytes += state.bytes }
            let pieces = [bytes, SHA256.hash(bytes).bytes]
            guard let new = try FileBytes.exchange(path, former, with: pieces) else {
                throw Failure(
                    .refused, "\(path): another training writes it; a file for each expected")
            }
            former = new
        }
    }

    /// Sets a trainer to where the file is.
    ///
    /// - Throws: ``Failure`` saying that the file is damaged, or of another task or program.
    public static func resume(
        _ trainer: Trainer, identity: Hash256, from path: String
    ) throws(Failure) {
        let bytes = Bytes(try FileBytes.read(path, byteCountMax: 1 << 32))
        let checkpoint: Checkpoint
        do throws(Failure) {
            checkpoint = try Checkpoint(bytes, identity, trainer.task)
        } catch {
            throw error.at(path)
        }
        try trainer.restore(checkpoint)
    }

    private init(
        _ bytes: Bytes, _ identity: Hash256, _ task: TrainingTask
    ) throws(Failure) {
        guard bytes.starts(with: Self.magic) else {
            throw Failure(
                .malformed, "no checkpoint of training; \"RIGORCK1\" at its start expected")
        }
        let end = bytes.count - 32
        guard end >= Self.headerBytes,
            SHA256.hash(bytes[..<end]).bytes == Bytes(bytes[end...])
        else { throw Failure(.malformed, "a damaged checkpoint: its checksum does not fit") }
        guard Bytes(bytes[8..<40]) == identity.bytes else {
            throw Failure(
                .refused,
                "a checkpoint of another model, data set, options or version of the program")
        }
        let broken = Failure(.malformed, "a checkpoint of another size than its step says")
        let number = bytes[40..<48].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard number <= UInt64(task.steps) else { throw broken }
        step = Int(number)
        let tests = task.test == nil ? 0 : step / task.stepsPerEpoch
        let stateBytes = task.states.reduce(0) { $0 + $1.initial.count * 4 }
        guard end == Self.headerBytes + 4 * step + 8 * tests + stateBytes else { throw broken }
        (losses, correct, states) = ([], [], [])
        bytes.withUnsafeBytes { all in
            var at = Self.headerBytes
            func tensor(_ type: ElementType, _ shape: [Int]) -> Tensor {
                let part = at..<(at + shape.elementCount * type.byteCount)
                at = part.upperBound
                return Tensor(
                    type: type, shape: shape, bytes: UnsafeRawBufferPointer(rebasing: all[part]))
            }
            losses = tensor(.float32, [step]).floats ?? []
            correct = (tensor(.int64, [tests]).integers ?? []).map(Int.init)
            states = task.states.map { tensor(.float32, $0.initial.shape) }
        }
    }
}
