package import Core
internal import Ethereum

extension Event: Record {
    package var cbor: CBOR {
        switch self {
        case .categoryCreated(let number): .event("categoryCreated", CBOR(number))
        case .created(let registry, let address, let owner):
            .event("created", .text(registry), CBOR(address), CBOR(owner))
        case .policyChanged(let pool): .event("policyChanged", CBOR(pool))
        case .orderSigned(let hash): .event("orderSigned", CBOR(hash))
        case .orderClosed(let hash): .event("orderClosed", CBOR(hash))
        case .schedulerNotice(let pool, let deal):
            .event("schedulerNotice", CBOR(pool), CBOR(deal))
        case .ordersMatched(let deal, let volume):
            .event("ordersMatched", CBOR(deal), CBOR(volume))
        case .taskInitialize(let task, let pool):
            .event("taskInitialize", CBOR(task), CBOR(pool))
        case .taskContribute(let task, let worker, let hash):
            .event("taskContribute", CBOR(task), CBOR(worker), CBOR(hash))
        case .taskConsensus(let task, let hash):
            .event("taskConsensus", CBOR(task), CBOR(hash))
        case .taskReveal(let task, let worker, let digest):
            .event("taskReveal", CBOR(task), CBOR(worker), CBOR(digest))
        case .taskReopen(let task): .event("taskReopen", CBOR(task))
        case .taskFinalize(let task, let results):
            .event("taskFinalize", CBOR(task), .bytes(results))
        case .taskClaimed(let task): .event("taskClaimed", CBOR(task))
        case .accurateContribution(let worker, let task):
            .event("accurateContribution", CBOR(worker), CBOR(task))
        case .faultyContribution(let worker, let task):
            .event("faultyContribution", CBOR(worker), CBOR(task))
        }
    }

    /// The event's name, first in its encoding.
    public var name: String { cbor.array?.first?.text ?? "" }

    package init(_ cbor: CBOR) throws(Failure) {
        var reader = try RecordReader(cbor, "event")
        let name = try reader.text()
        switch name {
        case "categoryCreated": self = .categoryCreated(number: try reader.count())
        case "created":
            self = .created(
                registry: try reader.text(), address: try reader.address(),
                owner: try reader.address())
        case "policyChanged": self = .policyChanged(workerpool: try reader.address())
        case "orderSigned": self = .orderSigned(try reader.hash())
        case "orderClosed": self = .orderClosed(try reader.hash())
        case "schedulerNotice":
            self = .schedulerNotice(workerpool: try reader.address(), dealID: try reader.hash())
        case "ordersMatched":
            self = .ordersMatched(dealID: try reader.hash(), volume: try reader.uint())
        case "taskInitialize":
            self = .taskInitialize(taskID: try reader.hash(), workerpool: try reader.address())
        case "taskContribute":
            self = .taskContribute(
                taskID: try reader.hash(), worker: try reader.address(),
                resultHash: try reader.hash())
        case "taskConsensus":
            self = .taskConsensus(taskID: try reader.hash(), consensus: try reader.hash())
        case "taskReveal":
            self = .taskReveal(
                taskID: try reader.hash(), worker: try reader.address(),
                digest: try reader.hash())
        case "taskReopen": self = .taskReopen(taskID: try reader.hash())
        case "taskFinalize":
            self = .taskFinalize(taskID: try reader.hash(), results: try reader.bytes())
        case "taskClaimed": self = .taskClaimed(taskID: try reader.hash())
        case "accurateContribution":
            self = .accurateContribution(
                worker: try reader.address(), taskID: try reader.hash())
        case "faultyContribution":
            self = .faultyContribution(worker: try reader.address(), taskID: try reader.hash())
        default: throw Failure(.unsupported, "event: \"\(name)\" is not known")
        }
        try reader.end()
    }
}

extension CBOR {
    fileprivate static func event(_ name: String, _ fields: CBOR...) -> CBOR {
        .array([.text(name)] + fields)
    }
}
