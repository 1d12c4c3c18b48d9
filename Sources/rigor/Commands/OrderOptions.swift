internal import ArgumentParser
internal import Contribution
internal import Core
internal import Ethereum
internal import Files

/// The market's offers that a quote is held against.
struct OrderOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            A market's offer to price the picture by, as one task: a file with the order of an \
            app, a dataset or a workerpool, as iExec's tools and `rigor demo` write them. May be \
            given once for each.
            """, valueName: "file"),
        completion: .file(extensions: ["json"]), transform: Accepted.text("a file"))
    var order: [String] = []

    /// - Throws: ``Failure`` naming the file that is no offer, or one of a kind that is there.
    func price() throws(Failure) -> OrderPrice? {
        guard !order.isEmpty else { return nil }
        var price = OrderPrice()
        for path in order {
            let bytes = Bytes(try FileBytes.read(path, byteCountMax: Offer.fileBytesMax))
            do throws(Failure) { try price.take(try Offer(json: bytes)) } catch {
                throw error.at(path)
            }
        }
        return price
    }
}

/// What a task costs by some offers, and what they pay who computes it.
struct OrderPrice {
    private(set) var offers: [Offer] = []

    mutating func take(_ offer: Offer) throws(Failure) {
        guard !offers.contains(where: { $0.kind == offer.kind }) else {
            throw Failure(.usage, "a second order of kind \(offer.kind): one of each expected")
        }
        guard offer.volume > 0 else {
            throw Failure(.refused, "good for 0 tasks: nothing is sold")
        }
        offers.append(offer)
    }

    /// Tokens a task. Below 2²⁵⁶ for prices that anybody could pay.
    var total: UInt256 {
        offers.reduce(UInt256.zero) { $0.adding($1.price) ?? .max }
    }

    /// How many workers must agree, where all are fresh; nil without a workerpool's order.
    var workers: Int? {
        for case .workerpool(let order) in offers {
            return Replication.workersNeeded(trust: order.trust)
        }
        return nil
    }

    /// Tokens an hour, at most, for a worker that takes so long: the workerpool's price is shared
    /// by those who agree.
    func tokensPerHour(seconds: Double) -> Double? {
        guard let workers, seconds > 0 else { return nil }
        let price = offers.filter { $0.kind == "workerpool" }.map(\.price).first ?? 0
        // Decimal text is the way from 256 bits to a double.
        return (Double("\(price)") ?? 0) / Double(workers) / seconds * 3600
    }

    var line: String {
        let parts = offers.map { "\($0.kind) \($0.price)" }.joined(separator: ", ")
        return "order    \(total) tokens a task: \(parts)"
    }

    func line(seconds: Double) -> String? {
        guard let workers, let rate = tokensPerHour(seconds: seconds) else { return nil }
        return "pays     at most \(Units.significant(rate)) tokens an hour, shared by "
            + Units.count(workers, "worker")
    }

    func json(seconds: Double?) -> JSON {
        [
            "tokens": .string("\(total)"), "workers": .optional(workers, JSON.int),
            "tokens_per_hour": .optional(seconds.flatMap(tokensPerHour)) {
                .number($0, decimals: 3)
            },
        ]
    }
}
