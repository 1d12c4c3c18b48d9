internal import ArgumentParser
internal import Core
internal import DeviceHost
internal import Foundation
internal import HostProtocol
internal import PrepareHost

/// `rigor host`: the child processes that an agent starts. They talk on standard input and output,
/// and are of no use to people.
struct HostCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "host", abstract: "Serve an agent as a child process.",
        shouldDisplay: false, subcommands: [DeviceHostCommand.self, PrepareHostCommand.self])
}

struct DeviceHostCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device", abstract: "Drive a device on prepared blobs.")

    @Option(name: .long, help: "Process that started this one.")
    var agent: Int

    @Option(name: .long, help: "Where compiled programs are kept; without it, the user's cache.")
    var cache: String?

    func run() throws {
        let session = HostSession(limits: HostSession.Limits(), agentProcessID: agent)
        let clock = SystemClock()
        let folder = cache ?? DeviceOptions.cacheFolder(home: nil).path
        let shelf = OpenCLShelf(
            cacheFolder: folder, profiles: try DeviceOptions.profiles(),
            helpers: try DeviceOptions.helpers(cacheFolder: folder), clock: clock)
        DeviceHost(session: session, shelf: shelf, apps: Apps.all, clock: clock).serve()
    }
}

struct PrepareHostCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prepare", abstract: "Turn a task's inputs into a blob.")

    @Option(name: .long, help: "Process that started this one.")
    var agent: Int

    func run() throws {
        let session = HostSession(limits: PrepareHost.limits, agentProcessID: agent)
        PrepareHost.serve(session, apps: Apps.all, clock: SystemClock())
    }
}
