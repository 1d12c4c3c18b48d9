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
    private let packets: (any ComputeProgram)?
    private let blob: any ComputeBuffer
    private let groupSize: Int

    public init(
        _ blob: RenderBlob, on device: any ComputeDevice, isNarrow: Bool? = nil
    ) throws(Failure) {
        let isNarrow = isNarrow ?? !device.description.prefersWideVectors
        self.device = device
        program = try device.program(RenderPrograms.trace(isNarrow: isNarrow))
        packets = isNarrow ? nil : try device.program(RenderPrograms.packet)
        self.blob = try device.makeBuffer(blob.words)
        groupSize = min(device.description.workGroupItemsMax, isNarrow ? 32 : 64)
    }

    /// Rays on the device, and room for their hits.
    public struct Batch: Sendable {
        public let count: Int
        let state: any ComputeBuffer
        let queue: any ComputeBuffer
    }

    /// Whether rays can be cast in packets here.
    public var hasPackets: Bool { packets != nil }

    /// The nearest hit of every ray. Transparency by chance is drawn for sample 0 of key 0.
    ///
    /// - Parameter inPackets: sixteen rays together, where the device has wide vectors: faster for
    ///   rays that go much the same way, and the same hits.
    public func closest(_ rays: [Ray], inPackets: Bool = false) throws(Failure) -> [Hit] {
        guard !rays.isEmpty else { return [] }
        let batch = try batch(rays)
        try cast(batch, inPackets: inPackets)
        return try hits(of: batch)
    }

    /// Brings rays to the device, to be cast as often as one likes.
    public func batch(_ rays: [Ray]) throws(Failure) -> Batch {
        let count = rays.count
        precondition(count > 0, "a batch holds at least one ray")
        var words = [UInt32](repeating: 0, count: count * Wavefront.stateWords)
        for (slot, ray) in rays.enumerated() {
            for axis in 0..<3 {
                words[axis * count + slot] = ray.origin[axis].bitPattern
                words[(3 + axis) * count + slot] = ray.direction[axis].bitPattern
            }
        }
        return Batch(
            count: count, state: try device.makeBuffer(words),
            queue: try device.makeBuffer(Array(0..<UInt32(count))))
    }

    /// Puts the traversal of all rays on the queue.
    public func cast(_ batch: Batch, inPackets: Bool = false) throws(Failure) {
        let count = batch.count
        let arguments: [KernelArgument] = [
            .buffer(blob), .buffer(batch.state), .uint(UInt32(count)), .buffer(batch.queue),
            .uint(UInt32(count)), .uint(1),
        ]
        if inPackets, let packets {
            return try Self.launchPackets(packets, count, arguments, on: device)
        }
        try device.launch(
            "closest", of: program, global: [(count + groupSize - 1) / groupSize * groupSize],
            local: [groupSize], arguments: arguments)
    }

    /// A work-item takes sixteen rays, and a group is one item: it holds their tree's stack.
    static func launchPackets(
        _ program: any ComputeProgram, _ rays: Int, _ arguments: [KernelArgument],
        on device: any ComputeDevice
    ) throws(Failure) {
        try device.launch(
            "closest_packet", of: program, global: [max((rays + 15) / 16, 1)], local: [1],
            arguments: arguments)
    }

    /// What the last ``cast(_:)`` found.
    public func hits(of batch: Batch) throws(Failure) -> [Hit] {
        let (count, state) = (batch.count, batch.state)
        let distances = try device.read(UInt32.self, count: count, from: state, at: 13 * 4 * count)
        let primitives = try device.read(UInt32.self, count: count, from: state, at: 14 * 4 * count)
        return zip(distances, primitives).map {
            Hit(distance: Float(bitPattern: $0), primitive: $1)
        }
    }
}
