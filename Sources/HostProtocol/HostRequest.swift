public import Core

/// The version of what agents and hosts say to each other. An agent may have to start the host of
/// an older release, so the first exchange settles it.
public enum HostProtocol {
    public static let version = 2
    /// The largest content of one leaf: a frame must hold it with its name.
    public static let leafBytesMax = FrameChannel.frameBytesMaxDefault - (1 << 16)
}

/// What an agent asks of a host.
public enum HostRequest: Hashable, Sendable {
    /// First message: the version the agent speaks.
    case hello(version: Int)
    /// Are you there? A device host answers while it computes.
    case ping
    /// Lists devices. Device host only, as are those below but `prepare`.
    case describe
    /// Runs the known-answer battery on a device.
    case certify(DeviceSelection)
    /// Asks a device one question of the battery.
    case ask(AskOrder)
    /// Opens a device for `run`; the last one opened counts.
    case open(DeviceSelection)
    case run(RunOrder)
    /// Stops the run in progress at its next slice; without one, nothing.
    case cancel
    /// Closes the device, so that the next buyer finds fresh memory.
    case scrub
    /// Turns input files into a blob. Prepare host only.
    case prepare(PrepareOrder)
}

/// A device of the host's list, or one of equal shares of its compute units.
public struct DeviceSelection: Hashable, Sendable {
    /// Index in the answer to `describe`.
    public var index: Int
    /// Which share, below `shareCount`.
    public var share: Int
    /// 1 takes the whole device.
    public var shareCount: Int

    public init(index: Int, share: Int = 0, shareCount: Int = 1) {
        self.index = index
        self.share = share
        self.shareCount = shareCount
    }
}

/// One question to a device.
public struct AskOrder: Hashable, Sendable {
    public var device: DeviceSelection
    /// Its name in the battery.
    public var question: String
    /// Native operations proven so far, as the certificate's bits.
    public var native: Int

    public init(device: DeviceSelection, question: String, native: Int) {
        self.device = device
        self.question = question
        self.native = native
    }
}

/// One task for a device host.
public struct RunOrder: Hashable, Sendable {
    /// Canonical bytes of the task specification.
    public var spec: Bytes
    /// The part to compute.
    public var part: Int
    public var blobPath: String
    /// The blob's content; the host checks it before it uses a byte.
    public var blob: TaskSpec.ContentID
    public var sliceSeconds: Double

    public init(
        spec: Bytes, part: Int, blobPath: String, blob: TaskSpec.ContentID, sliceSeconds: Double
    ) {
        self.spec = spec
        self.part = part
        self.blobPath = blobPath
        self.blob = blob
        self.sliceSeconds = sliceSeconds
    }
}

/// One task's inputs for a prepare host.
public struct PrepareOrder: Hashable, Sendable {
    public var spec: Bytes
    /// The frame whose parts the blob is for.
    public var frame: Int
    /// A folder with the files of `spec.inputs`, under their relative paths.
    public var inputsPath: String
    /// The file to write the blob to.
    public var outputPath: String

    public init(spec: Bytes, frame: Int, inputsPath: String, outputPath: String) {
        self.spec = spec
        self.frame = frame
        self.inputsPath = inputsPath
        self.outputPath = outputPath
    }
}

// MARK: - Wire form

extension HostRequest {
    public var cbor: CBOR {
        switch self {
        case .hello(let version): ["kind": .text("hello"), "version": CBOR(version)]
        case .ping: ["kind": .text("ping")]
        case .describe: ["kind": .text("describe")]
        case .certify(let device): device.cbor(kind: "certify")
        case .ask(let order): order.cbor
        case .open(let device): device.cbor(kind: "open")
        case .run(let order): order.cbor
        case .cancel: ["kind": .text("cancel")]
        case .scrub: ["kind": .text("scrub")]
        case .prepare(let order): order.cbor
        }
    }

    /// - Throws: ``Failure``: `malformed`, or `unsupported` for a message of a kind not known here.
    public init(_ cbor: CBOR) throws(Failure) {
        let kind = try MessageFields(cbor, place: "host request").text("kind")
        let fields = try MessageFields(cbor, place: "host request \(kind)")
        switch kind {
        case "hello": self = .hello(version: try fields.count("version"))
        case "ping": self = .ping
        case "describe": self = .describe
        case "certify": self = .certify(try DeviceSelection(fields))
        case "ask": self = .ask(try AskOrder(fields))
        case "open": self = .open(try DeviceSelection(fields))
        case "run": self = .run(try RunOrder(fields))
        case "cancel": self = .cancel
        case "scrub": self = .scrub
        case "prepare": self = .prepare(try PrepareOrder(fields))
        default:
            throw Failure(
                .unsupported,
                "host request \(kind): not known to host protocol \(HostProtocol.version)")
        }
    }
}

extension DeviceSelection {
    func cbor(kind: String) -> CBOR {
        [
            "kind": .text(kind), "index": CBOR(index), "share": CBOR(share),
            "share_count": CBOR(shareCount),
        ]
    }

    init(_ fields: MessageFields) throws(Failure) {
        self.init(
            index: try fields.count("index"), share: try fields.count("share"),
            shareCount: try fields.count("share_count"))
        guard share < shareCount else {
            throw Failure(.malformed, "\(fields.place): share \(share) of \(shareCount)")
        }
    }
}

extension AskOrder {
    var cbor: CBOR {
        [
            "kind": .text("ask"), "index": CBOR(device.index), "share": CBOR(device.share),
            "share_count": CBOR(device.shareCount), "question": .text(question),
            "native": CBOR(native),
        ]
    }

    init(_ fields: MessageFields) throws(Failure) {
        self.init(
            device: try DeviceSelection(fields), question: try fields.text("question"),
            native: try fields.count("native"))
    }
}

extension RunOrder {
    var cbor: CBOR {
        [
            "kind": .text("run"), "spec": .bytes(spec), "part": CBOR(part),
            "blob_path": .text(blobPath), "blob_sha256": .bytes(blob.sha256.bytes),
            "blob_bytes": CBOR(blob.byteCount), "slice_microseconds": .seconds(sliceSeconds),
        ]
    }

    init(_ fields: MessageFields) throws(Failure) {
        self.init(
            spec: try fields.bytes("spec"), part: try fields.count("part"),
            blobPath: try fields.text("blob_path"),
            blob: TaskSpec.ContentID(
                sha256: try fields.hash("blob_sha256"),
                byteCount: try fields.count("blob_bytes")),
            sliceSeconds: try fields.seconds("slice_microseconds"))
    }
}

extension PrepareOrder {
    var cbor: CBOR {
        [
            "kind": .text("prepare"), "spec": .bytes(spec), "frame": CBOR(frame),
            "inputs_path": .text(inputsPath), "output_path": .text(outputPath),
        ]
    }

    init(_ fields: MessageFields) throws(Failure) {
        self.init(
            spec: try fields.bytes("spec"), frame: try fields.count("frame"),
            inputsPath: try fields.text("inputs_path"), outputPath: try fields.text("output_path"))
    }
}

extension CBOR: ExpressibleByDictionaryLiteral {
    /// A message: text keys and values.
    public init(dictionaryLiteral elements: (String, CBOR)...) {
        self = .map(Dictionary(uniqueKeysWithValues: elements))
    }
}
