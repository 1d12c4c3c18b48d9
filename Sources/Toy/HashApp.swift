public import Compute
public import Core
internal import Foundation

/// The smallest app whose bits are known beforehand: SHA-256 of a file's chunks, hashed again a
/// number of times. It takes a task's whole way without anything that could be hard.
///
/// Parameters: `chunk_bytes` and `rounds` (how often each chunk's hash is hashed again). A part's
/// `items` are chunk numbers; without them it is all chunks. Leaf *n* of a part holds the 32 bytes
/// of its *n*-th chunk under the name `chunk/N`, N counting from the file's start.
public struct HashApp: App {
    public let id = "hash"
    public let version = "0.1"

    static let inputBytesMax = 1 << 28
    static let chunkBytesRange = 64...(1 << 24)
    static let roundsRange = 0...1_000_000_000

    public init() {}

    // MARK: Prepare

    public func prepare(
        _ spec: TaskSpec, frame: Int, inputs: String
    ) throws(Failure) -> Bytes {
        guard let input = spec.inputs.first, spec.inputs.count == 1 else {
            throw Failure(.malformed, "hash: exactly one input file expected")
        }
        let chunkBytes = try parameter("chunk_bytes", of: spec, in: Self.chunkBytesRange)
        let rounds = try parameter("rounds", of: spec, in: Self.roundsRange)
        guard input.value.byteCount <= Self.inputBytesMax else {
            throw Failure(
                .limit, "hash: \(input.key): at most \(Self.inputBytesMax) bytes expected")
        }
        guard let data = FileManager.default.contents(atPath: "\(inputs)/\(input.key)") else {
            throw Failure(.io, "hash: \(input.key): cannot be read")
        }
        return HashBlob(content: Bytes(data), chunkBytes: chunkBytes, rounds: rounds).encoded
    }

    private func parameter(
        _ name: String, of spec: TaskSpec, in range: ClosedRange<Int>
    ) throws(Failure) -> Int {
        guard case .int(let value) = spec.parameters[name], range.contains(value) else {
            throw Failure(
                .malformed,
                "hash: parameter \(name): \(range.lowerBound) to \(range.upperBound) expected")
        }
        return value
    }

    // MARK: Run

    public func run(
        _ run: AppRun, on device: any ComputeDevice, observer: any AppObserver
    ) throws(Failure) -> AppSeconds {
        let blob = try HashBlob(decoding: run.blob)
        let items = run.spec.parts[run.part].items ?? 0..<blob.spans.count
        guard !items.isEmpty, items.upperBound <= blob.spans.count else {
            throw Failure(.malformed, "hash: chunks \(items) of \(blob.spans.count)")
        }
        let start = run.clock.monotonicSeconds
        let program = try device.program(ProgramSource("toy/hash", files: ["toy/hash.cl"]))
        let built = run.clock.monotonicSeconds

        let blocks = try device.makeBuffer(blob.words)
        let spans = try device.makeBuffer(blob.spans[items].flatMap { [$0.first, $0.count] })
        let states = try device.makeBuffer(byteCount: items.count * 32)
        try device.launch(
            "toy_hash_chunks", of: program, global: [items.count], local: nil,
            arguments: [.buffer(blocks), .buffer(spans), .buffer(states)])
        try device.finish()
        try again(rounds: blob.rounds, items.count, states, program, run, device, observer)

        let words = try device.read(UInt32.self, count: items.count * 8, from: states)
        for (index, item) in items.enumerated() {
            let hash = words[index * 8..<index * 8 + 8].flatMap(\.bigEndianBytes)
            try observer.leaf(Leaf(index: index, name: "chunk/\(item)", bytes: hash))
        }
        return AppSeconds(
            compile: built - start, compute: run.clock.monotonicSeconds - built)
    }

    /// The rounds, in slices whose length follows what the last one took.
    private func again(
        rounds: Int, _ chunks: Int, _ states: any ComputeBuffer, _ program: any ComputeProgram,
        _ run: AppRun, _ device: any ComputeDevice, _ observer: any AppObserver
    ) throws(Failure) {
        var done = 0
        var slice = 16
        while done < rounds {
            try observer.advance(Double(done) / Double(rounds))
            let count = min(slice, rounds - done)
            let start = run.clock.monotonicSeconds
            try device.launch(
                "toy_hash_again", of: program, global: [chunks], local: nil,
                arguments: [.buffer(states), .uint(UInt32(count))])
            try device.finish()
            done += count
            let seconds = run.clock.monotonicSeconds - start
            if seconds < run.sliceSeconds / 2 { slice = min(slice * 2, 1 << 24) }
            if seconds > run.sliceSeconds * 2 { slice = max(slice / 2, 1) }
        }
        try observer.advance(1)
    }

    // MARK: Present

    public func present(
        _ spec: TaskSpec, leaves: [[Leaf]], folder: String
    ) throws(Failure) -> [String] {
        let lines = leaves.joined().map { "\($0.bytes.hex)  \($0.name)\n" }.joined()
        let path = "\(folder)/hashes.txt"
        guard FileManager.default.createFile(atPath: path, contents: Data(lines.utf8)) else {
            throw Failure(.io, "\(path): cannot be written")
        }
        return [path]
    }
}
