internal import Core
internal import Exact
internal import Imaging

// EXT_lights_image_based.
extension GLTFDocument {
    struct ImageLights: Decodable {
        var lights: [ImageLight]
    }

    /// Prefiltered pictures and coefficients are not read: light is traced.
    struct ImageLight: Decodable {
        var rotation: [Double]?
        var intensity: Double?
        var specularImages: [[Int]]
    }

    struct SceneExtensions: Decodable {
        var imageLight: Reference?
        enum CodingKeys: String, CodingKey { case imageLight = "EXT_lights_image_based" }

        struct Reference: Decodable {
            var light: Int
        }
    }
}

extension SceneImporter {
    /// The environment that the scene brings along, if it does.
    func readImageLight() throws(Failure) {
        let scenes = document.scenes ?? []
        let number = document.scene ?? 0
        guard scenes.indices.contains(number),
            let index = scenes[number].extensions?.imageLight?.light
        else { return }
        do throws(Failure) {
            let lights = document.extensions?.imageLights?.lights ?? []
            let source = try lights.element(index, "light")
            guard let faces = source.specularImages.first, faces.count == 6 else {
                throw Failure(.malformed, "specularImages: six images expected")
            }
            var pictures: [ImageRGBA8] = []
            for face in faces { pictures.append(try decoded(face)) }
            let rotation = try Affine.numbers(source.rotation ?? [0, 0, 0, 1], 4, "rotation")
            owner = RangeOwner("image light", index, name: nil)
            let cube = try CubeMap(
                pictures, intensity: radiance(source.intensity ?? 1, "intensity"),
                rotation: rotation)
            scene.environment = cube.environment
        } catch {
            throw error.at("EXT_lights_image_based.lights[\(index)]")
        }
    }
}

/// Six pictures around a point, each as it looks from there, in RGBD: colours over alpha.
private struct CubeMap {
    private let faces: [[SIMD3<Float>]]
    private let side: Int
    /// From the world to the cube.
    private let turn: [SIMD3<Float>]

    private static let sideMax = 1024

    init(_ pictures: [ImageRGBA8], intensity scale: Float, rotation: [Double]) throws(Failure) {
        side = pictures[0].width
        let size = side
        guard (1...Self.sideMax).contains(size),
            pictures.allSatisfy({ $0.width == size && $0.height == size })
        else {
            throw Failure(
                .malformed,
                "specularImages: squares of one size, at most \(Self.sideMax), expected")
        }
        faces = pictures.map { picture in
            (0..<size * size).map { place in
                func channel(_ number: Int) -> Float {
                    SRGB.linear[Int(picture.pixels[4 * place + number])]
                }
                let divisor = max(Float(picture.pixels[4 * place + 3]), 1) / 255
                return SIMD3(channel(0), channel(1), channel(2)) * (scale / divisor)
            }
        }
        turn = try Self.rows(rotation)
    }

    /// Rows of the inverse of a unit quaternion's rotation.
    private static func rows(_ q: [Double]) throws(Failure) -> [SIMD3<Float>] {
        let squared = q.reduce(0) { $0 + $1 * $1 }
        guard squared > 1e-12, squared < 1e12 else {
            throw Failure(.malformed, "rotation: a unit quaternion expected")
        }
        let over = 1 / squared.squareRoot()
        let (x, y, z, w) = (q[0] * over, q[1] * over, q[2] * over, q[3] * over)
        let columns = [
            SIMD3(1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)),
            SIMD3(2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)),
            SIMD3(2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)),
        ]
        return columns.map { SIMD3<Float>($0) }
    }

    /// All of it as one picture, four faces wide.
    var environment: Environment {
        let (width, height) = (4 * side, 2 * side)
        let columns = (0..<width).map { column in
            let longitude =
                (Float(column) + 0.5 - Float(width / 2)) * (0x1.921fb6p+2 / Float(width))
            return SIMD2(Exact.cos(longitude), Exact.sin(longitude))
        }
        var texels: [SIMD3<Float>] = []
        texels.reserveCapacity(width * height)
        for row in 0..<height {
            let polar = (Float(row) + 0.5) * (0x1.921fb6p+1 / Float(height))
            let up = Exact.cos(polar)
            let out = Exact.sin(polar)
            for column in columns {
                let direction = SIMD3<Float>(column.x * out, up, column.y * out)
                texels.append(
                    radiance(
                        SIMD3<Float>(
                            (turn[0] * direction).sum(), (turn[1] * direction).sum(),
                            (turn[2] * direction).sum())))
            }
        }
        return Environment(width: width, height: height, texels: texels)
    }

    private func radiance(_ d: SIMD3<Float>) -> SIMD3<Float> {
        let size = SIMD3(d.x.magnitude, d.y.magnitude, d.z.magnitude)
        // Across to the right and down, as seen from inside; the top and the bottom lie as if the
        // viewer had looked toward +z before.
        if size.x >= size.y, size.x >= size.z {
            return d.x > 0 ? texel(0, d.z, -d.y, size.x) : texel(1, -d.z, -d.y, size.x)
        }
        if size.y >= size.z {
            return d.y > 0 ? texel(2, -d.x, d.z, size.y) : texel(3, -d.x, -d.z, size.y)
        }
        return d.z > 0 ? texel(4, -d.x, -d.y, size.z) : texel(5, d.x, -d.y, size.z)
    }

    /// Bilinear within a face.
    private func texel(
        _ face: Int, _ right: Float, _ down: Float, _ ahead: Float
    ) -> SIMD3<Float> {
        func place(_ offset: Float) -> (first: Int, second: Int, part: Float) {
            let at = (offset / ahead + 1) * 0.5 * Float(side) - 0.5
            let within = min(max(at, 0), Float(side - 1))
            let first = Int(within)
            return (first, min(first + 1, side - 1), within - Float(first))
        }
        let (x, y) = (place(right), place(down))
        let texels = faces[face]
        let top = texels[y.first * side + x.first]
        let topRight = texels[y.first * side + x.second]
        let bottom = texels[y.second * side + x.first]
        let bottomRight = texels[y.second * side + x.second]
        let upper = top + (topRight - top) * x.part
        let lower = bottom + (bottomRight - bottom) * x.part
        return upper + (lower - upper) * y.part
    }
}
