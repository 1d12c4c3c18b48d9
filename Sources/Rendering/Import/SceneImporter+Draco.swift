internal import Core
internal import MeshCodecs

extension SceneImporter {
    /// The elements of a primitive's accessors that KHR_draco_mesh_compression holds, by accessor,
    /// as the accessors describe them; empty where the primitive is not compressed.
    func decodedAttributes(
        _ primitive: GLTFDocument.Primitive, _ place: String
    ) throws(Failure) -> [Int: Bytes] {
        guard let draco = primitive.extensions?.draco else { return [:] }
        do throws(Failure) {
            let view = try accessors.view(draco.bufferView)
            accessors.codecsUsed.insert(.draco)
            let mesh = try DracoMesh(
                decoding: Bytes(view.bytes[view.range]), pointsMax: limits.verticesMax,
                trianglesMax: limits.trianglesMax)
            var decoded: [Int: Bytes] = [:]
            if let index = primitive.indices {
                decoded[index] = try packed(
                    .integers(mesh.corners.map { Int32(bitPattern: $0) }), as: index)
            }
            for (name, id) in draco.attributes.sorted(by: { $0.key < $1.key }) {
                guard let index = primitive.attributes[name] else {
                    throw Failure(
                        .malformed, "attributes.\(Self.printable(name)): not the primitive's")
                }
                let accessor = try (document.accessors ?? []).element(index, "accessor")
                let lanes = GLTFAccessors.Format.lanesByType[accessor.type] ?? 0
                do throws(Failure) {
                    decoded[index] = try packed(
                        try mesh.values(id: id, components: lanes), as: index)
                } catch {
                    throw error.at("attributes.\(Self.printable(name))")
                }
            }
            return decoded
        } catch {
            throw error.at("\(place).KHR_draco_mesh_compression")
        }
    }

    /// Values in an accessor's component type.
    private func packed(_ values: DracoMesh.Values, as index: Int) throws(Failure) -> Bytes {
        let accessor = try (document.accessors ?? []).element(index, "accessor")
        let lanes = GLTFAccessors.Format.lanesByType[accessor.type] ?? 0
        let count = values.count
        guard lanes > 0, accessor.count >= 0, count % lanes == 0, count / lanes == accessor.count
        else {
            throw Failure(
                .malformed,
                "accessor \(index): \(accessor.count) elements expected, "
                    + "\(lanes > 0 ? count / lanes : count) there")
        }
        guard let component = GLTFAccessors.Format.Component(rawValue: accessor.componentType)
        else {
            throw Failure(.malformed, "accessors[\(index)].componentType unknown")
        }
        switch (values, component) {
        case (.floats(let floats), .float):
            return floats.map(\.bitPattern).littleEndianBytes
        case (.integers(let whole), .float):
            return whole.map { Float($0).bitPattern }.littleEndianBytes
        case (.integers(let whole), .uint32):
            return whole.littleEndianBytes
        case (.integers(let whole), .uint16): return try narrowed(whole, UInt16.self, index)
        case (.integers(let whole), .int16): return try narrowed(whole, Int16.self, index)
        case (.integers(let whole), .uint8): return try narrowed(whole, UInt8.self, index)
        case (.integers(let whole), .int8): return try narrowed(whole, Int8.self, index)
        case (.floats, _):
            throw Failure(
                .malformed, "accessor \(index): floats cannot be read as \(component)")
        }
    }

    private func narrowed<T: FixedWidthInteger>(
        _ values: [Int32], _ type: T.Type, _ index: Int
    ) throws(Failure) -> Bytes {
        try values.map { (value) throws(Failure) in
            guard let narrow = T(exactly: value) else {
                throw Failure(.malformed, "accessor \(index): \(value) does not fit \(type)")
            }
            return narrow
        }.littleEndianBytes
    }
}

extension Array where Element: FixedWidthInteger {
    fileprivate var littleEndianBytes: Bytes { map(\.littleEndian).withUnsafeBytes { Bytes($0) } }
}
