internal import Core

/// How a node changes the shape of its mesh.
struct Deformation {
    /// One for each morph target; empty where none counts.
    var weights: [Double] = []
    /// Each joint's way from the mesh's bind pose into the world; nil without a skin.
    var joints: [Affine]?

    var isRigid: Bool { joints == nil && !weights.contains { $0 != 0 } }
}

extension SceneImporter {
    /// What node `index` makes of its mesh's shape; nil where that stays as it is.
    ///
    /// - Parameter worlds: the transforms of the scene's nodes; nil for nodes outside it.
    func deformation(_ index: Int, _ worlds: [Affine?]) throws(Failure) -> Deformation? {
        let node = nodes[index]
        guard let number = node.mesh else { return nil }
        let mesh = try (document.meshes ?? []).element(number, "mesh")
        var deformation = Deformation()
        let targetCount = mesh.primitives.first?.targets?.count ?? 0
        if let weights = node.weights ?? mesh.weights, targetCount > 0 || !weights.isEmpty {
            deformation.weights = try Affine.numbers(weights, targetCount, "weights")
        }
        if let skin = node.skin { deformation.joints = try joints(of: skin, worlds) }
        return deformation.isRigid ? nil : deformation
    }

    private func joints(of index: Int, _ worlds: [Affine?]) throws(Failure) -> [Affine] {
        if let known = skins[index] { return known }
        let skin = try (document.skins ?? []).element(index, "skin")
        let place = "skins[\(index)]"
        guard !skin.joints.isEmpty else {
            throw Failure(.malformed, "\(place).joints: at least one expected")
        }
        var binds: [Affine]?
        if let matrices = skin.inverseBindMatrices {
            do throws(Failure) {
                binds = try inverseBinds(matrices, count: skin.joints.count)
            } catch {
                throw error.at("\(place).inverseBindMatrices")
            }
        }
        var joints: [Affine] = []
        for (number, node) in skin.joints.enumerated() {
            _ = try nodes.element(node, "\(place).joints[\(number)]: node")
            guard let world = worlds[node] else {
                throw Failure(
                    .malformed, "\(place).joints[\(number)]: nodes[\(node)] is not in the scene")
            }
            joints.append(binds.map { world.after($0[number]) } ?? world)
        }
        skins[index] = joints
        return joints
    }

    private func inverseBinds(_ index: Int, count: Int) throws(Failure) -> [Affine] {
        let (format, elements) = try accessors.format(index)
        guard format.lanes == 16, format.component == .float, elements >= count else {
            throw Failure(
                .malformed,
                "accessor \(index): \(count) of MAT4 float expected, \(elements) of \(format) there"
            )
        }
        let values = try accessors.floats(index).map(Double.init)
        var binds: [Affine] = []
        for number in 0..<count {
            let m = Array(values[16 * number..<16 * number + 16])
            let row = [m[3], m[7], m[11], m[15] - 1]
            // Exporters invert matrices in floats, so the last row may be off by a few ulps.
            guard m.allSatisfy(\.isFinite), row.allSatisfy({ $0.magnitude < 1e-4 }) else {
                throw Failure(
                    .malformed,
                    "accessor \(index): matrix \(number): finite numbers and a last row of 0 0 0 1 "
                        + "expected")
            }
            binds.append(
                Affine(
                    x: [m[0], m[1], m[2]], y: [m[4], m[5], m[6]], z: [m[8], m[9], m[10]],
                    translation: [m[12], m[13], m[14]]))
        }
        return binds
    }
}
