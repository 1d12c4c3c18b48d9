internal import Core

extension Scene {
    /// Most triangles that a picture may show, each as often as it is used: their numbers stay
    /// clear of the marks that primitive words have.
    static let drawnTrianglesMax = 1 << 29

    /// Checks that shared meshes lie one behind the other at the arrays' ends, name no vertices but
    /// their own, do not shine, and that instances name what is there.
    func checkInstances() throws(Failure) {
        var (triangle, vertex) = (worldTriangles.count, worldVertices.count)
        guard triangle >= 0, vertex >= 0 else {
            throw Failure(.malformed, "scene: mesh 0: out of range")
        }
        try checkCorners(worldTriangles, worldVertices, "triangles in world space")
        for (index, mesh) in meshes.enumerated() {
            guard mesh.triangles.lowerBound == triangle, mesh.vertices.lowerBound == vertex,
                mesh.triangles.upperBound <= triangles.count,
                mesh.vertices.upperBound <= positions.count, !mesh.vertices.isEmpty
            else { throw Failure(.malformed, "scene: mesh \(index): out of range") }
            try checkCorners(mesh.triangles, mesh.vertices, "mesh \(index)")
            for triangle in mesh.triangles
            where materials[Int(triangleMaterials[triangle])].emissive.max() > 0 {
                throw Failure(
                    .malformed, "scene: mesh \(index): its triangles shine: none shared expected")
            }
            (triangle, vertex) = (mesh.triangles.upperBound, mesh.vertices.upperBound)
        }
        guard meshes.isEmpty || (triangle == triangles.count && vertex == positions.count) else {
            throw Failure(.malformed, "scene: triangles behind those of all meshes")
        }
        try checkUses()
    }

    private func checkCorners(
        _ range: Range<Int>, _ vertices: Range<Int>, _ what: String
    ) throws(Failure) {
        guard !meshes.isEmpty else { return }
        let (low, high) = (UInt32(vertices.lowerBound), UInt32(vertices.upperBound))
        for triangle in triangles[range]
        where triangle.min() < low || triangle.max() >= high {
            throw Failure(.malformed, "scene: \(what): others' vertices")
        }
    }

    private func checkUses() throws(Failure) {
        for (index, instance) in instances.enumerated() {
            guard meshes.indices.contains(instance.mesh),
                instance.object.map(objects.indices.contains) ?? true
            else { throw Failure(.malformed, "scene: instance \(index): index out of range") }
            _ = try inverse(ofInstance: index)
        }
        for (index, box) in SceneTree.boxes(of: self).enumerated()
        where box.reach >= 0x1p40 {
            throw Failure(.limit, "scene: instance \(index): a coordinate below 2^40 expected")
        }
        guard drawnTriangleCount <= Self.drawnTrianglesMax else {
            throw Failure(
                .limit,
                "scene: \(drawnTriangleCount) triangles drawn, at most \(Self.drawnTrianglesMax) "
                    + "expected")
        }
    }
}
