public import Contribution
public import Ethereum
public import Wallet

extension TestMarket {
    /// What an account that started with the deposit has gained; nil for a loss.
    public func earned(_ key: PrivateKey) -> UInt256? {
        hub.account(key.address).available.subtracting(Self.deposit)
    }

    /// What such an account has lost or has locked; nil for a gain.
    public func spent(_ key: PrivateKey) -> UInt256? {
        Self.deposit.subtracting(hub.account(key.address).available)
    }
}

extension TestMarket {
    /// Gives a worker a past.
    public mutating func setScore(_ score: Int, of key: PrivateKey) {
        var tables = hub.tables
        tables.scores[key.address] = score
        hub = Hub(settings: hub.settings, tables: tables)
    }

    /// The rule that refuses `call`, which is not made; nil when none does.
    public func code(_ call: Call, by key: PrivateKey) -> Rejection.Code? {
        let call = VerifiedCall(verifiedSender: key.address, call: call)
        do { _ = try hub.decide(call, atSeconds: nowSeconds) } catch { return error.code }
        return nil
    }
}
