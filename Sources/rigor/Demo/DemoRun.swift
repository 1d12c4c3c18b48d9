internal import Agent
internal import Compute
internal import Contribution
internal import Core
internal import Digest
internal import Ethereum
internal import Foundation
internal import HostProtocol
internal import PoolProtocol
internal import Wallet

/// One demo: sets the plan's market going, buys its jobs, and waits until they are paid.
struct DemoRun {
    let folder: DemoFolder
    let plan: DemoPlan
    let console: Console
    let clock: any Clock

    /// A task that the demo waits for.
    struct Bought {
        let job: DemoPlan.Job
        let spec: TaskSpec
        let part: Int
        let taskID: Hash256
    }

    private static let secondsMax = 1800.0
    private static let turnSeconds = 0.1
    private static let agentIntervalMilliseconds = 100

    /// Does it all.
    func run() throws(Failure) -> DemoResult {
        let market = try DemoMarket(
            plan, in: folder, appNames: Apps.all.map(\.id), clock: clock)
        let supervisor = Supervisor { console.note($0) }
        defer { supervisor.stop() }
        try start(market, by: supervisor)
        let pool = PoolClient(socketPath: folder.socket, identity: nil)
        let bought = try buy(market, from: pool, supervisor)
        let trust = bought.first.map { "\($0.job.trust)" } ?? "none"
        console.note(
            "\(Units.count(bought.count, "task")) at trust \(trust): two workers must agree")
        let views = try wait(for: bought, pool, supervisor)
        var finished: [DemoResult.Task] = []
        for (task, view) in zip(bought, views) {
            let receipts = try receipts(task, view, pool, supervisor)
            finished.append(try DemoResult.Task(task, view, receipts, plan: plan, folder: folder))
        }
        let outputs = try present(bought, views, pool, supervisor)
        return DemoResult(
            tasks: finished, outputs: outputs, ledger: market.ledger, folder: folder)
    }

    // MARK: Processes

    private func start(_ market: DemoMarket, by supervisor: Supervisor) throws(Failure) {
        func key(_ role: DemoPlan.Role) -> [String] {
            [
                "--keystore", Keystore.path(of: plan.address(role), in: folder.keys),
                "--password-file", folder.password,
                "--supervisor", "\(ProcessInfo.processInfo.processIdentifier)",
            ]
        }
        func start(_ name: String, _ log: String, _ arguments: [String]) throws(Failure) {
            try supervisor.start(
                ChildProcess.Command(
                    name: name, executable: Executable.path, arguments: arguments,
                    environment: ProcessInfo.processInfo.environment,
                    logPath: "\(folder.logs)/\(log).log"))
        }
        try start(
            "pool", "pool",
            [
                "pool", "--ledger", folder.ledger, "--folder", folder.pool, "--socket",
                folder.socket, "--workerpool", "\(market.workerpool)",
            ] + key(.poolOwner))
        for (index, role) in DemoPlan.Role.workers.enumerated() {
            let selection = plan.devices[index].selection
            try start(
                "agent \(index + 1)", "agent-\(index + 1)",
                [
                    "agent", "--folder", folder.agent(index + 1), "--receipts", folder.receipts,
                    "--certificates", folder.certificates, "--socket", folder.socket,
                    "--device", "\(selection.index)", "--share", "\(selection.share)",
                    "--share-count", "\(selection.shareCount)",
                    "--program", folder.program(plan.program),
                    "--interval-milliseconds", "\(Self.agentIntervalMilliseconds)",
                ] + key(role))
        }
    }

    /// Repeats `body` while the pool is away, tending the processes in between.
    private func insist<T>(
        _ supervisor: Supervisor, _ body: () throws(Failure) -> T?
    ) throws(Failure) -> T {
        let start = clock.monotonicSeconds
        var last = "nothing happened"
        while clock.monotonicSeconds - start < Self.secondsMax {
            try supervisor.tend()
            do throws(Failure) {
                if let value = try body() { return value }
            } catch {
                guard error.code == .io || error.code == .timeout else { throw error }
                last = error.message
            }
            Thread.sleep(forTimeInterval: Self.turnSeconds)
        }
        throw Failure(.timeout, "demo: not done within \(Int(Self.secondsMax)) s: \(last)")
    }

    // MARK: Buying

    private func buy(
        _ market: DemoMarket, from pool: PoolClient, _ supervisor: Supervisor
    ) throws(Failure) -> [Bought] {
        let store = try ArtifactStore(folder: "\(folder.market)/requester")
        var bought: [Bought] = []
        for job in plan.jobs[plan.firstJob...] {
            let spec = try TaskSpec(canonical: job.spec)
            for (path, content) in spec.inputs.sorted(by: { $0.key < $1.key }) {
                try store.put(
                    file: "\(folder.inputs(job.number))/\(path)", bytesMax: content.byteCount)
                _ = try insist(supervisor) { () throws(Failure) -> Bool? in
                    try pool.send(content, from: store)
                    return true
                }
            }
            let orders = try market.orders(job, spec)
            try folder.keep(orders, ofJob: job.number)
            let envelope = market.match(orders, of: job)
            let outcome = try insist(supervisor) { () throws(Failure) -> Outcome? in
                _ = try pool.ask(.announce(spec: job.spec))
                return try pool.submit(envelope)
            }
            guard let dealID = outcome.dealID else {
                throw Failure(.malformed, "pool: orders matched without a deal")
            }
            for part in spec.parts.indices {
                let taskID = Identifiers.task(deal: dealID, index: UInt256(UInt64(part)))
                bought.append(Bought(job: job, spec: spec, part: part, taskID: taskID))
            }
        }
        return bought
    }

    // MARK: Waiting

    private func wait(
        for bought: [Bought], _ pool: PoolClient, _ supervisor: Supervisor
    ) throws(Failure) -> [TaskView] {
        var announced: Set<Hash256> = []
        defer { console.endProgress() }
        return try insist(supervisor) { () throws(Failure) -> [TaskView]? in
            var views: [TaskView] = []
            var open: [Bought] = []
            for task in bought {
                let view = try pool.task(task.taskID)
                views.append(view)
                switch view.task?.status {
                case .completed:
                    guard announced.insert(task.taskID).inserted else { continue }
                    console.endProgress()
                    console.note("\(task.spec.app) \(task.part): finalized and paid")
                case .failed:
                    throw Failure(
                        .refused,
                        "\(task.spec.app) \(task.part): the task failed; "
                            + "\(try trouble(task.taskID, pool))")
                default: open.append(task)
                }
            }
            for task in open.reversed() { try watch(task, pool) }
            return open.isEmpty ? views : nil
        }
    }

    /// Shows how far the task is.
    ///
    /// - Throws: ``Failure`` (refused) when a worker has given it up: it needs both.
    private func watch(_ task: Bought, _ pool: PoolClient) throws(Failure) {
        let workers = try workers(on: task.taskID, pool)
        if let refused = workers.first(where: { $0.refusal != nil }) {
            throw Failure(
                .refused,
                "\(task.spec.app) \(task.part): given up on \(refused.device): "
                    + (refused.refusal ?? ""))
        }
        let parts = workers.map { worker in
            let share = worker.fraction > 0 ? " \(Int(worker.fraction * 100)) %" : ""
            return "\(worker.stage)\(share)"
        }
        // Short enough for any terminal: which devices work was said at the beginning.
        console.progress("\(task.spec.app) \(task.part): " + parts.joined(separator: " | "))
    }

    private func trouble(_ taskID: Hash256, _ pool: PoolClient) throws(Failure) -> String {
        try workers(on: taskID, pool)
            .map { "\($0.device): \($0.refusal ?? $0.stage)" }.joined(separator: "; ")
    }

    private func workers(
        on taskID: Hash256, _ pool: PoolClient
    ) throws(Failure) -> [WorkStatus] {
        guard case .status(let workers) = try pool.ask(.status(taskID: taskID)) else {
            throw Failure(.malformed, "pool: not an answer to status")
        }
        return workers
    }

    /// The receipts of all who were paid, once both have signed them.
    private func receipts(
        _ task: Bought, _ view: TaskView, _ pool: PoolClient, _ supervisor: Supervisor
    ) throws(Failure) -> [SignedReceipt] {
        try insist(supervisor) { () throws(Failure) -> [SignedReceipt]? in
            guard case .receipts(let list) = try pool.ask(.receipts(taskID: task.taskID)) else {
                throw Failure(.malformed, "pool: not an answer to receipts")
            }
            let isWritten = list.allSatisfy {
                FileManager.default.fileExists(atPath: "\(folder.receipts)/\($0.fileName)")
            }
            return list.count == view.task?.winnerCount && isWritten ? list : nil
        }
    }

    // MARK: Results

    /// Fetches every part's leaves, holds them against the revealed digest, and has the app show
    /// them. Gives the files by job.
    private func present(
        _ bought: [Bought], _ views: [TaskView], _ pool: PoolClient, _ supervisor: Supervisor
    ) throws(Failure) -> [Int: [String]] {
        let store = try ArtifactStore(folder: "\(folder.market)/requester")
        var leaves: [Int: [[Leaf]]] = [:]
        for (task, view) in zip(bought, views) {
            guard let settled = view.task else {
                throw Failure(.missing, "the market lost task \(task.taskID)")
            }
            let content = try ResultLocation(results: settled.results).leaves
            _ = try insist(supervisor) { () throws(Failure) -> Bool? in
                try pool.fetch(content, into: store)
                return true
            }
            let list = try LeafFile.leaves(try store.contents(content))
            let digest = ResultDigest(
                appVersion: plan.program, spec: task.spec, tree: MerkleTree(leaves: list)
            ).hash
            guard digest == settled.resultDigest else {
                throw Failure(
                    .untrusted,
                    "task \(task.taskID): the leaves' digest is \(digest), not the "
                        + "one revealed")
            }
            leaves[task.job.number, default: []].append(list)
        }
        var outputs: [Int: [String]] = [:]
        for job in plan.jobs[plan.firstJob...] {
            let spec = try TaskSpec(canonical: job.spec)
            let target = "\(folder.results)/\(job.number)-\(spec.app)"
            try folder.make([target])
            outputs[job.number] = try Apps.all.named(spec.app, version: spec.appVersion)
                .present(spec, leaves: leaves[job.number] ?? [], folder: target)
        }
        return outputs
    }
}
