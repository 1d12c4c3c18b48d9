public import Core
internal import Digest

/// EIP-712: hashing of typed, structured data.
public enum TypedData {
    /// A struct type: its name and its fields in order.
    public struct Struct: Hashable, Sendable {
        public let name: String
        public let fields: [Field]

        public init(_ name: String, _ fields: [Field]) {
            self.name = name
            self.fields = fields
        }
    }

    /// One member of a struct type.
    public struct Field: Hashable, Sendable {
        public let name: String
        public let kind: Kind

        public init(_ name: String, _ kind: Kind) {
            self.name = name
            self.kind = kind
        }
    }

    /// The types a field may have.
    public indirect enum Kind: Hashable, Sendable {
        case address, uint256, bool, bytes32, bytes, string
        case array(Kind)
        case structure(Struct)
    }

    /// A field's value.
    public indirect enum Value: Hashable, Sendable {
        case address(Address)
        case uint256(UInt256)
        case bool(Bool)
        case bytes32(Hash256)
        case bytes(Bytes)
        case string(String)
        case array([Value])
        /// A struct's values, in the order of its fields.
        case structure([Value])
    }

    /// keccak256(0x19 ‖ 0x01 ‖ domain separator ‖ hashStruct(message)): what is signed.
    ///
    /// - Precondition: `values` match `type`'s fields in number and kind.
    public static func hash(_ domain: Domain, _ type: Struct, _ values: [Value]) -> Hash256 {
        Keccak256.hash([0x19, 0x01] + domain.separator.bytes + type.hash(values).bytes)
    }
}

// MARK: - Domain

extension TypedData {
    /// EIP712Domain(string name,string version,uint256 chainId,address verifyingContract).
    public struct Domain: Hashable, Sendable {
        public var name: String
        public var version: String
        public var chainID: UInt256
        public var verifyingContract: Address

        public init(name: String, version: String, chainID: UInt256, verifyingContract: Address) {
            self.name = name
            self.version = version
            self.chainID = chainID
            self.verifyingContract = verifyingContract
        }

        static let type = Struct(
            "EIP712Domain",
            [
                Field("name", .string), Field("version", .string), Field("chainId", .uint256),
                Field("verifyingContract", .address),
            ])

        /// hashStruct of the domain.
        public var separator: Hash256 {
            Self.type.hash([
                .string(name), .string(version), .uint256(chainID), .address(verifyingContract),
            ])
        }
    }
}

// MARK: - Hashing

extension TypedData.Struct {
    /// `Name(type field,…)`, then the struct types it refers to, sorted by name.
    public var encodedType: String {
        var found: [String: TypedData.Struct] = [:]
        collect(into: &found)
        found[name] = nil
        return found.values.sorted { $0.name < $1.name }.reduce(signature) { $0 + $1.signature }
    }

    /// keccak256(encodeType).
    public var typeHash: Hash256 { Keccak256.hash(Bytes(encodedType.utf8)) }

    /// keccak256(typeHash ‖ encodeData(values)).
    ///
    /// - Precondition: `values` match the fields in number and kind.
    public func hash(_ values: [TypedData.Value]) -> Hash256 {
        precondition(values.count == fields.count, "\(name) has \(fields.count) fields")
        var data = typeHash.bytes
        for (field, value) in zip(fields, values) { data += field.kind.word(value) }
        return Keccak256.hash(data)
    }

    private var signature: String {
        "\(name)(\(fields.map { "\($0.kind.name) \($0.name)" }.joined(separator: ",")))"
    }

    private func collect(into found: inout [String: TypedData.Struct]) {
        guard found.updateValue(self, forKey: name) == nil else { return }
        for field in fields { field.kind.structure?.collect(into: &found) }
    }
}

extension TypedData.Kind {
    fileprivate var name: String {
        switch self {
        case .address: "address"
        case .uint256: "uint256"
        case .bool: "bool"
        case .bytes32: "bytes32"
        case .bytes: "bytes"
        case .string: "string"
        case .array(let element): "\(element.name)[]"
        case .structure(let type): type.name
        }
    }

    fileprivate var structure: TypedData.Struct? {
        switch self {
        case .array(let element): element.structure
        case .structure(let type): type
        default: nil
        }
    }

    fileprivate func word(_ value: TypedData.Value) -> Bytes {
        switch (self, value) {
        case (.address, .address(let value)): ABI.encode([.address(value)])
        case (.uint256, .uint256(let value)): value.bytes
        case (.bool, .bool(let value)): ABI.encode([.bool(value)])
        case (.bytes32, .bytes32(let value)): value.bytes
        case (.bytes, .bytes(let value)): Keccak256.hash(value).bytes
        case (.string, .string(let value)): Keccak256.hash(Bytes(value.utf8)).bytes
        case (.array(let element), .array(let values)):
            Keccak256.hash(values.flatMap { element.word($0) }).bytes
        case (.structure(let type), .structure(let values)): type.hash(values).bytes
        default: preconditionFailure("a field of type \(name) was given another kind of value")
        }
    }
}
