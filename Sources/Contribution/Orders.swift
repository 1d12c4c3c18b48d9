public import Core
public import Ethereum

/// An offer that its owner signs once (EIP-712) and anybody may match.
public protocol Order: Hashable, Sendable {
    /// The struct type, whose hash is part of what is signed.
    static var type: TypedData.Struct { get }
    /// Fields in the type's order.
    var values: [TypedData.Value] { get }
    /// How many tasks the order is good for.
    var volume: UInt256 { get }
    /// - Precondition: `values` match ``type`` in number and kinds.
    init(values: [TypedData.Value])
}

extension Order {
    /// The order's hash: its identity, and what its owner signs.
    public func hash(in domain: TypedData.Domain) -> Hash256 {
        TypedData.hash(domain, Self.type, values)
    }

    /// hash of `…OrderOperation(<Order> order,uint256 operation)`, for signed sign and close calls.
    public func operationHash(
        _ operation: OrderOperation, in domain: TypedData.Domain
    ) -> Hash256 {
        let type = TypedData.Struct(
            "\(Self.type.name)Operation",
            [.init("order", .structure(Self.type)), .init("operation", .uint256)])
        return TypedData.hash(
            domain, type, [.structure(values), .uint256(operation == .sign ? 0 : 1)])
    }
}

/// What an owner may do to an order without matching it.
public enum OrderOperation: String, Hashable, Sendable {
    /// Counts as the owner's signature from now on.
    case sign
    /// Counts as fully consumed from now on.
    case close
}

/// An order with its owner's signature: 65 or 64 bytes, or nothing when presigned.
public struct Signed<O: Order>: Hashable, Sendable {
    public var order: O
    public var signature: Bytes

    public init(_ order: O, signature: Bytes = []) {
        self.order = order
        self.signature = signature
    }
}

/// What an app's owner sells a run for.
public struct AppOrder: Order {
    public var app: Address
    /// Tokens a task.
    public var price: UInt256
    public var volume: UInt256
    /// Bit 0: needs a trusted enclave.
    public var tag: UInt256
    /// Zero lets any; so do the other restrictions.
    public var datasetRestrict: Address
    public var workerpoolRestrict: Address
    public var requesterRestrict: Address
    /// Makes two equal orders differ.
    public var salt: Hash256

    public init(
        app: Address, price: UInt256, volume: UInt256, tag: UInt256 = 0,
        datasetRestrict: Address = .zero, workerpoolRestrict: Address = .zero,
        requesterRestrict: Address = .zero, salt: Hash256
    ) {
        self.app = app
        self.price = price
        self.volume = volume
        self.tag = tag
        self.datasetRestrict = datasetRestrict
        self.workerpoolRestrict = workerpoolRestrict
        self.requesterRestrict = requesterRestrict
        self.salt = salt
    }
}

/// What a dataset's owner sells its use for.
public struct DatasetOrder: Order {
    public var dataset: Address
    /// Tokens a task.
    public var price: UInt256
    public var volume: UInt256
    public var tag: UInt256
    public var appRestrict: Address
    public var workerpoolRestrict: Address
    public var requesterRestrict: Address
    public var salt: Hash256

    public init(
        dataset: Address, price: UInt256, volume: UInt256, tag: UInt256 = 0,
        appRestrict: Address = .zero, workerpoolRestrict: Address = .zero,
        requesterRestrict: Address = .zero, salt: Hash256
    ) {
        self.dataset = dataset
        self.price = price
        self.volume = volume
        self.tag = tag
        self.appRestrict = appRestrict
        self.workerpoolRestrict = workerpoolRestrict
        self.requesterRestrict = requesterRestrict
        self.salt = salt
    }

    /// The order that stands in a match without a dataset.
    public static let none = DatasetOrder(dataset: .zero, price: 0, volume: 0, salt: .zero)
}

/// What a workerpool's owner sells a computation for.
public struct WorkerpoolOrder: Order {
    public var workerpool: Address
    /// Tokens a task.
    public var price: UInt256
    public var volume: UInt256
    /// Every bit the other orders set must be set here.
    public var tag: UInt256
    public var category: UInt256
    /// The highest trust the pool replicates for.
    public var trust: UInt256
    public var appRestrict: Address
    public var datasetRestrict: Address
    public var requesterRestrict: Address
    public var salt: Hash256

    public init(
        workerpool: Address, price: UInt256, volume: UInt256, tag: UInt256 = 0,
        category: UInt256, trust: UInt256, appRestrict: Address = .zero,
        datasetRestrict: Address = .zero, requesterRestrict: Address = .zero, salt: Hash256
    ) {
        self.workerpool = workerpool
        self.price = price
        self.volume = volume
        self.tag = tag
        self.category = category
        self.trust = trust
        self.appRestrict = appRestrict
        self.datasetRestrict = datasetRestrict
        self.requesterRestrict = requesterRestrict
        self.salt = salt
    }
}

/// What a requester buys, and the most it pays.
public struct RequestOrder: Order {
    public var app: Address
    public var appPriceMax: UInt256
    /// Zero for none.
    public var dataset: Address
    public var datasetPriceMax: UInt256
    /// Zero for any.
    public var workerpool: Address
    public var workerpoolPriceMax: UInt256
    public var requester: Address
    public var volume: UInt256
    public var tag: UInt256
    public var category: UInt256
    /// 0 and 1 settle on one worker's word; see ``Replication`` for how many agree above.
    public var trust: UInt256
    public var beneficiary: Address
    /// When not zero, the results given at the end must hash to the digest.
    public var callback: Address
    /// JSON text; see ``RequestParameters``.
    public var params: String
    public var salt: Hash256

    public init(
        app: Address, appPriceMax: UInt256, dataset: Address = .zero,
        datasetPriceMax: UInt256 = 0, workerpool: Address = .zero, workerpoolPriceMax: UInt256,
        requester: Address, volume: UInt256, tag: UInt256 = 0, category: UInt256,
        trust: UInt256, beneficiary: Address = .zero, callback: Address = .zero,
        params: String, salt: Hash256
    ) {
        self.app = app
        self.appPriceMax = appPriceMax
        self.dataset = dataset
        self.datasetPriceMax = datasetPriceMax
        self.workerpool = workerpool
        self.workerpoolPriceMax = workerpoolPriceMax
        self.requester = requester
        self.volume = volume
        self.tag = tag
        self.category = category
        self.trust = trust
        self.beneficiary = beneficiary
        self.callback = callback
        self.params = params
        self.salt = salt
    }
}
