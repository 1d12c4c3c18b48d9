import Compute
import Core
import Foundation
import Rendering
import RigorTestKit
import Testing

/// Kernels read and write inside their buffers. A read outside is seldom seen elsewhere: what lies
/// behind a buffer is mostly there to be read, and what was read may count for nothing, until the
/// page behind it is missing. The simulator sees each one.
@Suite struct KernelMemoryTests {
    private static let micro = RenderParameters(width: 5, height: 4, samples: 1, bounces: 3)

    /// Scenes with everything in them, and one with more triangles in it than its blob has words.
    private static func blobs() throws -> [RenderBlob] {
        var crowd = InstanceTests.crowd(1200, level: 2)
        crowd.materials[0].emissive = [2, 2, 2]
        let inTree = try RenderBlob(crowd, micro, treeLightsMin: 2)
        return try (UInt64(1)...6).map { seed in
            try RenderBlob(
                RandomScene.make(seed: seed), micro, treeLightsMin: seed % 2 == 0 ? 2 : .max)
        } + [inTree]
    }

    /// Ends the process: 0 where the simulator finds nothing in the stages of a render, but sees a
    /// kernel that reads behind its buffer. It asks its environment once.
    static func check() throws -> Never {
        let log = NSTemporaryDirectory() + "/rigor-oclgrind-\(getpid()).log"
        setenv("OCLGRIND_LOG", log, 1)
        guard let test = TestDevices.named("Oclgrind") else { exit(2) }
        let device = try test.open()
        func complaints() -> String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
        for blob in try blobs() {
            let run = try RenderRun(blob, on: device, clock: MonotonicClock())
            try run.render(
                tiles: 0..<1, samples: 0..<1, advance: { (_: Double) throws(Failure) in },
                finish: { (_: TileSums) throws(Failure) in })
        }
        let found = complaints()
        print(found.prefix(2000))
        let past = "__kernel void past(__global uint *a, uint place) { a[0] = a[place]; }"
        let program = try device.program(ProgramSource("tests/past", customText: past))
        let buffer = try device.makeBuffer(byteCount: 64)
        try device.launch(
            "past", of: program, global: [1], local: [1],
            arguments: [.buffer(buffer), .uint(1 << 20)])
        try device.finish()
        let isWatching = complaints().contains("Invalid read")
        try? FileManager.default.removeItem(atPath: log)
        exit(!found.isEmpty ? 1 : isWatching ? 0 : 3)
    }

    @Test func simulatorFindsNothing() async {
        guard TestDevices.named("Oclgrind") != nil else { return }
        await #expect(processExitsWith: .success) { try KernelMemoryTests.check() }
    }
}
