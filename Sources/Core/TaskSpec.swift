/// What a buyer wants computed: app, parameters, every input file, and how tasks cut the work.
///
/// Its canonical bytes are what a deal settles on: `keccak256(canonical)` is in the result digest.
public struct TaskSpec: Hashable, Sendable {
    /// The app's name, such as `render`.
    public var app: String
    /// The app's version. A version with a zero major part may be offered on test markets only.
    public var appVersion: String
    public var parameters: [String: Parameter]
    /// Every input file: relative path with `/` → content.
    public var inputs: [String: ContentID]
    /// What each task index computes, in order; index *i* of the deal is `parts[i]`.
    public var parts: [Part]

    public init(
        app: String, appVersion: String, parameters: [String: Parameter],
        inputs: [String: ContentID], parts: [Part]
    ) {
        self.app = app
        self.appVersion = appVersion
        self.parameters = parameters
        self.inputs = inputs
        self.parts = parts
    }

    /// What task `index` of the deal computes.
    ///
    /// - Throws: ``Failure`` (malformed) where the specification has no such part.
    public func part(_ index: Int) throws(Failure) -> Part {
        guard parts.indices.contains(index) else {
            throw Failure(
                .malformed, "task specification: part \(index): it has \(parts.count) parts")
        }
        return parts[index]
    }

    /// A parameter's value. Decimal numbers travel as strings, read once by the app.
    public enum Parameter: Hashable, Sendable {
        case int(Int)
        case string(String)
        case bytes(Bytes)
    }

    /// A file's identity: SHA-256 and size in bytes.
    public struct ContentID: Hashable, Sendable {
        public var sha256: Hash256
        public var byteCount: Int
        public init(sha256: Hash256, byteCount: Int) {
            self.sha256 = sha256
            self.byteCount = byteCount
        }
    }

    /// The piece of the job that one task computes; ranges are half-open.
    public struct Part: Hashable, Sendable {
        public var frame: Int
        /// Tile numbers in row order, for rendering.
        public var tiles: Range<Int>?
        /// Sample numbers, for rendering.
        public var samples: Range<Int>?
        /// Items of the batch, for inference.
        public var items: Range<Int>?
        public init(
            frame: Int = 0, tiles: Range<Int>? = nil, samples: Range<Int>? = nil,
            items: Range<Int>? = nil
        ) {
            self.frame = frame
            self.tiles = tiles
            self.samples = samples
            self.items = items
        }
    }
}

// MARK: - Canonical bytes

extension TaskSpec {
    /// Version of the byte layout, first thing in it.
    static let format = 1

    /// Deterministic CBOR (RFC 8949 §4.2). Equal specifications have equal bytes.
    public var canonical: Bytes { cbor.encoded }

    var cbor: CBOR {
        .map([
            "format": CBOR(Self.format),
            "app": .text(app),
            "version": .text(appVersion),
            "parameters": .map(parameters.mapValues(\.cbor)),
            "inputs": .map(
                inputs.mapValues {
                    .array([.bytes($0.sha256.bytes), CBOR($0.byteCount)])
                }),
            "parts": .array(parts.map(\.cbor)),
        ])
    }

    /// Reads canonical bytes back, checking every field.
    ///
    /// - Throws: ``Failure`` when the bytes are not the canonical form of a specification, or a
    ///   path could leave the input folder.
    public init(canonical: Bytes) throws(Failure) {
        let root = try CBOR(decoding: canonical)
        guard root["format"]?.int == Self.format else {
            throw Failure(.unsupported, "task specification: format \(Self.format) expected")
        }
        guard let app = root["app"]?.text, let version = root["version"]?.text,
            let parameters = root["parameters"]?.map, let inputs = root["inputs"]?.map,
            let parts = root["parts"]?.array, root.map?.count == 6
        else { throw Failure(.malformed, "task specification: six known fields expected") }
        self.init(app: app, appVersion: version, parameters: [:], inputs: [:], parts: [])
        for (name, value) in parameters { self.parameters[name] = try Parameter(value, name) }
        for (path, value) in inputs { self.inputs[path] = try Self.content(value, path) }
        for part in parts { self.parts.append(try Part(part)) }
    }

    private static func content(_ value: CBOR, _ path: String) throws(Failure) -> ContentID {
        let components = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !path.utf8.contains(0), components.allSatisfy({ !["", ".", ".."].contains($0) })
        else {
            throw Failure(.untrusted, "task specification: input path \"\(path)\" is not relative")
        }
        guard let pair = value.array, pair.count == 2, let raw = pair[0].bytes,
            let hash = Hash256(raw), let count = pair[1].int, count >= 0
        else {
            throw Failure(.malformed, "task specification: input \(path): hash and size expected")
        }
        return ContentID(sha256: hash, byteCount: count)
    }
}

extension TaskSpec.Parameter {
    package var cbor: CBOR {
        switch self {
        case .int(let value): CBOR(value)
        case .string(let value): .text(value)
        case .bytes(let value): .bytes(value)
        }
    }

    package init(_ cbor: CBOR, _ name: String) throws(Failure) {
        if let value = cbor.int {
            self = .int(value)
        } else if let value = cbor.text {
            self = .string(value)
        } else if let value = cbor.bytes {
            self = .bytes(value)
        } else {
            throw Failure(
                .malformed,
                "task specification: parameter \(name): integer, string or bytes expected")
        }
    }
}

extension TaskSpec.Part {
    var cbor: CBOR {
        func range(_ range: Range<Int>?) -> CBOR {
            range.map { .array([CBOR($0.lowerBound), CBOR($0.upperBound)]) } ?? .null
        }
        return .map([
            "frame": CBOR(frame), "tiles": range(tiles), "samples": range(samples),
            "items": range(items),
        ])
    }

    init(_ cbor: CBOR) throws(Failure) {
        func range(_ key: String) throws(Failure) -> Range<Int>? {
            switch cbor[key] {
            case .null: return nil
            case .array(let ends):
                if ends.count == 2, let low = ends[0].int, let high = ends[1].int, 0 <= low,
                    low <= high
                {
                    return low..<high
                }
            default: break
            }
            throw Failure(.malformed, "task specification: part: \(key): a range or null expected")
        }
        guard let frame = cbor["frame"]?.int, frame >= 0, cbor.map?.count == 4 else {
            throw Failure(.malformed, "task specification: part: frame and three ranges expected")
        }
        self.init(
            frame: frame, tiles: try range("tiles"), samples: try range("samples"),
            items: try range("items"))
    }
}
