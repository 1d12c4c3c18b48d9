internal import Core
internal import Foundation

/// One profile file: which devices it speaks of, what suits them, and what was measured on one.
/// `Profiles/README.md` describes the format.
public struct DeviceProfile: Hashable, Sendable {
    /// The file's name without its ending.
    public var name: String
    public var match: Match
    public var tuning: [Tuning.Name: Int]
    public var measured: [Measurement]

    /// What a device must have; nil asks for nothing.
    public struct Match: Hashable, Sendable {
        public var kind: DeviceDescription.Kind?
        public var floatVectorWidthMin: Int?
        public var vendor: String?
        public var platform: String?
        public var namePrefix: String?

        /// Every device.
        public init() {}

        func holds(for device: DeviceDescription) -> Bool {
            kind ?? device.kind == device.kind
                && floatVectorWidthMin ?? 0 <= device.floatVectorWidth
                && vendor ?? device.vendor == device.vendor
                && platform ?? device.platform == device.platform
                && device.name.hasPrefix(namePrefix ?? "")
        }

        /// Profiles that say more of a device overrule those that say less: each of these weighs
        /// more than all before it.
        var weight: Int {
            let isSaid = [
                kind != nil, floatVectorWidthMin != nil, vendor != nil, platform != nil,
                namePrefix != nil,
            ]
            return isSaid.enumerated().reduce(0) { $0 + ($1.element ? 1 << $1.offset : 0) }
        }
    }

    /// Figures of one device, as `rigor bench` names them. For people, and to see what is slow.
    public struct Measurement: Hashable, Sendable {
        public var device: String
        public var driver: String
        /// By the figure's name, in the unit that `rigor bench` has for it.
        public var figures: [String: Double]
    }
}

// MARK: - Reading

extension DeviceProfile {
    static let formatVersion = 1

    /// - Throws: ``Failure`` `malformed`, naming the file, the key, and what was expected there.
    init(name: String, json: Bytes) throws(Failure) {
        guard let root = try? JSONDecoder().decode(Value.self, from: Data(json)),
            case .object(let values) = root
        else { throw Failure(.malformed, "profile \(name): a JSON object expected") }
        let fields = Fields(values: values, place: "profile \(name)")
        try fields.allow(["format", "about", "match", "tuning", "measured"])
        guard try fields.int("format") == Self.formatVersion else {
            throw Failure(.unsupported, "\(fields.place): format \(Self.formatVersion) expected")
        }
        self.name = name
        match = try Match(try fields.object("match"))
        tuning = [:]
        let tuning = try fields.object("tuning")
        for key in tuning.values.keys.sorted() {
            guard let known = Tuning.Name(rawValue: key) else {
                let all = Tuning.Name.allCases.map(\.rawValue).joined(separator: ", ")
                throw Failure(
                    .malformed, "\(tuning.place): \(key.printable): one of \(all) expected")
            }
            guard let value = try tuning.int(key), known.allows(value) else {
                throw Failure(.malformed, "\(tuning.place): \(key): \(known.expectation) expected")
            }
            self.tuning[known] = value
        }
        measured = []
        for entry in try fields.objects("measured") { measured.append(try Measurement(entry)) }
    }
}

extension DeviceProfile.Match {
    fileprivate init(_ fields: Fields) throws(Failure) {
        self.init()
        try fields.allow([
            "kind", "float_vector_width_min", "vendor", "platform", "name_prefix",
        ])
        if let text = try fields.text("kind") {
            guard let kind = DeviceDescription.Kind(rawValue: text) else {
                throw Failure(
                    .malformed, "\(fields.place): kind: cpu, gpu, accelerator or other expected")
            }
            self.kind = kind
        }
        floatVectorWidthMin = try fields.int("float_vector_width_min")
        vendor = try fields.text("vendor")
        platform = try fields.text("platform")
        namePrefix = try fields.text("name_prefix")
    }
}

extension DeviceProfile.Measurement {
    fileprivate init(_ fields: Fields) throws(Failure) {
        try fields.allow(["device", "driver", "figures"])
        guard let device = try fields.text("device"), let driver = try fields.text("driver") else {
            throw Failure(.malformed, "\(fields.place): device and driver expected")
        }
        self.device = device
        self.driver = driver
        figures = [:]
        let figures = try fields.object("figures")
        for (key, value) in figures.values {
            guard case .number(let number) = value, number > 0 else {
                throw Failure(
                    .malformed, "\(figures.place): \(key.printable): a positive number expected")
            }
            self.figures[key] = number
        }
    }
}

/// What a profile may hold.
private enum Value: Decodable {
    case object([String: Value])
    case array([Value])
    case text(String)
    case number(Double)
    /// Nothing that a profile has a use for.
    case other

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let object = try? container.decode([String: Value].self) {
            self = .object(object)
        } else if let array = try? container.decode([Value].self) {
            self = .array(array)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let number = try? container.decode(Double.self), number.isFinite {
            self = .number(number)
        } else {
            self = .other
        }
    }
}

/// A JSON object's members, and where it stands.
private struct Fields {
    let values: [String: Value]
    let place: String

    func allow(_ names: Set<String>) throws(Failure) {
        guard let other = values.keys.sorted().first(where: { !names.contains($0) }) else { return }
        throw Failure(
            .malformed,
            "\(place): \(other.printable): one of \(names.sorted().joined(separator: ", ")) "
                + "expected")
    }

    func object(_ name: String) throws(Failure) -> Fields {
        guard case .object(let object) = values[name] else {
            throw Failure(.malformed, "\(place): \(name): an object expected")
        }
        return Fields(values: object, place: "\(place): \(name)")
    }

    /// None where the name is absent.
    func objects(_ name: String) throws(Failure) -> [Fields] {
        guard let value = values[name] else { return [] }
        guard case .array(let list) = value else {
            throw Failure(.malformed, "\(place): \(name): an array expected")
        }
        var objects: [Fields] = []
        for (index, value) in list.enumerated() {
            guard case .object(let object) = value else {
                throw Failure(.malformed, "\(place): \(name) \(index): an object expected")
            }
            objects.append(Fields(values: object, place: "\(place): \(name) \(index)"))
        }
        return objects
    }

    func text(_ name: String) throws(Failure) -> String? {
        guard let value = values[name] else { return nil }
        guard case .text(let text) = value else {
            throw Failure(.malformed, "\(place): \(name): text expected")
        }
        return text
    }

    func int(_ name: String) throws(Failure) -> Int? {
        guard let value = values[name] else { return nil }
        guard case .number(let number) = value, let int = Int(exactly: number) else {
            throw Failure(.malformed, "\(place): \(name): a whole number expected")
        }
        return int
    }
}
