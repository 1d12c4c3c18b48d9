extension Scene {
    /// Triangles in world space.
    package var worldTriangles: Range<Int> {
        0..<(meshes.first?.triangles.lowerBound ?? triangles.count)
    }

    /// Vertices in world space.
    package var worldVertices: Range<Int> {
        0..<(meshes.first?.vertices.lowerBound ?? positions.count)
    }

    /// Triangles that a picture shows: each as often as it is used.
    public var drawnTriangleCount: Int {
        instances.reduce(worldTriangles.count) { $0 + meshes[$1.mesh].triangles.count }
    }

    /// The number of each instance's first triangle among all that are drawn: those in world space
    /// come first, then one instance behind the other.
    package var instanceStarts: [Int] {
        var next = worldTriangles.count
        return instances.map { instance in
            defer { next += meshes[instance.mesh].triangles.count }
            return next
        }
    }
}

/// Where drawn triangles are among those stored.
package struct DrawnTriangles: Sendable {
    private let worldCount: Int
    /// One behind each instance's last triangle.
    private let ends: [Int]
    /// Each instance's numbers less its triangles' places.
    private let shifts: [Int]

    package init(_ scene: Scene) {
        worldCount = scene.worldTriangles.count
        let starts = scene.instanceStarts
        ends = zip(scene.instances, starts).map { $1 + scene.meshes[$0.mesh].triangles.count }
        shifts = zip(scene.instances, starts).map {
            $1 - scene.meshes[$0.mesh].triangles.lowerBound
        }
    }

    /// The instance (nil for the world) and the stored triangle of a number; nil for one that
    /// nothing has.
    package func place(of number: Int) -> (instance: Int?, stored: Int)? {
        guard number >= worldCount else { return number < 0 ? nil : (nil, number) }
        guard let instance = ends.firstRange(endingBeyond: number) else { return nil }
        return (instance, number - shifts[instance])
    }
}

extension Scene {
    /// A drawn triangle's corners in the world.
    package func corners(
        ofDrawn number: Int, _ drawn: DrawnTriangles
    ) -> (SIMD3<Float>, SIMD3<Float>, SIMD3<Float>)? {
        guard let (instance, stored) = drawn.place(of: number) else { return nil }
        let placement = instance.map { instances[$0].placement }
        func corner(_ vertex: UInt32) -> SIMD3<Float> {
            let position = positions[Int(vertex)]
            return placement?.point(position) ?? position
        }
        let triangle = triangles[stored]
        return (corner(triangle.x), corner(triangle.y), corner(triangle.z))
    }
}

extension [Int] {
    /// The first of ranges that end at these places, one behind the other, to hold `place`.
    func firstRange(endingBeyond place: Int) -> Int? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] <= place { low = middle + 1 } else { high = middle }
        }
        return low < count ? low : nil
    }
}

// MARK: - Without instances

extension Scene {
    /// The same scene with every triangle in world space, as often as it is drawn, numbered alike.
    package func flattened() -> Scene {
        guard !instances.isEmpty || !meshes.isEmpty else { return self }
        var flat = self
        flat.meshes = []
        flat.instances = []
        flat.cut(triangles: worldTriangles.count, vertices: worldVertices.count)
        for instance in instances {
            let mesh = meshes[instance.mesh]
            let first = UInt32(flat.positions.count)
            let start = UInt32(mesh.vertices.lowerBound)
            let isMirrored = instance.placement.isMirroring
            for vertex in mesh.vertices {
                flat.positions.append(instance.placement.point(positions[vertex]))
                flat.appendFrame(
                    Affine(instance.placement), normals[vertex],
                    tangents[vertex] == .zero ? nil : tangents[vertex], isMirrored)
            }
            flat.uv0 += uv0[mesh.vertices]
            flat.uv1 += uv1[mesh.vertices]
            flat.colors += colors[mesh.vertices]
            for triangle in mesh.triangles {
                let t = triangles[triangle] &- SIMD3(repeating: start) &+ SIMD3(repeating: first)
                flat.triangles.append(isMirrored ? [t.x, t.z, t.y] : t)
                flat.triangleMaterials.append(triangleMaterials[triangle])
            }
        }
        return flat
    }

    private mutating func cut(triangles: Int, vertices: Int) {
        self.triangles.removeLast(self.triangles.count - triangles)
        triangleMaterials.removeLast(triangleMaterials.count - triangles)
        let spare = positions.count - vertices
        positions.removeLast(spare)
        normals.removeLast(spare)
        tangents.removeLast(spare)
        uv0.removeLast(spare)
        uv1.removeLast(spare)
        colors.removeLast(spare)
    }

    /// A vertex's normal and tangent, moved. Where a file's normal has no direction, up is taken:
    /// intersection uses the triangle's own plane in any case.
    mutating func appendFrame(
        _ transform: Affine, _ normal: SIMD3<Float>, _ tangent: SIMD4<Float>?, _ isMirrored: Bool
    ) {
        let moved = Vector.unit(transform.normal(Vector.double(normal))) ?? [0, 1, 0]
        normals.append(Vector.float(moved).withoutSubnormals)
        guard let tangent else {
            tangents.append(.zero)
            return
        }
        let along = transform.direction(Vector.double(SIMD3(tangent.x, tangent.y, tangent.z)))
        let unit = Vector.unit(along) ?? Vector.anyTangent(to: moved)
        let side: Float = (tangent.w < 0) != isMirrored ? -1 : 1
        tangents.append(SIMD4(Vector.float(unit).withoutSubnormals, side))
    }
}
