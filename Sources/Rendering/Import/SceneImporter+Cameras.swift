internal import Core
internal import Exact

extension SceneImporter {
    private static let pi: Float = 0x1.921fb6p1

    /// A camera at its node: it looks along the node's −z with +y up.
    ///
    /// One that no picture can be taken with keeps its number, and is refused where it is chosen.
    func append(camera index: Int, _ node: Int, at transform: Affine) throws(Failure) {
        let source = try (document.cameras ?? []).element(index, "camera")
        var camera = Camera()
        camera.name = Self.printable(source.name ?? nodes[node].name ?? "camera \(index)")
        owner = RangeOwner("camera", index, name: camera.name)
        do throws(Failure) { try place(&camera, source, at: transform) } catch {
            let fault = "nodes[\(node)]: cameras[\(index)]: \(error.message)"
            camera.fault = fault
            let number = scene.cameras.count
            warn("camera \(number) \"\(camera.name)\" cannot be looked through: \(fault)")
        }
        scene.cameras.append(camera)
    }

    private func place(
        _ camera: inout Camera, _ source: GLTFDocument.CameraSource, at transform: Affine
    ) throws(Failure) {
        camera.position = Vector.float(transform.translation).withoutSubnormals
        guard camera.position.isFinite else { throw Failure(.malformed, "position overflows") }
        guard camera.look(along: -transform.z, up: transform.y) else {
            throw Failure(
                .malformed, "a transform with three directions expected, such as no scale of 0")
        }
        if source.type == "perspective", let lens = source.perspective {
            try setLens(lens, &camera)
        } else if source.type == "orthographic", let lens = source.orthographic {
            try setLens(lens, &camera)
        } else {
            throw Failure(
                .malformed, "type: perspective or orthographic, with its properties, expected")
        }
    }

    private func setLens(
        _ lens: GLTFDocument.CameraSource.Perspective, _ camera: inout Camera
    ) throws(Failure) {
        let yfov = Float(lens.yfov)
        guard yfov > 1e-4, yfov < Self.pi else {
            throw Failure(
                .malformed,
                "perspective.yfov: between 0 and π expected, \(Self.text(lens.yfov)) there")
        }
        var aspect = Float(lens.aspectRatio ?? 1)
        if !(aspect > 1e-3 && aspect < 1e3) {
            // The picture's own counts in the end.
            tell("perspective.aspectRatio", Self.text(lens.aspectRatio ?? 1), "1", "0.001 to 1000")
            aspect = 1
        }
        camera.halfHeight = Exact.tan(yfov / 2)
        camera.halfWidth = camera.halfHeight * aspect
    }

    private func setLens(
        _ lens: GLTFDocument.CameraSource.Orthographic, _ camera: inout Camera
    ) throws(Failure) {
        camera.isOrthographic = true
        for (name, value) in [("xmag", lens.xmag), ("ymag", lens.ymag)] {
            let size = value.magnitude
            guard size > 1e-9, size < 1e9 else {
                throw Failure(
                    .malformed,
                    "orthographic.\(name): between 0 and 10^9 expected, \(Self.text(value)) there")
            }
            if value < 0 {
                tell("orthographic.\(name)", Self.text(value), Self.text(size), "more than 0")
            }
        }
        camera.halfWidth = Float(lens.xmag.magnitude)
        camera.halfHeight = Float(lens.ymag.magnitude)
    }
}
