internal import Core

/// A mesh where a node puts it.
struct MeshInstance {
    let mesh: Int
    let transform: Affine
    let node: Int
}

extension SceneImporter {
    /// Walks the scene's nodes depth first, children in order, collecting meshes and taking lights
    /// and cameras on the way.
    ///
    /// - Throws: ``Failure`` when a node is reached twice: glTF's nodes are trees.
    func visitNodes() throws(Failure) -> [MeshInstance] {
        let nodes = document.nodes ?? []
        guard nodes.count <= limits.nodesMax else {
            throw Failure(
                .limit, "nodes: at most \(limits.nodesMax) expected, \(nodes.count) there")
        }
        var instances: [MeshInstance] = []
        var visited = [Bool](repeating: false, count: nodes.count)
        var pending = try roots().reversed().map { (index: $0, parent: Affine.identity) }
        while let (index, parent) = pending.popLast() {
            let node = try nodes.element(index, "node")
            guard !visited[index] else {
                throw Failure(
                    .malformed, "nodes[\(index)]: reached twice, by a cycle or two parents")
            }
            visited[index] = true
            let world: Affine
            do throws(Failure) {
                world = parent.after(try Affine(node))
                guard world.isFinite else { throw Failure(.malformed, "transform overflows") }
                if let mesh = node.mesh {
                    instances.append(MeshInstance(mesh: mesh, transform: world, node: index))
                }
                if node.skin != nil { warn("skins are not applied: meshes are in their bind pose") }
                if let camera = node.camera { try append(camera: camera, node, at: world) }
                if let light = node.extensions?.light?.light { try append(light: light, at: world) }
            } catch {
                throw error.at("nodes[\(index)]")
            }
            for child in (node.children ?? []).reversed() { pending.append((child, world)) }
        }
        return instances
    }

    /// The scene's root nodes; in a file without scenes, the nodes that are nobody's child.
    private func roots() throws(Failure) -> [Int] {
        if let scenes = document.scenes, !scenes.isEmpty {
            return try scenes.element(document.scene ?? 0, "scene").nodes ?? []
        }
        let nodes = document.nodes ?? []
        let children = Set(nodes.flatMap { $0.children ?? [] })
        return nodes.indices.filter { !children.contains($0) }
    }
}
