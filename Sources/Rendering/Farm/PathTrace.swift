internal import Compute
public import Core

/// One sample of one tile, seen after every bounce: what a dispute between two devices comes down
/// to.
public struct PathTrace: Sendable {
    /// All of it at one moment.
    package struct Moment: Hashable, Sendable {
        /// Paths that are still under way.
        package var pathCount: Int
        /// For each field all slots of the tile, along its Morton curve.
        package var fields: [[UInt32]]
    }

    /// Once paths have begun, then after each bounce.
    package let moments: [Moment]
    let tile: Int
    let sample: Int
    let grid: RenderParameters

    /// The first thing in which two traces differ.
    public struct Difference: Hashable, Sendable {
        /// 0 is the surface that the camera sees; nil where the paths begin.
        public var bounce: Int?
        /// In the frame, from the top left.
        public var x: Int
        public var y: Int
        /// As `Kernels/render/layout.cl` names it; `paths` where one device goes on with more.
        public var field: String
        public var own: UInt32
        public var other: UInt32
    }

    /// Where this trace parts from another one of the same sample; nil where it does not.
    ///
    /// - Parameter pixel: looked at first: what is known to differ in the end.
    public func difference(
        from other: PathTrace, pixel: (x: Int, y: Int)? = nil
    ) throws(Failure) -> Difference? {
        let names = try PathField.all()
        for (index, (own, its)) in zip(moments, other.moments).enumerated() where own != its {
            let bounce = index == 0 ? nil : index - 1
            for (x, y, slot) in places(first: pixel) {
                for name in names where name.number < own.fields.count {
                    let (a, b) = (own.fields[name.number][slot], its.fields[name.number][slot])
                    guard a != b else { continue }
                    return Difference(
                        bounce: bounce, x: x, y: y, field: name.name, own: a, other: b)
                }
            }
            guard own.pathCount != its.pathCount else { continue }
            return Difference(
                bounce: bounce, x: pixel?.x ?? 0, y: pixel?.y ?? 0, field: "paths",
                own: UInt32(clamping: own.pathCount), other: UInt32(clamping: its.pathCount))
        }
        return nil
    }

    /// The tile's pixels that are in the frame, row by row, with their slots.
    private func places(first: (x: Int, y: Int)?) -> [(x: Int, y: Int, slot: Int)] {
        let left = tile % grid.tilesWide * TileSums.side
        let top = tile / grid.tilesWide * TileSums.side
        let size = grid.size(ofTile: tile)
        var places: [(x: Int, y: Int, slot: Int)] = []
        for y in 0..<size.height {
            for x in 0..<size.width {
                places.append((left + x, top + y, Self.slot(x, y)))
            }
        }
        guard let first,
            let place = places.firstIndex(where: { $0.x == first.x && $0.y == first.y })
        else { return places }
        places.insert(places.remove(at: place), at: 0)
        return places
    }

    /// Interleaves the bits of column and row; `tile_column` in `Kernels/render/camera.cl` takes
    /// them apart.
    private static func slot(_ x: Int, _ y: Int) -> Int {
        (0..<5).reduce(0) { slot, bit in
            slot | (x >> bit & 1) << (2 * bit) | (y >> bit & 1) << (2 * bit + 1)
        }
    }
}

/// A word of a path's state, named as the kernels name it.
package struct PathField: Hashable, Sendable {
    /// Without `P_`, in lower case; of vectors with the axis behind it: `throughput.y`.
    package var name: String
    package var number: Int

    /// Every field, in the order in which a bounce writes them: the hit, the surface, the light
    /// asked for, then where the path goes on, and what it has gathered.
    package static func all() throws(Failure) -> [PathField] {
        let text = try KernelFiles.text("render/layout.cl")
        var starts: [(name: String, number: Int)] = []
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 3, words[0] == "#define", words[1].hasPrefix("P_"),
                let number = Int(words[2])
            else { continue }
            starts.append((words[1].dropFirst(2).lowercased(), number))
        }
        starts.sort { $0.number < $1.number }
        // The last field is one word.
        let ends = starts.dropFirst() + [("", (starts.last?.number ?? -1) + 1)]
        var fields: [PathField] = []
        for (start, next) in zip(starts, ends) where start.name != "words" {
            let count = next.number - start.number
            for word in 0..<max(count, 0) {
                let axes = ["x", "y", "z", "w"]
                let axis = count == 1 ? "" : "." + (word < 4 ? axes[word] : "\(word)")
                fields.append(PathField(name: start.name + axis, number: start.number + word))
            }
        }
        return fields.sorted { ($0.rank, $0.number) < ($1.rank, $1.number) }
    }

    private var rank: Int {
        if name.hasPrefix("hit_") { return 0 }
        if name.hasPrefix("radiance") { return 4 }
        if name.hasPrefix("shadow_") { return 2 }
        if name.hasPrefix("cone_") { return 3 }
        let ofPath = ["origin", "direction", "throughput", "density", "key", "sample"]
        return ofPath.contains { name == $0 || name.hasPrefix("\($0).") } ? 3 : 1
    }
}
