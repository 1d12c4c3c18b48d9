package import Core
public import Ethereum

/// Takes typed values apart in order.
struct ValueReader {
    private var values: ArraySlice<TypedData.Value>

    init(_ values: [TypedData.Value]) { self.values = values[...] }

    mutating func address() -> Address {
        guard case .address(let value) = values.popFirst() else { preconditionFailure("address") }
        return value
    }
    mutating func uint() -> UInt256 {
        guard case .uint256(let value) = values.popFirst() else { preconditionFailure("uint256") }
        return value
    }
    mutating func hash() -> Hash256 {
        guard case .bytes32(let value) = values.popFirst() else { preconditionFailure("bytes32") }
        return value
    }
    mutating func text() -> String {
        guard case .string(let value) = values.popFirst() else { preconditionFailure("string") }
        return value
    }
}

extension UInt256 {
    /// The number as a `bytes32`, as tags travel.
    var word: Hash256 {
        guard let word = Hash256(bytes) else { preconditionFailure("32 bytes") }
        return word
    }
}

extension AppOrder {
    public static let type = TypedData.Struct(
        "AppOrder",
        [
            .init("app", .address), .init("appprice", .uint256), .init("volume", .uint256),
            .init("tag", .bytes32), .init("datasetrestrict", .address),
            .init("workerpoolrestrict", .address), .init("requesterrestrict", .address),
            .init("salt", .bytes32),
        ])

    public var values: [TypedData.Value] {
        [
            .address(app), .uint256(price), .uint256(volume), .bytes32(tag.word),
            .address(datasetRestrict), .address(workerpoolRestrict), .address(requesterRestrict),
            .bytes32(salt),
        ]
    }

    public init(values: [TypedData.Value]) {
        var reader = ValueReader(values)
        self.init(
            app: reader.address(), price: reader.uint(), volume: reader.uint(),
            tag: UInt256(reader.hash()), datasetRestrict: reader.address(),
            workerpoolRestrict: reader.address(), requesterRestrict: reader.address(),
            salt: reader.hash())
    }
}

extension DatasetOrder {
    public static let type = TypedData.Struct(
        "DatasetOrder",
        [
            .init("dataset", .address), .init("datasetprice", .uint256),
            .init("volume", .uint256), .init("tag", .bytes32), .init("apprestrict", .address),
            .init("workerpoolrestrict", .address), .init("requesterrestrict", .address),
            .init("salt", .bytes32),
        ])

    public var values: [TypedData.Value] {
        [
            .address(dataset), .uint256(price), .uint256(volume), .bytes32(tag.word),
            .address(appRestrict), .address(workerpoolRestrict), .address(requesterRestrict),
            .bytes32(salt),
        ]
    }

    public init(values: [TypedData.Value]) {
        var reader = ValueReader(values)
        self.init(
            dataset: reader.address(), price: reader.uint(), volume: reader.uint(),
            tag: UInt256(reader.hash()), appRestrict: reader.address(),
            workerpoolRestrict: reader.address(), requesterRestrict: reader.address(),
            salt: reader.hash())
    }
}

extension WorkerpoolOrder {
    public static let type = TypedData.Struct(
        "WorkerpoolOrder",
        [
            .init("workerpool", .address), .init("workerpoolprice", .uint256),
            .init("volume", .uint256), .init("tag", .bytes32), .init("category", .uint256),
            .init("trust", .uint256), .init("apprestrict", .address),
            .init("datasetrestrict", .address), .init("requesterrestrict", .address),
            .init("salt", .bytes32),
        ])

    public var values: [TypedData.Value] {
        [
            .address(workerpool), .uint256(price), .uint256(volume), .bytes32(tag.word),
            .uint256(category), .uint256(trust), .address(appRestrict),
            .address(datasetRestrict), .address(requesterRestrict), .bytes32(salt),
        ]
    }

    public init(values: [TypedData.Value]) {
        var reader = ValueReader(values)
        self.init(
            workerpool: reader.address(), price: reader.uint(), volume: reader.uint(),
            tag: UInt256(reader.hash()), category: reader.uint(), trust: reader.uint(),
            appRestrict: reader.address(), datasetRestrict: reader.address(),
            requesterRestrict: reader.address(), salt: reader.hash())
    }
}

extension RequestOrder {
    public static let type = TypedData.Struct(
        "RequestOrder",
        [
            .init("app", .address), .init("appmaxprice", .uint256), .init("dataset", .address),
            .init("datasetmaxprice", .uint256), .init("workerpool", .address),
            .init("workerpoolmaxprice", .uint256), .init("requester", .address),
            .init("volume", .uint256), .init("tag", .bytes32), .init("category", .uint256),
            .init("trust", .uint256), .init("beneficiary", .address),
            .init("callback", .address), .init("params", .string), .init("salt", .bytes32),
        ])

    public var values: [TypedData.Value] {
        [
            .address(app), .uint256(appPriceMax), .address(dataset), .uint256(datasetPriceMax),
            .address(workerpool), .uint256(workerpoolPriceMax), .address(requester),
            .uint256(volume), .bytes32(tag.word), .uint256(category), .uint256(trust),
            .address(beneficiary), .address(callback), .string(params), .bytes32(salt),
        ]
    }

    public init(values: [TypedData.Value]) {
        var reader = ValueReader(values)
        self.init(
            app: reader.address(), appPriceMax: reader.uint(), dataset: reader.address(),
            datasetPriceMax: reader.uint(), workerpool: reader.address(),
            workerpoolPriceMax: reader.uint(), requester: reader.address(),
            volume: reader.uint(), tag: UInt256(reader.hash()), category: reader.uint(),
            trust: reader.uint(), beneficiary: reader.address(), callback: reader.address(),
            params: reader.text(), salt: reader.hash())
    }
}

// MARK: - Encoding

extension Signed: Record {
    package var cbor: CBOR {
        .array(
            order.values.map { value in
                switch value {
                case .address(let value): CBOR(value)
                case .uint256(let value): CBOR(value)
                case .bytes32(let value): CBOR(value)
                case .string(let value): .text(value)
                default: preconditionFailure("orders hold no such field")
                }
            } + [.bytes(signature)])
    }

    package init(_ cbor: CBOR) throws(Failure) {
        var reader = try RecordReader(cbor, O.type.name)
        var values: [TypedData.Value] = []
        for field in O.type.fields {
            switch field.kind {
            case .address: values.append(.address(try reader.address()))
            case .uint256: values.append(.uint256(try reader.uint()))
            case .bytes32: values.append(.bytes32(try reader.hash()))
            case .string: values.append(.string(try reader.text()))
            default: preconditionFailure("orders hold no such field")
            }
        }
        self.init(O(values: values), signature: try reader.bytes())
        try reader.end()
    }
}
