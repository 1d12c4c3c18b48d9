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
    private let packets: any ComputeProgram
    private let blob: any ComputeBuffer
    private let group: PathGroup

    public init(
        _ blob: RenderBlob, on device: any ComputeDevice, isNarrow: Bool? = nil
    ) throws(Failure) {
        let isNarrow = isNarrow ?? !device.description.prefersWideVectors
        self.device = device
        program = try device.program(
            RenderPrograms.trace(isNarrow: isNarrow, blob.features))
        packets = try device.program(RenderPrograms.packet(isNarrow: isNarrow, blob.features))
        self.blob = try device.makeBuffer(blob.words)
        group = PathGroup(device.description, isNarrow: isNarrow)
    }

    /// Rays on the device, and room for their hits.
    public struct Batch: Sendable {
        public let count: Int
        let state: any ComputeBuffer
        let queue: any ComputeBuffer
        let sorted: any ComputeBuffer
    }

    /// How rays go through the tree. The hits are the same.
    public enum Kernel: String, CaseIterable, Sendable {
        /// One by one.
        case single
        /// Sixteen together, for rays that go much the same way.
        case packet
        /// The same, after neighbours have been sorted by direction.
        case sorted
    }

    /// The nearest hit of every ray. Transparency by chance is drawn for sample 0 of key 0.
    public func closest(
        _ rays: [Ray], by kernel: Kernel = .single
    ) throws(Failure) -> [Hit] {
        guard !rays.isEmpty else { return [] }
        let batch = try batch(rays)
        try cast(batch, by: kernel)
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
            queue: try device.makeBuffer(Array(0..<UInt32(count))),
            sorted: try device.makeBuffer(byteCount: 4 * count))
    }

    /// Puts the traversal of all rays on the queue.
    public func cast(_ batch: Batch, by kernel: Kernel = .single) throws(Failure) {
        let count = batch.count
        let depth = KernelArgument.uint(1)
        func rays(_ queue: any ComputeBuffer) -> [KernelArgument] {
            [
                .buffer(blob), .buffer(batch.state), .uint(UInt32(count)), .buffer(queue),
                .uint(UInt32(count)), depth,
            ]
        }
        guard kernel != .single else {
            return try device.launch(
                "closest", of: program, global: [group.items(count)], local: [group.size],
                arguments: rays(batch.queue))
        }
        if kernel == .sorted {
            try Self.launchSort(
                packets, count, by: .bounced, [.buffer(batch.state), .uint(UInt32(count))],
                from: batch.queue, to: batch.sorted, on: device)
        }
        try Self.launchPackets(
            packets, count, rays(kernel == .sorted ? batch.sorted : batch.queue), on: device)
    }

    /// A work-item takes sixteen rays, and a group is one item: it holds their tree's stack.
    static func launchPackets(
        _ program: any ComputeProgram, _ rays: Int, _ arguments: [KernelArgument],
        kernel: String = "closest_packet", on device: any ComputeDevice
    ) throws(Failure) {
        try device.launch(
            kernel, of: program, global: [max((rays + 15) / 16, 1)], local: [1],
            arguments: arguments)
    }

    /// Which field of a path's state is its ray's direction: `Kernels/render/layout.cl`.
    enum Direction: UInt32 {
        case bounced = 3
        case shadow = 32
    }

    /// Sorts runs of a queue by direction; `SORT_RUN` in `Kernels/render/packet.cl`.
    static func launchSort(
        _ program: any ComputeProgram, _ rays: Int, by direction: Direction,
        _ state: [KernelArgument], from queue: any ComputeBuffer, to sorted: any ComputeBuffer,
        on device: any ComputeDevice
    ) throws(Failure) {
        try device.launch(
            "sort_by_direction", of: program, global: [max((rays + sortRun - 1) / sortRun, 1)],
            local: [1],
            arguments: state + [
                .uint(direction.rawValue), .buffer(queue), .buffer(sorted), .uint(UInt32(rays)),
            ])
    }

    private static let sortRun = 1 << 14

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
