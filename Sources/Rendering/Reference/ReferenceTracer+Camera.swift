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
        var path = Path(
            key: key, sample: UInt32(sample), origin: origin,
            direction: normalize(forward + across), coneWidth: header(Word.coneWidth),
            coneSpread: header(Word.coneSpread))
        if blob.words[Word.cameraFlags] & 1 == 1 {
            path.origin = origin + across
            path.direction = forward
        } else if blob.words[Word.lensRadius] != 0 {
            passLens(&path, origin, forward + across)
        }
        return path
    }

    /// The same through a point of a thin lens. `pinhole`: the pinhole's ray, to distance one along
    /// the axis.
    private func passLens(
        _ path: inout Path, _ origin: SIMD3<Float>, _ pinhole: SIMD3<Float>
    ) {
        typealias Word = BlobLayout.Word
        let bits = ReferenceRandom.pair(
            key: path.key, sample: path.sample, ReferenceRandom.lensDimension)
        let turn = unitCircle(ReferenceRandom.unit(bits.x))
        let reach = header(Word.lensRadius) * Exact.sqrt(ReferenceRandom.unit(bits.y))
        let right = normalize(headerVector(Word.right))
        let up = normalize(headerVector(Word.up))
        let aside = fma(up, turn.y * reach, right * (turn.x * reach))
        let focus = pinhole * header(Word.focusDistance)
        path.origin = origin + aside
        path.direction = normalize(focus - aside)
    }
}
