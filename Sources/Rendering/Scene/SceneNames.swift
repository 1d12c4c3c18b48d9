/// Which object and which material each triangle belongs to, and what they are called.
public struct SceneNames: Sendable {
    /// In the scene's order; no name twice.
    public let objects: [String]
    public let materials: [String]
    /// One behind each object's last triangle.
    private let objectEnds: [Int]
    private let triangleMaterials: [UInt32]

    public init(_ scene: Scene) {
        objects = Self.distinct(scene.objects.map(\.name))
        materials = Self.distinct(scene.materials.map(\.name))
        objectEnds = scene.objects.map(\.triangles.upperBound)
        triangleMaterials = scene.triangleMaterials
    }

    /// The object of a triangle; nil where the scene names none.
    func object(of triangle: Int) -> Int? {
        var low = 0
        var high = objectEnds.count
        while low < high {
            let middle = (low + high) / 2
            if objectEnds[middle] <= triangle { low = middle + 1 } else { high = middle }
        }
        return low < objectEnds.count ? low : nil
    }

    func material(of triangle: Int) -> Int? {
        triangleMaterials.indices.contains(triangle) ? Int(triangleMaterials[triangle]) : nil
    }

    /// Names that come again get a number behind them, as Blender gives it: `Cube`, `Cube.001`.
    private static func distinct(_ names: [String]) -> [String] {
        var taken = Set(names)
        var seen: Set<String> = []
        var next: [String: Int] = [:]
        return names.map { name in
            guard !seen.insert(name).inserted else { return name }
            var number = next[name, default: 1]
            var candidate = ""
            repeat {
                let digits = String(number)
                candidate =
                    name + "." + String(repeating: "0", count: max(3 - digits.count, 0)) + digits
                number += 1
            } while !taken.insert(candidate).inserted
            next[name] = number
            return candidate
        }
    }
}
