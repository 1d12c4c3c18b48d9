/// What a scene wants that most do not: programs and state of paths are made for it alone.
package struct RenderFeatures: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Solids that light goes into, with media around a path.
    package static let media = RenderFeatures(rawValue: 1)
    /// Materials with more than glTF's core.
    package static let layers = RenderFeatures(rawValue: 2)
    /// So many lights that they are in a tree.
    package static let lightTree = RenderFeatures(rawValue: 4)
    /// Meshes that are stored once and used often.
    package static let instances = RenderFeatures(rawValue: 16)
    package static let all: RenderFeatures = [.media, .layers, .lightTree, .instances]

    init(_ scene: Scene) {
        self = []
        if scene.materials.contains(where: \.isSolid) { insert(.media) }
        if scene.materials.contains(where: { $0.layers != MaterialLayers() }) { insert(.layers) }
        if !scene.meshes.isEmpty { insert(.instances) }
    }

    /// Words of state for one path; `Kernels/render/layout.cl`.
    package var stateWords: Int {
        if contains(.layers) { return 75 }
        return contains(.media) ? 50 : Wavefront.stateWords
    }

    /// Words of state and queues for one path.
    var wordsPerPath: Int { stateWords + 4 }
}
