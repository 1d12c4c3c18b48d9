internal import Core
internal import Foundation
internal import Imaging
internal import MeshCodecs

/// Reads a glTF 2.0 scene (`.gltf` or `.glb`) with all its buffers and images into a ``Scene``.
///
/// The result is a function of the files' bytes alone: arithmetic is + − × ÷ √ in a fixed order and
/// `Exact`, triangles come in the order of the file's nodes (depth first), meshes and primitives.
final class SceneImporter {
    let document: GLTFDocument
    let files: SceneFiles
    /// The scene file's own folder within `files`, with a `/` behind it, or empty.
    let base: String
    let limits: ImportLimits
    let options: ImportOptions
    let accessors: GLTFAccessors
    var scene = Scene()
    /// The file's nodes, moved by its animations.
    var nodes: [GLTFDocument.Node]
    /// A skin's joints, each from the mesh's bind pose into the world.
    var skins: [Int: [Affine]] = [:]
    /// The file's material → the scene's, with the coordinates its textures want.
    var materials: [Int?: ImportedMaterial] = [:]
    var images: [Int: ImageRGBA8] = [:]
    var textures: [TextureKey: Int] = [:]
    var texelCount = 0
    var morphedVertexCount = 0
    /// The index of the material variant that is wanted.
    var variant: Int?
    /// Why animations do not play, or move nothing; the others play.
    var stillAnimations: [Int: String] = [:]
    /// Whose numbers ``repairs`` are noted for.
    var owner = RangeOwner("scene", 0, name: nil)
    var repairs = RangeRepairs()
    /// Triangles whose corners cannot be kept, each use of a mesh counted, and those uses.
    var droppedTriangles = (count: 0, uses: 0)
    private(set) var instanceCount = 0
    /// What was not taken as the file has it, and how it was handled.
    private(set) var handled: [(line: String, handling: SceneExplanation.Handling)] = []
    private var warned: Set<String> = []

    init(
        _ path: String, _ files: SceneFiles, _ limits: ImportLimits, _ options: ImportOptions,
        refusesExtensions: Bool = true
    ) throws(Failure) {
        let bytes = try files.read(path)
        var json = bytes
        var binary: Bytes?
        if GLB.isGLB(bytes) {
            let container = try GLB(bytes)
            json = container.json
            binary = container.binary
        }
        document = try Self.decode(json, limits)
        try Self.checkHeader(document)
        if refusesExtensions { try Self.checkExtensions(document) }
        nodes = document.nodes ?? []
        for index in (document.animations ?? []).indices {
            stillAnimations[index] = "the scene is refused"
        }
        self.files = files
        self.limits = limits
        self.options = options
        let folder = path.split(separator: "/").dropLast().map { $0 + "/" }.joined()
        base = folder
        let buffers = document.buffers ?? []
        accessors = GLTFAccessors(document, limits: limits) { index throws(Failure) in
            guard let uri = buffers[index].uri else {
                if index == 0, let binary { return binary }
                throw Failure(
                    .malformed, "buffers[\(index)].uri: expected outside a GLB's buffer 0")
            }
            do throws(Failure) { return try Self.load(uri, folder, files) } catch {
                throw error.at("buffers[\(index)]")
            }
        }
    }

    private static func decode(
        _ json: Bytes, _ limits: ImportLimits
    ) throws(Failure) -> GLTFDocument {
        guard json.count <= limits.jsonBytesMax else {
            throw Failure(.limit, "\(json.count) bytes of JSON: at most \(limits.jsonBytesMax)")
        }
        try checkEncoding(json)
        do {
            let document = try JSONDecoder().decode(GLTFDocument.self, from: Data(json))
            if let name = JSONKeys.repeated(in: json) {
                throw Failure(
                    .malformed, "\(Self.printable(name)): twice in one object, once expected")
            }
            return document
        } catch let failure as Failure {
            throw failure
        } catch let error as DecodingError {
            throw Failure(.malformed, JSONPlace.describe(error, in: json))
        } catch {
            throw Failure(.malformed, JSONPlace.describeDamage(json))
        }
    }

    /// The decoder would find out other encodings than glTF's, and take them.
    private static func checkEncoding(_ json: Bytes) throws(Failure) {
        let marks: [Bytes] = [[0xef, 0xbb, 0xbf], [0xff, 0xfe], [0xfe, 0xff]]
        guard !marks.contains(where: { json.starts(with: $0) }), !json.prefix(4).contains(0) else {
            throw Failure(.malformed, "JSON in UTF-8 without a byte order mark expected")
        }
        let first = json.first { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }
        guard first == UInt8(ascii: "{") else {
            throw Failure(.malformed, "a GLB or the JSON of a glTF expected")
        }
    }

    /// Extensions whose data this importer reads or may leave out without harm.
    static let known: Set<String> = [
        "EXT_lights_image_based", "EXT_mesh_gpu_instancing", "EXT_meshopt_compression",
        "EXT_texture_webp",
        "KHR_draco_mesh_compression", "KHR_lights_punctual", "KHR_materials_anisotropy",
        "KHR_materials_clearcoat", "KHR_materials_diffuse_transmission",
        "KHR_materials_dispersion", "KHR_materials_emissive_strength", "KHR_materials_ior",
        "KHR_materials_iridescence", "KHR_materials_pbrSpecularGlossiness",
        "KHR_materials_sheen", "KHR_materials_specular", "KHR_materials_transmission",
        "KHR_materials_unlit", "KHR_materials_variants", "KHR_materials_volume",
        "KHR_mesh_quantization", "KHR_texture_transform",
    ]

    private static func checkHeader(_ document: GLTFDocument) throws(Failure) {
        let version = document.asset.minVersion ?? document.asset.version
        guard version == "2.0" || (document.asset.minVersion == nil && version.hasPrefix("2."))
        else {
            throw Failure(
                .unsupported, "asset.version: 2.0 expected, \"\(version.prefix(20))\" there")
        }
    }

    static func checkExtensions(_ document: GLTFDocument) throws(Failure) {
        for name in document.extensionsRequired ?? [] where !known.contains(name) {
            throw Failure(
                .unsupported, "extensionsRequired: \(printable(name)) is not supported")
        }
    }

    static func printable(_ text: String) -> String {
        String(
            text.prefix(60).map { character in
                let code = character.asciiValue ?? 0
                return (0x20..<0x7f).contains(code) ? character : "?"
            })
    }

    /// Bytes of a URI found in the scene file.
    static func load(_ uri: String, _ base: String, _ files: SceneFiles) throws(Failure) -> Bytes {
        switch try SceneURI(uri) {
        case .data(let bytes): return bytes
        case .path(let path): return try files.read(base + path)
        }
    }

    /// Says a thing once, however often it happens; a hostile file cannot make a list of millions.
    func warn(_ line: String, _ handling: SceneExplanation.Handling = .leftOut) {
        guard warned.count < 100, warned.insert(line).inserted else { return }
        scene.warnings.append(line)
        handled.append((line, handling))
    }

    /// Notes that this machine's library for `codec` gives other answers than the known ones.
    ///
    /// - Parameter wrong: the known file that comes out wrong, where one does.
    func doubt(_ codec: String, _ wrong: String?) {
        guard let wrong, !scene.codecsInDoubt.contains(codec) else { return }
        scene.codecsInDoubt.append(codec)
        warn(
            "\(codec): this machine's library decodes the known file \"\(wrong)\" to something "
                + "else: other machines' pictures may differ")
    }

    /// Says what was counted on the way.
    func tellRepairs() {
        for line in repairs.lines { warn(line, .repaired) }
        let (count, uses) = droppedTriangles
        if count > 0 {
            let place = uses > 1 ? " in \(uses) uses of meshes" : ""
            warn(
                "triangles left out: \(count)\(place), with corners that are not finite or beyond "
                    + "2^40 m")
        }
    }

    /// Walks the node tree and fills the scene.
    func run() throws(Failure) -> Scene {
        for name in document.extensionsUsed ?? [] where !Self.known.contains(name) {
            warn("extension \(Self.printable(name)) is not supported and left out")
        }
        try chooseVariant()
        try pose()
        let instances = try visitNodes()
        instanceCount = instances.count
        try append(instances)
        try readImageLight()
        for codec in accessors.codecsUsed.sorted(by: { $0.rawValue < $1.rawValue }) {
            doubt(codec.rawValue, MeshKnownAnswers.wrong[codec])
        }
        tellRepairs()
        if scene.triangles.isEmpty {
            warn("no triangles: there is nothing to see but the sky")
        } else if !scene.hasSurface {
            warn("no triangle has an area: there is nothing to see but the sky")
        }
        return scene
    }
}

extension Scene {
    /// Whether a ray can meet anything: some triangle's corners are not on one line.
    fileprivate var hasSurface: Bool {
        triangles.contains { triangle in
            let a = Vector.double(positions[Int(triangle.x)])
            let b = Vector.double(positions[Int(triangle.y)])
            let c = Vector.double(positions[Int(triangle.z)])
            return Vector.cross(b - a, c - a) != .zero
        }
    }
}
