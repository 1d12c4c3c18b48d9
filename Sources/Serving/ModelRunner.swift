package import Compute
package import Core
internal import Inference

/// A model on a device, for one thread.
///
/// An answer is what its request gives when it is computed alone. Requests are joined only once the
/// model has shown, on requests that it got, that each item's bits are the item's own.
package final class ModelRunner {
    package typealias Answer = Result<[InferResponse.Output], Failure>

    /// What is known of a model's items.
    package enum Items: Equatable {
        case unknown(agreements: Int)
        case independent
        case mixed
    }

    /// Batches of different items that must agree before requests are joined.
    private static let agreementsMin = 2
    /// Bytes of inputs up to which items of one request are computed together, more than of
    /// several requests: small items are not worth a run.
    private static let batchBytes = 4 << 20
    /// Plans kept, each for its shapes.
    private static let plansMax = 32

    let served: ServedModel
    private let device: any ComputeDevice
    private let batchMax: Int
    private let bytesMax: Int
    package private(set) var items: Items
    /// Plans by the shapes of their inputs, the last used at the end.
    private var plans: [(shapes: [[Int]], session: Session, bytes: Int)] = []
    /// For models whose steps depend on data.
    private var staged: ModelSession?
    private var isStaged = false

    /// - Parameter bytesMax: device memory that plans kept may hold.
    package init(_ served: ServedModel, on device: any ComputeDevice, batchMax: Int, bytesMax: Int)
    {
        self.served = served
        self.device = device
        self.batchMax = batchMax
        self.bytesMax = bytesMax
        items = served.mayBatch && batchMax > 1 ? .unknown(agreements: 0) : .mixed
    }

    package var planCount: Int { plans.count }

    /// Compiles for one item, and runs once on zeros where that does not take long: drivers compile
    /// kernels when they are first launched. Where axes are open, for a usual size of them.
    package func warm() {
        let inputs = served.model.inputs
        guard inputs.allSatisfy({ $0.isRanked && $0.type != .double }) else { return }
        let shapes = inputs.map { input in
            input.shape.enumerated().map { axis, size in
                size ?? Self.usualSize(axis: axis, rank: input.shape.count)
            }
        }
        // What is wrong with the model is said to the first request.
        guard let session = try? session(shapes) else { return }
        try? session.warm()
        if session.plan.cost <= Self.warmCostMax {
            var zeros = zip(inputs, shapes).map { input, shape in
                Bytes(repeating: 0, count: shape.elementCount * input.type.byteCount)
                    .withUnsafeBytes { Tensor(type: input.type, shape: shape, bytes: $0) }
            }
            if session.plan.draws { zeros.append(.seed(0)) }
            _ = try? session.run(zeros)
        }
        // Nobody may ever ask for these shapes.
        let isGuess = inputs.contains { $0.shape.dropFirst().contains(nil) }
        if isGuess { plans.removeAll() }
    }

    /// One item; pictures as most networks take them; else a short text.
    private static func usualSize(axis: Int, rank: Int) -> Int {
        axis == 0 ? 1 : rank == 4 ? (axis == 1 ? 3 : 224) : 16
    }

    /// Multiplications that are done before there is a request: some seconds.
    private static let warmCostMax = 2e10

    /// One answer for each request. They were checked, and have equal shapes but for the number of
    /// items.
    package func answers(_ requests: [InferRequest]) -> [Answer] {
        let counts = requests.compactMap(served.itemCount)
        let isCut = counts.count == requests.count && !requests.isEmpty
        if case .independent = items, isCut {
            do throws(Failure) {
                return try joined(requests, counts).map(Answer.success)
            } catch {
                // Whose fault it was shows when each is alone.
                guard requests.count > 1, error.code != .device else {
                    return requests.map { _ in .failure(error) }
                }
            }
        }
        let answers = requests.map { request in
            Answer { () throws(Failure) in try alone(request) }
        }
        if case .unknown(let agreements) = items, isCut, counts.reduce(0, +) > 1 {
            compare(answers, requests, counts, agreements)
        }
        return answers
    }

    // MARK: Alone

    private func alone(_ request: InferRequest) throws(Failure) -> [InferResponse.Output] {
        let tensors = request.inputs.map { input in
            input.bytes.withUnsafeBytes {
                Tensor(type: input.type, shape: input.shape, bytes: $0)
            }
        }
        let isPlanned = tensors.allSatisfy { $0.count > 0 && $0.type != .double }
        if isPlanned, !isStaged {
            do throws(Failure) {
                let session = try session(request.inputs.map(\.shape))
                let seed = session.plan.draws ? [Tensor.seed(request.seed)] : []
                return outputs(session, try session.run(tensors + seed))
            } catch  where error.code == .dependsOnData {
                isStaged = true
                items = .mixed
            } catch {
                throw error
            }
        }
        if let held = staged?.heldBytes, held > bytesMax { staged = nil }
        let session = staged ?? ModelSession(served.model, on: device)
        staged = session
        var outputs: [InferResponse.Output] = []
        for (name, value) in zip(
            served.model.outputs,
            try session.run(tensors.map(ModelValue.tensor), seed: request.seed))
        {
            guard case .tensor(let tensor) = value else {
                throw Failure(
                    .unsupported,
                    "output \"\(name.printable)\" is a sequence; a tensor expected")
            }
            outputs.append(
                .init(name: name, type: tensor.type, shape: tensor.shape, bytes: tensor.bytes))
        }
        return outputs
    }

    private func outputs(_ session: Session, _ tensors: [Tensor]) -> [InferResponse.Output] {
        zip(session.plan.outputs, tensors).map {
            .init(name: $0.name, type: $1.type, shape: $1.shape, bytes: $1.bytes)
        }
    }

    // MARK: Joined

    /// Whether joining gives the same bits is seen where different items are computed together that
    /// were not so alone: equal ones, and a request by itself, would agree in models that mix
    /// items, too.
    private func compare(
        _ answers: [Answer], _ requests: [InferRequest], _ counts: [Int], _ agreements: Int
    ) {
        let items = Self.itemsOfAll(requests, counts)
        var first = 0
        let own = counts.map { count in
            defer { first += count }
            return first..<(first + count)
        }
        let shows = parts(of: requests, items.count).contains { part in
            !own.contains(part) && part.contains { items[$0] != items[part.lowerBound] }
        }
        let alone = answers.compactMap { try? $0.get() }
        guard shows, alone.count == requests.count else { return }
        do throws(Failure) {
            let isEqual = try joined(requests, counts) == alone
            self.items =
                !isEqual
                ? .mixed
                : agreements + 1 < Self.agreementsMin
                    ? .unknown(agreements: agreements + 1) : .independent
        } catch {
            // A batch that a device has no room for says nothing of the items.
            if error.code == .unsupported || error.code == .malformed { self.items = .mixed }
        }
    }

    /// The inputs of each item.
    private static func itemsOfAll(
        _ requests: [InferRequest], _ counts: [Int]
    ) -> [[ArraySlice<UInt8>]] {
        zip(requests, counts).flatMap { request, count in
            (0..<count).map { item in
                request.inputs.map { input in
                    let size = input.bytes.count / count
                    return input.bytes[(item * size)..<((item + 1) * size)]
                }
            }
        }
    }

    /// Batches of powers of two, in which few plans serve all counts.
    private func parts(of requests: [InferRequest], _ total: Int) -> [Range<Int>] {
        let bytes = requests.reduce(0) { $0 + $1.inputs.reduce(0) { $0 + $1.bytes.count } }
        let most =
            requests.count == 1
            ? max(batchMax, Self.batchBytes / max(1, bytes / total)) : batchMax
        var parts: [Range<Int>] = []
        var done = 0
        while done < total {
            var batch = 1
            while batch * 2 <= min(most, total - done) { batch *= 2 }
            parts.append(done..<(done + batch))
            done += batch
        }
        return parts
    }

    /// Computes all items, some together.
    private func joined(
        _ requests: [InferRequest], _ counts: [Int]
    ) throws(Failure) -> [[InferResponse.Output]] {
        let total = counts.reduce(0, +)
        let inputs = requests[0].inputs.indices.map { at in
            requests.map { $0.inputs[at].bytes }.reduce(into: Bytes()) { $0 += $1 }
        }
        var joined: [InferResponse.Output] = []
        for range in parts(of: requests, total) {
            let batch = range.count
            let shapes = requests[0].inputs.map { [batch] + $0.shape.dropFirst() }
            let session = try session(shapes)
            guard session.plan.isByItem, session.plan.itemCount == batch else {
                throw Failure(.unsupported, "an output without the batch as its first axis")
            }
            let tensors = zip(requests[0].inputs, inputs).enumerated().map { at, pair in
                let size = pair.1.count / total
                let part = pair.1[(range.lowerBound * size)..<(range.upperBound * size)]
                return part.withUnsafeBytes {
                    Tensor(type: pair.0.type, shape: shapes[at], bytes: $0)
                }
            }
            let parts = outputs(session, try session.run(tensors))
            if joined.isEmpty {
                joined = parts
            } else {
                for at in parts.indices {
                    guard parts[at].shape.dropFirst() == joined[at].shape.dropFirst() else {
                        throw Failure(.unsupported, "an output whose axes depend on the batch")
                    }
                    joined[at].bytes += parts[at].bytes
                }
            }
        }
        return Self.split(joined, counts, total)
    }

    private static func split(
        _ outputs: [InferResponse.Output], _ counts: [Int], _ total: Int
    ) -> [[InferResponse.Output]] {
        var first = 0
        return counts.map { count in
            defer { first += count }
            return outputs.map { output in
                let size = output.bytes.count / total
                var own = output
                own.shape[0] = count
                own.bytes = Bytes(output.bytes[(first * size)..<((first + count) * size)])
                return own
            }
        }
    }

    // MARK: Plans

    /// The plan for these shapes; those not used for long make room for it.
    private func session(_ shapes: [[Int]]) throws(Failure) -> Session {
        if let known = plans.firstIndex(where: { $0.shapes == shapes }) {
            let entry = plans.remove(at: known)
            plans.append(entry)
            return entry.session
        }
        let names = served.model.inputs.map(\.name)
        let plan = try Planner.plan(
            served.model, shapes: Dictionary(uniqueKeysWithValues: zip(names, shapes)))
        // What is packed lies there twice.
        let bytes = 2 * plan.buffers.reduce(0, +)
        while !plans.isEmpty,
            plans.count >= Self.plansMax
                || plans.reduce(bytes, { $0 + $1.bytes }) > bytesMax
        {
            plans.removeFirst()
        }
        let session = try Session(plan, on: device)
        plans.append((shapes, session, bytes))
        return session
    }
}
