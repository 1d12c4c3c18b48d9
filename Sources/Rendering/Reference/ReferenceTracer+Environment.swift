internal import Exact

/// Light from all around: an equirectangular picture, and a table of cells to draw directions from.
extension ReferenceTracer {
    /// The light of a path whose ray left the scene.
    func escapedRadiance(_ path: Path) -> SIMD3<Float> {
        let d = path.direction
        let uv = environmentCoordinates(d)
        var weight: Float = 1
        if path.density > 0 {
            let squared = fma(d.x, d.x, d.z * d.z)
            let sine = squared > 0x1p-40 ? Exact.sqrt(squared) : 0x1p-20
            let other =
                environmentDensity(uv, sine: sine) * header(BlobLayout.Word.environmentChance)
            weight = Self.balance(path.density, other)
        }
        return path.throughput * environmentRadiance(uv) * weight
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

    /// Bilinear, around the seam, held at the poles.
    func environmentRadiance(_ uv: SIMD2<Float>) -> SIMD3<Float> {
        let width = Int(blob.words[BlobLayout.Word.environmentWidth])
        let height = Int(blob.words[BlobLayout.Word.environmentHeight])
        let x = fma(uv.x, Float(width), -0.5)
        let y = fma(uv.y, Float(height), -0.5)
        let left = x.rounded(.down)
        let up = y.rounded(.down)
        func texel(_ column: Int, _ row: Int) -> SIMD3<Float> {
            let row = min(max(row, 0), height - 1)
            return vector(.environmentTexels, UInt32(row * width + (column + width) % width))
        }
        let a = texel(Int(left), Int(up))
        let b = texel(Int(left) + 1, Int(up))
        let c = texel(Int(left), Int(up) + 1)
        let d = texel(Int(left) + 1, Int(up) + 1)
        let top = fma(b - a, x - left, a)
        let bottom = fma(d - c, x - left, c)
        return fma(bottom - top, y - up, top)
    }

    // MARK: - Drawing a direction

    /// Density per solid angle of drawing a direction, once the environment is asked.
    private func environmentDensity(_ uv: SIMD2<Float>, sine: Float) -> Float {
        let wide = blob.words[BlobLayout.Word.cellsWide]
        let high = blob.words[BlobLayout.Word.cellsHigh]
        let x = min(UInt32(uv.x * Float(wide)), wide - 1)
        let y = min(UInt32(uv.y * Float(high)), high - 1)
        let row = share(.environmentRows, first: 0, y)
        let cell = share(.environmentColumns, first: y * wide, x)
        return Exact.div(
            row * cell * header(BlobLayout.Word.cellDensity), sine > 0x1p-20 ? sine : 0x1p-20)
    }

    /// Part of a table of running totals that belongs to entry `index`.
    private func share(_ section: BlobLayout.Section, first: UInt32, _ index: UInt32) -> Float {
        let before = index == 0 ? 0 : word(section, first + index - 1)
        return Float(word(section, first + index) &- before) * 0x1p-32
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

    /// A direction drawn by how bright the environment is, its coordinates and density.
    func drawEnvironment(
        _ bits: (x: UInt32, y: UInt32)
    ) -> (direction: SIMD3<Float>, uv: SIMD2<Float>, density: Float) {
        let wide = blob.words[BlobLayout.Word.cellsWide]
        let high = blob.words[BlobLayout.Word.cellsHigh]
        let row = pick(.environmentRows, first: 0, count: high, bits.y)
        let column = pick(.environmentColumns, first: row.index * wide, count: wide, bits.x)
        let uv = SIMD2<Float>(
            Exact.div(Float(column.index) + column.within, Float(wide)),
            Exact.div(Float(row.index) + row.within, Float(high)))
        let around = unitCircle(uv.x)
        let down = unitCircle(uv.y * 0.5)
        let sine: Float = down.y > 0 ? down.y : 0
        return (
            [-around.x * sine, down.x, -around.y * sine], uv, environmentDensity(uv, sine: sine)
        )
    }
}
