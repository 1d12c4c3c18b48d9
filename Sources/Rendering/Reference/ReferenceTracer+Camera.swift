internal import Exact

extension ReferenceTracer {
    /// The path of a sample through pixel (`x`, `y`): `Kernels/render/camera.cl`.
    func begin(x: Int, y: Int, sample: Int) -> Path {
        typealias Word = BlobLayout.Word
        let key = ReferenceRandom.pixelKey(
            seedLow: blob.words[Word.seedLow], seedHigh: blob.words[Word.seedHigh],
            pixel: UInt32(y * blob.width + x))
        let bits = ReferenceRandom.pair(
            key: key, sample: UInt32(sample), ReferenceRandom.Dimension.film.rawValue)
        let filmX = Float(x) + ReferenceRandom.unit(bits.x)
        let filmY = Float(y) + ReferenceRandom.unit(bits.y)
        let sx = fma(filmX, header(Word.twoOverWidth), -1)
        let sy = fma(-filmY, header(Word.twoOverHeight), 1)
        let forward = headerVector(Word.forward)
        let origin = headerVector(Word.camera)
        let across = fma(headerVector(Word.up), sy, headerVector(Word.right) * sx)
        let isOrthographic = blob.words[Word.cameraFlags] & 1 == 1
        return Path(
            key: key, sample: UInt32(sample), origin: isOrthographic ? origin + across : origin,
            direction: isOrthographic ? forward : normalize(forward + across),
            coneWidth: header(Word.coneWidth), coneSpread: header(Word.coneSpread))
    }
}
