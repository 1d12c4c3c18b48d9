public import Core

/// What a host answers. Each request ends with exactly one message that ``isFinal``; `progress` and
/// `leaf` may come before it. `pong` answers a `ping` at any moment.
public enum HostReply: Hashable, Sendable {
    case hello(HostGreeting)
    case pong
    case devices([DeviceReport])
    case certificate(CertificateReport)
    case answer(AnswerReport)
    case opened(DeviceReport)
    /// A part of the work is done, 0…1; `stage` is `compute`, or a test of the battery.
    case progress(stage: String, fraction: Double)
    case leaf(Leaf)
    case done(RunReport)
    case scrubbed
    case prepared(PrepareReport)
    case failed(Failure)

    /// Whether the request that this answers is over.
    public var isFinal: Bool {
        switch self {
        case .pong, .progress, .leaf: false
        default: true
        }
    }
}

/// A host's first words.
public struct HostGreeting: Hashable, Sendable {
    /// The version it speaks.
    public var version: Int
    /// SHA-256 of its executable: the app version of all apps within.
    public var binary: Hash256
    public var processID: Int
    /// What keeps it in, such as `no network`; for logs.
    public var confinement: [String]

    public init(version: Int, binary: Hash256, processID: Int, confinement: [String]) {
        self.version = version
        self.binary = binary
        self.processID = processID
        self.confinement = confinement
    }
}

/// A device as its host sees it.
public struct DeviceReport: Hashable, Sendable {
    /// What ``DeviceSelection/index`` names.
    public var index: Int
    public var platform: String
    /// nil where an older host does not tell.
    public var platformVersion: String?
    public var name: String
    public var driver: String
    /// Where it sits, as `0000:01:00.0`; nil for processors and where the driver does not tell.
    public var pciAddress: String?
    /// `cpu`, `gpu`, `accelerator` or `other`.
    public var kind: String
    public var computeUnits: Int
    public var memoryBytes: Int

    public init(
        index: Int, platform: String, platformVersion: String? = nil, name: String,
        driver: String, pciAddress: String? = nil, kind: String, computeUnits: Int,
        memoryBytes: Int
    ) {
        self.index = index
        self.platform = platform
        self.platformVersion = platformVersion
        self.name = name
        self.driver = driver
        self.pciAddress = pciAddress
        self.kind = kind
        self.computeUnits = computeUnits
        self.memoryBytes = memoryBytes
    }

    /// How people and JSON name it; begins with the platform.
    public var label: String { "\(platform): \(name)" }
}

/// What the known-answer battery found.
public struct CertificateReport: Hashable, Sendable {
    public var device: DeviceReport
    public var verdict: Verdict
    /// A hash over every answer of the battery: equal on all `exact` devices.
    public var conformance: Hash256
    /// What keeps the device from `exact`, a line each.
    public var reasons: [String]
    /// The whole certificate, as it is kept; nil from an older host. Agents pass it on unread.
    public var certificate: Bytes?

    public init(
        device: DeviceReport, verdict: Verdict, conformance: Hash256, reasons: [String],
        certificate: Bytes? = nil
    ) {
        self.device = device
        self.verdict = verdict
        self.conformance = conformance
        self.reasons = reasons
        self.certificate = certificate
    }
}

/// What a device answered to one question of the battery.
public struct AnswerReport: Hashable, Sendable {
    /// The output's 32-bit words, little-endian.
    public var words: Bytes
    /// What is wrong with it; nil when nothing is.
    public var reason: String?
    /// Whether the driver refused, so that there is no answer to judge.
    public var isMissing: Bool

    public init(words: Bytes, reason: String?, isMissing: Bool = false) {
        self.words = words
        self.reason = reason
        self.isMissing = isMissing
    }

    public init(values: [UInt32], reason: String?, isMissing: Bool = false) {
        self.init(
            words: values.flatMap(\.littleEndianBytes), reason: reason, isMissing: isMissing)
    }

    /// The words as numbers; nil when the last one is cut.
    public var values: [UInt32]? {
        guard words.count.isMultiple(of: 4) else { return nil }
        return stride(from: 0, to: words.count, by: 4).map { start in
            words[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
    }
}

/// The end of a run.
public struct RunReport: Hashable, Sendable {
    /// Root over the leaves, in the order they were sent.
    public var merkleRoot: Hash256
    public var leafCount: Int
    /// Stage → seconds: `load`, `compile`, `compute`, `digest`.
    public var seconds: [String: Double]

    public init(merkleRoot: Hash256, leafCount: Int, seconds: [String: Double]) {
        self.merkleRoot = merkleRoot
        self.leafCount = leafCount
        self.seconds = seconds
    }
}

/// A blob, ready at the path that was asked for.
public struct PrepareReport: Hashable, Sendable {
    public var blob: TaskSpec.ContentID
    public var seconds: Double

    public init(blob: TaskSpec.ContentID, seconds: Double) {
        self.blob = blob
        self.seconds = seconds
    }
}
