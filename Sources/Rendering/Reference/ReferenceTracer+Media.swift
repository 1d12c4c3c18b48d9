internal import Exact

/// Solids inside each other: docs/formats.md 1.7c.
extension ReferenceTracer {
    /// A solid's boundary, and which way the path comes to it.
    struct Interface {
        var solid: UInt32
        var isLeft: Bool
    }

    private var hasMedia: Bool {
        blob.words[BlobLayout.Word.features] & RenderFeatures.media.rawValue != 0
    }

    func interface(_ m: Meeting) -> Interface? {
        guard hasMedia, flags(m.triangle) & BlobLayout.MaterialFlag.solid != 0 else { return nil }
        return Interface(solid: m.triangle.material, isLeft: m.side < 0)
    }

    /// Takes from the path what the medium on its way took.
    func fade(_ path: inout Path, to m: Meeting) {
        guard hasMedia else { return }
        let medium = medium(before: interface(m), path)
        path.throughput = flush(path.throughput * transmittance(medium, m.distance))
    }

    /// The medium in which the path has come.
    func medium(before interface: Interface?, _ path: Path) -> UInt32? {
        // Out of a solid that it never went into: the path began there.
        if let interface, interface.isLeft, path.media.isEmpty { return interface.solid }
        return path.media.first
    }

    func medium(after interface: Interface?, _ path: Path) -> UInt32? {
        guard let interface else { return path.media.first }
        if !interface.isLeft { return interface.solid }
        let before = medium(before: interface, path)
        guard before == interface.solid else { return before }
        return path.media.first == interface.solid ? path.media.dropFirst().first : nil
    }

    /// The index behind an interface over the one before it: one where they hardly differ.
    func relativeIndex(_ interface: Interface, _ path: Path) -> Float {
        func index(_ medium: UInt32?) -> Float {
            medium.map { float(.materials, $0, MaterialWord.ior.rawValue) } ?? 1
        }
        let eta = Exact.div(
            index(medium(after: interface, path)), index(medium(before: interface, path)))
        return (eta - 1).magnitude < 0x1p-10 ? 1 : eta
    }

    func goThrough(_ interface: Interface?, _ path: inout Path) {
        guard let interface else { return }
        if interface.isLeft {
            if let place = path.media.firstIndex(of: interface.solid) {
                path.media.remove(at: place)
            }
        } else {
            path.media = Array(([interface.solid] + path.media).prefix(4))
        }
    }

    /// What is left of light after a distance in a medium, by Beer and Lambert.
    func transmittance(_ medium: UInt32?, _ distance: Float) -> SIMD3<Float> {
        guard let medium, distance <= 0x1p99 else { return .one }
        let depth = vector(.materials, medium, MaterialWord.attenuation.rawValue) * -distance
        return [Exact.exp(depth.x), Exact.exp(depth.y), Exact.exp(depth.z)]
    }
}
