internal import Agent
internal import ArgumentParser
internal import Core
internal import DeviceHost
internal import Foundation
internal import HostProtocol
internal import PoolProtocol
internal import Profiling
internal import Wallet

/// `rigor agent`: one device of this rig at work for a pool.
struct AgentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent", abstract: "Work for a pool with one device.", shouldDisplay: false)

    @Option(name: .long, help: "Folder for journal, artifacts and logs.")
    var folder: String
    @Option(name: .long, help: "Folder for signed receipts.")
    var receipts: String
    @Option(name: .long, help: "Folder for certificates.")
    var certificates: String
    @Option(name: .long, help: "The pool's socket.")
    var socket: String
    @Option(name: .long, help: "The device's index.")
    var device: Int
    @Option(name: .long, help: "Which share of the device's compute units, from 0.")
    var share = 0
    @Option(name: .long, help: "In how many shares the device is split.")
    var shareCount = 1
    @Option(name: .long, help: "A program whose hosts may be started; by default this one.")
    var program: [String] = []
    @Option(name: .long, help: "Milliseconds between two looks at the pool.")
    var intervalMilliseconds = 1000
    @OptionGroup var key: KeyOptions
    @OptionGroup var supervision: SupervisionOptions

    func run() throws {
        supervision.begin()
        let key = try key.unlock()
        let pool = PoolClient(
            socketPath: socket,
            identity: PoolClient.Identity(
                address: key.address, signPersonal: { key.signPersonal($0) }))
        var programs: [Program] = []
        for path in program {
            programs.append(Program(hash: try FileHash.sha256(path: path).sha256, path: path))
        }
        if programs.isEmpty {
            programs = [Program(hash: try Executable.current(), path: Executable.path)]
        }
        let configuration = Agent.Configuration(
            folder: folder, receiptsFolder: receipts,
            device: DeviceSelection(index: device, share: share, shareCount: shareCount),
            programs: programs, certificates: CertificateStore(folder: certificates),
            intervalSeconds: Double(intervalMilliseconds) / 1000)
        let console = Console()
        try Agent(configuration, key: key, pool: pool, clock: SystemClock()) { console.note($0) }
            .run()
    }
}
