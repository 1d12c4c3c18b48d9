public import Core
public import Ethereum

extension Signed {
    /// The order as iExec's tools write it: its fields under their EIP-712 names, and `sign`.
    public var json: JSON {
        var members: [JSON.Member] = []
        for (field, value) in zip(O.type.fields, order.values) {
            switch value {
            case .address(let value): members.append(.init(field.name, .address(value)))
            case .uint256(let value): members.append(.init(field.name, .string("\(value)")))
            case .bytes32(let value): members.append(.init(field.name, .hash(value)))
            case .string(let value): members.append(.init(field.name, .string(value)))
            default: preconditionFailure("orders hold no such field")
            }
        }
        return .object(members + [.init("sign", .string(signature.hex0x))])
    }

    fileprivate init(_ document: FlatDocument) throws(Failure) {
        var document = document
        var values: [TypedData.Value] = []
        for field in O.type.fields {
            switch field.kind {
            case .address: values.append(.address(try document.address(field.name)))
            case .uint256: values.append(.uint256(try document.amount(field.name)))
            case .bytes32: values.append(.bytes32(try document.hash(field.name)))
            case .string: values.append(.string(try document.text(field.name)))
            default: preconditionFailure("orders hold no such field")
            }
        }
        let sign = document.has("sign") ? try document.text("sign") : "0x"
        guard sign.hasPrefix("0x"), let signature = Hex.decode(sign) else {
            throw Failure(.malformed, "sign: 0x and hexadecimal digits expected")
        }
        try document.finish()
        self.init(O(values: values), signature: signature)
    }
}

/// An order that sells something, read from its file. Whether its owner has signed it depends on
/// the market that it is for, and is not asked.
public enum Offer: Hashable, Sendable {
    case app(AppOrder)
    case dataset(DatasetOrder)
    case workerpool(WorkerpoolOrder)

    /// Files longer than this are no orders.
    public static let fileBytesMax = 16_384

    /// - Throws: ``Failure`` naming the key and what was expected.
    public init(json bytes: Bytes) throws(Failure) {
        let document = try FlatDocument(bytes)
        if document.has("appprice") {
            self = .app(try Signed<AppOrder>(document).order)
        } else if document.has("datasetprice") {
            self = .dataset(try Signed<DatasetOrder>(document).order)
        } else if document.has("workerpoolprice") {
            self = .workerpool(try Signed<WorkerpoolOrder>(document).order)
        } else {
            throw Failure(
                .malformed,
                "no order that sells: appprice, datasetprice or workerpoolprice expected")
        }
    }

    /// What is sold, in one word.
    public var kind: String {
        switch self {
        case .app: "app"
        case .dataset: "dataset"
        case .workerpool: "workerpool"
        }
    }

    /// Tokens a task.
    public var price: UInt256 {
        switch self {
        case .app(let order): order.price
        case .dataset(let order): order.price
        case .workerpool(let order): order.price
        }
    }

    /// How many tasks it is good for.
    public var volume: UInt256 {
        switch self {
        case .app(let order): order.volume
        case .dataset(let order): order.volume
        case .workerpool(let order): order.volume
        }
    }
}
