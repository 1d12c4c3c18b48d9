internal import Exact

/// How likely each direction of an environment is to be asked for light.
struct EnvironmentTable {
    /// Cells along longitude and latitude; whole texels each, at most ``sideMax`` wide.
    let wide: Int
    let high: Int
    /// ``ShareTable`` over rows, and one a row over its cells.
    let rows: [UInt32]
    let columns: [UInt32]
    /// ∫ luminance over the sphere.
    let power: Double

    static let sideMax = 512

    init(_ environment: Environment) {
        let step = (environment.width + Self.sideMax - 1) / Self.sideMax
        wide = (environment.width + step - 1) / step
        high = (environment.height + step - 1) / step
        let brightness = Self.brightness(environment, step: step, wide: wide, high: high)
        var columns: [UInt32] = []
        columns.reserveCapacity(wide * high)
        var rowWeights: [Double] = []
        var power = 0.0
        for y in 0..<high {
            // Neighbours count a little: filtering carries their light over the edge.
            var weights: [Double] = []
            weights.reserveCapacity(wide)
            var sum = 0.0
            let row = y * wide
            let above = max(y - 1, 0) * wide
            let below = min(y + 1, high - 1) * wide
            for x in 0..<wide {
                let beside =
                    brightness[row + (x == 0 ? wide - 1 : x - 1)]
                    + brightness[row + (x == wide - 1 ? 0 : x + 1)]
                let around = beside + brightness[above + x] + brightness[below + x]
                weights.append(brightness[row + x] + around * 0.0625)
                sum += brightness[row + x]
            }
            columns.append(contentsOf: ShareTable.make(weights))
            let sine = Self.sine(row: y, of: high)
            var rowWeight = 0.0
            for weight in weights { rowWeight += weight }
            rowWeights.append(rowWeight * sine)
            power += sum * sine
        }
        self.columns = columns
        rows = ShareTable.make(rowWeights)
        // 2π² over the cells; the sine is in the sums.
        let cellSolidAngle = 19.739208802178716 / Double(wide * high)
        self.power = power * cellSolidAngle
    }

    /// sin of the polar angle at the middle of a row.
    private static func sine(row: Int, of high: Int) -> Double {
        let angle = (Double(row) + 0.5) / Double(high) * 3.141592653589793
        return Double(Exact.sin(Float(angle)))
    }

    /// Mean luminance of each cell.
    private static func brightness(
        _ environment: Environment, step: Int, wide: Int, high: Int
    ) -> [Double] {
        var cells = [Double](repeating: 0, count: wide * high)
        let scale = 1 / Double(step * step)
        environment.texels.withUnsafeBufferPointer { texels in
            for y in 0..<environment.height {
                let row = y / step * wide
                for x in 0..<environment.width {
                    let texel = texels[y * environment.width + x]
                    let luminance = RenderBlob.luminance(texel)
                    cells[row + x / step] += luminance * scale
                }
            }
        }
        return cells
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
