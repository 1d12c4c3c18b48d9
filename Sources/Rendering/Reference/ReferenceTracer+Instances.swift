internal import Exact

/// Shared meshes in the world. In a scene that has instances, the world is one of them.
extension ReferenceTracer {
    private var hasInstances: Bool { blob.count(.instances) > 0 }

    /// A drawn triangle's number less its place among those stored.
    func shift(of instance: UInt32) -> UInt32 {
        hasInstances ? word(.instances, instance, BlobLayout.InstanceWord.shift) : 0
    }

    /// −1 where right hands become left ones, else 1.
    func handedness(of instance: UInt32) -> Float {
        hasInstances ? float(.instances, instance, BlobLayout.InstanceWord.handedness) : 1
    }

    /// A point times the rows at a word of an instance.
    func moved(_ p: SIMD3<Float>, by word: Int, of instance: UInt32) -> SIMD3<Float> {
        func row(_ row: Int) -> Float {
            let v = vector(.instances, instance, word + 4 * row)
            let shift = float(.instances, instance, word + 4 * row + 3)
            return fma(v.x, p.x, fma(v.y, p.y, fma(v.z, p.z, shift)))
        }
        return [row(0), row(1), row(2)]
    }

    func turned(_ d: SIMD3<Float>, by word: Int, of instance: UInt32) -> SIMD3<Float> {
        func row(_ row: Int) -> Float { dot(vector(.instances, instance, word + 4 * row), d) }
        return [row(0), row(1), row(2)]
    }

    /// A triangle's corner in the world.
    func corner(_ vertex: UInt32, of instance: UInt32) -> SIMD3<Float> {
        let point = position(vertex)
        guard hasInstances else { return point }
        return moved(point, by: BlobLayout.InstanceWord.toWorld, of: instance)
    }

    /// A vertex's normal in the world.
    func normal(_ vertex: UInt32, of instance: UInt32) -> SIMD3<Float> {
        let normal = vector(.vertices, vertex, 3)
        guard hasInstances else { return normal }
        func row(_ row: Int) -> Float {
            dot(vector(.instances, instance, BlobLayout.InstanceWord.normal + 3 * row), normal)
        }
        return Self.unitOrZero([row(0), row(1), row(2)])
    }

    /// A vertex's tangent in the world, its handedness in w.
    func tangent(_ vertex: UInt32, of instance: UInt32) -> SIMD4<Float> {
        let tangent = vector4(.tangents, vertex)
        guard hasInstances else { return tangent }
        let along = turned(
            [tangent.x, tangent.y, tangent.z], by: BlobLayout.InstanceWord.toWorld, of: instance)
        return SIMD4(Self.unitOrZero(along), tangent.w * handedness(of: instance))
    }

    private static func unitOrZero(_ a: SIMD3<Float>) -> SIMD3<Float> {
        let squared = dot(a, a)
        let isNone = !(squared > 0x1p-90)
        let over = Exact.rsqrt(isNone ? 1 : squared)
        return a * (isNone ? 0 : over)
    }
}
