internal import Contribution
internal import Core
internal import Digest
internal import Files
internal import Foundation
internal import HostProtocol
internal import PoolProtocol

/// Where a demo's files are: a market's folder, `<home>/market`, and what lies beside it.
struct DemoFolder {
    let home: String
    var market: String { "\(home)/market" }
    var certificates: String { "\(home)/certificates" }
    var ledger: String { "\(market)/ledger.sqlite" }
    var keys: String { "\(market)/keys" }
    var password: String { "\(market)/password" }
    var pool: String { "\(market)/pool" }
    var receipts: String { "\(market)/receipts" }
    var results: String { "\(market)/results" }
    var logs: String { "\(market)/logs" }
    func agent(_ number: Int) -> String { "\(market)/agent-\(number)" }
    func inputs(_ job: Int) -> String { "\(market)/inputs/\(job)" }
    /// Where jobs are made before there is a market for them.
    var staged: String { "\(home)/staged" }

    /// The program that the market's apps are in: hosts are started from here, so that a market
    /// outlives a new build.
    func program(_ hash: Hash256) -> String { "\(market)/programs/\(hash.bytes.hex)" }

    /// A socket's path is short, a data folder's may be long.
    var socket: String {
        let inside = "\(market)/pool.sock"
        if inside.utf8.count <= LocalSocket.pathBytesMax { return inside }
        return "/tmp/rigor-\(SHA256.hash(Bytes(market.utf8)).bytes.prefix(8).hex).sock"
    }

    /// Leaves the orders that sell what a job needs where `rigor quote --order` finds them.
    func keep(_ orders: Call.Orders, ofJob job: Int) throws(Failure) {
        let place = "\(market)/orders"
        try make([place])
        for (name, json) in [("app", orders.app.json), ("workerpool", orders.workerpool.json)] {
            try FileHash.writeDurably(Bytes(json.text.utf8), to: "\(place)/\(job)-\(name).json")
        }
    }

    func make(_ paths: [String]) throws(Failure) {
        for path in paths { try Folder.make(path) }
    }

    /// Moves a folder to where there may be one that a crash left.
    func adopt(_ source: String, as target: String) throws(Failure) {
        let files = FileManager.default
        try make(["\(market)/inputs"])
        try? files.removeItem(atPath: target)
        do {
            try files.moveItem(atPath: source, toPath: target)
        } catch {
            throw Failure(.storage, "\(target): cannot be moved there: \(systemMessage(error))")
        }
    }

    /// Moves a market that is there out of the way; nothing is deleted.
    func moveAside() throws(Failure) {
        let files = FileManager.default
        guard files.fileExists(atPath: market) else { return }
        var number = 1
        while files.fileExists(atPath: "\(market)-\(number)") { number += 1 }
        do {
            try files.moveItem(atPath: market, toPath: "\(market)-\(number)")
        } catch {
            throw Failure(
                .storage, "\(market): cannot be moved aside: \(systemMessage(error))")
        }
    }

    /// Keeps the running program for the market: a hard link where that is possible.
    func keepProgram() throws(Failure) -> Hash256 {
        let hash = try Executable.current()
        let target = program(hash)
        let files = FileManager.default
        guard !files.fileExists(atPath: target) else { return hash }
        try make(["\(market)/programs"])
        if (try? files.linkItem(atPath: Executable.path, toPath: target)) != nil { return hash }
        do {
            try files.copyItem(atPath: Executable.path, toPath: target)
        } catch {
            try? files.removeItem(atPath: target)
            throw Failure(
                .storage, "\(target): the program cannot be copied: \(systemMessage(error))")
        }
        return hash
    }
}
