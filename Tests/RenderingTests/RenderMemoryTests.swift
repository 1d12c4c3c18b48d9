import Compute
import Core
import Rendering
import RigorTestKit
import Testing

/// A scene that a device cannot hold is refused before anything is brought there.
@Suite struct RenderMemoryTests {
    private func refusal(_ bytes: Int) throws -> (message: String?, bytesInUse: Int) {
        let blob = try RenderBlob(SceneMaker.room, RenderParameters(width: 8, height: 8))
        let device = FakeComputeDevice(memoryBytes: bytes, kernels: [:])
        do throws(Failure) {
            _ = try RenderRun(blob, on: device, clock: MonotonicClock())
        } catch {
            return (error.message, device.bytesInUse)
        }
        return (nil, device.bytesInUse)
    }

    @Test func saysWhatIsNeeded() throws {
        let blob = try RenderBlob(SceneMaker.room, RenderParameters(width: 8, height: 8))
        let scene = blob.bytes.count
        // A quarter is the most in one piece on this device.
        let pieces = try refusal(4 * scene - 4)
        #expect(
            pieces.message
                == "Test kit: fake: the scene needs \(scene) bytes in one piece, the device allows "
                + "\(scene - 1)")
        #expect(pieces.bytesInUse == 0)
        // With room for the scene, paths come down to what is left, at least one tile's.
        let fits = try refusal(4 * scene)
        #expect(fits.message?.contains("needs") != true, "\(fits)")
    }

    /// Where one piece may be as large as all memory, paths have no room beside it.
    @Test func countsPathsToo() throws {
        let blob = try RenderBlob(SceneMaker.room, RenderParameters(width: 8, height: 8))
        let scene = blob.bytes.count
        let device = FakeComputeDevice(
            memoryBytes: scene, allocationBytesMax: scene, kernels: [:])
        let failure = #expect(throws: Failure.self) {
            _ = try RenderRun(blob, on: device, clock: MonotonicClock())
        }
        // One tile of paths: 50 words of state, as the room has solids, 4 of queues, sums.
        let paths = 1024 * (4 * 54 + 32)
        #expect(
            failure?.message
                == "Test kit: fake: the render needs \(scene + paths) bytes (the scene \(scene), "
                + "paths \(paths)), the device has \(scene)")
        #expect(device.bytesInUse == 0)
    }
}
