extension Camera {
    /// Turns the camera; false, and nothing changed, when the directions give no three axes.
    mutating func look(along forward: SIMD3<Double>, up: SIMD3<Double>) -> Bool {
        guard let forward = Vector.unit(forward),
            let right = Vector.unit(Vector.cross(forward, up))
        else { return false }
        self.forward = Vector.float(forward).withoutSubnormals
        self.right = Vector.float(right).withoutSubnormals
        self.up = Vector.float(Vector.cross(right, forward)).withoutSubnormals
        return true
    }

    /// The camera for a picture of `width` × `height` pixels: its vertical extent stays, the
    /// horizontal one follows the picture, so that pixels are square.
    public func fitted(width: Int, height: Int) -> Camera {
        precondition(width > 0 && height > 0, "a picture has pixels")
        var camera = self
        camera.halfWidth = halfHeight * (Float(width) / Float(height))
        return camera
    }

    /// A camera that shows the whole scene from the front, right and above.
    ///
    /// It looks at the centre of the bounding box of all triangles' vertices in world space, from
    /// direction (0.6, 0.35, 1.0), at 2.8 times half the box's diagonal, with 45° across.
    public static func automatic(framing scene: Scene, width: Int, height: Int) -> Camera {
        precondition(width > 0 && height > 0, "a picture has pixels")
        let box = scene.worldBox ?? Box(low: [-1, -1, -1, 0], high: [1, 1, 1, 0])
        let low = Vector.double([box.low.x, box.low.y, box.low.z])
        let high = Vector.double([box.high.x, box.high.y, box.high.z])
        let centre = (low + high) / 2
        let diagonal = high - low
        var radius = Vector.dot(diagonal, diagonal).squareRoot() / 2
        if radius == 0 { radius = 1 }

        var camera = Camera()
        camera.name = "automatic"
        let direction = Vector.unit([0.6, 0.35, 1]) ?? [0, 0, 1]
        camera.position = Vector.float(centre + direction * (radius * 2.8)).withoutSubnormals
        let looks = camera.look(along: -direction, up: [0, 1, 0])
        precondition(looks, "the direction is not straight up")
        // tan(22.5°) is √2 − 1.
        camera.halfWidth = Float(2.0.squareRoot() - 1)
        camera.halfHeight = camera.halfWidth * (Float(height) / Float(width))
        return camera
    }
}
