internal import Core

/// What morph targets do to texture coordinates and colours (glTF 2.0 §3.7.2.2).
extension PrimitiveReader {
    typealias ActiveTargets = [(offset: Int, element: Double)]

    mutating func morphCoordinates(
        _ geometry: inout PrimitiveGeometry, _ targets: [[String: Int]], _ active: ActiveTargets
    ) throws(Failure) {
        for (place, set) in sets.prefix(2).enumerated() {
            let name = "TEXCOORD_\(set)"
            let uvs = place == 0 ? geometry.uv0 : geometry.uv1
            let base = uvs.flatMap { [Double($0.x), Double($0.y)] }
            guard let sums = try morphed(base, 2, name, targets, active) else { continue }
            var dropped = 0
            let moved = uvs.indices.map { index in
                let uv = SIMD2(Float(sums[2 * index]), Float(sums[2 * index + 1]))
                if uv.x.magnitude <= Self.coordinateMax, uv.y.magnitude <= Self.coordinateMax {
                    return SIMD2(uv.x.withoutSubnormals, uv.y.withoutSubnormals)
                }
                dropped += 1
                return .zero
            }
            if place == 0 { geometry.uv0 = moved } else { geometry.uv1 = moved }
            if dropped > 0 {
                warnings.append("\(name): \(dropped) out of range once morphed, taken as 0")
            }
        }
    }

    /// Colours stay within 0 and 1; differences without alpha leave it.
    mutating func morphColors(
        _ geometry: inout PrimitiveGeometry, _ targets: [[String: Int]], _ active: ActiveTargets
    ) throws(Failure) {
        let base = geometry.colors.flatMap { color in (0..<4).map { Double(color[$0]) } }
        guard let sums = try morphed(base, 4, "COLOR_0", targets, active) else { return }
        for index in geometry.colors.indices {
            for lane in 0..<4 {
                let sum = sums[4 * index + lane]
                // What is not a number changes nothing.
                guard sum == sum else { continue }
                geometry.colors[index][lane] = Float(min(max(sum, 0), 1)).withoutSubnormals
            }
        }
    }

    /// `base`, `lanes` numbers a vertex, and the weighted differences of all targets that count, in
    /// order of targets; nil where none has any, or the mesh itself has nothing to be changed.
    private mutating func morphed(
        _ base: [Double], _ lanes: Int, _ name: String, _ targets: [[String: Int]],
        _ active: ActiveTargets
    ) throws(Failure) -> [Double]? {
        let found = active.filter { targets[$0.offset][name] != nil }
        guard !found.isEmpty else { return nil }
        guard primitive.attributes[name] != nil else {
            warnings.append("no \(name): what morph targets would add to it is left out")
            return nil
        }
        var sums = base
        for (target, weight) in found {
            guard let accessor = targets[target][name] else { continue }
            do throws(Failure) {
                try add(accessor, times: weight, to: &sums, lanes)
            } catch {
                throw error.at("\(place).targets[\(target)].\(name)")
            }
        }
        return sums
    }

    private func add(
        _ accessor: Int, times weight: Double, to sums: inout [Double], _ lanes: Int
    ) throws(Failure) {
        // Colours may come without alpha.
        let given = try accessors.format(accessor).format.lanes
        let own = lanes == 4 && given == 3 ? 3 : lanes
        let values = try floats(
            accessor, lanes: own, count: sums.count / lanes, mustBeFloat: false)
        for vertex in 0..<sums.count / lanes {
            for lane in 0..<own {
                sums[vertex * lanes + lane] += Double(values[vertex * own + lane]) * weight
            }
        }
    }
}
