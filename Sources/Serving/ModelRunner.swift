package import Compute
package import Core
package import Inference

/// A model on a device, for one thread.
///
/// An answer is what its request gives when it is computed alone. Requests are joined only where
/// the plans prove that each item's bits are the item's own.
package final class ModelRunner {
    package typealias Answer = Result<[InferResponse.Output], Failure>

    /// What is known of a model's items.
    package enum Items: Equatable {
        /// Nothing was asked of it yet.
        case unknown
        /// Each is its own, in all batches so far.
        case independent
        /// Perhaps not; they are computed as they come.
        case mixed(ItemDoubt?)

        package var isMixed: Bool { if case .mixed = self { true } else { false } }
    }

    /// Bytes of inputs up to which items of one request are computed together, more than of
    /// several requests: small items are not worth a run.
    private static let batchBytes = 4 << 20
    /// Plans kept, each for its shapes.
    private static let plansMax = 32
    /// Shapes kept of which it is known that items are their own.
    private static let provedMax = 1024

    let served: ServedModel
    private let device: any ComputeDevice
    private let batchMax: Int
    private let bytesMax: Int
    package private(set) var items: Items
    /// Plans by the shapes of their inputs, the last used at the end.
    private var plans: [(shapes: [[Int]], session: Session, bytes: Int)] = []
    /// Shapes of inputs for which it is proved that each item is its own.
    private var proved: Set<[[Int]]> = []
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
        items = served.mayBatch && batchMax > 1 ? .unknown : .mixed(nil)
    }

    package var planCount: Int { plans.count }

    /// Gives the device back the memory of all plans.
    package func letGo() {
        plans.removeAll()
        staged = nil
    }

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
        if items == .unknown { _ = try? isProved(shapes.map { [2] + $0.dropFirst() }) }
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
        if isCut, counts.reduce(0, +) > 1 {
            do throws(Failure) {
                if mayJoin(requests, counts) {
                    return try joined(requests, counts).map(Answer.success)
                }
            } catch {
                // Whose fault it was shows when each is alone.
                guard requests.count > 1, error.code != .device else {
                    return requests.map { _ in .failure(error) }
                }
            }
        }
        return requests.map { request in
            Answer { () throws(Failure) in try alone(request) }
        }
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
                items = .mixed(nil)
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

    /// Whether each item gets in these batches what it gets in its own request.
    private func mayJoin(
        _ requests: [InferRequest], _ counts: [Int]
    ) -> Bool {
        if items.isMixed { return false }
        let batches = parts(of: requests, counts.reduce(0, +)).map(\.count)
        for count in Set(batches + counts).sorted() {
            let shapes = requests[0].inputs.map { [count] + $0.shape.dropFirst() }
            do throws(Failure) {
                guard try isProved(shapes) else { return false }
            } catch {
                // Each by itself says what is wrong with it.
                return false
            }
        }
        return true
    }

    /// Whether items of these shapes are their own.
    private func isProved(_ shapes: [[Int]]) throws(Failure) -> Bool {
        if proved.contains(shapes) { return true }
        let names = served.model.inputs.map(\.name)
        if let doubt = try served.model.itemDoubt(
            Dictionary(uniqueKeysWithValues: zip(names, shapes)))
        {
            items = .mixed(doubt)
            return false
        }
        if proved.count == Self.provedMax { proved.removeAll() }
        proved.insert(shapes)
        items = .independent
        return true
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
