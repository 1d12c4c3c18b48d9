public import Core
internal import Digest

/// A value in the contract ABI's encoding (Solidity's "Contract ABI Specification").
public indirect enum ABI: Hashable, Sendable {
    case address(Address)
    case uint(UInt256)
    case bool(Bool)
    case bytes32(Hash256)
    case bytes(Bytes)
    case string(String)
    /// `T[]`: any number of values of one type.
    case array([ABI])
    /// `T[k]`: as many values of one type as the type says.
    case fixedArray([ABI])
    case tuple([ABI])
}

extension ABI {
    /// `abi.encode(values…)`: heads of 32-byte words, then the tails of dynamic values.
    public static func encode(_ values: [ABI]) -> Bytes {
        let headBytes = values.reduce(0) { $0 + $1.headByteCount }
        var heads = Bytes()
        var tails = Bytes()
        for value in values {
            if value.isDynamic {
                heads += word(headBytes + tails.count)
                tails += value.body
            } else {
                heads += value.body
            }
        }
        return heads + tails
    }

    /// `abi.encodePacked(values…)`: values side by side, without lengths; elements of arrays fill
    /// whole words.
    ///
    /// - Precondition: no tuples, and no dynamic values inside arrays: Solidity has neither.
    public static func encodePacked(_ values: [ABI]) -> Bytes { values.flatMap(\.packed) }

    /// The first four bytes of the signature's Keccak-256: `claim(bytes32)` → 0xbd66528a.
    public static func selector(_ signature: String) -> Bytes {
        Bytes(Keccak256.hash(Bytes(signature.utf8)).bytes.prefix(4))
    }

    /// An event's first topic: Keccak-256 of its signature.
    public static func topic(_ signature: String) -> Hash256 {
        Keccak256.hash(Bytes(signature.utf8))
    }

    /// A function call's data: selector, then the encoded arguments.
    public static func call(_ signature: String, _ arguments: [ABI]) -> Bytes {
        selector(signature) + encode(arguments)
    }

    private var isDynamic: Bool {
        switch self {
        case .address, .uint, .bool, .bytes32: false
        case .bytes, .string, .array: true
        case .fixedArray(let values), .tuple(let values): values.contains(where: \.isDynamic)
        }
    }

    private var headByteCount: Int {
        if isDynamic { return 32 }
        switch self {
        case .fixedArray(let values), .tuple(let values):
            return values.reduce(0) { $0 + $1.headByteCount }
        default: return 32
        }
    }

    private var body: Bytes {
        switch self {
        case .address(let value): Bytes(repeating: 0, count: 12) + value.bytes
        case .uint(let value): value.bytes
        case .bool(let value): Self.word(value ? 1 : 0)
        case .bytes32(let value): value.bytes
        case .bytes(let value): Self.word(value.count) + Self.padded(value)
        case .string(let value): ABI.bytes(Bytes(value.utf8)).body
        case .array(let values): Self.word(values.count) + Self.encode(values)
        case .fixedArray(let values), .tuple(let values): Self.encode(values)
        }
    }

    private var packed: Bytes {
        switch self {
        case .address(let value): return value.bytes
        case .uint(let value): return value.bytes
        case .bool(let value): return [value ? 1 : 0]
        case .bytes32(let value): return value.bytes
        case .bytes(let value): return value
        case .string(let value): return Bytes(value.utf8)
        case .array(let values), .fixedArray(let values):
            precondition(
                !values.contains(where: \.isDynamic), "packed arrays hold static values only")
            return values.flatMap(\.body)
        case .tuple: preconditionFailure("encodePacked takes no tuples")
        }
    }

    private static func word(_ value: Int) -> Bytes { UInt256(UInt64(value)).bytes }

    private static func padded(_ bytes: Bytes) -> Bytes {
        bytes + Bytes(repeating: 0, count: (32 - bytes.count % 32) % 32)
    }
}
