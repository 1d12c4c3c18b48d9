import Core
import Foundation
import Inference
import Testing

@Suite struct HostileModelTests {
    /// A piece of the one line that each model ends in.
    static let expected = [
        "big-pads": "pads", "cell-sizes": "W [1, 8, 2] and R [1, 8, 2]",
        "equation": "equation \"ij->k\"", "heads": "a multiple of the heads",
        "targets": "int64 [2]", "broadcast": "do not broadcast", "cycle": "not defined before it",
        "domain": "operator com.example.Relu", "doubling": "elements",
        "external": "a file in the model's folder",
        "far-axis": "axis", "gigabytes": "elements", "huge-axes": "too many elements",
        "host-elements": "more than the 67108864 elements that the host computes with",
        "initializer-twice": "a name of its own", "missing-initializer": "not defined before it",
        "negative-axis": "negative axis", "nine-axes": "at most 8", "no-output": "no node computes",
        "not-finite": "not finite", "old-opset": "opset 5",
        "output-twice": "defined twice", "reshape": "does not become",
        "short-data": "12 bytes of data; 16 expected", "slice-limits": "step",
        "subgraph": ": node 0 \"inner\" (Relu): input \"nowhere\"", "truncated": "truncated",
        "frames-of-nothing": "a frame's length expected",
        "scalar-slice": "axis 0 of a tensor with 0 axes",
        "scalar-split": "axis 0 of a tensor with 0 axes",
        "scalar-squeeze": "axis 0 of a tensor with 0 axes",
        "scalar-weights": "weights []",
        "regions-of-nothing": "nothing of [1, 1, 0, 4] can be pooled",
        "unknown-operator": "operator Mystery of opset 13 is not supported",
        "wide-window": "window", "wrong-count": "2 inputs",
    ]

    /// Loads and plans a model with its open axes at 1.
    static func prepare(_ model: Model) throws(Failure) -> Plan {
        let shapes = model.inputs.map { ($0.name, $0.shape.map { $0 ?? 1 }) }
        return try Planner.plan(model, shapes: Dictionary(uniqueKeysWithValues: shapes))
    }

    @Test func everyOneIsRefusedInOneLine() throws {
        let names = Fixtures.names("hostile").map { String($0.dropLast(5)) }
        #expect(Set(names) == Set(Self.expected.keys))
        for name in names {
            do throws(Failure) {
                let model = try ModelLoader.load(path: Fixtures.path("hostile", "\(name).onnx"))
                _ = try Self.prepare(model)
                Issue.record("\(name) was accepted")
            } catch {
                #expect(error.message.contains(Self.expected[name] ?? "?"), "\(name): \(error)")
                #expect(!error.message.contains("\n") && error.message.count < 400, "\(name)")
            }
        }
    }

    /// In words, not by the names that a library gives its errors.
    @Test func damageIsSaidInWords() {
        // A producer's name, and a node's.
        for bytes in [[0x12, 1, 0xff], [0x3a, 5, 0x0a, 3, 0x1a, 1, 0xff]] as [Bytes] {
            let error = #expect(throws: Failure.self) { try ModelLoader.load(Data(bytes)) }
            let message = error?.message ?? ""
            #expect(message.contains("a name in it is not UTF-8"), "\(message)")
            #expect(!message.contains("Error") && !message.contains("invalidUTF8"), "\(message)")
        }
    }

    /// Two bytes a node in the file, hundreds in memory.
    @Test func messagesAreCountedBeforeTheyAreDecoded() {
        let graph = Data(repeating: 0, count: 140_000).enumerated().map {
            $0.offset % 2 == 0 ? 10 : 0
        }
        let size = graph.count
        let head = [0x3a, UInt8(size & 127 | 128), UInt8(size >> 7 & 127 | 128), UInt8(size >> 14)]
        let error = #expect(throws: Failure.self) {
            try ModelLoader.load(Data(head) + Data(graph.map { UInt8($0) }))
        }
        #expect(error?.message.contains("too many messages") == true)
    }

    /// Damaged models are refused or planned, nothing crashes; `RIGOR_FUZZ_SECONDS` for longer.
    @Test func damageNeverCrashes() throws {
        let text = ProcessInfo.processInfo.environment["RIGOR_FUZZ_SECONDS"]
        let seconds = text.flatMap(Double.init) ?? 2
        let seed = UInt64.random(in: 0...UInt64.max)
        print("damageNeverCrashes seed \(seed)")
        var generator = SplitMix64(seed: seed)
        var seeds: [Data] = []
        for group in ["operators", "hostile"] {
            for name in Fixtures.names(group) {
                let data = try Data(contentsOf: URL(fileURLWithPath: Fixtures.path(group, name)))
                if data.count < 8192 { seeds.append(data) }
            }
        }
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        var tried = 0
        var planned = 0
        while clock.now < end {
            var data = seeds[Int.random(in: 0..<seeds.count, using: &generator)]
            for _ in 0..<Int.random(in: 1...4, using: &generator) { damage(&data, &generator) }
            if text != nil {
                // What a crash leaves behind.
                let path = "\(NSTemporaryDirectory())/rigor-fuzz.onnx"
                try data.write(to: URL(fileURLWithPath: path))
            }
            if let model = try? ModelLoader.load(data), (try? Self.prepare(model)) != nil {
                planned += 1
            }
            tried += 1
        }
        print("damageNeverCrashes: \(tried) models, \(planned) of them planned")
        #expect(tried > 10 && planned > 0)
    }

    private func damage(_ data: inout Data, _ generator: inout SplitMix64) {
        guard data.count > 4 else { return }
        let at = Int.random(in: 0..<data.count, using: &generator)
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: data[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: data[at] = UInt8.random(in: 0...255, using: &generator)
        case 2: data[at] = [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &generator) ?? 0
        case 3: data = data.prefix(at)
        case 4:
            let count = min(Int.random(in: 1...16, using: &generator), data.count - at)
            data.insert(contentsOf: Array(data[at..<(at + count)]), at: at)
        default:
            // A varint of ten bytes: the least or greatest integer.
            let end = min(at + 10, data.count)
            data.replaceSubrange(at..<end, with: Array(repeating: 0xff, count: end - at - 1) + [1])
        }
        data = Data(data)
    }
}
