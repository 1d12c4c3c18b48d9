import Compute
import Core
import Digest
import Imaging
import Rendering
import RigorTestKit
import Testing

/// All tiles of a render, by number.
func renderTiles(
    _ scene: Scene, _ parameters: RenderParameters, on device: any ComputeDevice,
    tuning: RenderRun.Tuning = .init(), tiles: Range<Int>? = nil, samples: Range<Int>? = nil
) throws -> [TileSums] {
    let blob = try RenderBlob(scene, parameters)
    let run = try RenderRun(blob, on: device, clock: MonotonicClock(), tuning: tuning)
    var finished: [TileSums] = []
    try run.render(
        tiles: tiles ?? 0..<parameters.tileCount, samples: samples ?? 0..<parameters.samples,
        advance: { (_: Double) throws(Failure) in },
        finish: { (tile: TileSums) throws(Failure) in finished.append(tile) })
    return finished
}

func root(_ tiles: [TileSums]) -> Hash256 {
    let leaves = tiles.enumerated().map {
        Leaf(index: $0.offset, name: $0.element.leafName, bytes: $0.element.bytes)
    }
    return MerkleTree(leaves: leaves).root
}

/// Mean radiance over a picture.
func mean(_ tiles: [TileSums], _ parameters: RenderParameters) throws -> SIMD3<Double> {
    let picture = try Picture(tiles, width: parameters.width, height: parameters.height)
    var sum = SIMD3<Double>.zero
    for pixel in picture.image.pixels { sum += SIMD3<Double>(pixel) }
    return sum / Double(picture.image.pixels.count)
}

/// Mean radiance of a small square picture on the first device; nil without one.
func meanRadiance(
    _ scene: Scene, samples: Int = 256, bounces: Int = 0, side: Int = 8
) throws -> SIMD3<Double>? {
    guard let device = try TestDevices.any?.open() else { return nil }
    let parameters = RenderParameters(
        width: side, height: side, samples: samples, bounces: bounces, seed: 11)
    let tiles = try renderTiles(scene, parameters, on: device)
    #expect(tiles.allSatisfy { $0.nanCount == 0 })
    return try mean(tiles, parameters)
}
