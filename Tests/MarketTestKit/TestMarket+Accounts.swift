internal import Contribution
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
