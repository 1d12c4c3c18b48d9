import Contribution
import Core
import Ethereum
import Ledger
import MarketTestKit
import Wallet

/// Writes to a ledger without end, to be killed at any moment.
///
/// `LedgerWriter PATH SEED requester|worker`: one of two accounts sends three tokens to the other,
/// call after call, from the nonce the ledger expects. Each answered call's nonce goes to standard
/// output, one line each, so that whoever kills it knows what had been promised.
@main enum LedgerWriter {
    static func main() throws {
        guard CommandLine.arguments.count == 4, let seed = UInt64(CommandLine.arguments[2]) else {
            throw Failure(.malformed, "PATH, SEED and who sends expected")
        }
        let market = try TestMarket(workers: 1, seed: seed)
        let ledger = try MarketLedger.open(CommandLine.arguments[1])
        let both = [market.requester, market.workers[0]]
        let (sender, other) =
            CommandLine.arguments[3] == "worker" ? (both[1], both[0]) : (both[0], both[1])
        var nonce = try ledger.nextNonce(of: sender.address)
        while true {
            let envelope = Envelope(
                .transfer(to: other.address, amount: 3), from: sender.address, nonce: nonce,
                in: ledger.settings, sign: sender.sign)
            try ledger.submit(envelope.encoded, atSeconds: 1_800_000_000 + nonce)
            say("\(nonce)\n")
            nonce += 1
        }
    }
}
