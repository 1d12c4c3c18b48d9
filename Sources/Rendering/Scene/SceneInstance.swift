/// A mesh that instances share: it is stored once, in its own space. Its triangles and vertices lie
/// in the scene's arrays, behind those that are in world space.
public struct SharedMesh: Sendable, Hashable {
    public var triangles: Range<Int>
    public var vertices: Range<Int>

    public init(triangles: Range<Int>, vertices: Range<Int>) {
        self.triangles = triangles
        self.vertices = vertices
    }
}

/// A use of a shared mesh.
public struct SceneInstance: Sendable, Hashable {
    /// Index into ``Scene/meshes``.
    public var mesh: Int
    public var placement: Placement
    /// Index into ``Scene/objects``; nil where the scene names none.
    public var object: Int?

    public init(mesh: Int, placement: Placement, object: Int? = nil) {
        self.mesh = mesh
        self.placement = placement
        self.object = object
    }
}

/// An affine transform: x ↦ (x·columns) + translation.
public struct Placement: Sendable, Hashable {
    public var x: SIMD3<Float>
    public var y: SIMD3<Float>
    public var z: SIMD3<Float>
    public var translation: SIMD3<Float>

    public init(
        x: SIMD3<Float> = [1, 0, 0], y: SIMD3<Float> = [0, 1, 0], z: SIMD3<Float> = [0, 0, 1],
        translation: SIMD3<Float> = .zero
    ) {
        self.x = x
        self.y = y
        self.z = z
        self.translation = translation
    }

    /// Where a point of the mesh is in the world, with kernels' rounding.
    package func point(_ p: SIMD3<Float>) -> SIMD3<Float> {
        translation.addingProduct(z, p.z).addingProduct(y, p.y).addingProduct(x, p.x)
    }

    /// Whether right hands become left ones.
    package var isMirroring: Bool { Vector.dot(columns.0, Vector.cross(columns.1, columns.2)) < 0 }

    private var columns: (Vector.Three, Vector.Three, Vector.Three) {
        (Vector.double(x), Vector.double(y), Vector.double(z))
    }

    /// Largest number that takes a point's error in the mesh's space back into the world.
    private static let conditionMax = 8.0
    private static let sizeMax = 0x1p20
    private static let translationMax: Float = 0x1p40

    /// The way back into the mesh's space; nil where an instance could not be exact enough: for
    /// transforms without an inverse, that flatten, shear or scale beyond all measure, or hold
    /// what is no number. Rays would miss there what they should hit.
    var inverse: Affine? {
        let (x, y, z) = columns
        let determinant = Vector.dot(x, Vector.cross(y, z))
        guard determinant != 0, determinant.isFinite else { return nil }
        let rows = [Vector.cross(y, z), Vector.cross(z, x), Vector.cross(x, y)].map {
            $0 / determinant
        }
        let back = Affine(
            x: [rows[0].x, rows[1].x, rows[2].x], y: [rows[0].y, rows[1].y, rows[2].y],
            z: [rows[0].z, rows[1].z, rows[2].z])
        let size = rows.map(Self.norm).max() ?? 0
        let lengths = [x, y, z].map { Vector.dot($0, $0).squareRoot() }
        guard size < Self.sizeMax, size > 1 / Self.sizeMax, back.isFinite,
            lengths.max() ?? 0 < Self.sizeMax * (lengths.min() ?? 0)
        else { return nil }
        for row in 0..<3 {
            let forth: Vector.Three = [x[row].magnitude, y[row].magnitude, z[row].magnitude]
            let condition = (0..<3).reduce(0) { sum, column in
                sum + forth[0] * rows[0][column].magnitude + forth[1] * rows[1][column].magnitude
                    + forth[2] * rows[2][column].magnitude
            }
            guard condition <= Self.conditionMax,
                translation[row].magnitude < Self.translationMax
            else { return nil }
        }
        var inverse = back
        inverse.translation = -back.direction(Vector.double(translation))
        return inverse
    }

    private static func norm(_ row: Vector.Three) -> Double {
        row.x.magnitude + row.y.magnitude + row.z.magnitude
    }
}

extension Affine {
    init(_ placement: Placement) {
        self.init(
            x: Vector.double(placement.x), y: Vector.double(placement.y),
            z: Vector.double(placement.z), translation: Vector.double(placement.translation))
    }
}

extension Placement {
    /// An affine transform, rounded.
    init(_ transform: Affine) {
        self.init(
            x: Vector.float(transform.x), y: Vector.float(transform.y),
            z: Vector.float(transform.z), translation: Vector.float(transform.translation))
    }
}
