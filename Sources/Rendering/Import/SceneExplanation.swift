public import Core

/// What a scene file holds, and what the importer makes of each part of it.
public struct SceneExplanation: Sendable {
    public enum Handling: String, Sendable {
        case used
        /// Put right in a documented way.
        case repaired
        case leftOut = "left out"
        /// The scene is not imported for it.
        case refused
    }

    /// One thing of the file.
    public struct Part: Hashable, Sendable {
        /// Such as `texture` or `extension`.
        public var kind: String
        /// Its index or name in the file.
        public var name: String
        /// Sizes, lengths and the like; why it is left out.
        public var detail: String
        public var handling: Handling
    }

    /// How many of each, in the file (`meshes`) or in the scene made of it (`triangles`).
    public var counts: [(name: String, count: Int)] = []
    public var parts: [Part] = []
    /// Why there is no scene; nil where there is one.
    public var refusal: Failure?

    /// Reads a scene as ``Scene/init(importing:from:limits:options:)`` does, and says what of it.
    ///
    /// - Throws: ``Failure`` where the file is no glTF document at all. A scene that is refused for
    ///   what is in it is explained.
    public init(
        _ path: String, from files: SceneFiles, limits: ImportLimits = ImportLimits(),
        options: ImportOptions = ImportOptions()
    ) throws(Failure) {
        let importer: SceneImporter
        do throws(Failure) {
            importer = try SceneImporter(path, files, limits, options, refusesExtensions: false)
        } catch {
            throw error.message.hasPrefix("\(path): ") ? error : error.at(path)
        }
        do throws(Failure) {
            try SceneImporter.checkExtensions(importer.document)
            _ = try importer.run()
        } catch {
            importer.tellRepairs()
            refusal = error.message.hasPrefix("\(path): ") ? error : error.at(path)
        }
        counts = importer.counts
        parts = importer.parts
        if let refusal {
            parts.append(
                Part(
                    kind: "scene", name: path,
                    detail: String(refusal.message.dropFirst(path.count + 2)), handling: .refused))
        }
    }
}

extension SceneImporter {
    /// How many of each there are.
    fileprivate var counts: [(name: String, count: Int)] {
        let meshes = document.meshes ?? []
        return [
            ("nodes", nodes.count), ("meshes", meshes.count),
            ("primitives", meshes.map(\.primitives.count).reduce(0, +)),
            ("instances", instanceCount), ("shared_meshes", scene.meshes.count),
            ("shared_instances", scene.instances.count),
            ("triangles", scene.drawnTriangleCount), ("triangles_stored", scene.triangles.count),
            ("vertices", scene.positions.count), ("materials", document.materials?.count ?? 0),
            ("images", document.images?.count ?? 0), ("textures", scene.textures.count),
            ("lights", scene.lights.count), ("cameras", scene.cameras.count),
            ("animations", document.animations?.count ?? 0), ("skins", document.skins?.count ?? 0),
            (
                "morph_targets",
                meshes.map { $0.primitives.first?.targets?.count ?? 0 }.reduce(0, +)
            ),
            ("variants", document.extensions?.variants?.variants.count ?? 0),
        ]
    }

    fileprivate var parts: [SceneExplanation.Part] {
        materialParts + textureParts + lightAndCameraParts + animationParts + deformationParts
            + extensionParts
            + handled.map { .init(kind: "note", name: "", detail: $0, handling: $1) }
    }

    private static func name(_ index: Int, _ name: String?) -> String {
        name.map { "\(index) \"\(printable($0))\"" } ?? "\(index)"
    }

    private var materialParts: [SceneExplanation.Part] {
        (document.materials ?? []).enumerated().map { index, material in
            let isUsed = materials[index] != nil
            return .init(
                kind: "material", name: Self.name(index, material.name),
                detail: isUsed ? "" : "nothing in the scene has it",
                handling: isUsed ? .used : .leftOut)
        }
    }

    private var textureParts: [SceneExplanation.Part] {
        let used = scene.textures.enumerated().map { index, texture in
            SceneExplanation.Part(
                kind: "texture", name: "\(index)",
                detail: "\(texture.width)×\(texture.height) \(texture.isSRGB ? "colour" : "data")",
                handling: .used)
        }
        let images = document.images ?? []
        let unused = images.indices.filter { self.images[$0] == nil }.map { index in
            SceneExplanation.Part(
                kind: "image", name: Self.name(index, images[index].name),
                detail: "no texture in use has it", handling: .leftOut)
        }
        return used + unused
    }

    private var lightAndCameraParts: [SceneExplanation.Part] {
        let lights = scene.lights.enumerated().map { index, light in
            SceneExplanation.Part(
                kind: "light", name: "\(index)", detail: "\(light.kind)", handling: .used)
        }
        let cameras = scene.cameras.enumerated().map { index, camera in
            SceneExplanation.Part(
                kind: "camera", name: Self.name(index, camera.name),
                detail: camera.fault ?? (camera.isOrthographic ? "orthographic" : "perspective"),
                handling: camera.fault == nil ? .used : .leftOut)
        }
        return lights + cameras
    }

    private var animationParts: [SceneExplanation.Part] {
        (document.animations ?? []).enumerated().map { index, animation in
            let seconds = animationSeconds(index).map { "\($0) s, " } ?? ""
            let channels = animation.channels.count
            let reason = stillAnimations[index]
            return .init(
                kind: "animation", name: Self.name(index, animation.name),
                detail: "\(seconds)\(channels) \(channels == 1 ? "channel" : "channels")"
                    + (reason.map { ": \($0)" } ?? ""),
                handling: reason == nil ? .used : .leftOut)
        }
    }

    private var deformationParts: [SceneExplanation.Part] {
        let skins = (document.skins ?? []).enumerated().map { index, skin in
            let isUsed = self.skins[index] != nil
            return SceneExplanation.Part(
                kind: "skin", name: Self.name(index, skin.name),
                detail: "\(skin.joints.count) joints"
                    + (isUsed ? "" : ": no mesh in the scene has it"),
                handling: isUsed ? .used : .leftOut)
        }
        let morphs = (document.meshes ?? []).enumerated().compactMap { index, mesh in
            mesh.primitives.first?.targets.map {
                SceneExplanation.Part(
                    kind: "morph targets", name: "of mesh \(Self.name(index, mesh.name))",
                    detail: "\($0.count)", handling: .used)
            }
        }
        return skins + morphs
    }

    private var extensionParts: [SceneExplanation.Part] {
        let required = document.extensionsRequired ?? []
        let named = (document.extensionsUsed ?? []) + required
        var seen: Set<String> = []
        return named.filter { seen.insert($0).inserted }.map { name in
            let isRequired = required.contains(name)
            let isKnown = Self.known.contains(name)
            return .init(
                kind: "extension", name: Self.printable(name),
                detail: isRequired ? "required" : "",
                handling: isKnown ? .used : isRequired ? .refused : .leftOut)
        }
    }
}
