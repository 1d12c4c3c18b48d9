internal import Core
internal import Exact

extension SceneImporter {
    private static let pi: Float = 0x1.921fb6p1

    /// KHR_lights_punctual: the light shines along its node's −z; scale does not touch it.
    func append(light index: Int, at transform: Affine) throws(Failure) {
        let source = try (document.extensions?.lights?.lights ?? []).element(index, "light")
        guard scene.lights.count < limits.lightsMax else {
            throw Failure(.limit, "more than \(limits.lightsMax) lights")
        }
        do throws(Failure) {
            owner = RangeOwner("light", index, name: source.name)
            var light = Light(kind: try Self.kind(source.type))
            light.position = Vector.float(transform.translation).withoutSubnormals
            guard light.position.isFinite else { throw Failure(.malformed, "position overflows") }
            if let direction = Vector.unit(-transform.z) {
                light.direction = Vector.float(direction).withoutSubnormals
            } else if light.kind != .point {
                tell("direction", "of a flat transform", "-z", "a scale other than 0")
            }
            light.intensity = try radiances(
                source.color ?? [1, 1, 1], "color", times: source.intensity ?? 1, "intensity")
            light.range = range(source.range ?? 0)
            if light.kind == .spot { try Self.setCone(source.spot, &light) }
            scene.lights.append(light)
        } catch {
            throw error.at("KHR_lights_punctual.lights[\(index)]")
        }
    }

    /// Metres; 0, KHR_lights_punctual's own word in its first drafts, is no end.
    private func range(_ value: Double) -> Float {
        if value < 0 { tell("range", Self.text(value), "none", "more than 0") }
        return radiance(max(value, 0), "range")
    }

    private static func kind(_ name: String) throws(Failure) -> Light.Kind {
        switch name {
        case "directional": return .directional
        case "point": return .point
        case "spot": return .spot
        default:
            throw Failure(
                .malformed,
                "type: directional, point or spot expected, \"\(printable(name))\" there")
        }
    }

    private static func setCone(
        _ spot: GLTFDocument.LightSource.Spot?, _ light: inout Light
    ) throws(Failure) {
        let inner = Float(spot?.innerConeAngle ?? 0)
        let outer = Float(spot?.outerConeAngle ?? 0x1.921fb54442d18p-1)
        guard inner >= 0, inner <= outer, outer > 0, outer <= pi / 2 else {
            throw Failure(.malformed, "spot: 0 ≤ innerConeAngle ≤ outerConeAngle ≤ π/2 expected")
        }
        light.cosInner = Exact.cos(inner)
        light.cosOuter = max(Exact.cos(outer), 0)
    }
}
