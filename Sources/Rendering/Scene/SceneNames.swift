/// Which object and which material each drawn triangle belongs to, and what they are called.
public struct SceneNames: Sendable {
    /// In the scene's order; no name twice.
    public let objects: [String]
    public let materials: [String]
    /// One behind each object's last triangle.
    private let objectEnds: [Int]
    private let triangleMaterials: [UInt32]
    private let drawn: DrawnTriangles
    private let instanceObjects: [Int?]

    public init(_ scene: Scene) {
        objects = Self.distinct(scene.objects.map(\.name))
        materials = Self.distinct(scene.materials.map(\.name))
        objectEnds = scene.objects.map(\.triangles.upperBound)
        triangleMaterials = scene.triangleMaterials
        drawn = DrawnTriangles(scene)
        instanceObjects = scene.instances.map(\.object)
    }

    /// The object of a drawn triangle; nil where the scene names none.
    package func object(of triangle: Int) -> Int? {
        guard let place = drawn.place(of: triangle) else { return nil }
        if let instance = place.instance { return instanceObjects[instance] }
        return objectEnds.firstRange(endingBeyond: place.stored)
    }

    package func material(of triangle: Int) -> Int? {
        drawn.place(of: triangle).map { Int(triangleMaterials[$0.stored]) }
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
