internal import Agent
internal import Contribution
internal import Core
internal import Ethereum
internal import Foundation
internal import Ledger
internal import PoolProtocol

/// What a demo has to show: tasks, who did them, what they were paid, and whether it all holds.
struct DemoResult {
    struct Worker {
        let address: Address
        let device: String
        let resultHash: Hash256
        let paid: UInt256
        /// Stage → seconds, from the agent's journal.
        let seconds: [String: Double]
        let receiptPath: String
    }

    struct Task {
        let taskID: Hash256
        let dealID: Hash256
        let app: String
        let part: Int
        /// Which of an animation's frames it is; nil where nothing moves.
        let frame: Int?
        let job: Int
        let trust: UInt256
        let digest: Hash256?
        let merkleRoot: Hash256?
        let workers: [Worker]

        init(
            _ bought: DemoRun.Bought, _ view: TaskView, _ receipts: [SignedReceipt],
            plan: DemoPlan, folder: DemoFolder
        ) throws(Failure) {
            taskID = bought.taskID
            dealID = view.task?.dealID ?? .zero
            app = bought.spec.app
            part = bought.part
            frame =
                bought.spec.parameters["fps"] == nil ? nil : bought.spec.parts[bought.part].frame
            job = bought.job.number
            trust = view.deal?.trust ?? 0
            digest = view.task?.resultDigest
            merkleRoot = receipts.first?.receipt.merkleRoot
            var workers: [Worker] = []
            for signed in receipts {
                let receipt = signed.receipt
                let number = DemoPlan.Role.workers.firstIndex {
                    plan.address($0) == receipt.worker
                }
                let journal = try number.map { (number) throws(Failure) in
                    try Journal(path: "\(folder.agent(number + 1))/journal.sqlite")
                }
                let record = try journal?.record(bought.taskID)
                var seconds = record?.result?.seconds ?? [:]
                seconds["journal"] = record?.journalSeconds
                workers.append(
                    Worker(
                        address: receipt.worker, device: receipt.device,
                        resultHash: receipt.resultHash, paid: receipt.paid,
                        seconds: seconds,
                        receiptPath: "\(folder.receipts)/\(signed.fileName)"))
            }
            self.workers = workers
        }
    }

    let tasks: [Task]
    /// Job number → files, the most telling first.
    let outputs: [Int: [String]]
    let ledger: MarketLedger
    let folder: DemoFolder

    var receiptPaths: [String] { tasks.flatMap { $0.workers.map(\.receiptPath) } }

    // MARK: Checks

    /// Verifies every receipt's file against the ledger, and the ledger against its own log.
    ///
    /// - Throws: ``Failure`` (untrusted or malformed) naming the first thing that does not hold.
    func verify() throws(Failure) -> MarketLedger.History {
        let hub = try ledger.hub()
        for path in receiptPaths { try ReceiptFile.read(path).verify(against: hub) }
        return try ledger.verifyHistory()
    }

    // MARK: For people

    func say(_ history: MarketLedger.History, to console: Console) {
        for (job, paths) in outputs.sorted(by: { $0.key < $1.key }) {
            guard let task = tasks.first(where: { $0.job == job }) else { continue }
            console.say("\(task.app): \(paths.joined(separator: ", "))")
            // Of a job in one task it is what `rigor render` and `rigor infer` call the digest.
            if let root = task.merkleRoot, tasks.filter({ $0.job == job }).count == 1 {
                console.say("\(task.app): digest \(root)")
            }
        }
        var rows = [["TASK", "DEVICE", "SECONDS", "RESULT HASH", "PAID"]]
        for task in tasks {
            for worker in task.workers {
                let seconds = worker.seconds.values.reduce(0, +)
                rows.append([
                    "\(task.app) \(task.part)", worker.device,
                    String(format: "%.2f", seconds),
                    String("\(worker.resultHash)".prefix(18)) + "…",
                    "\(worker.paid)",
                ])
            }
        }
        console.say("")
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        for row in rows {
            let cells = zip(row, widths).map { text, width in
                text + String(repeating: " ", count: width - text.count)
            }
            console.say(cells.joined(separator: "  ").trimmingCharacters(in: .whitespaces))
        }
        console.say("")
        for path in receiptPaths { console.say("receipt \(path): verified") }
        console.say(
            "ledger \(folder.ledger): \(history.calls) calls replayed, \(history.supply) tokens, "
                + "every posting balanced")
        if let path = receiptPaths.first {
            console.say("check one yourself: rigor verify \(path.shellQuoted)")
        }
    }

    // MARK: For machines

    func json(_ history: MarketLedger.History) -> JSON {
        [
            "tasks": .array(tasks.map(json)),
            "receipts": .array(receiptPaths.map { .string($0) }),
            "ledger": [
                "path": .string(folder.ledger), "calls": .int(history.calls),
                "supply": .int(history.supply), "verified": true,
            ],
        ]
    }

    private func json(_ task: Task) -> JSON {
        [
            "taskid": .string("\(task.taskID)"), "dealid": .string("\(task.dealID)"),
            "app": .string(task.app), "index": .int(task.part),
            "frame": .optional(task.frame, JSON.int),
            "trust": .int(task.trust.int ?? 0),
            "digest": task.digest.map { .string("\($0)") } ?? .null,
            "merkle_root": .optional(task.merkleRoot, JSON.hash),
            "outputs": .array((outputs[task.job] ?? []).map { .string($0) }),
            "workers": .array(
                task.workers.map { worker in
                    [
                        "address": .string("\(worker.address)"),
                        "device": .string(worker.device),
                        "result_hash": .string("\(worker.resultHash)"),
                        "paid": .string("\(worker.paid)"),
                        "seconds": .object(
                            worker.seconds.sorted { $0.key < $1.key }
                                .map { JSON.Member($0.key, .seconds($0.value)) }),
                    ]
                }),
        ]
    }
}
