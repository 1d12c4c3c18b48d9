internal import Agent
internal import ArgumentParser
internal import Core
internal import Foundation
internal import HostProtocol
internal import Wallet

/// `rigor demo`: a market with everybody in it, from probe to paid, on this machine.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Found a market, buy computations at trust 3, and see two workers agree.",
        discussion: """
            Makes a new market in the data folder, with keys for a requester, an app owner, a \
            workerpool owner and two workers; certifies the devices; starts the pool and two \
            agents, each with its own hosts; and buys the shipped jobs at trust 3, so that two \
            workers must come to the same result hash. Ends when everybody is paid, with the \
            results on disk and every receipt verified.

            With --scene or --model your own job goes through the market in place of the shipped \
            ones; the picture's and the outputs' digest ("merkle_root") is what `rigor render` \
            and `rigor infer` print for the same arguments.

            Each demo is a new market: an older one is moved aside. --keep buys again in the \
            market that is there; workers' words weigh more as their scores grow there, so the \
            jobs are bought at the least trust that still takes two of them. --resume goes on \
            with a demo that was interrupted, however it was.

            EXAMPLES
              rigor demo --home demo
              rigor demo --home demo --apps render --json
              rigor demo --home demo --scene helmet.gltf --env beach.hdr --size 640x360
              rigor demo --model digits.onnx --input image=7.png --labels names.txt
              rigor demo --home demo --resume
            """)

    @OptionGroup var home: HomeOptions
    @OptionGroup var output: OutputOptions
    @Flag(name: .long, help: "Use the market and keys that are in the data folder.")
    var keep = false
    @Flag(name: .long, help: "Go on with the demo that was interrupted.")
    var resume = false
    @OptionGroup var jobs: DemoJobOptions

    func validate() throws {
        do { _ = try DemoJob.chosen(by: jobs) } catch { throw ValidationError("\(error)") }
        if keep && resume { throw ValidationError("--keep and --resume exclude each other") }
        if resume && jobs.isGiven {
            throw ValidationError("--resume goes on with the jobs that were bought: name none")
        }
    }

    func run() async throws {
        let console = Console()
        let folder = DemoFolder(home: home.folder.path)
        try folder.make([folder.home])
        let lock = try FileLock(path: "\(folder.home)/demo.lock")
        defer { withExtendedLifetime(lock) {} }
        if resume, !FileManager.default.fileExists(atPath: DemoPlan.path(folder.market)) {
            throw Failure(
                .missing,
                FileManager.default.fileExists(atPath: folder.market)
                    ? "\(folder.home): the demo here was interrupted before it knew what to buy; "
                        + "begin it again without --resume"
                    : "\(folder.home): no demo was interrupted here; begin one without --resume")
        }
        var plan =
            try resume
            ? DemoPlan(folder: folder.market) : makePlan(folder, console)
        if plan.devices.isEmpty {
            plan.devices = try DemoDevices(
                folder: folder,
                program: Program(hash: plan.program, path: folder.program(plan.program)),
                console: console
            ).choose()
            try plan.save(folder.market)
        }
        try finish(plan, folder, console)
    }

    private func finish(
        _ plan: DemoPlan, _ folder: DemoFolder, _ console: Console
    ) throws(Failure) {
        let result = try DemoRun(
            folder: folder, plan: plan, console: console, clock: SystemClock()
        ).run()
        let history = try result.verify()
        var plan = plan
        plan.isFinished = true
        try plan.save(folder.market)
        if output.json {
            console.write(result.json(history))
        } else {
            result.say(history, to: console)
        }
    }

    // MARK: Plan

    private func makePlan(_ folder: DemoFolder, _ console: Console) throws(Failure) -> DemoPlan {
        // The jobs first: what is wrong with them touches no market.
        try? FileManager.default.removeItem(atPath: folder.staged)
        var specs: [TaskSpec] = []
        for job in try DemoJob.chosen(by: jobs) {
            let inputs = "\(folder.staged)/\(specs.count)"
            try folder.make([inputs])
            specs.append(try job.make(inputs))
        }
        var plan =
            keep && FileManager.default.fileExists(atPath: DemoPlan.path(folder.market))
            ? try keptPlan(folder) : try newPlan(folder, console)
        plan.firstJob = plan.jobs.count
        plan.isFinished = false
        let trust = try DemoMarket.trust(
            plan, in: folder, taskCount: specs.map(\.parts.count).reduce(0, +))
        for (index, spec) in specs.enumerated() {
            try folder.adopt("\(folder.staged)/\(index)", as: folder.inputs(plan.jobs.count))
            plan.jobs.append(
                DemoPlan.Job(number: plan.jobs.count, spec: spec.canonical, trust: trust))
        }
        try plan.save(folder.market)
        return plan
    }

    private func keptPlan(_ folder: DemoFolder) throws(Failure) -> DemoPlan {
        let plan = try DemoPlan(folder: folder.market)
        guard plan.isFinished else {
            throw Failure(
                .refused,
                "\(folder.market): its last demo did not end: --resume goes on with it, and "
                    + "without --keep a new market is made")
        }
        return plan
    }

    private func newPlan(_ folder: DemoFolder, _ console: Console) throws(Failure) -> DemoPlan {
        try folder.moveAside()
        try folder.make([
            folder.market, folder.pool, folder.receipts, folder.results, folder.logs,
        ])
        let plan = DemoPlan(
            program: try folder.keepProgram(),
            addresses: try DemoMarket.makeKeys(in: folder, entropy: SystemEntropy()))
        console.note("new market in \(folder.market)")
        return plan
    }
}
