public import Compute
public import Core

/// Casts rays that a caller brings against a blob's tree: for tests and for measuring a device.
public final class RayCaster {
    public struct Ray: Hashable, Sendable {
        public var origin: SIMD3<Float>
        /// Of any length; distances count in it.
        public var direction: SIMD3<Float>

        public init(origin: SIMD3<Float>, direction: SIMD3<Float>) {
            self.origin = origin
            self.direction = direction
        }
    }

    /// The least (distance, primitive) along a ray.
    public struct Hit: Hashable, Sendable {
        public var distance: Float
        public var primitive: UInt32

        public init(distance: Float, primitive: UInt32) {
            self.distance = distance
            self.primitive = primitive
        }

        /// What a ray gets that hits nothing.
        public static let none = Hit(distance: 0x1p126, primitive: BlobLayout.primitiveNone)
    }

    private let device: any ComputeDevice
    private let program: any ComputeProgram
    private let blob: any ComputeBuffer
    private let groupSize: Int

    public init(
        _ blob: RenderBlob, on device: any ComputeDevice, isNarrow: Bool? = nil
    ) throws(Failure) {
        let isNarrow = isNarrow ?? !device.description.prefersWideVectors
        self.device = device
        program = try device.program(RenderPrograms.sources(isNarrow: isNarrow).trace)
        self.blob = try device.makeBuffer(blob.words)
        groupSize = min(device.description.workGroupItemsMax, isNarrow ? 32 : 64)
    }

    /// The nearest hit of every ray. Transparency by chance is drawn for sample 0 of key 0.
    public func closest(_ rays: [Ray]) throws(Failure) -> [Hit] {
        let count = rays.count
        guard count > 0 else { return [] }
        var words = [UInt32](repeating: 0, count: count * Wavefront.stateWords)
        for (slot, ray) in rays.enumerated() {
            for axis in 0..<3 {
                words[axis * count + slot] = ray.origin[axis].bitPattern
                words[(3 + axis) * count + slot] = ray.direction[axis].bitPattern
            }
        }
        let state = try device.makeBuffer(words)
        let queue = try device.makeBuffer(Array(0..<UInt32(count)))
        try device.launch(
            "closest", of: program, global: [(count + groupSize - 1) / groupSize * groupSize],
            local: [groupSize],
            arguments: [
                .buffer(blob), .buffer(state), .uint(UInt32(count)), .buffer(queue),
                .uint(UInt32(count)), .uint(1),
            ])
        let distances = try device.read(UInt32.self, count: count, from: state, at: 13 * 4 * count)
        let primitives = try device.read(UInt32.self, count: count, from: state, at: 14 * 4 * count)
        return zip(distances, primitives).map {
            Hit(distance: Float(bitPattern: $0), primitive: $1)
        }
    }
}
