internal import Compute
public import Core
internal import Digest
internal import Foundation

/// A part of a picture on its way to the others: of which job, which samples of which tiles, and
/// their sums. As leaves it is one named `part` and the tiles'; see `docs/formats.md` 5.7.
public struct RenderPart: Sendable {
    public var job: Job
    public var piece: RenderPiece
    /// The piece's tiles, in order.
    public var tiles: [TileSums]

    /// What parts of one picture have in common.
    public struct Job: Hashable, Sendable {
        /// Of the app `render`.
        public var version: String
        /// ``KernelFiles/hash``: another release's kernels may round elsewhere.
        public var kernels: Hash256
        /// SHA-256 of the prepared scene: geometry, materials, light, camera, size, bounces, seed.
        public var blob: Hash256
        public var parameters: RenderParameters
        public var frame: Int
        /// For people: what the scene's and the light's files are called.
        public var scene: String
        public var environment: String
        /// For people too: what else the command line said that moves the picture, by option.
        public var options: [String: String]

        public init(
            _ blob: RenderBlob, _ parameters: RenderParameters, frame: Int = 0, scene: String,
            environment: String? = nil, moment: SceneMoment = SceneMoment()
        ) {
            version = RenderApp().version
            kernels = KernelFiles.hash
            self.blob = SHA256.hash(blob.bytes)
            self.parameters = parameters
            self.frame = frame
            self.scene = scene
            self.environment = environment ?? ""
            options = Self.options(parameters, moment)
        }
    }

    public init(job: Job, piece: RenderPiece, tiles: [TileSums]) {
        self.job = job
        self.piece = piece
        self.tiles = tiles
    }
}

extension RenderPart.Job {
    /// In what this job differs from another one, in words; nil where they are one.
    public func difference(from other: Self) -> String? {
        if let difference = parameters.difference(from: other.parameters) { return difference }
        let compared: [(name: String, own: String, its: String)] = [
            ("frame", "\(frame)", "\(other.frame)"), ("scene", scene, other.scene),
            ("environment", Self.text(environment), Self.text(other.environment)),
            ("app version", version, other.version),
            ("kernels", "\(kernels)", "\(other.kernels)"),
        ]
        for field in compared where field.own != field.its {
            return "\(field.name) \(field.own), not \(field.its)"
        }
        if blob == other.blob { return nil }
        let names = Set(options.keys).union(other.options.keys).sorted()
        for name in names where options[name] != other.options[name] {
            switch (options[name], other.options[name]) {
            case (let own?, let its?): return "\(name) \(own), not \(its)"
            case (let own?, nil): return "\(name) \(own), not without"
            default: return "without \(name), not \(other.options[name] ?? "")"
            }
        }
        return "other content under the same names"
    }

    /// By their names on a command line, which are a specification's but for one.
    private static func options(
        _ parameters: RenderParameters, _ moment: SceneMoment
    ) -> [String: String] {
        var found = moment.parameters
        found.merge(parameters.lens?.parameters ?? [:]) { own, _ in own }
        if let most = parameters.indirectMax { found["clamp"] = .string("\(most)") }
        var options: [String: String] = [:]
        for (name, value) in found {
            let option = name == "start" ? "time" : name.replacingOccurrences(of: "_", with: "-")
            switch value {
            case .string(let text): options["--\(option)"] = SceneImporter.printable(text)
            case .int(let number): options["--\(option)"] = String(number)
            case .bytes: continue
            }
        }
        return options
    }

    private static func text(_ name: String) -> String { name.isEmpty ? "none" : name }
}

extension RenderParameters {
    /// In which of the numbers that a part file has these differ from others, in words; nil where
    /// in none.
    public func difference(from other: Self) -> String? {
        let compared: [(name: String, own: String, its: String)] = [
            ("size", "\(width)x\(height)", "\(other.width)x\(other.height)"),
            ("samples", "\(samples)", "\(other.samples)"),
            ("bounces", "\(bounces)", "\(other.bounces)"), ("seed", "\(seed)", "\(other.seed)"),
            ("camera", camera.argument, other.camera.argument),
            ("noise target", Self.text(noise), Self.text(other.noise)),
        ]
        return compared.first { $0.own != $0.its }.map { "\($0.name) \($0.own), not \($0.its)" }
    }

    private static func text(_ noise: NoiseTarget?) -> String {
        noise.map { "\($0.level) from \($0.samplesMin) samples on" } ?? "none"
    }
}

// MARK: - Leaves

extension RenderPart {
    private static let formats = 1...formatOfNoise
    /// Of parts of frames with a noise target.
    fileprivate static let formatOfNoise = 2
    private static let name = "part"
    private static let checkName = "check"

    /// The part as leaves of a leaf file.
    public var leaves: [Leaf] {
        let p = job.parameters
        func range(_ range: Range<Int>) -> CBOR {
            .array([CBOR(range.lowerBound), CBOR(range.upperBound)])
        }
        var head: [String: CBOR] = [
            "format": CBOR(p.noise == nil ? 1 : Self.formatOfNoise), "app": .text("render"),
            "version": .text(job.version),
            "kernels": .bytes(job.kernels.bytes), "blob": .bytes(job.blob.bytes),
            "width": CBOR(p.width), "height": CBOR(p.height), "sample_count": CBOR(p.samples),
            "bounces": CBOR(p.bounces), "seed": .unsigned(p.seed),
            "camera": .text(p.camera.argument), "scene": .text(job.scene),
            "environment": .text(job.environment), "frame": CBOR(job.frame),
            "tiles": range(piece.tiles), "samples": range(piece.samples),
            "options": .map(job.options.mapValues { .text($0) }),
        ]
        if let noise = p.noise {
            head["noise"] = .text("\(noise.level)")
            head["samples_min"] = CBOR(noise.samplesMin)
        }
        var leaves = [Leaf(index: 0, name: Self.name, bytes: CBOR.map(head).encoded)]
        for tile in tiles {
            leaves.append(Leaf(index: leaves.count, name: tile.leafName, bytes: tile.bytes))
        }
        return Self.sealed(leaves)
    }

    /// Leaves with their checksum behind them.
    package static func sealed(_ leaves: [Leaf]) -> [Leaf] {
        leaves + [Leaf(index: leaves.count, name: checkName, bytes: check(leaves).bytes)]
    }

    /// Over all leaves before the last: parts travel, and a damaged sum is a sum all the same.
    private static func check(_ leaves: some Sequence<Leaf>) -> Hash256 {
        var hasher = SHA256.Hasher()
        for leaf in leaves {
            hasher.update(Bytes(leaf.name.utf8))
            hasher.update(UInt32(clamping: leaf.bytes.count).littleEndianBytes)
            hasher.update(leaf.bytes)
        }
        return hasher.finalize()
    }

    /// Whether leaves are a part's, and not a whole task's.
    public static func isPart(_ leaves: [Leaf]) -> Bool { leaves.first?.name == name }

    /// Reads a part back, checking every field.
    ///
    /// - Throws: ``Failure`` naming what was expected.
    public init(leaves: [Leaf]) throws(Failure) {
        let head = try Self.head(leaves)
        guard let last = leaves.last, last.name == Self.checkName, leaves.count > 2,
            last.bytes == Self.check(leaves.dropLast()).bytes
        else {
            throw Failure(.malformed, "part of a picture: damaged: its checksum does not hold")
        }
        var tiles: [TileSums] = []
        for leaf in leaves.dropFirst().dropLast() { tiles.append(try TileSums(leaf)) }
        let piece = RenderPiece(
            tiles: try head.range("tiles"), samples: try head.range("samples"))
        self.init(job: try Job(head), piece: piece, tiles: tiles)
        var merge = try FrameMerge(job.parameters, whole: piece)
        try merge.add(tiles, of: piece, from: "part of a picture")
    }

    /// Of which job a part is, by its first leaf alone.
    public static func job(of leaves: [Leaf]) throws(Failure) -> Job {
        try Job(try head(leaves))
    }

    private static func head(_ leaves: [Leaf]) throws(Failure) -> Head {
        guard let first = leaves.first, first.name == Self.name else {
            throw Failure(.malformed, "part of a picture: a leaf named \(Self.name) expected first")
        }
        let head = Head(try CBOR(decoding: first.bytes))
        guard Self.formats.contains(try head.count("format")) else {
            throw Failure(.unsupported, "part of a picture: format 1 or 2 expected")
        }
        return head
    }

    /// The fields of the first leaf.
    fileprivate struct Head {
        private let value: CBOR
        init(_ value: CBOR) { self.value = value }

        func require<T>(_ key: String, _ what: String, _ read: (CBOR) -> T?) throws(Failure) -> T {
            guard let found = value[key].flatMap(read) else {
                throw Failure(.malformed, "part of a picture: \(key): \(what) expected")
            }
            return found
        }
        func count(_ key: String) throws(Failure) -> Int {
            try require(key, "a whole number") { $0.int.flatMap { $0 >= 0 ? $0 : nil } }
        }
        func text(_ key: String) throws(Failure) -> String {
            try require(key, "text", \.text)
        }
        /// Short words by name; none where there is no such key.
        func words(_ key: String) throws(Failure) -> [String: String] {
            guard value[key] != nil else { return [:] }
            return try require(key, "short texts by name") { value in
                guard let map = value.map, map.count <= 32 else { return nil }
                var words: [String: String] = [:]
                for (name, word) in map {
                    guard let text = word.text, [name, text].allSatisfy({ $0.count <= 60 }) else {
                        return nil
                    }
                    words[SceneImporter.printable(name)] = SceneImporter.printable(text)
                }
                return words
            }
        }
        func hash(_ key: String) throws(Failure) -> Hash256 {
            try require(key, "32 bytes") { $0.bytes.flatMap { Hash256($0) } }
        }
        func range(_ key: String) throws(Failure) -> Range<Int> {
            try require(key, "a range") { value in
                guard let ends = value.array, ends.count == 2, let low = ends[0].int,
                    let high = ends[1].int, 0 <= low, low < high
                else { return nil }
                return low..<high
            }
        }
    }
}

extension RenderPart.Job {
    fileprivate init(_ head: RenderPart.Head) throws(Failure) {
        version = try head.text("version")
        kernels = try head.hash("kernels")
        blob = try head.hash("blob")
        parameters = RenderParameters(
            width: try head.count("width"), height: try head.count("height"),
            samples: try head.count("sample_count"), bounces: try head.count("bounces"),
            seed: try head.require("seed", "a whole number", \.unsigned),
            camera: CameraChoice(argument: try head.text("camera")))
        if try head.count("format") == RenderPart.formatOfNoise {
            let level = try head.require("noise", "a decimal number") {
                $0.text.flatMap(Double.init)
            }
            parameters.noise = NoiseTarget(
                level: level, samplesMin: try head.count("samples_min"))
        }
        try parameters.check()
        frame = try head.count("frame")
        scene = try head.text("scene")
        environment = try head.text("environment")
        options = try head.words("options")
    }
}
