public import Core

/// The tree of a scene's triangles, with what depends on how large the scene is.
public struct SceneTree: Sendable {
    package let bvh: WideBvh
    /// How much each triangle's box is widened, on every side: more than the rounding of a slab's
    /// arithmetic.
    package let pad: Float
    /// How far off a surface a new ray begins.
    package let offset: Float

    /// Bytes of nodes and blocks.
    public var byteCount: Int { (bvh.nodes.count + bvh.blocks.count) * 4 }

    /// - Parameter lensRadius: how far from the camera's position rays may begin.
    /// - Throws: ``Failure`` when no tree is within the bounds that kernels have.
    public init(_ scene: Scene, camera: Camera, lensRadius: Float = 0) throws(Failure) {
        var largest: Float = Self.largest(camera.position) + lensRadius
        for position in scene.positions { largest = max(largest, Self.largest(position)) }
        largest = max(largest, 0x1p-20)
        pad = largest * 0x1p-18
        offset = largest * 0x1p-18

        let flags = scene.materials.map { material in
            (material.alphaMode == .opaque ? 0 : BlobLayout.primitiveAsk)
                | (material.isDoubleSided || material.transmission > 0
                    ? 0 : BlobLayout.primitiveSingleSided)
        }
        let pad = pad
        // Plain memory: counting references from all threads would cost more than the work.
        let result = scene.positions.withUnsafeBufferPointer { positions in
            scene.triangles.withUnsafeBufferPointer { triangles in
                scene.triangleMaterials.withUnsafeBufferPointer { materials in
                    flags.withUnsafeBufferPointer { flags in
                        Result { () throws(Failure) in
                            try WideBvh(count: triangles.count, pad: pad) { index in
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
        bvh = try result.get()
    }

    private static func largest(_ p: SIMD3<Float>) -> Float {
        max(p.x.magnitude, p.y.magnitude, p.z.magnitude)
    }
}
