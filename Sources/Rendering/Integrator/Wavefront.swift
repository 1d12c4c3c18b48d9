internal import Compute
internal import Core

/// Many paths advanced together, one kernel a stage: camera; then for each depth closest hit,
/// surface, light, scatter and occlusion; then accumulation.
///
/// Paths live in slots of `state`, one word a field (`Kernels/render/layout.cl`); queues hold the
/// slots that a stage works on. Which slot stands where in a queue may vary; what is computed for
/// it does not.
package final class Wavefront {
    /// Words of state for one path of a plain scene; `P_WORDS` in `Kernels/render/layout.cl`.
    package static let stateWords = 45
    /// `P_HIT_PRIMITIVE` there.
    private static let hitPrimitiveField = 14
    private let group: PathGroup
    let capacity: Int
    var isNarrow: Bool { programs.isNarrow }
    private let device: any ComputeDevice
    private let programs: RenderPrograms
    /// A shutter's steps, and the one that paths are in.
    private let blobs: [any ComputeBuffer]
    private var blob: any ComputeBuffer
    private let bounces: Int
    /// Words of state for one path of this scene.
    private let stateWords: Int
    private let state: any ComputeBuffer
    private var queue: any ComputeBuffer
    private var next: any ComputeBuffer
    private let surfaces: any ComputeBuffer
    private let shadows: any ComputeBuffer
    private let counters: any ComputeBuffer
    private let counterZeros: [UInt32]

    init(
        _ blob: RenderBlob, on device: any ComputeDevice, programs: RenderPrograms, capacity: Int
    ) throws(Failure) {
        self.device = device
        self.programs = programs
        self.capacity = capacity
        bounces = blob.bounces
        group = PathGroup(device.description, isNarrow: programs.isNarrow)
        blobs = try blob.steps.map { step throws(Failure) in try device.makeBuffer(step.words) }
        self.blob = blobs[0]
        stateWords = blob.features.stateWords
        state = try device.makeBuffer(byteCount: capacity * stateWords * 4)
        queue = try device.makeBuffer(byteCount: capacity * 4)
        next = try device.makeBuffer(byteCount: capacity * 4)
        surfaces = try device.makeBuffer(byteCount: capacity * 4)
        shadows = try device.makeBuffer(byteCount: capacity * 4)
        counterZeros = [UInt32](repeating: 0, count: 4 * (blob.bounces + 3))
        counters = try device.makeBuffer(counterZeros)
    }

    /// Traces `samples` samples, from `firstSample` on, of every pixel of the tiles listed in
    /// `tiles`, and adds them to `sums` (or replaces these when `isFirst`).
    ///
    /// - Parameters:
    ///   - tiles: each tile's column, and above 16 bits its row.
    ///   - step: of the shutter, which all these samples belong to.
    ///   - pathCount: pixels inside the frame times samples.
    ///   - inspect: called with the number of paths queued once they have begun, and after each
    ///     depth with those that go on.
    func trace(
        tiles: any ComputeBuffer, tileCount: Int, firstSample: Int, samples: Int, pathCount: Int,
        step: Int, into sums: any ComputeBuffer, isFirst: Bool,
        inspect: ((Int) throws(Failure) -> Void)? = nil
    ) throws(Failure) {
        blob = blobs[step]
        try device.write(counterZeros, to: counters)
        let pixels = tileCount * 1024
        try begin(pixels, samples, tiles: tiles, firstSample: firstSample)
        var count = pathCount
        var depth = 0
        try inspect?(count)
        // One ray beyond the last bounce finds light alone, so that all light is weighed alike.
        while count > 0, depth <= bounces + 1 {
            count = try advance(count, depth: depth)
            swap(&queue, &next)
            depth += 1
            try inspect?(count)
        }
        try launch(
            "accumulate", programs.frame, pixels,
            [
                .buffer(state), .uint(UInt32(capacity)), .buffer(sums), .uint(UInt32(pixels)),
                .uint(UInt32(samples)), .uint(isFirst ? 1 : 0),
            ])
    }

    /// Traces camera rays to their first hits alone, and adds what is there to `sums`, or replaces
    /// these from sample 0 on. Parameters as for ``trace(tiles:tileCount:firstSample:samples:…)``.
    ///
    /// - Returns: what each sample met, sample by sample, a group's pixels along their curve.
    func meetFirst(
        tiles: any ComputeBuffer, tileCount: Int, firstSample: Int, samples: Int, pathCount: Int,
        step: Int, _ program: any ComputeProgram, into sums: any ComputeBuffer
    ) throws(Failure) -> [UInt32] {
        blob = blobs[step]
        try device.write(counterZeros, to: counters)
        let pixels = tileCount * 1024
        try begin(pixels, samples, tiles: tiles, firstSample: firstSample)
        let rays: [KernelArgument] = [
            .buffer(blob), .buffer(state), .uint(UInt32(capacity)), .buffer(queue),
            .uint(UInt32(pathCount)), .uint(0),
        ]
        try meet(pathCount, depth: 0, rays)
        try launch(
            "surface", programs.surface, pathCount,
            rays + [.buffer(surfaces), .buffer(counters)])
        try launch(
            "first_hits", program, pixels,
            [
                .buffer(blob), .buffer(state), .uint(UInt32(capacity)), .buffer(sums),
                .uint(UInt32(pixels)), .uint(UInt32(samples)), .uint(firstSample == 0 ? 1 : 0),
            ])
        return try device.read(
            UInt32.self, count: pixels * samples, from: state,
            at: Self.hitPrimitiveField * 4 * capacity)
    }

    /// The state of the first `slots` paths as it is now: for each field all slots, as
    /// `Kernels/render/layout.cl` numbers them.
    func state(slots: Int) throws(Failure) -> [[UInt32]] {
        var fields: [[UInt32]] = []
        for field in 0..<stateWords {
            fields.append(
                try device.read(
                    UInt32.self, count: slots, from: state, at: 4 * field * capacity))
        }
        return fields
    }

    /// Forgets the first `slots` paths: what a path that ends early leaves unwritten is then zero,
    /// and not an earlier one's.
    func clear(slots: Int) throws(Failure) {
        let zeros = [UInt32](repeating: 0, count: slots)
        for field in 0..<stateWords {
            try device.write(zeros, to: state, at: 4 * field * capacity)
        }
    }

    /// One depth for the `count` queued paths; how many go on.
    ///
    /// - Parameter itemsMin: launches at least so many work-items, even with nothing to do.
    private func advance(_ count: Int, depth: Int, itemsMin: Int = 0) throws(Failure) -> Int {
        let items = max(count, itemsMin)
        let common: [KernelArgument] = [.buffer(blob), .buffer(state), .uint(UInt32(capacity))]
        let depthWord = KernelArgument.uint(UInt32(depth))
        let paths: [KernelArgument] = [.buffer(queue), .uint(UInt32(count)), depthWord]
        try meet(items, depth: depth, common + paths)
        try launch(
            "surface", programs.surface, items,
            common + paths + [.buffer(surfaces), .buffer(counters)])
        // How many surfaces there are only the device knows: asking would cost a wait.
        try launch(
            "light", programs.light, items,
            common + [.buffer(surfaces), depthWord, .buffer(counters)])
        let onward: [KernelArgument] = [
            .buffer(surfaces), depthWord, .buffer(shadows), .buffer(next), .buffer(counters),
        ]
        try launch("scatter", programs.scatter, items, common + onward)
        if let layers = programs.layers, let scatter = programs.scatterLayered {
            try launch(
                "layers", layers, items,
                common + [.buffer(surfaces), depthWord, .buffer(counters)])
            try launch("scatter_layered", scatter, items, common + onward)
        }
        // Lengths of this depth's shadow rays and of the next depth's paths, two words apart.
        let counts = try device.read(UInt32.self, count: 3, from: counters, at: 16 * depth + 8)
        let rays = max(Int(counts[0]), itemsMin)
        if rays > 0 {
            try launch(
                "occlusion", programs.trace, rays,
                common + [.buffer(shadows), .uint(counts[0]), depthWord])
        }
        return Int(counts[2])
    }

    /// The nearest hits. Neighbours in the queue look through neighbouring pixels at first, and go
    /// their own ways from there on.
    private func meet(
        _ rays: Int, depth: Int, _ arguments: [KernelArgument]
    ) throws(Failure) {
        guard depth == 0, let packet = programs.packet else {
            return try launch("closest", programs.trace, rays, arguments)
        }
        try RayCaster.launchPackets(packet, rays, arguments, on: device)
    }

    /// Launches every kernel on nothing: some implementations compile at a kernel's first launch.
    func warmUp() throws(Failure) {
        let sums = try device.makeBuffer(byteCount: 64)
        try device.write(counterZeros, to: counters)
        try begin(0, 1, tiles: sums, firstSample: 0)
        _ = try advance(0, depth: 0, itemsMin: 1)
        _ = try advance(0, depth: 1, itemsMin: 1)
        try launch(
            "accumulate", programs.frame, 1,
            [.buffer(state), .uint(UInt32(capacity)), .buffer(sums), .uint(0), .uint(0), .uint(1)])
        try device.finish()
    }

    /// Begins the paths of `samples` samples a pixel.
    private func begin(
        _ pixels: Int, _ samples: Int, tiles: any ComputeBuffer, firstSample: Int
    ) throws(Failure) {
        try device.launch(
            "camera", of: programs.frame, global: [group.items(pixels), samples],
            local: [group.size, 1],
            arguments: [
                .buffer(blob), .buffer(state), .uint(UInt32(capacity)), .buffer(queue),
                .buffer(counters), .buffer(tiles), .uint(UInt32(pixels)),
                .uint(UInt32(firstSample)),
            ])
    }

    private func launch(
        _ kernel: String, _ program: any ComputeProgram, _ paths: Int, _ arguments: [KernelArgument]
    ) throws(Failure) {
        try device.launch(
            kernel, of: program, global: [group.items(paths)], local: [group.size],
            arguments: arguments)
    }
}

/// How many paths a work-item takes, and how many work-items are a group.
struct PathGroup {
    /// Work-items.
    let size: Int
    /// `PATHS_PER_ITEM` in `Kernels/render/queue.cl`.
    private let pathsPerItem: Int

    init(_ device: DeviceDescription, isNarrow: Bool) {
        pathsPerItem = isNarrow ? 1 : 64
        // rusticl takes no more than 32 of kernels this large.
        size = isNarrow ? min(device.workGroupItemsMax, 32) : 1
    }

    /// Work-items for so many paths: whole groups, at least one.
    func items(_ paths: Int) -> Int {
        let inGroup = pathsPerItem * size
        return max((paths + inGroup - 1) / inGroup, 1) * size
    }
}
