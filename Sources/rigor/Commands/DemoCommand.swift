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

            Each demo is a new market: an older one is moved aside. --keep buys again in the \
            market that is there; --resume goes on with a demo that was interrupted, however it \
            was.

            EXAMPLES
              rigor demo --home demo
              rigor demo --home demo --apps render --json
              rigor demo --home demo --resume
            """)

    @OptionGroup var home: HomeOptions
    @OptionGroup var output: OutputOptions
    @Flag(name: .long, help: "Use the market and keys that are in the data folder.")
    var keep = false
    @Flag(name: .long, help: "Go on with the demo that was interrupted.")
    var resume = false
    @Option(
        name: .long,
        help: ArgumentHelp("Jobs to buy, separated by commas; by default the shipped ones."))
    var apps: String?
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Work of the hash job.", visibility: .hidden),
        transform: Accepted.whole(0...1_000_000_000))
    var hashRounds = 20_000

    func validate() throws {
        if keep && resume { throw ValidationError("--keep and --resume exclude each other") }
        if resume && apps != nil {
            throw ValidationError(
                "--resume goes on with the jobs bought before: no --apps expected")
        }
        do { _ = try jobs() } catch { throw ValidationError("\(error)") }
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
                "\(folder.home): no demo was interrupted here; begin one without --resume")
        }
        let plan =
            try resume
            ? DemoPlan(folder: folder.market) : makePlan(folder, console)
        try finish(plan, folder, console)
    }

    private func finish(
        _ plan: DemoPlan, _ folder: DemoFolder, _ console: Console
    ) throws(Failure) {
        let result = try DemoRun(
            folder: folder, plan: plan, console: console, clock: SystemClock()
        ).run()
        let history = try result.verify()
        if output.json {
            console.write(result.json(history))
        } else {
            result.say(history, to: console)
        }
    }

    // MARK: Plan

    private func jobs() throws(Failure) -> [DemoJob] {
        let names = (apps ?? "").split(separator: ",", omittingEmptySubsequences: false)
        return try DemoJob.named(apps == nil ? [] : names.map(String.init), hashRounds: hashRounds)
    }

    private func makePlan(_ folder: DemoFolder, _ console: Console) throws(Failure) -> DemoPlan {
        let jobs = try jobs()
        var plan: DemoPlan
        if keep, FileManager.default.fileExists(atPath: DemoPlan.path(folder.market)) {
            plan = try DemoPlan(folder: folder.market)
        } else {
            try folder.moveAside()
            try folder.make([
                folder.market, folder.pool, folder.receipts, folder.results, folder.logs,
            ])
            plan = DemoPlan(
                program: try folder.keepProgram(),
                addresses: try DemoMarket.makeKeys(in: folder, entropy: SystemEntropy()))
            console.note("new market in \(folder.market)")
            plan.devices = try DemoDevices(
                folder: folder,
                program: Program(hash: plan.program, path: folder.program(plan.program)),
                console: console
            ).choose()
        }
        plan.firstJob = plan.jobs.count
        for job in jobs {
            let inputs = folder.inputs(plan.jobs.count)
            try? FileManager.default.removeItem(atPath: inputs)
            try folder.make([inputs])
            plan.jobs.append(
                DemoPlan.Job(number: plan.jobs.count, spec: try job.make(inputs).canonical))
        }
        try plan.save(folder.market)
        return plan
    }
}
