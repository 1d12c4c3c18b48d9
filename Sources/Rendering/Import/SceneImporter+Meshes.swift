internal import Core

extension SceneImporter {
    /// Largest coordinate kept, in metres: products of two differences then stay far from overflow.
    static let coordinateMax: Float = 0x1p40

    /// Adds primitives to the scene, in world space; the triangles they became.
    func append(
        _ geometries: [PrimitiveGeometry], of instance: MeshInstance
    ) throws(Failure) -> Range<Int> {
        let first = scene.triangles.count
        let droppedBefore = droppedTriangles.count
        for geometry in geometries {
            try append(
                geometry, geometry.isInWorld ? .identity : instance.transform,
                "nodes[\(instance.node)]")
        }
        if droppedTriangles.count > droppedBefore { droppedTriangles.uses += 1 }
        return first..<scene.triangles.count
    }

    func append(
        _ geometry: PrimitiveGeometry, _ transform: Affine, _ place: String
    ) throws(Failure) {
        try checkRoom(
            vertices: geometry.positions.count, triangles: geometry.triangles.count, place)
        append(geometry, transform)
    }

    func name(of instance: MeshInstance) -> String {
        let name = document.nodes?[instance.node].name ?? document.meshes?[instance.mesh].name
        return String((name ?? "node \(instance.node)").prefix(256))
    }

    private func checkRoom(vertices: Int, triangles: Int, _ place: String) throws(Failure) {
        guard scene.positions.count + vertices <= limits.verticesMax else {
            throw Failure(.limit, "\(place): more than \(limits.verticesMax) vertices in the scene")
        }
        guard scene.triangles.count + triangles <= limits.trianglesMax else {
            throw Failure(
                .limit, "\(place): more than \(limits.trianglesMax) triangles in the scene")
        }
    }

    func read(
        mesh index: Int, _ deformation: Deformation?
    ) throws(Failure) -> [PrimitiveGeometry] {
        let mesh = try (document.meshes ?? []).element(index, "mesh")
        var geometries: [PrimitiveGeometry] = []
        var vertices = 0
        var triangles = 0
        for (number, primitive) in mesh.primitives.enumerated() {
            let place = "meshes[\(index)].primitives[\(number)]"
            let geometry = try read(primitive, deformation, place, vertices, triangles)
            guard let geometry else { continue }
            vertices += geometry.positions.count
            triangles += geometry.triangles.count
            geometries.append(geometry)
        }
        return geometries
    }

    /// One primitive; nil, with a warning, where it has no surface.
    private func read(
        _ primitive: GLTFDocument.Primitive, _ deformation: Deformation?, _ place: String,
        _ vertices: Int, _ triangles: Int
    ) throws(Failure) -> PrimitiveGeometry? {
        let number = primitive.mode ?? 4
        guard (0...6).contains(number) else {
            throw Failure(.malformed, "\(place).mode: 0 to 6 expected, \(number) there")
        }
        guard let mode = GLTFDocument.Primitive.Mode(rawValue: number) else {
            warn("points and lines have no surface and are left out")
            return nil
        }
        guard let position = primitive.attributes["POSITION"] else {
            warn("\(place) has no POSITION and is left out")
            return nil
        }
        accessors.decoded = try decodedAttributes(primitive, place)
        defer { accessors.decoded = [:] }
        let vertexCount: Int
        do throws(Failure) { vertexCount = try accessors.format(position).count } catch {
            throw error.at("\(place).attributes.POSITION")
        }
        var corners = vertexCount
        if let indices = primitive.indices {
            do throws(Failure) { corners = try accessors.format(indices).count } catch {
                throw error.at("\(place).indices")
            }
        }
        let triangleCount = mode.triangleCount(corners: corners)
        let isFlat = primitive.attributes["NORMAL"] == nil
        try checkRoom(
            vertices: vertices + (isFlat ? max(vertexCount, 3 * triangleCount) : vertexCount),
            triangles: triangles + triangleCount, place)
        try checkTargets(primitive, deformation, vertexCount, place)

        let material = try material(materialIndex(primitive, place), "\(place).material")
        var reader = PrimitiveReader(
            accessors: accessors, place: place, primitive: primitive, sets: material.sets,
            needsTangents: material.tangentTexture != nil,
            mayBeQuantized: document.extensionsUsed?.contains("KHR_mesh_quantization") ?? false,
            deformation: deformation)
        var geometry = try reader.read(mode: mode)
        for line in reader.warnings { warn("\(place): \(line)", .repaired) }
        geometry.material = material.index
        if let texture = material.tangentTexture, geometry.tangents.isEmpty {
            geometry.makeTangents(for: texture)
        }
        return geometry
    }

    /// Checks all morph targets, used or not: a file shall not be sound at one time alone, and
    /// every buffer that some frame needs is read with the first.
    private func checkTargets(
        _ primitive: GLTFDocument.Primitive, _ deformation: Deformation?, _ vertexCount: Int,
        _ place: String
    ) throws(Failure) {
        let targets = primitive.targets ?? []
        for (index, target) in targets.enumerated() {
            for (name, accessor) in target.sorted(by: { $0.key < $1.key }) {
                let isKnown = ["POSITION", "NORMAL", "TANGENT", "COLOR_0"].contains(name)
                guard isKnown || name.hasPrefix("TEXCOORD_") else {
                    warn("morph targets' \(Self.printable(name)) is left out")
                    continue
                }
                do throws(Failure) {
                    try accessors.check(accessor, count: vertexCount)
                } catch {
                    throw error.at("\(place).targets[\(index)].\(name)")
                }
            }
        }
        guard let weights = deformation?.weights, !weights.isEmpty else { return }
        guard weights.count == targets.count else {
            throw Failure(
                .malformed,
                "\(place).targets: \(weights.count) expected, as in the mesh's other primitives, "
                    + "\(targets.count) there")
        }
        morphedVertexCount += vertexCount * weights.count { $0 != 0 }
        guard morphedVertexCount <= limits.morphedVerticesMax else {
            throw Failure(
                .limit, "\(place): more than \(limits.morphedVerticesMax) vertices to morph")
        }
    }

    /// Moves a primitive into the world and takes out what is not finite.
    private func append(_ geometry: PrimitiveGeometry, _ transform: Affine) {
        let first = UInt32(scene.positions.count)
        let isMirrored = transform.isMirroring
        var isBad = [Bool](repeating: false, count: geometry.positions.count)
        for (index, position) in geometry.positions.enumerated() {
            let moved = Vector.float(transform.point(Vector.double(position)))
            let fits = [moved.x, moved.y, moved.z].allSatisfy { $0.magnitude <= Self.coordinateMax }
            isBad[index] = !fits
            scene.positions.append(fits ? moved.withoutSubnormals : .zero)
        }
        appendFrames(geometry, transform, isMirrored)
        scene.uv0.append(contentsOf: geometry.uv0)
        scene.uv1.append(contentsOf: geometry.uv1)
        scene.colors.append(contentsOf: geometry.colors)

        for triangle in geometry.triangles {
            guard !isBad[Int(triangle.x)], !isBad[Int(triangle.y)], !isBad[Int(triangle.z)] else {
                droppedTriangles.count += 1
                continue
            }
            let moved = triangle &+ SIMD3(repeating: first)
            scene.triangles.append(isMirrored ? SIMD3(moved.x, moved.z, moved.y) : moved)
            scene.triangleMaterials.append(UInt32(geometry.material))
        }
    }

    /// Normals and tangents in world space.
    private func appendFrames(
        _ geometry: PrimitiveGeometry, _ transform: Affine, _ isMirrored: Bool
    ) {
        let hasTangents = !geometry.tangents.isEmpty
        for index in geometry.positions.indices {
            scene.appendFrame(
                transform, geometry.normals[index], hasTangents ? geometry.tangents[index] : nil,
                isMirrored)
        }
    }
}
