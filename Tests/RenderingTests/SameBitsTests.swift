import Compute
import Core
import Digest
import Rendering
import RigorTestKit
import Testing

/// A picture is a function of scene and parameters: whatever may differ must not show.
@Suite struct SameBitsTests {
    private let parameters = RenderParameters(width: 72, height: 40, samples: 4)

    private func device() throws -> OpenCLDevice? { try TestDevices.any?.open() }

    @Test func batchesAndWidthsDoNotShow() throws {
        guard let device = try device() else { return }
        let whole = try renderTiles(SceneMaker.room, parameters, on: device)
        #expect(whole.count == 6)
        let expected = root(whole)
        for tuning in [
            RenderRun.Tuning(pathsMax: 1024), .init(pathsMax: 5 * 1024), .init(isNarrow: true),
            .init(pathsMax: 3000, isNarrow: true, sliceSeconds: 0.001),
        ] {
            let tiles = try renderTiles(SceneMaker.room, parameters, on: device, tuning: tuning)
            #expect(root(tiles) == expected, "\(tuning)")
        }
    }

    @Test func widthsDoNotShowInLayers() throws {
        guard let device = try device() else { return }
        let small = RenderParameters(width: 40, height: 24, samples: 2)
        let wide = try renderTiles(SceneMaker.gallery, small, on: device)
        #expect(wide.allSatisfy { $0.nanCount == 0 })
        for tuning in [
            RenderRun.Tuning(pathsMax: 1024), .init(pathsMax: 2048, isNarrow: true),
        ] {
            let tiles = try renderTiles(SceneMaker.gallery, small, on: device, tuning: tuning)
            #expect(root(tiles) == root(wide), "\(tuning)")
        }
    }

    @Test func aTileAloneIsTheSameTile() throws {
        guard let device = try device() else { return }
        let whole = try renderTiles(SceneMaker.room, parameters, on: device)
        for tile in [5, 0, 3] {
            let alone = try renderTiles(
                SceneMaker.room, parameters, on: device, tiles: tile..<tile + 1)
            #expect(alone == [whole[tile]])
        }
    }

    @Test func rangesOfSamplesAddUp() throws {
        guard let device = try device() else { return }
        let whole = try renderTiles(SceneMaker.room, parameters, on: device)
        var merged = try renderTiles(SceneMaker.room, parameters, on: device, samples: 3..<4)
        let first = try renderTiles(SceneMaker.room, parameters, on: device, samples: 0..<3)
        #expect(merged != whole)
        for index in merged.indices { try merged[index].add(first[index]) }
        #expect(merged == whole)
    }

    @Test func seedsDiffer() throws {
        guard let device = try device() else { return }
        var other = parameters
        other.seed = 1 << 40
        let one = try renderTiles(SceneMaker.room, parameters, on: device)
        let two = try renderTiles(SceneMaker.room, other, on: device)
        #expect(root(one) != root(two))
    }

    @Test func oneComputeUnitOrMore() throws {
        guard let device = TestDevices.named("PoCL") else { return }
        let whole = try renderTiles(SceneMaker.room, parameters, on: device.open())
        guard let part = try device.open(computeUnits: 1).first else {
            Issue.record("a processor can be split")
            return
        }
        let split = try renderTiles(SceneMaker.room, parameters, on: part)
        #expect(root(split) == root(whole))
    }

    /// Micro-sized, so that simulators finish; kernels by each device's own preference.
    @Test func everyImplementation() throws {
        let micro = RenderParameters(width: 12, height: 9, samples: 1, bounces: 2)
        for scene in [SceneMaker.room, SceneMaker.gallery] {
            var roots: [Hash256: [String]] = [:]
            for device in TestDevices.all {
                let tiles = try renderTiles(scene, micro, on: device.open())
                #expect(tiles[0].sums.contains { $0 > 0 }, "\(device): black")
                roots[root(tiles), default: []].append(device.label)
            }
            #expect(roots.count <= 1, "\(roots)")
        }
    }

    @Test func leavesReadBack() throws {
        guard let device = try device() else { return }
        for tile in try renderTiles(SceneMaker.room, parameters, on: device) {
            let leaf = Leaf(index: 0, name: tile.leafName, bytes: tile.bytes)
            #expect(try TileSums(leaf) == tile)
            #expect(tile.nanCount == 0)
        }
    }
}
