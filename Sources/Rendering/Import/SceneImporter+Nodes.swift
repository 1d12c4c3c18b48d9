internal import Core

/// A mesh where a node puts it.
struct MeshInstance {
    let mesh: Int
    let transform: Affine
    let node: Int
    /// What a skin and morph targets do to the mesh here; nil where it keeps its shape, so that all
    /// such instances of a mesh are one geometry.
    let deformation: Deformation?
}

extension SceneImporter {
    /// Collects the scene's meshes, and takes its lights and cameras, in the order of its nodes.
    func visitNodes() throws(Failure) -> [MeshInstance] {
        let (order, worlds) = try placeNodes()
        var instances: [MeshInstance] = []
        for index in order {
            let node = nodes[index]
            let world = worlds[index] ?? .identity
            do throws(Failure) {
                if let mesh = node.mesh {
                    let deformation = try deformation(index, worlds)
                    for transform in try placements(node, world, deformation) {
                        instances.append(
                            MeshInstance(
                                mesh: mesh, transform: transform, node: index,
                                deformation: deformation))
                    }
                    guard instances.count <= limits.instancesMax else {
                        throw Failure(.limit, "more than \(limits.instancesMax) instances")
                    }
                }
                if let camera = node.camera { try append(camera: camera, index, at: world) }
                if let light = node.extensions?.light?.light { try append(light: light, at: world) }
            } catch {
                throw error.at("nodes[\(index)]")
            }
        }
        return instances
    }

    /// The scene's nodes depth first, children in order, and each one's transform; nil for nodes
    /// that the scene does not hold.
    ///
    /// - Throws: ``Failure`` when a node is reached twice: glTF's nodes are trees.
    private func placeNodes() throws(Failure) -> (order: [Int], worlds: [Affine?]) {
        guard nodes.count <= limits.nodesMax else {
            throw Failure(
                .limit, "nodes: at most \(limits.nodesMax) expected, \(nodes.count) there")
        }
        var order: [Int] = []
        var worlds = [Affine?](repeating: nil, count: nodes.count)
        var pending = try roots().reversed().map { Pending(index: $0, namedBy: nil) }
        while let next = pending.popLast() {
            let index = next.index
            let node = try element(next)
            guard worlds[index] == nil else {
                throw Failure(
                    .malformed, "nodes[\(index)]: reached twice, by a cycle or two parents")
            }
            let world: Affine
            do throws(Failure) {
                world = next.world.after(try Affine(node))
                guard world.isFinite else { throw Failure(.malformed, "transform overflows") }
            } catch {
                throw error.at("nodes[\(index)]")
            }
            worlds[index] = world
            order.append(index)
            for child in (node.children ?? []).reversed() {
                pending.append(Pending(index: child, namedBy: index, world: world))
            }
        }
        return (order, worlds)
    }

    /// A node that was not visited yet.
    private struct Pending {
        let index: Int
        /// Its parent; nil for a root.
        let namedBy: Int?
        /// Where the parent is.
        var world = Affine.identity
    }

    private func element(_ pending: Pending) throws(Failure) -> GLTFDocument.Node {
        do throws(Failure) { return try nodes.element(pending.index, "node") } catch {
            let root = "scenes[\(document.scene ?? 0)].nodes"
            throw error.at(pending.namedBy.map { "nodes[\($0)].children" } ?? root)
        }
    }

    /// The scene's root nodes; in a file without scenes, the nodes that are nobody's child.
    private func roots() throws(Failure) -> [Int] {
        let scenes = document.scenes ?? []
        // One that is named is there.
        if !scenes.isEmpty || document.scene != nil {
            return try scenes.element(document.scene ?? 0, "scene").nodes ?? []
        }
        let children = Set(nodes.flatMap { $0.children ?? [] })
        return nodes.indices.filter { !children.contains($0) }
    }
}
