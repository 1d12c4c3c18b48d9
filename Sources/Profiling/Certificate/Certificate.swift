public import Compute
public import Core
internal import Digest

/// A device's measured conformance: what it answered to questions with known answers.
///
/// It holds for one device, driver and battery; ``holds(for:)`` says whether it still does. What
/// settles by hash asks for the same ``program``, too.
public struct Certificate: Hashable, Sendable {
    /// Of the encoded form, and of what the battery asks.
    public static let version = 1

    /// The device as it was when certified.
    public var platform: String
    public var device: String
    public var driverVersion: String
    public var platformVersion: String
    public var pciAddress: String?
    /// SHA-256 of the questions: kernels, inputs and right answers.
    public var battery: Hash256
    /// SHA-256 of the executable that asked; nil where nobody said.
    public var program: Hash256?

    public var verdict: Verdict
    /// Why the verdict is not `exact`, one line each; empty when it is.
    public var reasons: [String]
    /// Native operations found correctly rounded on every input asked.
    public var native: OpenCLDevice.NativeOperations
    /// SHA-256 over every answer that counts. All exact devices have the same.
    public var conformanceHash: Hash256
    public var probes: [ProbeResult]

    /// One probe's outcome.
    public struct ProbeResult: Hashable, Sendable {
        public var name: String
        /// `normal`, `subnormal` or `optional`: what a failure costs.
        public var need: String
        public var hasPassed: Bool
        /// What was wrong; nil when nothing was.
        public var reason: String?
        /// Whether there was no answer to judge; see ``Question/Answer/isMissing``.
        public var isUnanswered: Bool

        public init(
            name: String, need: String, hasPassed: Bool, reason: String?,
            isUnanswered: Bool = false
        ) {
            self.name = name
            self.need = need
            self.hasPassed = hasPassed
            self.reason = reason
            self.isUnanswered = isUnanswered
        }
    }

    /// Whether answers alone decided the verdict. Otherwise the device may do better another time.
    public var isConclusive: Bool {
        !probes.contains { $0.isUnanswered && $0.need != Probe.Need.optional.rawValue }
    }

    /// False once driver, device or battery are not those that were measured.
    public func holds(for description: DeviceDescription) -> Bool {
        platform == description.platform && device == description.name
            && driverVersion == description.driverVersion
            && platformVersion == description.platformVersion
            && pciAddress == description.pciAddress && battery == Battery.hash
    }

    /// What a warning says before such a device runs anyway; nil for an exact one.
    public var warning: String? {
        switch verdict {
        case .exact: nil
        case .exactNormal:
            """
            \(platform): \(device): flushes subnormal numbers; its results are for local use and \
            do not settle by hash
            """
        case .no:
            """
            \(platform): \(device): is not exact (\(reasons.first ?? "no reason given")); its \
            results are for local use and may differ from every other device's
            """
        }
    }
}

// MARK: - Encoding

extension Certificate {
    /// What an examination of a device found, or why it failed; what is not known then is null.
    ///
    /// - Parameter index: the device's, among this machine's.
    public static func json(
        index: Int, of device: DeviceDescription, _ outcome: Result<Certificate, Failure>
    ) -> JSON {
        var found: Certificate?
        let reasons: [String]
        switch outcome {
        case .success(let certificate):
            found = certificate
            reasons = certificate.reasons
        case .failure(let failure): reasons = [failure.message]
        }
        return .object([
            JSON.Member("index", .int(index)),
            JSON.Member("device", .string(device.label)),
            JSON.Member("driver", .string(device.driverVersion)),
            JSON.Member("platform_version", .string(device.platformVersion)),
            JSON.Member("pci", .optional(device.pciAddress, JSON.string)),
            JSON.Member("verdict", .string((found?.verdict ?? .no).rawValue)),
            JSON.Member("reasons", .array(reasons.map(JSON.string))),
            JSON.Member("native_divide", .optional(found?.native.contains(.divide), JSON.bool)),
            JSON.Member("native_sqrt", .optional(found?.native.contains(.squareRoot), JSON.bool)),
            JSON.Member("conformance_hash", .optional(found?.conformanceHash, JSON.hash)),
            JSON.Member("battery", .hash(found?.battery ?? Battery.hash)),
            JSON.Member("probes", .optional(found?.probes) { .array($0.map(\.json)) }),
        ])
    }

    /// Deterministic CBOR, as ``init(encoded:)`` reads it.
    public var encoded: Bytes {
        CBOR.map([
            "version": CBOR(Self.version), "platform": .text(platform), "device": .text(device),
            "driver": .text(driverVersion), "platform_version": .text(platformVersion),
            "pci": pciAddress.map(CBOR.text) ?? .null, "battery": .bytes(battery.bytes),
            "program": program.map { .bytes($0.bytes) } ?? .null,
            "verdict": .text(verdict.rawValue), "reasons": .array(reasons.map(CBOR.text)),
            "native": CBOR(native.rawValue), "conformance": .bytes(conformanceHash.bytes),
            "probes": .array(probes.map(\.cbor)),
        ]).encoded
    }

    /// - Throws: ``Failure`` when the bytes are no certificate of this version.
    public init(encoded: Bytes) throws(Failure) {
        let root = try CBOR(decoding: encoded)
        guard root["version"]?.int == Self.version else {
            throw Failure(.unsupported, "certificate: version \(Self.version) expected")
        }
        guard let platform = root["platform"]?.text, let device = root["device"]?.text,
            let driver = root["driver"]?.text,
            let platformVersion = root["platform_version"]?.text,
            let battery = root["battery"]?.bytes.flatMap(Hash256.init),
            let verdict = root["verdict"]?.text.flatMap(Verdict.init),
            let reasons = root["reasons"]?.array, let native = root["native"]?.int,
            let conformance = root["conformance"]?.bytes.flatMap(Hash256.init),
            let probes = root["probes"]?.array
        else { throw Failure(.malformed, "certificate: a field is missing or of a wrong kind") }
        self.platform = platform
        self.device = device
        driverVersion = driver
        self.platformVersion = platformVersion
        pciAddress = root["pci"]?.text
        self.battery = battery
        program = root["program"]?.bytes.flatMap(Hash256.init)
        self.verdict = verdict
        self.reasons = reasons.compactMap(\.text)
        self.native = OpenCLDevice.NativeOperations(rawValue: native & 3)
        conformanceHash = conformance
        self.probes = []
        for probe in probes { self.probes.append(try ProbeResult(probe)) }
    }
}

extension Certificate.ProbeResult {
    var json: JSON {
        [
            "name": .string(name), "need": .string(need), "passed": .bool(hasPassed),
            "reason": .optional(reason, JSON.string),
        ]
    }

    var cbor: CBOR {
        .map([
            "name": .text(name), "need": .text(need), "passed": .bool(hasPassed),
            "reason": reason.map(CBOR.text) ?? .null, "unanswered": .bool(isUnanswered),
        ])
    }

    init(_ cbor: CBOR) throws(Failure) {
        guard let name = cbor["name"]?.text, let need = cbor["need"]?.text,
            let hasPassed = cbor["passed"]?.bool
        else {
            throw Failure(.malformed, "certificate: a probe with name, need and outcome expected")
        }
        self.init(
            name: name, need: need, hasPassed: hasPassed, reason: cbor["reason"]?.text,
            isUnanswered: cbor["unanswered"]?.bool ?? false)
    }
}
