import Core
import Foundation

/// Breaks real files in the ways that parsers trip over. All of it follows from a seed.
struct Mutator {
    /// xorshift64*, so that a printed seed replays a run on any machine.
    private var state: UInt64

    init(seed: UInt64) { state = seed | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_f491_4f6c_dd1d
    }

    mutating func below(_ bound: Int) -> Int { Int(next() >> 33) % max(bound, 1) }

    /// Values at which lengths and counts go wrong.
    private static let words: [UInt32] = [
        0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0x00ff_ffff,
        0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff,
    ]

    private static let numbers = [
        "0", "-1", "1", "2147483648", "4294967296", "9223372036854775807", "1e308", "-1e308",
        "1e-320",
        "0.5", "null", "true", "[]", "{}", "\"x\"", "65535", "100000",
    ]

    /// `seed` with one to eight changes.
    mutating func mutate(_ seed: Bytes, others: [Bytes]) -> Bytes {
        var bytes = seed
        for _ in 0...below(8) {
            guard !bytes.isEmpty else { return bytes }
            change(&bytes, others)
        }
        return bytes
    }

    /// Text with one to three numbers or words replaced, so that most of it still parses.
    mutating func mutateText(_ seed: Bytes) -> Bytes {
        var bytes = seed
        for _ in 0...below(3) {
            guard !bytes.isEmpty else { return bytes }
            let at = below(bytes.count)
            if below(4) == 0 { keyword(&bytes, at) } else { number(&bytes, at) }
        }
        return bytes
    }

    /// Swaps the quoted word nearest behind `at` for another one of the text.
    private mutating func keyword(_ bytes: inout Bytes, _ at: Int) {
        func word(_ at: Int) -> Range<Int>? {
            guard let first = bytes[at...].firstIndex(of: 0x22),
                let last = bytes[(first + 1)...].firstIndex(of: 0x22)
            else { return nil }
            return first..<last + 1
        }
        guard let here = word(at), let there = word(below(bytes.count)) else { return }
        bytes.replaceSubrange(here, with: Bytes(bytes[there]))
    }

    private mutating func change(_ bytes: inout Bytes, _ others: [Bytes]) {
        let at = below(bytes.count)
        switch below(10) {
        case 0: bytes[at] ^= 1 << UInt8(below(8))
        case 1: bytes[at] = UInt8(truncatingIfNeeded: next())
        case 2: bytes.removeLast(below(bytes.count))
        case 3: bytes.removeSubrange(at..<min(bytes.count, at + 1 + below(16)))
        case 4:
            let end = min(bytes.count, at + 1 + below(64))
            bytes.insert(contentsOf: Bytes(bytes[at..<end]), at: below(bytes.count))
        case 5, 6: word(&bytes, at)
        case 7: number(&bytes, at)
        case 8:
            let other = others[below(others.count)]
            guard !other.isEmpty else { return }
            let from = below(other.count)
            let part = other[from..<min(other.count, from + 1 + below(256))]
            bytes.replaceSubrange(at..<min(bytes.count, at + below(64)), with: part)
        default:
            let byte = UInt8(truncatingIfNeeded: next())
            for index in at..<min(bytes.count, at + 1 + below(8)) { bytes[index] = byte }
        }
    }

    private mutating func word(_ bytes: inout Bytes, _ at: Int) {
        let value = Self.words[below(Self.words.count)]
        let width = [2, 4, 4][below(3)]
        let source =
            below(2) == 0 ? value.littleEndianBytes : Bytes(value.littleEndianBytes.reversed())
        for (offset, byte) in source.prefix(width).enumerated() where at + offset < bytes.count {
            bytes[at + offset] = byte
        }
    }

    /// Replaces the run of digits nearest behind `at`, as text formats have them.
    private mutating func number(_ bytes: inout Bytes, _ at: Int) {
        func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
        guard let first = bytes[at...].prefix(512).firstIndex(where: isDigit) else { return }
        let end = bytes[first...].firstIndex { !isDigit($0) } ?? bytes.count
        bytes.replaceSubrange(first..<end, with: Self.numbers[below(Self.numbers.count)].utf8)
    }
}

/// How long and from which seed to run: `RIGOR_FUZZ_SECONDS` and `RIGOR_FUZZ_SEED`. After a crash,
/// the same seed with `RIGOR_FUZZ_KEEP=1` leaves the last input of each entry point on disk.
enum Fuzz {
    /// Seconds for each entry point; a fifth of a second in an ordinary test run.
    static let seconds = Double(environment("RIGOR_FUZZ_SECONDS") ?? "") ?? 0.2
    static let seed = UInt64(environment("RIGOR_FUZZ_SEED") ?? "") ?? 1
    private static let keepsInputs = environment("RIGOR_FUZZ_KEEP") != nil

    private static func environment(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name]
    }

    /// Runs `body` on broken variants of `seeds` until the time is over. A file that takes seconds
    /// or an error that is not one clear line is a finding.
    ///
    /// - Returns: one line per finding, with the input's place on disk.
    static func run(
        _ name: String, seeds: [Bytes], isText: Bool = false, secondsMax: Double = 4,
        _ body: (Bytes) throws -> Void
    ) throws -> [String] {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("rigor-fuzz")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var mutator = Mutator(seed: seed)
        var findings: [String] = []
        var (runs, refused) = (0, 0)
        let start = ContinuousClock.now
        while ContinuousClock.now - start < .seconds(seconds) {
            let chosen = seeds[mutator.below(seeds.count)]
            let input =
                isText ? mutator.mutateText(chosen) : mutator.mutate(chosen, others: seeds)
            if keepsInputs { try Data(input).write(to: folder.appendingPathComponent(name)) }
            let began = ContinuousClock.now
            var finding: String?
            do { try body(input) } catch let error as Failure {
                refused += 1
                if !isClear(error.message) { finding = "message \(error.message.debugDescription)" }
            } catch { finding = "other error \(error)" }
            let took = ContinuousClock.now - began
            if took > .seconds(secondsMax) { finding = "took \(took)" }
            if let finding {
                let kept = folder.appendingPathComponent("\(name)-\(seed)-\(runs)")
                try Data(input).write(to: kept)
                findings.append("\(finding): \(kept.path)")
            }
            runs += 1
        }
        print("fuzz \(name): seed \(seed), \(runs) inputs, \(refused) refused")
        return findings
    }

    private static func isClear(_ message: String) -> Bool {
        !message.isEmpty && message.count <= 400
            && message.unicodeScalars.allSatisfy { $0.value >= 32 }
    }
}
