internal import Core
internal import Dispatch

/// What a model has done since the start, in the form of the protocol's extension.
struct ModelStatistics {
    private var itemCount = 0
    private var executionCount = 0
    private var success = Duration()
    private var failure = Duration()
    private var queue = Duration()
    private var compute = Duration()

    private struct Duration {
        var count = 0
        var nanoseconds = 0

        mutating func add(_ start: DispatchTime, _ end: DispatchTime) {
            count += 1
            nanoseconds += Int(end.uptimeNanoseconds &- start.uptimeNanoseconds)
        }

        var json: JSON { ["count": .int(count), "ns": .int(nanoseconds)] }
    }

    /// One group, computed from `start` to `end`.
    mutating func add(
        _ group: [ModelServer.Ticket], _ answers: [ModelRunner.Answer], _ start: DispatchTime,
        _ end: DispatchTime
    ) {
        executionCount += 1
        for (ticket, answer) in zip(group, answers) {
            queue.add(ticket.arrival, start)
            switch answer {
            case .success:
                success.add(ticket.arrival, end)
                compute.add(start, end)
                itemCount += ticket.itemCount ?? 1
            case .failure: failure.add(ticket.arrival, end)
            }
        }
    }

    func json(_ name: String) -> JSON {
        [
            "name": .string(name), "version": .string(ServedModel.version),
            "inference_count": .int(itemCount), "execution_count": .int(executionCount),
            "inference_stats": [
                "success": success.json, "fail": failure.json, "queue": queue.json,
                "compute_infer": compute.json,
            ],
        ]
    }
}
