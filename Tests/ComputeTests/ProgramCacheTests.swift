import Compute
import Core
import Foundation
import OpenCL
import RigorTestKit
import Testing

@Suite struct ProgramCacheTests {
    private static func temporaryFolder() -> String {
        NSTemporaryDirectory() + "/rigor-cache-\(UUID().uuidString)"
    }

    private func files(_ folder: String) -> [String] {
        let all = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String }
        return (all ?? []).filter { $0.hasSuffix(".program") }.map { "\(folder)/\($0)" }
    }

    private func run(_ test: TestDevice, _ folder: String) throws -> (Bool, [Float]) {
        let device = try test.open(.init(cacheFolder: folder))
        let program = try device.program(DeviceTests.source)
        let sum = try device.makeBuffer(byteCount: 28)
        let values = try device.makeBuffer((0..<7).map { Float($0) })
        try device.launch(
            "add", of: program, global: [7], local: nil,
            arguments: [.buffer(values), .buffer(values), .buffer(sum), .uint(7)])
        return (program.isCached, try device.read(Float.self, count: 7, from: sum))
    }

    @Test(arguments: TestDevices.all)
    func aStoredProgramServesAndADamagedOneIsRebuilt(_ test: TestDevice) throws {
        let folder = Self.temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let right = (0..<7).map { Float($0 * 2) }
        #expect(try run(test, folder) == (false, right))
        guard let file = files(folder).first else {
            return TestDevices.skip("\(test.label) gives no program binaries")
        }
        let stored = try Data(contentsOf: URL(fileURLWithPath: file))
        #expect(try run(test, folder) == (true, right))
        let damaged: [Data] = [
            Data(), stored.prefix(10), stored.prefix(stored.count - 1), stored + [0],
            Data(
                stored.enumerated().map {
                    $0.offset == stored.count / 2 ? $0.element ^ 1 : $0.element
                }),
        ]
        for data in damaged {
            try data.write(to: URL(fileURLWithPath: file))
            #expect(try run(test, folder) == (false, right))
            #expect(try Data(contentsOf: URL(fileURLWithPath: file)).count > 80)
        }
    }

    /// Right header and checksum around what no driver takes. Some drivers abort the process over
    /// it: the first run has a process of its own, which may die, and the next one must be well.
    @Test(arguments: TestDevices.all)
    func aBinaryTheDriverRefusesIsRebuilt(_ test: TestDevice) async throws {
        let folder = Self.temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let right = (0..<7).map { Float($0 * 2) }
        _ = try run(test, folder)
        guard let file = files(folder).first else {
            return TestDevices.skip("\(test.label) gives no program binaries")
        }
        let name = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
        let key = try #require(Hash256(hex: name))
        let platform = test.device.platformInfo
        let cache = ProgramCache(
            folder: folder, driver: "\(platform.name) \(platform.version)", bytesMax: 1 << 20)
        cache.store(Bytes("this is no program".utf8), key)
        #expect(cache.load(key) == Bytes("this is no program".utf8))
        let label = test.label
        await withKnownIssue("a driver may die of it", isIntermittent: true) {
            await #expect(processExitsWith: .success) {
                [label = label as String, folder = folder as String] in
                let test = try #require(TestDevices.all.first { $0.label == label })
                _ = try ProgramCacheTests().run(test, folder)
            }
        }
        _ = try run(test, folder)
        #expect(try run(test, folder) == (true, right))
    }

    /// What is kept of PoCL's programs is bitcode, and not a binary with kernels that we never
    /// launch.
    @Test(arguments: TestDevices.all.filter { $0.label == "PoCL" })
    func bitcodeIsKeptOfPoCLsPrograms(_ test: TestDevice) throws {
        let folder = Self.temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        _ = try run(test, folder)
        guard test.device.platformInfo.version.contains("PoCL 3.1") else {
            #expect(files(folder).isEmpty)
            return
        }
        let file = try #require(files(folder).first)
        let stored = Bytes(try Data(contentsOf: URL(fileURLWithPath: file)))
        #expect(stored.dropFirst(8 + 64).starts(with: [0x42, 0x43, 0xC0, 0xDE]))
    }

    @Test func bitcodeIsFoundInABinary() {
        let bitcode: Bytes = [0x42, 0x43, 0xC0, 0xDE, 1, 2, 3]
        let head = Bytes("poclbin".utf8) + [0] + Bytes(repeating: 7, count: 40)
        #expect(PoCLBinary.bitcode(in: head + [7, 0, 0, 0] + bitcode) == bitcode)
        #expect(PoCLBinary.bitcode(in: head + [7, 0, 0, 0] + bitcode + [9, 9]) == bitcode)
        let nothing: [Bytes] = [
            [], head, head + [7, 0, 0], head + [7, 0, 0, 0] + bitcode.dropLast(),
            head + [7, 0, 0, 0x80] + bitcode, head + [4, 0, 0, 0] + bitcode,
            Bytes("another".utf8) + [0, 7, 0, 0, 0] + bitcode, head + bitcode.prefix(3),
        ]
        for binary in nothing { #expect(PoCLBinary.bitcode(in: binary) == nil) }
    }

    @Test func equalKeysNeedEqualParts() {
        let keys = [["a", "b"], ["ab", ""], ["a", "b", ""], ["b", "a"], ["a", "b"]]
            .map(ProgramCache.key)
        #expect(Set(keys).count == 4)
        #expect(keys[0] == keys[4])
    }

    @Test func theLeastRecentlyUsedGoFirst() throws {
        let folder = Self.temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let cache = ProgramCache(folder: folder, driver: "test", bytesMax: 5000)
        let keys = (0..<6).map { ProgramCache.key(["\($0)"]) }
        for (index, key) in keys.enumerated() {
            cache.store(Bytes(repeating: UInt8(index), count: 1000), key)
            for file in files(folder) where file.contains(key.bytes.hex) {
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSince1970: 1000 + Double(index))],
                    ofItemAtPath: file)
            }
        }
        #expect(files(folder).count <= 5)
        #expect(cache.load(keys[0]) == nil)
        #expect(cache.load(keys[5]) == Bytes(repeating: 5, count: 1000))
        cache.store(Bytes(repeating: 9, count: 4000), keys[0])
        #expect(cache.load(keys[0]) == nil) // more than a quarter of the room
    }

    @Test func writersAndReadersAtOnceSeeWholeFiles() async {
        let folder = Self.temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let key = ProgramCache.key(["shared"])
        await withTaskGroup(of: Bool.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    let cache = ProgramCache(folder: folder, driver: "test", bytesMax: 1 << 24)
                    for _ in 0..<20 {
                        cache.store(Bytes(repeating: UInt8(writer), count: 20_000), key)
                        if let bytes = cache.load(key), Set(bytes).count != 1 { return false }
                    }
                    return cache.load(key)?.count == 20_000
                }
            }
            for await isWhole in group { #expect(isWhole) }
        }
    }
}
