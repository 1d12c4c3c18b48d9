internal import Core

/// Which uses of a mesh are instances of one that is stored once.
private struct MeshSharing {
    /// The primitives that are shared, in the mesh's space.
    var geometries: [PrimitiveGeometry] = []
    /// Those that each use has for itself.
    var others: [PrimitiveGeometry] = []
    /// The middle of what is shared: where its own space begins.
    var centre = Vector.Three.zero
    /// For each use that is an instance, which of the copies it uses: uses of very different size
    /// do not share one, for whose boxes are widened by what the smallest needs.
    var copies: [Int: Int] = [:]

    var triangleCount: Int { geometries.reduce(0) { $0 + $1.triangles.count } }
}

extension SceneImporter {
    /// Triangles that a mesh must have, and that sharing it must spare: for less, rays go through
    /// triangles in the world faster than in and out of a mesh's space.
    private static let sharedTrianglesMin = 12
    private static let sparedTrianglesMin = 4096
    /// A copy's uses differ in size by less than two to this power.
    private static let copyExponents = 6

    /// Adds all meshes' uses to the scene: triangles in world space, and behind them the meshes
    /// that instances share.
    func append(_ uses: [MeshInstance]) throws(Failure) {
        var usesOfMesh: [Int: [Int]] = [:]
        for (index, use) in uses.enumerated() where use.deformation == nil {
            usesOfMesh[use.mesh, default: []].append(index)
        }
        var sharings: [Int: MeshSharing] = [:]
        var order: [Int] = []
        for (index, use) in uses.enumerated() {
            var own: [PrimitiveGeometry]
            if use.deformation != nil {
                own = try read(mesh: use.mesh, use.deformation)
            } else {
                let others = usesOfMesh[use.mesh] ?? []
                if sharings[use.mesh] == nil {
                    order.append(use.mesh)
                    sharings[use.mesh] = sharing(
                        try read(mesh: use.mesh, nil), others.map { ($0, uses[$0].transform) })
                }
                let sharing = sharings[use.mesh] ?? MeshSharing()
                own = sharing.others
                if sharing.copies[index] == nil { own = sharing.all }
                // Nobody asks for it again.
                if index == others.last, sharing.copies.isEmpty { sharings[use.mesh] = nil }
            }
            let triangles = try append(own, of: use)
            scene.objects.append(SceneObject(name: name(of: use), triangles: triangles))
        }
        try appendShared(uses, order, sharings)
    }

    /// Decides which uses of a mesh become instances.
    private func sharing(
        _ geometries: [PrimitiveGeometry], _ uses: [(index: Int, transform: Affine)]
    ) -> MeshSharing {
        var sharing = MeshSharing()
        for geometry in geometries {
            let isShared =
                scene.materials[geometry.material].emissive.max() <= 0
                && geometry.positions.allSatisfy(\.isFinite)
            if isShared {
                sharing.geometries.append(geometry)
            } else {
                sharing.others.append(geometry)
            }
        }
        func isWorthwhile(_ count: Int) -> Bool {
            let triangles = sharing.triangleCount
            return triangles >= Self.sharedTrianglesMin
                && (count - 1) * triangles >= Self.sparedTrianglesMin
        }
        guard options.sharesMeshes, isWorthwhile(uses.count),
            let (centre, half) = Self.extent(of: sharing.geometries)
        else { return MeshSharing(others: geometries) }
        sharing.centre = centre
        let sizes = uses.compactMap { use in
            Self.size(use.transform, centre, half).map { (use.index, $0) }
        }
        guard let least = sizes.map(\.1).min() else { return MeshSharing(others: geometries) }
        var members: [Int: [Int]] = [:]
        for (index, size) in sizes {
            let copy = Int((size / least).exponent) / Self.copyExponents
            members[copy, default: []].append(index)
        }
        for (copy, indices) in members where isWorthwhile(indices.count) {
            for index in indices { sharing.copies[index] = copy }
        }
        return sharing.copies.isEmpty ? MeshSharing(others: geometries) : sharing
    }

    /// The middle of some primitives' box, and half its sides; nil without vertices.
    private static func extent(
        of geometries: [PrimitiveGeometry]
    ) -> (centre: Vector.Three, half: Vector.Three)? {
        var low = Vector.Three(repeating: .infinity)
        var high = -low
        for geometry in geometries {
            for position in geometry.positions {
                low = pointwiseMin(low, Vector.double(position))
                high = pointwiseMax(high, Vector.double(position))
            }
        }
        guard low.x <= high.x else { return nil }
        return ((low + high) / 2, (high - low) / 2)
    }

    /// How much smaller a use is than the mesh; nil where it cannot be an instance: where there is
    /// no way back from the world that is exact enough, or a corner is too far away.
    private static func size(
        _ transform: Affine, _ centre: Vector.Three, _ half: Vector.Three
    ) -> Double? {
        guard let inverse = Placement(transform.from(centre)).inverse else { return nil }
        let middle = transform.point(centre)
        for axis in 0..<3 {
            let reach =
                transform.x[axis].magnitude * half.x + transform.y[axis].magnitude * half.y
                + transform.z[axis].magnitude * half.z
            guard middle[axis].magnitude + reach < Double(coordinateMax) / 2,
                half[axis] < Double(coordinateMax) / 2
            else { return nil }
        }
        return [inverse.x, inverse.y, inverse.z].reduce(0) {
            max($0, $1.x.magnitude, $1.y.magnitude, $1.z.magnitude)
        }
    }

    /// Stores shared meshes once, in the order of their first uses, and then all instances.
    private func appendShared(
        _ uses: [MeshInstance], _ order: [Int], _ sharings: [Int: MeshSharing]
    ) throws(Failure) {
        var numbers: [Int: [Int: Int]] = [:]
        for mesh in order {
            guard let sharing = sharings[mesh] else { continue }
            for copy in Set(sharing.copies.values).sorted() {
                numbers[mesh, default: [:]][copy] = scene.meshes.count
                try store(sharing, "meshes[\(mesh)]")
            }
        }
        var drawn = scene.worldTriangles.count
        for (index, use) in uses.enumerated() {
            guard let sharing = sharings[use.mesh], let copy = sharing.copies[index],
                let number = numbers[use.mesh]?[copy]
            else { continue }
            drawn += scene.meshes[number].triangles.count
            guard drawn <= limits.drawnTrianglesMax else {
                throw Failure(
                    .limit,
                    "nodes[\(use.node)]: more than \(limits.drawnTrianglesMax) triangles drawn")
            }
            scene.instances.append(
                SceneInstance(
                    mesh: number, placement: Placement(use.transform.from(sharing.centre)),
                    object: index))
        }
    }

    private func store(_ sharing: MeshSharing, _ place: String) throws(Failure) {
        let (triangle, vertex) = (scene.triangles.count, scene.positions.count)
        var toCentre = Affine.identity
        toCentre.translation = -sharing.centre
        for geometry in sharing.geometries { try append(geometry, toCentre, place) }
        scene.meshes.append(
            SharedMesh(
                triangles: triangle..<scene.triangles.count,
                vertices: vertex..<scene.positions.count))
    }
}

extension MeshSharing {
    /// Everything, for a use that is no instance.
    fileprivate var all: [PrimitiveGeometry] { others + geometries }
}

extension Affine {
    /// The transform of what has its zero at `centre`.
    fileprivate func from(_ centre: Vector.Three) -> Affine {
        var moved = self
        moved.translation = point(centre)
        return moved
    }
}
