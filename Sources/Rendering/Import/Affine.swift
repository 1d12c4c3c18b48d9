internal import Core

/// Double-precision vectors by explicit operations in a fixed order: + − × ÷ √ alone, no libm, so
/// that every machine gets the same bits.
enum Vector {
    typealias Three = SIMD3<Double>

    static func dot(_ a: Three, _ b: Three) -> Double { (a.x * b.x + a.y * b.y) + a.z * b.z }

    static func cross(_ a: Three, _ b: Three) -> Three {
        Three(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
    }

    /// The unit vector along `a`; nil when it has no direction or is not finite.
    static func unit(_ a: Three) -> Three? {
        let largest = max(a.x.magnitude, a.y.magnitude, a.z.magnitude)
        guard largest > 0, largest.isFinite else { return nil }
        let scaled = Three(a.x / largest, a.y / largest, a.z / largest)
        let length = dot(scaled, scaled).squareRoot()
        return Three(scaled.x / length, scaled.y / length, scaled.z / length)
    }

    /// Some unit vector at a right angle to the unit vector `normal`.
    static func anyTangent(to normal: Three) -> Three {
        let axis: Three = normal.x.magnitude < 0.5 ? [1, 0, 0] : [0, 1, 0]
        return unit(cross(axis, normal)) ?? [0, 0, 1]
    }

    static func double(_ a: SIMD3<Float>) -> Three { Three(Double(a.x), Double(a.y), Double(a.z)) }

    static func float(_ a: Three) -> SIMD3<Float> { SIMD3(Float(a.x), Float(a.y), Float(a.z)) }
}

extension Float {
    /// Zero for subnormal numbers, which some devices drop and some keep.
    var withoutSubnormals: Float { magnitude < .leastNormalMagnitude ? 0 : self }
}

extension SIMD3<Float> {
    var withoutSubnormals: Self {
        Self(x.withoutSubnormals, y.withoutSubnormals, z.withoutSubnormals)
    }
    var isFinite: Bool { x.isFinite && y.isFinite && z.isFinite }
}

/// A node's transform: x ↦ (x·columns) + translation.
struct Affine {
    var x: Vector.Three = [1, 0, 0]
    var y: Vector.Three = [0, 1, 0]
    var z: Vector.Three = [0, 0, 1]
    var translation: Vector.Three = .zero

    static let identity = Affine()

    static let zero = Affine(x: .zero, y: .zero, z: .zero, translation: .zero)

    func direction(_ a: Vector.Three) -> Vector.Three {
        Vector.Three(
            (x.x * a.x + y.x * a.y) + z.x * a.z,
            (x.y * a.x + y.y * a.y) + z.y * a.z,
            (x.z * a.x + y.z * a.y) + z.z * a.z)
    }

    func point(_ a: Vector.Three) -> Vector.Three { direction(a) + translation }

    /// Where a normal points after the transform, not of unit length: the transform's cofactors,
    /// which are its inverse transpose times its determinant, with the determinant's sign undone.
    func normal(_ a: Vector.Three) -> Vector.Three {
        let moved = cofactors.direction(a)
        return isMirroring ? -moved : moved
    }

    var cofactors: Affine {
        Affine(x: Vector.cross(y, z), y: Vector.cross(z, x), z: Vector.cross(x, y))
    }

    /// Whether the transform turns right hands into left ones, and so reverses winding.
    var isMirroring: Bool { Vector.dot(x, Vector.cross(y, z)) < 0 }

    /// `self` applied after `inner`.
    func after(_ inner: Affine) -> Affine {
        Affine(
            x: direction(inner.x), y: direction(inner.y), z: direction(inner.z),
            translation: point(inner.translation))
    }

    mutating func add(_ other: Affine, times weight: Double) {
        x += other.x * weight
        y += other.y * weight
        z += other.z * weight
        translation += other.translation * weight
    }

    func divided(by divisor: Double) -> Affine {
        Affine(
            x: x / divisor, y: y / divisor, z: z / divisor, translation: translation / divisor)
    }

    var isFinite: Bool {
        [x, y, z, translation].allSatisfy { $0.x.isFinite && $0.y.isFinite && $0.z.isFinite }
    }
}

extension Affine {
    /// A node's own transform (glTF 2.0 §3.5.2): `matrix`, or translation · rotation · scale.
    ///
    /// - Throws: ``Failure`` when a field has the wrong length, is not finite or not affine.
    init(_ node: GLTFDocument.Node) throws(Failure) {
        if let matrix = node.matrix {
            let m = try Self.numbers(matrix, 16, "matrix")
            guard m[3] == 0, m[7] == 0, m[11] == 0, m[15] == 1 else {
                throw Failure(.malformed, "matrix: a last row of 0 0 0 1 expected")
            }
            self.init(
                x: [m[0], m[1], m[2]], y: [m[4], m[5], m[6]], z: [m[8], m[9], m[10]],
                translation: [m[12], m[13], m[14]])
            return
        }
        try self.init(
            translation: node.translation, rotation: node.rotation, scale: node.scale)
    }

    /// Translation · rotation · scale; what is nil changes nothing.
    init(translation: [Double]?, rotation: [Double]?, scale: [Double]?) throws(Failure) {
        let t = try Self.numbers(translation ?? [0, 0, 0], 3, "translation")
        let s = try Self.numbers(scale ?? [1, 1, 1], 3, "scale")
        let r = try Self.numbers(rotation ?? [0, 0, 0, 1], 4, "rotation")
        let length = ((r[0] * r[0] + r[1] * r[1]) + (r[2] * r[2] + r[3] * r[3])).squareRoot()
        guard length > 1e-6, length < 1e6 else {
            throw Failure(.malformed, "rotation: a unit quaternion expected")
        }
        let isUnit = (length - 1).magnitude < 1e-12
        let q = isUnit ? r : r.map { $0 / length }
        self = Self.rotation(q[0], q[1], q[2], q[3])
        x *= s[0]
        y *= s[1]
        z *= s[2]
        self.translation = [t[0], t[1], t[2]]
    }

    private static func rotation(_ x: Double, _ y: Double, _ z: Double, _ w: Double) -> Affine {
        Affine(
            x: [1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w)],
            y: [2 * (x * y - z * w), 1 - 2 * (x * x + z * z), 2 * (y * z + x * w)],
            z: [2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x * x + y * y)])
    }

    /// Exactly `count` finite numbers.
    static func numbers(
        _ values: [Double], _ count: Int, _ name: String
    ) throws(Failure) -> [Double] {
        guard values.count == count else {
            throw Failure(.malformed, "\(name): \(count) numbers expected, \(values.count) there")
        }
        guard values.allSatisfy(\.isFinite) else {
            throw Failure(.malformed, "\(name): finite numbers expected")
        }
        return values
    }
}
