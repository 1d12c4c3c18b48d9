public import Core
internal import Ethereum

extension Call: Record {
    /// Deterministic CBOR: what a sender signs.
    public var encoded: Bytes { cbor.encoded }

    /// Reads ``encoded`` back.
    ///
    /// - Throws: ``Failure`` (malformed) saying what was expected.
    public init(decoding bytes: Bytes) throws(Failure) {
        try self.init(try CBOR(decoding: bytes))
    }

    /// The call's name, first in its encoding.
    public var name: String { cbor.array?.first?.text ?? "" }

    package var cbor: CBOR {
        switch self {
        case .issue(let to, let amount): .call("issue", CBOR(to), CBOR(amount))
        case .transfer(let to, let amount): .call("transfer", CBOR(to), CBOR(amount))
        case .createCategory(let name, let seconds):
            .call("createCategory", .text(name), CBOR(seconds))
        case .createApp(let name, let kind, let location, let version):
            .call("createApp", .text(name), .text(kind), .text(location), CBOR(version))
        case .createDataset(let name, let location, let checksum):
            .call("createDataset", .text(name), .text(location), CBOR(checksum))
        case .createWorkerpool(let description): .call("createWorkerpool", .text(description))
        case .changePolicy(let pool, let stake, let reward):
            .call("changePolicy", CBOR(pool), CBOR(stake), CBOR(reward))
        case .manageApp(let order, let operation):
            .call("manageApp", order.cbor, .text(operation.rawValue))
        case .manageDataset(let order, let operation):
            .call("manageDataset", order.cbor, .text(operation.rawValue))
        case .manageWorkerpool(let order, let operation):
            .call("manageWorkerpool", order.cbor, .text(operation.rawValue))
        case .manageRequest(let order, let operation):
            .call("manageRequest", order.cbor, .text(operation.rawValue))
        case .matchOrders(let orders, let sponsored):
            .call(
                "matchOrders", orders.app.cbor, orders.dataset.cbor, orders.workerpool.cbor,
                orders.request.cbor, .bool(sponsored))
        case .initialize(let dealID, let index): .call("initialize", CBOR(dealID), CBOR(index))
        case .contribute(let taskID, let claim):
            .call(
                "contribute", CBOR(taskID), CBOR(claim.resultHash), CBOR(claim.resultSeal),
                claim.permission.cbor)
        case .reveal(let taskID, let digest): .call("reveal", CBOR(taskID), CBOR(digest))
        case .finalize(let taskID, let results, let callback):
            .call("finalize", CBOR(taskID), .bytes(results), .bytes(callback))
        case .contributeAndFinalize(let taskID, let digest, let results, let callback, let leave):
            .call(
                "contributeAndFinalize", CBOR(taskID), CBOR(digest), .bytes(results),
                .bytes(callback), leave.cbor)
        case .reopen(let taskID): .call("reopen", CBOR(taskID))
        case .claim(let taskID): .call("claim", CBOR(taskID))
        }
    }

    package init(_ cbor: CBOR) throws(Failure) {
        var reader = try RecordReader(cbor, "call")
        let name = try reader.text()
        if let market = try Self.marketCall(name, &reader) {
            self = market
        } else if let task = try Self.taskCall(name, &reader) {
            self = task
        } else {
            throw Failure(.unsupported, "call: \"\(name)\" is not known")
        }
        try reader.end()
    }

    private static func marketCall(
        _ name: String, _ reader: inout RecordReader
    ) throws(Failure) -> Call? {
        switch name {
        case "issue": .issue(to: try reader.address(), amount: try reader.uint())
        case "transfer": .transfer(to: try reader.address(), amount: try reader.uint())
        case "createCategory":
            .createCategory(
                name: try reader.text(), workClockTimeReferenceSeconds: try reader.count())
        case "createApp":
            .createApp(
                name: try reader.text(), kind: try reader.text(), location: try reader.text(),
                version: try reader.hash())
        case "createDataset":
            .createDataset(
                name: try reader.text(), location: try reader.text(),
                checksum: try reader.hash())
        case "createWorkerpool": .createWorkerpool(description: try reader.text())
        case "changePolicy":
            .changePolicy(
                workerpool: try reader.address(), workerStakeRatio: try reader.uint(),
                schedulerRewardRatio: try reader.uint())
        case "manageApp":
            .manageApp(try .init(try reader.next()), try reader.choice(OrderOperation.self))
        case "manageDataset":
            .manageDataset(try .init(try reader.next()), try reader.choice(OrderOperation.self))
        case "manageWorkerpool":
            .manageWorkerpool(
                try .init(try reader.next()), try reader.choice(OrderOperation.self))
        case "manageRequest":
            .manageRequest(try .init(try reader.next()), try reader.choice(OrderOperation.self))
        case "matchOrders":
            .matchOrders(
                Orders(
                    app: try .init(try reader.next()), dataset: try .init(try reader.next()),
                    workerpool: try .init(try reader.next()),
                    request: try .init(try reader.next())),
                sponsored: try reader.bool())
        default: nil
        }
    }

    private static func taskCall(
        _ name: String, _ reader: inout RecordReader
    ) throws(Failure) -> Call? {
        switch name {
        case "initialize": .initialize(dealID: try reader.hash(), index: try reader.uint())
        case "contribute":
            .contribute(
                taskID: try reader.hash(),
                Claim(
                    resultHash: try reader.hash(), resultSeal: try reader.hash(),
                    permission: try .init(try reader.next())))
        case "reveal": .reveal(taskID: try reader.hash(), digest: try reader.hash())
        case "finalize":
            .finalize(
                taskID: try reader.hash(), results: try reader.bytes(),
                resultsCallback: try reader.bytes())
        case "contributeAndFinalize":
            .contributeAndFinalize(
                taskID: try reader.hash(), digest: try reader.hash(),
                results: try reader.bytes(), resultsCallback: try reader.bytes(),
                try .init(try reader.next()))
        case "reopen": .reopen(taskID: try reader.hash())
        case "claim": .claim(taskID: try reader.hash())
        default: nil
        }
    }
}

extension Call.Permission: Record {
    package var cbor: CBOR {
        .array([.bytes(authorization), CBOR(enclave), .bytes(enclaveSignature)])
    }

    package init(_ cbor: CBOR) throws(Failure) {
        var reader = try RecordReader(cbor, "permission")
        self.init(
            authorization: try reader.bytes(), enclave: try reader.address(),
            enclaveSignature: try reader.bytes())
        try reader.end()
    }
}

extension CBOR {
    fileprivate static func call(_ name: String, _ arguments: CBOR...) -> CBOR {
        .array([.text(name)] + arguments)
    }
}
