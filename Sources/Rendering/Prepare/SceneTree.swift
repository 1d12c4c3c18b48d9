public import Core
internal import Dispatch

/// The tree of a scene's triangles, with what depends on how large the scene is.
public struct SceneTree: Sendable {
    package let bvh: WideBvh
    /// How much each triangle's box is widened, on every side: more than the rounding of a slab's
    /// arithmetic.
    package let pad: Float
    /// How far off a surface a new ray begins.
    package let offset: Float
    /// The world and all instances as kernels read them; empty in a scene without shared meshes.
    package private(set) var instances: [UInt32] = []

    /// Bytes of nodes, blocks and instances.
    public var byteCount: Int { (bvh.nodes.count + bvh.blocks.count + instances.count) * 4 }

    /// - Parameter lensRadius: how far from the camera's position rays may begin.
    /// - Throws: ``Failure`` when no tree is within the bounds that kernels have.
    public init(_ scene: Scene, camera: Camera, lensRadius: Float = 0) throws(Failure) {
        let boxes = Self.boxes(of: scene)
        var largest: Float = Self.largest(camera.position) + lensRadius
        for position in scene.positions[scene.worldVertices] {
            largest = max(largest, Self.largest(position))
        }
        for box in boxes { largest = max(largest, box.reach) }
        largest = max(largest, 0x1p-20)
        pad = largest * Self.padding
        offset = largest * 0x1p-18
        let world = try Self.tree(scene, scene.worldTriangles, pad: pad)
        guard !scene.meshes.isEmpty else {
            bvh = world
            return
        }
        let reaches = try Self.reaches(scene, from: largest)
        var meshes: [WideBvh] = []
        for (mesh, reach) in zip(scene.meshes, reaches) {
            meshes.append(try Self.tree(scene, mesh.triangles, pad: reach * Self.padding))
        }
        // Four pads, since a point's way to the mesh and back rounds more than once.
        let margin = SIMD4<Float>(pad, pad, pad, 0) * 4
        let widened = boxes.map { Box(low: $0.low - margin, high: $0.high + margin) }
        let hittable = zip(scene.instances, widened).map { instance, box in
            meshes[instance.mesh].nodeCount > 0 ? box : nil
        }
        let roots: [UInt32]
        (bvh, roots) = try WideBvh.joined(world: world, boxes: hittable, meshes: meshes)
        instances = InstanceRecord.world(scene, pad: pad).words
        instances.reserveCapacity(
            (scene.instances.count + 1) * BlobLayout.Section.instances.stride)
        for (index, start) in scene.instanceStarts.enumerated() {
            let mesh = scene.instances[index].mesh
            instances += try InstanceRecord(
                scene, index, start: start, root: roots[mesh],
                pad: reaches[mesh] * Self.padding, box: widened[index]
            ).words
        }
    }

    private static let padding: Float = 0x1p-18

    /// A tree over some of the scene's triangles.
    private static func tree(
        _ scene: Scene, _ range: Range<Int>, pad: Float
    ) throws(Failure) -> WideBvh {
        let flags = scene.materials.map { material in
            (material.alphaMode == .opaque ? 0 : BlobLayout.primitiveAsk)
                | (material.isDoubleSided || material.transmission > 0
                    ? 0 : BlobLayout.primitiveSingleSided)
        }
        let first = range.lowerBound
        // Plain memory: counting references from all threads would cost more than the work.
        let result = scene.positions.withUnsafeBufferPointer { positions in
            scene.triangles.withUnsafeBufferPointer { triangles in
                scene.triangleMaterials.withUnsafeBufferPointer { materials in
                    flags.withUnsafeBufferPointer { flags in
                        Result { () throws(Failure) in
                            try WideBvh(count: range.count, pad: pad) { place in
                                let index = first + place
                                let triangle = triangles[index]
                                return WideBvh.Corner(
                                    positions[Int(triangle.x)], positions[Int(triangle.y)],
                                    positions[Int(triangle.z)],
                                    word: UInt32(index) | flags[Int(materials[index])])
                            }
                        }
                    }
                }
            }
        }
        return try result.get()
    }

    private static func largest(_ p: SIMD3<Float>) -> Float {
        max(p.x.magnitude, p.y.magnitude, p.z.magnitude)
    }

    /// Where each instance is in the world, but for rounding: not fused, since what they are for is
    /// widened by more, and processors before 2013 would take a call for each product.
    static func boxes(of scene: Scene) -> [Box] {
        let count = scene.instances.count
        return scene.positions.withUnsafeBufferPointer { positions in
            [Box](unsafeUninitializedCapacity: count) { boxes, filled in
                nonisolated(unsafe) let (boxes, positions) = (boxes, positions)
                DispatchQueue.concurrentPerform(iterations: count) { index in
                    let instance = scene.instances[index]
                    let placement = instance.placement
                    let x = SIMD4(placement.x, 0)
                    let y = SIMD4(placement.y, 0)
                    let z = SIMD4(placement.z, 0)
                    let translation = SIMD4(placement.translation, 0)
                    var box = Box.empty
                    for vertex in scene.meshes[instance.mesh].vertices {
                        let p = positions[vertex]
                        box.unite(x * p.x + y * p.y + z * p.z + translation)
                    }
                    (boxes.baseAddress.unsafelyUnwrapped + index).initialize(to: box)
                }
                filled = count
            }
        }
    }

    /// The largest coordinate in each mesh's space of what rays have to do with: its own vertices,
    /// and their beginnings, which are at most `largest` in the world.
    private static func reaches(
        _ scene: Scene, from largest: Float
    ) throws(Failure) -> [Float] {
        var reaches = scene.meshes.map { mesh in
            scene.positions[mesh.vertices].reduce(0x1p-20) { max($0, Self.largest($1)) }
        }
        for (index, instance) in scene.instances.enumerated() {
            let inverse = try scene.inverse(ofInstance: index)
            for row in 0..<3 {
                let turned =
                    inverse.x[row].magnitude + inverse.y[row].magnitude
                    + inverse.z[row].magnitude
                let reach = turned * Double(largest) + inverse.translation[row].magnitude
                reaches[instance.mesh] = max(reaches[instance.mesh], Float(reach))
            }
        }
        return reaches
    }
}

extension Scene {
    func inverse(ofInstance index: Int) throws(Failure) -> Affine {
        guard let inverse = instances[index].placement.inverse else {
            throw Failure(
                .malformed,
                "scene: instance \(index): a transform with an inverse, and not too oblique, "
                    + "expected")
        }
        return inverse
    }
}
