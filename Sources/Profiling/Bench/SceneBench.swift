public import Compute
public import Core
internal import Exact
internal import Files
internal import Glibc
public import Rendering

/// Rays of a user's scene, and its tree: what a ray tracing library measures, in the same sets.
///
/// Sets, over a square picture: rays of the camera in tiles of 8×8 pixels; from what they hit, rays
/// with cosine-random directions, in the same order; and these shuffled.
public struct SceneBench: Sendable {
    /// How long something took.
    public struct Time: Sendable {
        public var wallSeconds: Double
        /// Of all threads of this process.
        public var cpuSeconds: Double
    }

    /// The tree of a scene.
    public struct Tree: Sendable {
        public var triangles: Int
        public var bytes: Int
        public var time: Time
    }

    /// Rays of a set through one kernel.
    public struct Rays: Sendable {
        public var set: String
        public var kernel: String
        public var count: Int
        public var hits: Int
        /// Each run's.
        public var times: [Time]
    }

    private let scene: Scene
    private let camera: Camera
    private let side: Int
    private let clock: any Clock

    /// - Parameter side: pixels along each side of the picture, a multiple of 8.
    public init(_ scene: Scene, side: Int, clock: any Clock) throws(Failure) {
        precondition(side > 0 && side % 8 == 0, "whole tiles")
        var scene = scene
        // Libraries that trace rays know nothing of materials that let rays through.
        for index in scene.materials.indices { scene.materials[index].alphaMode = .opaque }
        self.scene = scene
        self.side = side
        self.clock = clock
        camera = try scene.camera(for: RenderParameters(width: side, height: side))
    }

    // MARK: Tree

    /// Builds the scene's tree, from its triangles to what kernels read.
    public func tree(runs: Int) throws(Failure) -> [Tree] {
        var trees: [Tree] = []
        for _ in 0..<runs {
            var bytes = 0
            let time = try time { () throws(Failure) in
                bytes = try SceneTree(scene, camera: camera).byteCount
            }
            trees.append(Tree(triangles: scene.triangles.count, bytes: bytes, time: time))
        }
        return trees
    }

    // MARK: Rays

    /// Casts all sets, by each kernel that the device has.
    ///
    /// - Parameter folder: where rays, triangles and hits are written for other programs, or nil.
    /// - Throws: ``Failure`` with code `untrusted` when two kernels find different hits.
    public func rays(
        on device: any ComputeDevice, runs: Int, exportingTo folder: String? = nil
    ) throws(Failure) -> [Rays] {
        let parameters = RenderParameters(width: side, height: side)
        let blob = try RenderBlob(scene, parameters)
        let caster = try RayCaster(blob, on: device)
        let cameraRays = primary()
        let diffuse = bounced(cameraRays, try caster.closest(cameraRays))
        var results: [Rays] = []
        if let folder {
            try export(triangles: folder)
            try FileBytes.write(blob.bytes, to: "\(folder)/scene.blob")
        }
        for (name, rays) in [
            ("camera", cameraRays), ("diffuse", diffuse), ("shuffled", Self.disordered(diffuse)),
        ] where !rays.isEmpty {
            results += try cast(name, rays, by: caster, on: device, runs: runs)
            if let folder {
                try export(rays, hits: try caster.closest(rays), to: "\(folder)/\(name)")
            }
        }
        return results
    }

    private func cast(
        _ name: String, _ rays: [RayCaster.Ray], by caster: RayCaster,
        on device: any ComputeDevice, runs: Int
    ) throws(Failure) -> [Rays] {
        let batch = try caster.batch(rays)
        var first: [RayCaster.Hit]?
        var results: [Rays] = []
        for kernel in RayCaster.Kernel.allCases {
            var times: [Time] = []
            // The first run compiles or moves memory.
            for run in 0...runs {
                let time = try time { () throws(Failure) in
                    try caster.cast(batch, by: kernel)
                    try device.finish()
                }
                if run > 0 { times.append(time) }
            }
            let hits = try caster.hits(of: batch)
            guard hits == first ?? hits else {
                throw Failure(.untrusted, "\(name) rays: \(kernel.rawValue) finds other hits")
            }
            first = hits
            results.append(
                Rays(
                    set: name, kernel: kernel.rawValue, count: rays.count,
                    hits: hits.count { $0 != .none }, times: times))
        }
        return results
    }

    /// Rays through the middles of pixels, tile by tile.
    private func primary() -> [RayCaster.Ray] {
        let tiles = side / 8
        return (0..<side * side).map { index in
            let (tile, place) = (index / 64, index % 64)
            let x = tile % tiles * 8 + place % 8
            let y = tile / tiles * 8 + place / 8
            let sx = (Float(x) + 0.5) * 2 / Float(side) - 1
            let sy = 1 - (Float(y) + 0.5) * 2 / Float(side)
            let across =
                camera.right * (camera.halfWidth * sx) + camera.up * (camera.halfHeight * sy)
            return camera.isOrthographic
                ? .init(origin: camera.position + across, direction: camera.forward)
                : .init(origin: camera.position, direction: Self.unit(camera.forward + across))
        }
    }

    /// Rays from hits into the half space on the side they were seen from.
    private func bounced(
        _ rays: [RayCaster.Ray], _ hits: [RayCaster.Hit]
    ) -> [RayCaster.Ray] {
        var bounced: [RayCaster.Ray] = []
        let drawn = DrawnTriangles(scene)
        for (index, (ray, hit)) in zip(rays, hits).enumerated() where hit != .none {
            guard let (a, b, c) = scene.corners(ofDrawn: Int(hit.primitive), drawn) else {
                continue
            }
            var normal = Self.unit(Self.cross(b - a, c - a))
            if (normal * ray.direction).sum() > 0 { normal = -normal }
            let point = ray.origin + ray.direction * hit.distance
            let size = max(point.x.magnitude, point.y.magnitude, point.z.magnitude)
            bounced.append(
                .init(
                    origin: point + normal * (size * 0x1p-16),
                    direction: Self.unit(normal + Self.onSphere(index))))
        }
        return bounced
    }

    /// Nearly the unit vector: the shape of the distribution matters here, no bit does.
    private static func onSphere(_ index: Int) -> SIMD3<Float> {
        let z = 2 * fraction(index, 1) - 1
        let r = (max(1 - z * z, 0)).squareRoot()
        let angle = 6.2831853 * fraction(index, 2)
        return [r * Exact.cos(angle), r * Exact.sin(angle), z * 0.999]
    }

    private static func fraction(_ index: Int, _ dimension: UInt64) -> Float {
        let place = UInt64(index) &* 0x9e37_79b9_7f4a_7c15 &+ dimension &* 0xbf58_476d_1ce4_e5b9
        return Float(SplitMix64.mixed(place) >> 40) * 0x1p-24
    }

    /// In an order of which each place is a hash's.
    private static func disordered(_ rays: [RayCaster.Ray]) -> [RayCaster.Ray] {
        rays.indices.sorted { (fraction($0, 3), $0) < (fraction($1, 3), $1) }.map { rays[$0] }
    }

    private static func unit(_ v: SIMD3<Float>) -> SIMD3<Float> {
        let square = (v * v).sum()
        return square > 0 ? v / square.squareRoot() : [0, 0, 1]
    }

    private static func cross(_ a: SIMD3<Float>, _ b: SIMD3<Float>) -> SIMD3<Float> {
        [a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x]
    }

    // MARK: Time

    private func time(_ work: () throws(Failure) -> Void) throws(Failure) -> Time {
        let (wall, cpu) = (clock.monotonicSeconds, Self.cpuSeconds())
        try work()
        return Time(
            wallSeconds: clock.monotonicSeconds - wall, cpuSeconds: Self.cpuSeconds() - cpu)
    }

    private static func cpuSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    // MARK: Export

    /// Raw little-endian files, beside the blob: `positions.f32` (3 a vertex) and `triangles.u32`
    /// (3 a triangle).
    public func export(triangles folder: String) throws(Failure) {
        let scene = scene.flattened()
        let positions = scene.positions.flatMap { [$0.x, $0.y, $0.z] }
        try Self.write(positions, to: "\(folder)/positions.f32")
        let triangles = scene.triangles.flatMap { [$0.x, $0.y, $0.z] }
        try Self.write(triangles, to: "\(folder)/triangles.u32")
    }

    /// `….rays`: 6 floats a ray; `….hits`: the distance's bits and the triangle, 2 words a ray.
    private func export(
        _ rays: [RayCaster.Ray], hits: [RayCaster.Hit], to path: String
    ) throws(Failure) {
        let words = rays.flatMap {
            [
                $0.origin.x, $0.origin.y, $0.origin.z, $0.direction.x, $0.direction.y,
                $0.direction.z,
            ]
        }
        try Self.write(words, to: "\(path).rays")
        try Self.write(
            hits.flatMap { [$0.distance.bitPattern, $0.primitive] }, to: "\(path).hits")
    }

    private static func write<T: BitwiseCopyable>(
        _ values: [T], to path: String
    ) throws(Failure) {
        try FileBytes.write(values.withUnsafeBytes { Bytes($0) }, to: path)
    }
}
