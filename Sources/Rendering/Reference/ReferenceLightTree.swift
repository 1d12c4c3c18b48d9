internal import Exact

/// A surface that asks for light.
package struct LightAsker: Sendable {
    package var position: SIMD3<Float>
    /// The shading normal.
    package var normal: SIMD3<Float>
    /// Whether light from behind counts.
    package var isOpen: Bool

    package init(position: SIMD3<Float>, normal: SIMD3<Float>, isOpen: Bool) {
        self.position = position
        self.normal = normal
        self.isOpen = isOpen
    }
}

/// The tree of lights as `Kernels/render/light_tree.cl` goes down it.
package struct ReferenceLightTree: Sendable {
    private typealias Word = BlobLayout.LightNodeWord
    private let blob: RenderBlob
    /// Choices below fall on emitters of the table, of which there are `tableCount`.
    package let base: UInt32
    package let tableCount: Int

    /// Nil where the scene has none.
    package init?(_ blob: RenderBlob) {
        guard blob.features.contains(.lightTree) else { return nil }
        self.blob = blob
        base = blob.words[BlobLayout.Word.lightBase]
        tableCount = Int(blob.words[BlobLayout.Word.lightTable])
    }

    /// The root's chances, 2³⁰ being all there are.
    package var chances: UInt32 { (1 << 30) - (base >> 2) }

    package func chance(_ chances: UInt32) -> Float { Float(chances) * 0x1p-30 }

    /// The emitter that one of the root's chances falls on, and how many are that emitter's.
    package func choose(
        _ choice: UInt32, _ asker: LightAsker
    ) -> (emitter: UInt32, chances: UInt32) {
        var choice = choice
        let found = descend(asker) { share, _ in
            guard choice >= share else { return true }
            choice -= share
            return false
        }
        return (word(found.node, Word.child) & Self.index, found.chances)
    }

    /// The chances of the emitter with this trail.
    package func chances(_ trail: UInt32, _ asker: LightAsker) -> UInt32 {
        descend(asker) { _, level in trail >> UInt32(level) & 1 == 0 }.chances
    }

    /// Goes to the first child wherever `isFirst` says so of its chances and the level.
    private func descend(
        _ asker: LightAsker, _ isFirst: (UInt32, Int) -> Bool
    ) -> (node: Int, chances: UInt32) {
        var node = 0
        var chances = chances
        var level = 0
        while word(node, Word.child) & BlobLayout.lightNodeLeaf == 0 {
            let first = Int(word(node, Word.child) & Self.index)
            let share = share(first, asker, of: chances)
            if isFirst(share, level) {
                node = first
                chances = share
            } else {
                node = first + 1
                chances -= share
            }
            level += 1
        }
        return (node, chances)
    }

    private func share(_ first: Int, _ asker: LightAsker, of chances: UInt32) -> UInt32 {
        let one = importance(first, asker)
        let part = Exact.div(one, one + importance(first + 1, asker))
        let share = UInt32(Float(chances) * part)
        let most = chances - word(first + 1, Word.count)
        return max(min(share, most), word(first, Word.count))
    }

    private func importance(_ node: Int, _ asker: LightAsker) -> Float {
        let toward = vector(node, Word.center) - asker.position
        let length = dot(toward, toward)
        let over = Exact.rsqrt(length > 0x1p-60 ? length : 0x1p-60)
        let subtended = float(node, Word.radius) * over
        let sine: Float = subtended < 1 ? subtended : 1
        let direction = toward * over
        let along = dot(vector(node, Word.axis), direction)
        let spread = float(node, Word.spread)
        let facing: Float =
            if word(node, Word.child) & BlobLayout.lightNodeSpots != 0 {
                fma(sine, 0x1.6a09e8p+0, spread) - along > 0 ? 1 : 0
            } else {
                along.magnitude + sine + spread
            }
        var cosine = dot(asker.normal, direction)
        if cosine < 0 { cosine = asker.isOpen ? -cosine : fma(-sine, sine, 1) * cosine }
        let nearness = over * over
        let most = float(node, Word.nearness)
        let lit = Self.bounded(facing) * Self.bounded(cosine + sine)
        let value = float(node, Word.power) * lit * (nearness < most ? nearness : most)
        let limited = value < 0x1p60 ? value : 0x1p60
        return limited > 0x1p-60 ? limited : 0x1p-60
    }

    private static func bounded(_ cosine: Float) -> Float {
        let limited = cosine < 1 ? cosine : 1
        return limited > 0x1p-10 ? limited : 0x1p-10
    }

    private static let index = ~(BlobLayout.lightNodeLeaf | BlobLayout.lightNodeSpots)

    private func word(_ node: Int, _ word: Int) -> UInt32 {
        blob.words[
            blob.offset(.lightNodes) + node * BlobLayout.Section.lightNodes.stride + word]
    }

    private func float(_ node: Int, _ word: Int) -> Float {
        Float(bitPattern: self.word(node, word))
    }

    private func vector(_ node: Int, _ word: Int) -> SIMD3<Float> {
        [float(node, word), float(node, word + 1), float(node, word + 2)]
    }
}
