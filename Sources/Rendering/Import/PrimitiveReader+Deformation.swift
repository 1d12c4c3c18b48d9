internal import Core

extension PrimitiveReader {
    /// Morphs, then skins (glTF 2.0 §3.7.2.2, §3.7.3.3). A skinned geometry is in world space.
    mutating func deform(
        _ geometry: inout PrimitiveGeometry, _ deformation: Deformation
    ) throws(Failure) {
        try morph(&geometry, deformation.weights)
        guard let joints = deformation.joints else { return }
        guard primitive.attributes["JOINTS_0"] != nil else {
            warnings.append("no JOINTS_0: the skin is not applied, the node's transform is")
            return
        }
        try skin(&geometry, joints)
    }

    // MARK: Morph targets

    private mutating func morph(
        _ geometry: inout PrimitiveGeometry, _ weights: [Double]
    ) throws(Failure) {
        let targets = primitive.targets ?? []
        let active = weights.enumerated().filter { $0.element != 0 }
        guard !active.isEmpty else { return }
        let positions = try morphed(geometry.positions, "POSITION", targets, active)
        geometry.positions = positions.map { Vector.float($0) }
        let normals = try morphed(geometry.normals, "NORMAL", targets, active)
        geometry.normals = normals.map { Vector.float(Vector.unit($0) ?? .zero) }
        let given = geometry.tangents
        let tangents = try morphed(
            given.map { SIMD3($0.x, $0.y, $0.z) }, "TANGENT", targets, active)
        geometry.tangents = zip(tangents, given).map { tangent, given in
            SIMD4(Vector.float(Vector.unit(tangent) ?? .zero), given.w)
        }
        try morphCoordinates(&geometry, targets, active)
        try morphColors(&geometry, targets, active)
    }

    /// `base` and the weighted differences of all targets that count, in order of targets.
    private func morphed(
        _ base: [SIMD3<Float>], _ name: String, _ targets: [[String: Int]],
        _ active: [(offset: Int, element: Double)]
    ) throws(Failure) -> [Vector.Three] {
        var sums = base.map { Vector.double($0) }
        guard !sums.isEmpty else { return [] }
        for (target, weight) in active {
            guard let accessor = targets[target][name] else { continue }
            let values: [Float]
            do throws(Failure) {
                values = try floats(
                    accessor, lanes: 3, count: base.count, mustBeFloat: !mayBeQuantized)
            } catch {
                throw error.at("\(place).targets[\(target)].\(name)")
            }
            for index in sums.indices {
                let difference = SIMD3(
                    values[3 * index], values[3 * index + 1], values[3 * index + 2])
                sums[index] += Vector.double(difference) * weight
            }
        }
        return sums
    }

    // MARK: Skins

    private mutating func skin(
        _ geometry: inout PrimitiveGeometry, _ joints: [Affine]
    ) throws(Failure) {
        let influences = try influences(count: geometry.positions.count, jointCount: joints.count)
        var isMirrored = [Bool](repeating: false, count: geometry.positions.count)
        for vertex in geometry.positions.indices {
            let moved = influences.blend(joints, vertex)
            let point = moved.point(Vector.double(geometry.positions[vertex]))
            geometry.positions[vertex] = Vector.float(point)
            isMirrored[vertex] = moved.isMirroring
            if !geometry.normals.isEmpty {
                let normal = moved.normal(Vector.double(geometry.normals[vertex]))
                geometry.normals[vertex] = Vector.float(Vector.unit(normal) ?? .zero)
            }
            if !geometry.tangents.isEmpty {
                let given = geometry.tangents[vertex]
                let tangent = moved.direction(Vector.double(SIMD3(given.x, given.y, given.z)))
                geometry.tangents[vertex] = SIMD4(
                    Vector.float(Vector.unit(tangent) ?? .zero),
                    moved.isMirroring ? -given.w : given.w)
            }
        }
        for (index, triangle) in geometry.triangles.enumerated()
        where isMirrored[Int(triangle.x)] {
            geometry.triangles[index] = SIMD3(triangle.x, triangle.z, triangle.y)
        }
        geometry.isInWorld = true
    }

    /// All sets of joints and weights that the primitive has, checked.
    private mutating func influences(
        count: Int, jointCount: Int
    ) throws(Failure) -> VertexInfluences {
        var found = VertexInfluences(vertexCount: count)
        var set = 0
        while let joints = primitive.attributes["JOINTS_\(set)"] {
            guard let weights = primitive.attributes["WEIGHTS_\(set)"] else {
                throw Failure(.malformed, "\(place).attributes.WEIGHTS_\(set): expected, not there")
            }
            do throws(Failure) {
                found.joints.append(try self.joints(joints, count))
            } catch {
                throw error.at("\(place).attributes.JOINTS_\(set)")
            }
            do throws(Failure) {
                found.weights.append(
                    try floats(weights, lanes: 4, count: count, mustBeFloat: false))
            } catch {
                throw error.at("\(place).attributes.WEIGHTS_\(set)")
            }
            set += 1
        }
        let repaired: VertexInfluences.Repairs
        do throws(Failure) { repaired = try found.normalize(jointCount: jointCount) } catch {
            throw error.at(place)
        }
        if repaired.dropped > 0 {
            warnings.append("\(repaired.dropped) weights not finite or below 0, taken as 0")
        }
        if repaired.scaled > 0 {
            warnings.append("\(repaired.scaled) vertices' weights do not add up to 1: scaled")
        }
        if repaired.unweighted > 0 {
            warnings.append(
                "\(repaired.unweighted) vertices without weights follow their first joint")
        }
        return found
    }

    private func joints(_ index: Int, _ count: Int) throws(Failure) -> [Float] {
        let format = try accessors.format(index).format
        guard format.lanes == 4, [.uint8, .uint16].contains(format.component),
            !format.isNormalized
        else {
            throw Failure(
                .malformed, "accessor \(index): VEC4 of uint8 or uint16 expected, \(format) there")
        }
        // Whole numbers up to 65,535, which floats hold.
        return try floats(index, lanes: 4, count: count, mustBeFloat: false)
    }
}

/// Which joints move each vertex, and how much.
struct VertexInfluences {
    let vertexCount: Int
    /// For each set four numbers a vertex.
    var joints: [[Float]] = []
    var weights: [[Float]] = []

    struct Repairs {
        var dropped = 0
        var scaled = 0
        var unweighted = 0
    }

    init(vertexCount: Int) { self.vertexCount = vertexCount }

    /// Makes every vertex's weights add up to 1. Negative weights and those that are not numbers
    /// count as 0; a vertex without any follows its first joint.
    mutating func normalize(jointCount: Int) throws(Failure) -> Repairs {
        var repairs = Repairs()
        for vertex in 0..<vertexCount {
            var total = 0.0
            for set in weights.indices {
                for lane in 4 * vertex..<4 * vertex + 4 {
                    let weight = weights[set][lane]
                    guard weight > 0, weight.isFinite else {
                        if weight != 0 { repairs.dropped += 1 }
                        weights[set][lane] = 0
                        continue
                    }
                    let joint = Int(joints[set][lane])
                    guard joint < jointCount else {
                        throw Failure(
                            .malformed, "vertex \(vertex): joint \(joint) of \(jointCount)")
                    }
                    total += Double(weight)
                }
            }
            if total == 0 {
                guard Int(joints[0][4 * vertex]) < jointCount else {
                    throw Failure(
                        .malformed,
                        "vertex \(vertex): joint \(Int(joints[0][4 * vertex])) of \(jointCount)")
                }
                weights[0][4 * vertex] = 1
                repairs.unweighted += 1
            } else if (total - 1).magnitude > 0.01 {
                repairs.scaled += 1
            }
        }
        return repairs
    }

    /// The sum of the joints' transforms, each by its share of the vertex's weights.
    func blend(_ transforms: [Affine], _ vertex: Int) -> Affine {
        var sum = Affine.zero
        var total = 0.0
        for set in weights.indices {
            for lane in 4 * vertex..<4 * vertex + 4 where weights[set][lane] > 0 {
                let weight = Double(weights[set][lane])
                sum.add(transforms[Int(joints[set][lane])], times: weight)
                total += weight
            }
        }
        return sum.divided(by: total)
    }
}
