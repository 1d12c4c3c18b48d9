internal import Exact

/// Light from all around: an equirectangular picture, and a table of cells to draw directions from.
extension ReferenceTracer {
    /// The light of a path whose ray left the scene.
    func escapedRadiance(_ path: Path) -> SIMD3<Float> {
        let d = path.direction
        let patch = environmentPatch(environmentCoordinates(d))
        var weight: Float = 1
        if path.density > 0 {
            let squared = fma(d.x, d.x, d.z * d.z)
            let sine = squared > 0x1p-40 ? Exact.sqrt(squared) : 0x1p-20
            let other =
                environmentDensity(patch, sine: sine) * header(BlobLayout.Word.environmentChance)
            weight = Self.balance(path.density, other)
        }
        return path.throughput * patch.radiance * weight
    }

    /// How much light found by one method counts beside another that could have found it.
    package static func balance(_ mine: Float, _ other: Float) -> Float {
        other > 0 ? Exact.div(mine, mine + other) : 1
    }

    private func environmentCoordinates(_ d: SIMD3<Float>) -> SIMD2<Float> {
        let u = fma(Exact.atan2(d.z, d.x), 0x1.45f306p-3, 0.5)
        let y = d.y > 1 ? 1 : (d.y < -1 ? -1 : d.y)
        let v = Exact.acos(y) * 0x1.45f306p-2
        return [Self.unitCoordinate(u), Self.unitCoordinate(v)]
    }

    /// Into [0, 1); what is not a number becomes 0.
    private static func unitCoordinate(_ x: Float) -> Float {
        let low: Float = x > 0 ? x : 0
        return low < 0x1.fffffep-1 ? low : 0x1.fffffep-1
    }

    /// Four texels, and a place between them.
    struct EnvironmentPatch {
        /// Above: left and right; below: left and right.
        var corners: [SIMD3<Float>]
        var place: SIMD2<Float>
        var row: Int

        var radiance: SIMD3<Float> {
            let top = fma(corners[1] - corners[0], place.x, corners[0])
            let bottom = fma(corners[3] - corners[2], place.x, corners[2])
            return fma(bottom - top, place.y, top)
        }
    }

    /// Around the seam, held at the poles.
    func environmentPatch(_ uv: SIMD2<Float>) -> EnvironmentPatch {
        let x = fma(uv.x, Float(blob.words[BlobLayout.Word.environmentWidth]), -0.5)
        let y = fma(uv.y, Float(blob.words[BlobLayout.Word.environmentHeight]), -0.5)
        let left = x.rounded(.down)
        let up = y.rounded(.down)
        let corners = environmentTexels(right: Int(left) + 1, below: Int(up) + 1)
        return EnvironmentPatch(
            corners: corners, place: [x - left, y - up], row: Int(up) + 1)
    }

    /// The texels around the corner that has `right` and `below` beyond it.
    private func environmentTexels(right: Int, below: Int) -> [SIMD3<Float>] {
        let width = Int(blob.words[BlobLayout.Word.environmentWidth])
        let height = Int(blob.words[BlobLayout.Word.environmentHeight])
        func texel(_ column: Int, _ row: Int) -> SIMD3<Float> {
            let row = min(max(row, 0), height - 1)
            return vector(.environmentTexels, UInt32(row * width + (column + width) % width))
        }
        return [
            texel(right - 1, below - 1), texel(right, below - 1), texel(right - 1, below),
            texel(right, below),
        ]
    }

    // MARK: - Drawing a direction

    /// Beside the brightest texel.
    private func brightness(_ texel: SIMD3<Float>) -> Float {
        let bright = luminance(texel) * header(BlobLayout.Word.environmentScale)
        return bright > 0x1p-30 ? bright : 0
    }

    /// Density per solid angle of drawing a direction, once the environment is asked.
    private func environmentDensity(_ patch: EnvironmentPatch, sine: Float) -> Float {
        let corners = patch.corners.map(brightness)
        let top = fma(corners[1] - corners[0], patch.place.x, corners[0])
        let bottom = fma(corners[3] - corners[2], patch.place.x, corners[2])
        let bright = fma(bottom - top, patch.place.y, top)
        let height = Int(blob.words[BlobLayout.Word.environmentHeight])
        let rowSine = Float(
            bitPattern: word(.environmentRows, UInt32(height + 1 + patch.row)))
        return Exact.div(
            bright * rowSine * header(BlobLayout.Word.environmentDensity),
            sine > 0x1p-20 ? sine : 0x1p-20)
    }

    /// Where `bits` fall in a table of running totals: the entry, and how far into it, 0..<1.
    private func pick(
        _ section: BlobLayout.Section, first: UInt32, count: UInt32, _ bits: UInt32
    ) -> (index: UInt32, within: Float) {
        let index = (0..<count - 1).first { word(section, first + $0) > bits } ?? count - 1
        let start = index == 0 ? 0 : word(section, first + index - 1)
        let width = word(section, first + index) &- start
        let within = Exact.div(Float(bits &- start), Float(width))
        return (index, within < 0x1.fffffep-1 ? within : 0x1.fffffep-1)
    }

    /// Where `share` of the area lies under a straight line from `low` at 0 to `high` at 1.
    private static func placeUnderLine(_ low: Float, _ high: Float, _ share: Float) -> Float {
        let squared = low * low
        let root = low + Exact.sqrt(fma(fma(high, high, -squared), share, squared))
        let place = root > 0x1p-36 ? Exact.div(share * (low + high), root) : share
        return place < 0x1.fffffep-1 ? place : 0x1.fffffep-1
    }

    /// Texture coordinates of a place in a patch; rows at the poles are half as high.
    private func coordinates(
        _ patch: (x: UInt32, y: UInt32), _ place: SIMD2<Float>
    ) -> SIMD2<Float> {
        let width = Float(blob.words[BlobLayout.Word.environmentWidth])
        let height = blob.words[BlobLayout.Word.environmentHeight]
        var x = Float(patch.x) + (place.x - 0.5)
        if x < 0 { x += width }
        let y: Float
        switch patch.y {
        case 0: y = place.y * 0.5
        case height: y = Float(height) + fma(place.y, 0.5, -0.5)
        default: y = Float(patch.y) + (place.y - 0.5)
        }
        return [
            Self.unitCoordinate(Exact.div(x, width)),
            Self.unitCoordinate(Exact.div(y, Float(height))),
        ]
    }

    /// A direction drawn by how bright the environment is, what it sends, and its density per solid
    /// angle.
    package func drawEnvironment(
        _ bits: (x: UInt32, y: UInt32)
    ) -> (direction: SIMD3<Float>, radiance: SIMD3<Float>, density: Float) {
        let width = blob.words[BlobLayout.Word.environmentWidth]
        let height = blob.words[BlobLayout.Word.environmentHeight]
        let row = pick(.environmentRows, first: 0, count: height + 1, bits.y)
        let column = pick(
            .environmentColumns, first: row.index * width, count: width, bits.x)
        let corners = environmentTexels(right: Int(column.index), below: Int(row.index))
            .map(brightness)
        let down = Self.placeUnderLine(
            corners[0] + corners[1], corners[2] + corners[3], row.within)
        let left = fma(corners[2] - corners[0], down, corners[0])
        let right = fma(corners[3] - corners[1], down, corners[1])
        let across = Self.placeUnderLine(left, right, column.within)
        let uv = coordinates((column.index, row.index), [across, down])
        let patch = environmentPatch(uv)
        let around = unitCircle(uv.x)
        let polar = unitCircle(uv.y * 0.5)
        let sine: Float = polar.y > 0 ? polar.y : 0
        return (
            [-around.x * sine, polar.x, -around.y * sine], patch.radiance,
            environmentDensity(patch, sine: sine)
        )
    }
}
