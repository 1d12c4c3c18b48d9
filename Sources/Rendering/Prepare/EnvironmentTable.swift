internal import Exact

/// How likely each direction of an environment is to be asked for light: as bright as it is,
/// between the middles of texels too, so that what a direction sends over its chance varies with
/// colour alone.
///
/// Patches lie between the middles of four texels: as many across as texels, around the seam, and
/// one row more than of texels, since half a row at each pole lies beyond any middle.
struct EnvironmentTable {
    /// ``ShareTable`` over rows of patches, and one a row over its patches.
    let rows: [UInt32]
    let columns: [UInt32]
    /// The sine of the polar angle at the middle of each row.
    let sines: [Float]
    /// One over the luminance of the brightest texel.
    let scale: Float
    /// A patch's brightness times its row's sine times this, over the sine of a place in it, is the
    /// density per solid angle of that place.
    let density: Float
    /// ∫ luminance over the sphere.
    let power: Double

    init(_ environment: Environment) {
        let width = environment.width
        let height = environment.height
        let luminances = environment.texels.map { Float(RenderBlob.luminance(RenderBlob.tame($0))) }
        let brightest = max(luminances.max() ?? 0, 0)
        let scale = brightest > 0 ? 1 / brightest : 1
        let texels = luminances.map { Self.brightness($0, scale: scale) }
        sines = (0...height).map { Self.sine(row: $0, of: height) }
        var columns: [UInt32] = []
        columns.reserveCapacity(width * (height + 1))
        var rowWeights: [Double] = []
        var weights = [Double](repeating: 0, count: width)
        for row in 0...height {
            let above = max(row - 1, 0) * width
            let below = min(row, height - 1) * width
            var sum = 0.0
            for x in 0..<width {
                let left = x == 0 ? width - 1 : x - 1
                let mean = texels[above + left] + texels[above + x] + texels[below + left]
                weights[x] = (mean + texels[below + x]) * 0.25
                sum += weights[x]
            }
            columns.append(contentsOf: ShareTable.make(weights))
            let part = row == 0 || row == height ? 0.5 : 1
            rowWeights.append(sum * Double(sines[row]) * part)
        }
        var total = 0.0
        for weight in rowWeights { total += weight }
        self.columns = columns
        rows = ShareTable.make(rowWeights)
        self.scale = scale
        // 2π² over the texels; the sine is in the sums.
        let solidAngle = 19.739208802178716 / Double(width * height)
        density = total > 0 ? Float(1 / (total * solidAngle)) : 0
        power = total * solidAngle * Double(brightest)
    }

    /// As kernels see it (`brightness` in `environment.cl`), but for rounding.
    private static func brightness(_ luminance: Float, scale: Float) -> Double {
        let bright = luminance * scale
        return bright > 0x1p-30 ? Double(bright) : 0
    }

    /// Rows lie between the middles of texels; the first and the last are half as high.
    private static func sine(row: Int, of height: Int) -> Float {
        let middle = row == 0 ? 0.25 : row == height ? Double(height) - 0.25 : Double(row)
        return Exact.sin(Float(middle / Double(height) * 3.141592653589793))
    }
}

extension Environment {
    /// The sky where a scene brings no environment: with y up, from the horizon's
    /// (0.85, 0.9, 1.0) to the zenith's (0.25, 0.45, 0.9) by √y, a soft sun of radiance
    /// 40 · (1.0, 0.93, 0.8) within 4° and fading to none at 8° around direction
    /// (0.5, 0.65, 0.57), and below the horizon a ground of (0.32, 0.3, 0.28), blended over 3°.
    package static let sky: Environment = {
        let width = 512
        let height = 256
        var texels: [SIMD3<Float>] = []
        texels.reserveCapacity(width * height)
        let columns = (0..<width).map { x in
            let longitude = (Float(x) + 0.5 - Float(width / 2)) * (0x1.921fb6p+2 / Float(width))
            return (cos: Exact.cos(longitude), sin: Exact.sin(longitude))
        }
        for y in 0..<height {
            let polar = (Float(y) + 0.5) * (0x1.921fb6p+1 / Float(height))
            let up = Exact.cos(polar)
            let out = Exact.sin(polar)
            for x in 0..<width {
                texels.append(skyRadiance([columns[x].cos * out, up, columns[x].sin * out]))
            }
        }
        return Environment(width: width, height: height, texels: texels)
    }()

    private static func skyRadiance(_ direction: SIMD3<Float>) -> SIMD3<Float> {
        let horizon = SIMD3<Float>(0.85, 0.9, 1.0)
        let zenith = SIMD3<Float>(0.25, 0.45, 0.9)
        let ground = SIMD3<Float>(0.32, 0.3, 0.28)
        let height = max(direction.y, 0)
        var radiance = horizon + (zenith - horizon) * Exact.sqrt(height)
        // sin 3° = 0.0523
        let below = min(max(-direction.y * 19.1, 0), 1)
        radiance += (ground - radiance) * below
        let sun = SIMD3<Float>(0.50062, 0.65080, 0.57071)
        let cosine = (direction * sun).sum()
        // cos 8° = 0.990268, cos 4° = 0.997564
        let glow = min(max((cosine - 0.990268) * 137.06, 0), 1)
        radiance += SIMD3<Float>(1.0, 0.93, 0.8) * (40 * glow * glow)
        return radiance
    }
}
