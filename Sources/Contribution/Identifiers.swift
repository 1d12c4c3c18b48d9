public import Core
internal import Digest
public import Ethereum

/// The hashes that name deals, tasks and results, as the hub computes them.
public enum Identifiers {
    /// keccak256(request order's hash ‖ uint256 volume consumed before the deal).
    public static func deal(requestOrder: Hash256, consumedBefore: UInt256) -> Hash256 {
        Keccak256.hash(requestOrder.bytes + consumedBefore.bytes)
    }

    /// keccak256(dealid ‖ uint256 index).
    public static func task(deal: Hash256, index: UInt256) -> Hash256 {
        Keccak256.hash(deal.bytes + index.bytes)
    }

    /// keccak256(taskid ‖ resultDigest): the same for all workers that agree.
    public static func resultHash(task: Hash256, digest: Hash256) -> Hash256 {
        Keccak256.hash(task.bytes + digest.bytes)
    }

    /// keccak256(worker ‖ taskid ‖ resultDigest): shows that a worker knew the digest itself.
    public static func resultSeal(worker: Address, task: Hash256, digest: Hash256) -> Hash256 {
        Keccak256.hash(worker.bytes + task.bytes + digest.bytes)
    }

    /// H = keccak256(worker ‖ taskid ‖ enclave challenge). The scheduler signs H as a personal
    /// message (EIP-191) to let the worker contribute: sign ``PersonalMessage/hash(_:)`` of it.
    public static func authorization(
        worker: Address, task: Hash256, enclave: Address = .zero
    ) -> Hash256 {
        Keccak256.hash(worker.bytes + task.bytes + enclave.bytes)
    }

    /// keccak256(resultHash ‖ resultSeal): what an enclave signs as a personal message.
    public static func enclaveStatement(hash: Hash256, seal: Hash256) -> Hash256 {
        Keccak256.hash(hash.bytes + seal.bytes)
    }

    /// Where seized stakes of failed deals go: the first 20 bytes of keccak256("iExecKitty"), as a
    /// number, minus one. Nobody has a key to it.
    public static let kitty: Address = {
        let head = UInt256(bytes: Keccak256.hash(Bytes("iExecKitty".utf8)).bytes.prefix(20))
        guard let less = head?.subtracting(1), let address = Address(less.bytes.suffix(20)) else {
            preconditionFailure("a number above zero")
        }
        return address
    }()
}
