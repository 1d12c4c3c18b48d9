internal import Core

/// One primitive's triangles in its mesh's own space, every index checked and every attribute as
/// long as `positions`.
struct PrimitiveGeometry {
    var positions: [SIMD3<Float>] = []
    var normals: [SIMD3<Float>] = []
    /// Empty where the material has no normal map.
    var tangents: [SIMD4<Float>] = []
    var uv0: [SIMD2<Float>] = []
    var uv1: [SIMD2<Float>] = []
    var colors: [SIMD4<Float>] = []
    var triangles: [SIMD3<UInt32>] = []
    /// Index into `Scene.materials`.
    var material = 0
    /// Whether a skin has placed it, so that its node's transform does not count.
    var isInWorld = false
}

extension GLTFDocument.Primitive {
    /// The shapes of glTF 2.0 §3.7.2.1 that have a surface.
    enum Mode: Int {
        case triangles = 4
        case strip, fan

        func triangleCount(corners: Int) -> Int {
            self == .triangles ? corners / 3 : max(corners - 2, 0)
        }

        /// Corner numbers of triangle `index`, wound as the specification says.
        func corners(_ index: Int) -> (Int, Int, Int) {
            switch self {
            case .triangles: (3 * index, 3 * index + 1, 3 * index + 2)
            case .strip: (index, index + 1 + index % 2, index + 2 - index % 2)
            case .fan: (index + 1, index + 2, 0)
            }
        }
    }
}

/// Reads a primitive's accessors into geometry.
struct PrimitiveReader {
    let accessors: GLTFAccessors
    /// Where the primitive is in the document, for messages.
    let place: String
    let primitive: GLTFDocument.Primitive
    /// The file's coordinate sets that the material's textures want.
    let sets: [Int]
    let needsTangents: Bool
    let mayBeQuantized: Bool
    var deformation: Deformation?
    /// What was put right on the way, for the user.
    var warnings: [String] = []

    /// Largest texture coordinate kept: beyond it a float has no bits left to address a texel with.
    static let coordinateMax: Float = 65_536

    mutating func read(mode: GLTFDocument.Primitive.Mode) throws(Failure) -> PrimitiveGeometry {
        var geometry = PrimitiveGeometry()
        let positions = try floats("POSITION", lanes: 3, mustBeFloat: !mayBeQuantized) ?? []
        let count = positions.count / 3
        geometry.positions = Self.threes(positions)
        geometry.triangles = try triangles(mode, vertexCount: count)
        geometry.colors = try colors(count)
        let uvs = try sets.map { set throws(Failure) in try coordinates(set, count) }
        let none = [SIMD2<Float>](repeating: .zero, count: count)
        geometry.uv0 = uvs.first ?? none
        geometry.uv1 = uvs.count > 1 ? uvs[1] : none

        let normals = try floats(
            "NORMAL", lanes: 3, count: count, mustBeFloat: !mayBeQuantized)
        if let normals {
            geometry.normals = Self.threes(normals)
            let tangents = try floats(
                "TANGENT", lanes: 4, count: count, mustBeFloat: !mayBeQuantized)
            if needsTangents, let tangents { geometry.tangents = Self.fours(tangents) }
        }
        if let deformation { try deform(&geometry, deformation) }
        if normals == nil { geometry.makeFlat() }
        return geometry
    }

    /// An attribute's floats; nil when the primitive lacks it.
    private func floats(
        _ name: String, lanes: Int, count: Int? = nil, mustBeFloat: Bool
    ) throws(Failure) -> [Float]? {
        guard let index = primitive.attributes[name] else { return nil }
        do throws(Failure) {
            return try floats(index, lanes: lanes, count: count, mustBeFloat: mustBeFloat)
        } catch {
            throw error.at("\(place).attributes.\(name)")
        }
    }

    /// An accessor's floats, held to a shape.
    func floats(
        _ index: Int, lanes: Int, count: Int?, mustBeFloat: Bool
    ) throws(Failure) -> [Float] {
        let (format, elements) = try accessors.format(index)
        guard format.lanes == lanes, format.component == .float || !mustBeFloat else {
            let wanted = mustBeFloat ? " float" : ""
            throw Failure(
                .malformed, "accessor \(index): VEC\(lanes)\(wanted) expected, \(format) there")
        }
        if let count, elements != count {
            throw Failure(
                .malformed, "accessor \(index): \(count) elements expected, \(elements) there")
        }
        return try accessors.floats(index)
    }

    private func triangles(
        _ mode: GLTFDocument.Primitive.Mode, vertexCount: Int
    ) throws(Failure) -> [SIMD3<UInt32>] {
        guard let index = primitive.indices else {
            return (0..<mode.triangleCount(corners: vertexCount)).map {
                let (a, b, c) = mode.corners($0)
                return SIMD3(UInt32(a), UInt32(b), UInt32(c))
            }
        }
        let indices: [UInt32]
        do throws(Failure) {
            indices = try accessors.integers(index)
            if let bad = indices.first(where: { $0 >= vertexCount }) {
                throw Failure(
                    .malformed, "accessor \(index): index \(bad) of \(vertexCount) vertices")
            }
        } catch {
            throw error.at("\(place).indices")
        }
        return (0..<mode.triangleCount(corners: indices.count)).map {
            let (a, b, c) = mode.corners($0)
            return SIMD3(indices[a], indices[b], indices[c])
        }
    }

    private mutating func colors(_ count: Int) throws(Failure) -> [SIMD4<Float>] {
        guard let index = primitive.attributes["COLOR_0"] else {
            return [SIMD4<Float>](repeating: .one, count: count)
        }
        let lanes: Int
        do throws(Failure) { lanes = try accessors.format(index).format.lanes } catch {
            throw error.at("\(place).attributes.COLOR_0")
        }
        let values =
            try floats("COLOR_0", lanes: lanes == 3 ? 3 : 4, count: count, mustBeFloat: false) ?? []
        // glTF has numbers beyond 0…1 clamped: that repairs nothing.
        let strange = values.count(where: \.isNaN)
        if strange > 0 { warnings.append("COLOR_0: \(strange) NaN, taken as 1") }
        func unit(_ value: Float) -> Float {
            value.isNaN ? 1 : Swift.min(Swift.max(value, 0), 1).withoutSubnormals
        }
        return (0..<count).map {
            let at = $0 * lanes
            return SIMD4(
                unit(values[at]), unit(values[at + 1]), unit(values[at + 2]),
                lanes == 4 ? unit(values[at + 3]) : 1)
        }
    }

    private mutating func coordinates(
        _ set: Int, _ count: Int
    ) throws(Failure) -> [SIMD2<Float>] {
        let name = "TEXCOORD_\(set)"
        guard let values = try floats(name, lanes: 2, count: count, mustBeFloat: false) else {
            warnings.append("\(name) is missing, taken as 0")
            return [SIMD2<Float>](repeating: .zero, count: count)
        }
        var dropped = 0
        let coordinates = (0..<count).map { element in
            let uv = SIMD2(values[2 * element], values[2 * element + 1])
            if uv.x.magnitude <= Self.coordinateMax, uv.y.magnitude <= Self.coordinateMax {
                return SIMD2(uv.x.withoutSubnormals, uv.y.withoutSubnormals)
            }
            dropped += 1
            return .zero
        }
        if dropped > 0 { warnings.append("\(name): \(dropped) out of range, taken as 0") }
        return coordinates
    }

    private static func threes(_ values: [Float]) -> [SIMD3<Float>] {
        stride(from: 0, to: values.count, by: 3).map {
            SIMD3(values[$0], values[$0 + 1], values[$0 + 2])
        }
    }

    private static func fours(_ values: [Float]) -> [SIMD4<Float>] {
        stride(from: 0, to: values.count, by: 4).map {
            SIMD4(values[$0], values[$0 + 1], values[$0 + 2], values[$0 + 3])
        }
    }
}
