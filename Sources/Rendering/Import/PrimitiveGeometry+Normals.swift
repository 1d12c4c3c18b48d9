extension PrimitiveGeometry {
    /// The normal of triangle `index`, twice its area long; zero where it has none.
    private func areaNormal(_ triangle: SIMD3<UInt32>) -> Vector.Three {
        let a = Vector.double(positions[Int(triangle.x)])
        let b = Vector.double(positions[Int(triangle.y)])
        let c = Vector.double(positions[Int(triangle.z)])
        return Vector.cross(b - a, c - a)
    }

    /// Gives each triangle its own three vertices with its own normal, as glTF 2.0 §3.7.2.1 asks
    /// where a file has no normals. Its tangents are then void.
    mutating func makeFlat() {
        var flat = PrimitiveGeometry()
        flat.material = material
        flat.isInWorld = isInWorld
        for (index, triangle) in triangles.enumerated() {
            let normal = Vector.unit(areaNormal(triangle)) ?? [0, 1, 0]
            for lane in 0..<3 {
                let vertex = Int(triangle[lane])
                flat.positions.append(positions[vertex])
                flat.normals.append(Vector.float(normal))
                flat.uv0.append(uv0[vertex])
                flat.uv1.append(uv1[vertex])
                flat.colors.append(colors[vertex])
            }
            let first = UInt32(3 * index)
            flat.triangles.append(SIMD3(first, first + 1, first + 2))
        }
        self = flat
    }

    /// Makes tangents from positions, normals and the coordinates that `texture` is read with.
    ///
    /// Each triangle adds its directions of growing u and of falling v (glTF's green points up the
    /// picture), of unit length times the triangle's area, to its three vertices, in order of
    /// triangles. A vertex's tangent is the first sum made orthogonal to its normal (Gram-Schmidt);
    /// w is the side on which the second sum lies. Vertices are not split: where mirrored halves
    /// of a map share vertices, the larger half wins. The method is Lengyel's (Foundations of Game
    /// Engine Development 2, §7.5) with area weights, in doubles.
    mutating func makeTangents(for texture: TextureRef) {
        let uvs = (texture.uvSet == 0 ? uv0 : uv1).map(texture.transform.apply)
        var along = [Vector.Three](repeating: .zero, count: positions.count)
        var up = along
        for triangle in triangles {
            guard let (u, v) = directions(triangle, uvs) else { continue }
            for lane in 0..<3 {
                along[Int(triangle[lane])] += u
                up[Int(triangle[lane])] += v
            }
        }
        tangents = positions.indices.map { index in
            let given = Vector.double(normals[index])
            guard let normal = Vector.unit(given) else { return SIMD4(1, 0, 0, 1) }
            let onNormal = normal * Vector.dot(normal, along[index])
            let tangent = Vector.unit(along[index] - onNormal) ?? Vector.anyTangent(to: normal)
            let side = Vector.dot(Vector.cross(normal, tangent), up[index])
            return SIMD4(Vector.float(tangent), side < 0 ? -1 : 1)
        }
    }

    /// A triangle's directions of growing u and falling v, as long as twice its area; nil where its
    /// coordinates or its area are degenerate.
    private func directions(
        _ triangle: SIMD3<UInt32>, _ uvs: [SIMD2<Float>]
    ) -> (Vector.Three, Vector.Three)? {
        let (a, b, c) = (Int(triangle.x), Int(triangle.y), Int(triangle.z))
        let origin = Vector.double(positions[a])
        let e1 = Vector.double(positions[b]) - origin
        let e2 = Vector.double(positions[c]) - origin
        let u1 = Double(uvs[b].x) - Double(uvs[a].x)
        let v1 = Double(uvs[b].y) - Double(uvs[a].y)
        let u2 = Double(uvs[c].x) - Double(uvs[a].x)
        let v2 = Double(uvs[c].y) - Double(uvs[a].y)
        let determinant = u1 * v2 - u2 * v1
        guard determinant != 0 else { return nil }
        let sign: Double = determinant < 0 ? -1 : 1
        let cross = Vector.cross(e1, e2)
        let area = Vector.dot(cross, cross).squareRoot()
        guard area.isFinite, let u = Vector.unit((e1 * v2 - e2 * v1) * sign),
            let v = Vector.unit((e1 * u2 - e2 * u1) * sign)
        else { return nil }
        return (u * area, v * area)
    }
}
