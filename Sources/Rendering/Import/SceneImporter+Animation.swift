internal import Core

/// A number of a node that an animation may move.
private struct AnimatedProperty: Hashable {
    enum Path: String { case translation, rotation, scale, weights }

    let node: Int
    let path: Path
}

extension SceneImporter {
    /// Puts the nodes where the chosen animations have them.
    func pose() throws(Failure) {
        let count = document.animations?.count ?? 0
        guard let seconds = options.seconds else {
            for index in 0..<count { stillAnimations[index] = "no time is given" }
            if options.animation != .all { throw Failure(.malformed, "animation: no time given") }
            return
        }
        guard seconds.isFinite else { throw Failure(.malformed, "time: finite seconds expected") }
        let chosen = try chosenAnimations()
        for index in 0..<count where !chosen.contains(index) {
            stillAnimations[index] = "another one is chosen"
        }
        if chosen.isEmpty { warn("the file has no animations: it looks the same at every time") }
        var driven: Set<AnimatedProperty> = []
        var times = KeyTimes(accessors: accessors)
        for index in chosen {
            let animation = (document.animations ?? [])[index]
            let place = "animations[\(index)]"
            let channels = try properties(animation, place)
            guard driven.isDisjoint(with: channels.map(\.property)) else {
                warn(
                    "\(Self.label(animation, index)) moves what an earlier animation moves and is "
                        + "left out: choose one with --animation")
                stillAnimations[index] = "it moves what an earlier one moves"
                continue
            }
            driven.formUnion(channels.map(\.property))
            var moves = false
            for (number, property) in channels {
                do throws(Failure) {
                    if try move(property, animation, number, seconds, &times) { moves = true }
                } catch {
                    throw error.at("\(place).channels[\(number)]")
                }
            }
            stillAnimations[index] = moves ? nil : "it moves nothing"
        }
    }

    /// When an animation's last key is; nil where that cannot be read.
    func animationSeconds(_ index: Int) -> Double? {
        guard let animations = document.animations, animations.indices.contains(index) else {
            return nil
        }
        let inputs = Set(animations[index].samplers.map(\.input)).sorted()
        return inputs.compactMap { try? accessors.floats($0).last.map(Double.init) }.max()
    }

    private static func label(_ animation: GLTFDocument.Animation, _ index: Int) -> String {
        "animation \(index)" + (animation.name.map { " \"\(printable($0))\"" } ?? "")
    }

    private func chosenAnimations() throws(Failure) -> [Int] {
        let animations = document.animations ?? []
        var found: Int?
        switch options.animation {
        case .all: return Array(animations.indices)
        case .index(let index): found = animations.indices.contains(index) ? index : nil
        case .named(let name): found = animations.firstIndex { $0.name == name }
        }
        if let found { return [found] }
        let names = animations.enumerated().map { index, animation in
            "\(index) \"\(Self.printable(animation.name ?? ""))\""
        }
        let known = names.isEmpty ? "has none" : "has \(names.prefix(8).joined(separator: ", "))"
        throw Failure(
            .malformed,
            "animation \"\(Self.printable(options.animation.argument))\": the file \(known)")
    }

    /// What each channel moves, without those that move nothing here.
    private func properties(
        _ animation: GLTFDocument.Animation, _ place: String
    ) throws(Failure) -> [(number: Int, property: AnimatedProperty)] {
        var found: [(number: Int, property: AnimatedProperty)] = []
        var seen: Set<AnimatedProperty> = []
        for (number, channel) in animation.channels.enumerated() {
            let target = channel.target
            guard let node = target.node,
                let path = AnimatedProperty.Path(rawValue: target.path)
            else {
                warn("an animation moves something that is no node's, and is left out there")
                continue
            }
            _ = try nodes.element(node, "\(place).channels[\(number)].target.node")
            let property = AnimatedProperty(node: node, path: path)
            guard seen.insert(property).inserted else {
                throw Failure(
                    .malformed,
                    "\(place).channels[\(number)]: nodes[\(node)].\(path) is moved twice")
            }
            found.append((number, property))
        }
        return found
    }

    /// - Returns: whether there is something to move.
    private func move(
        _ property: AnimatedProperty, _ animation: GLTFDocument.Animation, _ channel: Int,
        _ seconds: Double, _ times: inout KeyTimes
    ) throws(Failure) -> Bool {
        let index = animation.channels[channel].sampler
        let sampler = try animation.samplers.element(index, "sampler")
        let node = property.node
        if property.path != .weights, nodes[node].matrix != nil {
            throw Failure(
                .malformed,
                "nodes[\(node)].matrix: none expected where an animation moves the node")
        }
        let isRotation = property.path == .rotation
        let lanes = isRotation ? 4 : property.path == .weights ? targetCount(of: node) : 3
        guard lanes > 0 else {
            warn("an animation moves weights of a mesh without morph targets")
            return false
        }
        let track = try times.track(
            sampler, lanes: lanes, isScalar: property.path == .weights,
            mayBeNormalized: isRotation || property.path == .weights)
        guard isRotation else {
            let value = track.value(at: seconds)
            switch property.path {
            case .translation: nodes[node].translation = value
            case .scale: nodes[node].scale = value
            default: nodes[node].weights = value
            }
            return true
        }
        guard let rotation = track.rotation(at: seconds) else {
            throw Failure(.malformed, "rotation: a unit quaternion expected")
        }
        nodes[node].rotation = rotation
        return true
    }

    private func targetCount(of node: Int) -> Int {
        guard let mesh = nodes[node].mesh, let meshes = document.meshes,
            meshes.indices.contains(mesh)
        else { return 0 }
        return meshes[mesh].primitives.first?.targets?.count ?? 0
    }
}

/// Reads animation samplers; many share their times.
private struct KeyTimes {
    let accessors: GLTFAccessors
    private var known: [Int: [Float]] = [:]
    private var valueCount = 0

    init(accessors: GLTFAccessors) { self.accessors = accessors }

    mutating func track(
        _ sampler: GLTFDocument.Animation.Sampler, lanes: Int, isScalar: Bool,
        mayBeNormalized: Bool
    ) throws(Failure) -> AnimationTrack {
        let name = sampler.interpolation ?? "LINEAR"
        guard let interpolation = AnimationTrack.Interpolation(rawValue: name) else {
            throw Failure(
                .malformed,
                "interpolation: STEP, LINEAR or CUBICSPLINE expected, "
                    + "\"\(SceneImporter.printable(name))\" there")
        }
        let times: [Float]
        do throws(Failure) { times = try self.times(sampler.input) } catch {
            throw error.at("input")
        }
        do throws(Failure) {
            let (format, count) = try accessors.format(sampler.output)
            let isFloat = format.component == .float
            guard format.lanes == (isScalar ? 1 : lanes),
                isFloat || (mayBeNormalized && format.isNormalized)
            else {
                let type = isScalar ? "SCALAR" : "VEC\(lanes)"
                throw Failure(
                    .malformed,
                    "accessor \(sampler.output): \(type) float expected, \(format) there")
            }
            let expected = times.count * interpolation.valuesPerKey * (isScalar ? lanes : 1)
            guard count == expected else {
                throw Failure(
                    .malformed,
                    "accessor \(sampler.output): \(expected) elements expected, \(count) there")
            }
            try take(count * format.lanes)
            let values = try accessors.floats(sampler.output)
            guard values.allSatisfy(\.isFinite) else {
                throw Failure(.malformed, "accessor \(sampler.output): finite numbers expected")
            }
            return AnimationTrack(
                times: times, values: values, lanes: lanes, interpolation: interpolation)
        } catch {
            throw error.at("output")
        }
    }

    private mutating func times(_ index: Int) throws(Failure) -> [Float] {
        if let times = known[index] { return times }
        let (format, count) = try accessors.format(index)
        guard format.lanes == 1, format.component == .float else {
            throw Failure(.malformed, "accessor \(index): SCALAR float expected, \(format) there")
        }
        try take(count)
        let times = try accessors.floats(index)
        var last: Float = 0
        for (key, time) in times.enumerated() {
            guard time.isFinite, time >= last else {
                throw Failure(
                    .malformed,
                    "accessor \(index): times from 0 on that do not fall expected, key \(key) is "
                        + "\(time) after \(last)")
            }
            last = time
        }
        known[index] = times
        return times
    }

    /// Counts numbers read, so that channels over one large accessor cannot take hours.
    private mutating func take(_ count: Int) throws(Failure) {
        valueCount += count
        guard valueCount <= accessors.limits.animationValuesMax else {
            throw Failure(
                .limit, "more than \(accessors.limits.animationValuesMax) numbers of animations")
        }
    }
}
