internal import Core

extension SceneImporter {
    /// Where a node puts its mesh: once, or as often as EXT_mesh_gpu_instancing says.
    func placements(
        _ node: GLTFDocument.Node, _ world: Affine, _ deformation: Deformation?
    ) throws(Failure) -> [Affine] {
        guard let attributes = node.extensions?.instancing?.attributes else { return [world] }
        if deformation?.joints != nil {
            warn("EXT_mesh_gpu_instancing: a skinned mesh is placed by its joints, and once")
            return [world]
        }
        do throws(Failure) {
            return try instances(attributes).map { (own) throws(Failure) in
                let placed = world.after(own)
                guard placed.isFinite else { throw Failure(.malformed, "transform overflows") }
                return placed
            }
        } catch {
            throw error.at("EXT_mesh_gpu_instancing")
        }
    }

    private func instances(_ attributes: [String: Int]) throws(Failure) -> [Affine] {
        let translations = try lanes(attributes, "TRANSLATION", 3)
        let rotations = try lanes(attributes, "ROTATION", 4)
        let scales = try lanes(attributes, "SCALE", 3)
        let counts = Set([translations, rotations, scales].compactMap { $0?.count })
        guard counts.count == 1, let count = counts.first else {
            throw Failure(
                .malformed,
                counts.isEmpty
                    ? "attributes: TRANSLATION, ROTATION or SCALE expected"
                    : "attributes: as many elements in each expected")
        }
        guard count <= limits.instancesMax else {
            throw Failure(.limit, "more than \(limits.instancesMax) instances")
        }
        var placed: [Affine] = []
        for index in 0..<count {
            do throws(Failure) {
                placed.append(
                    try Affine(
                        translation: translations?[index], rotation: rotations?[index],
                        scale: scales?[index]))
            } catch {
                throw error.at("instance \(index)")
            }
        }
        return placed
    }

    private func lanes(
        _ attributes: [String: Int], _ name: String, _ lanes: Int
    ) throws(Failure) -> [[Double]]? {
        guard let index = attributes[name] else { return nil }
        do throws(Failure) {
            let format = try accessors.format(index).format
            let isFloat = format.component == .float
            guard format.lanes == lanes, isFloat || (lanes == 4 && format.isNormalized) else {
                throw Failure(
                    .malformed, "accessor \(index): VEC\(lanes) float expected, \(format) there")
            }
            let values = try accessors.floats(index).map(Double.init)
            return stride(from: 0, to: values.count, by: lanes).map {
                Array(values[$0..<$0 + lanes])
            }
        } catch {
            throw error.at(name)
        }
    }

    // MARK: Variants

    /// Finds the variant that is wanted.
    func chooseVariant() throws(Failure) {
        guard let name = options.variant else { return }
        let variants = document.extensions?.variants?.variants ?? []
        variant = variants.firstIndex { $0.name == name }
        guard variant == nil else { return }
        let names = variants.prefix(8).map { "\"\(Self.printable($0.name))\"" }
        let known = names.isEmpty ? "has none" : "has \(names.joined(separator: ", "))"
        throw Failure(.malformed, "variant \"\(Self.printable(name))\": the file \(known)")
    }

    /// A primitive's material in the wanted variant.
    func materialIndex(
        _ primitive: GLTFDocument.Primitive, _ place: String
    ) throws(Failure) -> Int? {
        let mappings = primitive.extensions?.variants?.mappings ?? []
        let variantCount = document.extensions?.variants?.variants.count ?? 0
        for mapping in mappings {
            for index in mapping.variants where !(0..<variantCount).contains(index) {
                throw Failure(
                    .malformed,
                    "\(place).KHR_materials_variants: variant \(index) of \(variantCount)")
            }
        }
        guard let variant else { return primitive.material }
        return mappings.first { $0.variants.contains(variant) }?.material ?? primitive.material
    }
}
