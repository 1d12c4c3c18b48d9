internal import ArgumentParser
internal import Core
internal import Foundation
internal import HostProtocol
internal import Ledger
internal import Pool
internal import Wallet

/// `rigor pool`: a market on this machine with its workerpool, behind a local socket.
struct PoolCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pool", abstract: "Serve a market and its workerpool on a local socket.",
        shouldDisplay: false)

    @Option(name: .long, help: "The market's ledger.")
    var ledger: String
    @Option(name: .long, help: "Folder for the pool's data.")
    var folder: String
    @Option(name: .long, help: "Socket to listen on.")
    var socket: String
    @Option(name: .long, help: "The workerpool's address.")
    var workerpool: String
    @OptionGroup var key: KeyOptions
    @OptionGroup var supervision: SupervisionOptions

    func run() throws {
        supervision.begin()
        guard let workerpool = Address(hex: workerpool) else {
            throw ValidationError("--workerpool: an address of 20 bytes expected")
        }
        let pool = try WorkerPool(
            ledger: try MarketLedger.open(ledger), folder: folder, owner: try key.unlock(),
            workerpool: workerpool, clock: SystemClock(), log: { Console().note($0) })
        try PoolServer(pool: pool, socketPath: socket, entropy: SystemEntropy())
            .run(intervalSeconds: 0.2)
    }
}

/// Where a command's key is.
struct KeyOptions: ParsableArguments {
    @Option(name: .long, help: "Keystore file (Web3 secret storage, version 3).")
    var keystore: String
    @Option(name: .long, help: "File whose first line is the keystore's password.")
    var passwordFile: String

    private static let passwordBytesMax = 4096

    func unlock() throws(Failure) -> PrivateKey {
        let bytes = try FileHash.contents(path: passwordFile, bytesMax: Self.passwordBytesMax)
        let line = String(decoding: bytes, as: UTF8.self).prefix { $0 != "\n" }
        do throws(Failure) {
            return try Keystore.read(keystore).unlock(password: String(line))
        } catch {
            throw error.at(keystore)
        }
    }
}

/// How a long-lived command is watched over.
struct SupervisionOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("End with that process.", visibility: .hidden))
    var supervisor: Int?

    func begin() {
        if let supervisor { _ = ChildProcess.dieWithParent(processID: supervisor) }
    }
}
