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
            var light = Light(kind: try Self.kind(source.type))
            light.position = Vector.float(transform.translation).withoutSubnormals
            guard light.position.isFinite else { throw Failure(.malformed, "position overflows") }
            if let direction = Vector.unit(-transform.z) {
                light.direction = Vector.float(direction).withoutSubnormals
            }
            let color = try Affine.numbers(source.color ?? [1, 1, 1], 3, "color")
            let intensity = source.intensity ?? 1
            light.intensity = SIMD3(
                Self.radiance(color[0] * intensity), Self.radiance(color[1] * intensity),
                Self.radiance(color[2] * intensity))
            light.range = Self.radiance(source.range ?? 0)
            if light.kind == .spot { try Self.setCone(source.spot, &light) }
            scene.lights.append(light)
        } catch {
            throw error.at("KHR_lights_punctual.lights[\(index)]")
        }
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

    /// A camera at its node: it looks along the node's −z with +y up.
    func append(
        camera index: Int, _ node: GLTFDocument.Node, at transform: Affine
    ) throws(Failure) {
        let source = try (document.cameras ?? []).element(index, "camera")
        do throws(Failure) {
            var camera = Camera()
            camera.name = Self.printable(source.name ?? node.name ?? "camera \(index)")
            camera.position = Vector.float(transform.translation).withoutSubnormals
            guard camera.position.isFinite else { throw Failure(.malformed, "position overflows") }
            guard camera.look(along: -transform.z, up: transform.y) else {
                throw Failure(.malformed, "a transform with three directions expected")
            }
            try Self.setLens(source, &camera)
            scene.cameras.append(camera)
        } catch {
            throw error.at("cameras[\(index)]")
        }
    }

    private static func setLens(
        _ source: GLTFDocument.CameraSource, _ camera: inout Camera
    ) throws(Failure) {
        if source.type == "perspective", let lens = source.perspective {
            let yfov = Float(lens.yfov)
            guard yfov > 1e-4, yfov < pi else {
                throw Failure(.malformed, "perspective.yfov: between 0 and π expected")
            }
            let aspect = Float(lens.aspectRatio ?? 1)
            guard aspect > 1e-3, aspect < 1e3 else {
                throw Failure(.malformed, "perspective.aspectRatio: 0.001 to 1000 expected")
            }
            camera.halfHeight = Exact.tan(yfov / 2)
            camera.halfWidth = camera.halfHeight * aspect
        } else if source.type == "orthographic", let lens = source.orthographic {
            camera.isOrthographic = true
            camera.halfWidth = Float(lens.xmag.magnitude)
            camera.halfHeight = Float(lens.ymag.magnitude)
            guard camera.halfWidth > 1e-9, camera.halfWidth < 1e9, camera.halfHeight > 1e-9,
                camera.halfHeight < 1e9
            else { throw Failure(.malformed, "orthographic: xmag and ymag other than 0 expected") }
        } else {
            throw Failure(
                .malformed, "type: perspective or orthographic, with its properties, expected")
        }
    }
}
