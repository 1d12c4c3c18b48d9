internal import Contribution
public import Core
internal import Digest
public import Ethereum
public import HostProtocol
public import PoolProtocol

/// An owner's rules for taking a task, checked before anything is fetched or computed.
public struct Policy: Hashable, Sendable {
    /// Least tokens for a task.
    public var priceMin: UInt256
    /// Most tokens that one task may lock.
    public var stakeMax: UInt256
    /// Most bytes of input files.
    public var inputBytesMax: Int
    /// Least seconds between acceptance and the contribution deadline.
    public var leadSecondsMin: Int

    public init(
        priceMin: UInt256 = 0, stakeMax: UInt256 = .max, inputBytesMax: Int = 8 << 30,
        leadSecondsMin: Int = 5
    ) {
        self.priceMin = priceMin
        self.stakeMax = stakeMax
        self.inputBytesMax = inputBytesMax
        self.leadSecondsMin = leadSecondsMin
    }
}

/// What an agent decides about an assignment before it starts. Every refusal names its rule.
public enum Intake {
    /// The specification, when the task may start.
    ///
    /// - Parameters:
    ///   - programs: SHA-256 of the programs on this rig whose hosts may be started.
    /// - Throws: ``Failure``: `untrusted` when hashes do not hold, `refused` for a rule of
    ///   `policy`, `missing` for a program that is not here; the message is what the pool is told.
    public static func check(
        _ assignment: Assignment, worker: Address, policy: Policy, certificate: CertificateReport,
        programs: Set<Hash256>, nowSeconds: Int
    ) throws(Failure) -> TaskSpec {
        guard certificate.verdict == .exact else {
            throw Failure(
                .refused,
                "device \(certificate.device.label) is certified "
                    + "\(certificate.verdict.rawValue); only exact devices settle")
        }
        guard
            assignment.taskID
                == Identifiers.task(
                    deal: assignment.dealID, index: UInt256(UInt64(assignment.index)))
        else { throw Failure(.untrusted, "the task is not its deal's index \(assignment.index)") }
        guard programs.contains(assignment.appVersion) else {
            throw Failure(
                .missing,
                "program \(assignment.appVersion) is not on this rig: install the "
                    + "release that the deal names")
        }
        let spec = try spec(assignment)
        guard assignment.price >= policy.priceMin else {
            throw Failure(
                .refused, "price \(assignment.price) is below the owner's \(policy.priceMin)")
        }
        guard assignment.stake <= policy.stakeMax else {
            throw Failure(
                .refused, "stake \(assignment.stake) is above the owner's \(policy.stakeMax)")
        }
        let lead = assignment.contributionDeadlineSeconds - nowSeconds
        guard lead >= policy.leadSecondsMin else {
            throw Failure(
                .refused,
                "\(lead) s to the contribution deadline; the owner wants "
                    + "\(policy.leadSecondsMin)")
        }
        return spec
    }

    /// The specification that the deal names by its hash.
    private static func spec(_ assignment: Assignment) throws(Failure) -> TaskSpec {
        let named = try RequestParameters(assignment.params).taskSpec
        guard Keccak256.hash(assignment.spec) == named else {
            throw Failure(.untrusted, "the specification is not the deal's \(named)")
        }
        let spec = try TaskSpec(canonical: assignment.spec)
        guard spec.parts.indices.contains(assignment.index) else {
            throw Failure(
                .malformed,
                "the deal has task \(assignment.index), the specification "
                    + "\(spec.parts.count) parts")
        }
        return spec
    }

    /// - Throws: ``Failure`` (limit) when the inputs are more than the owner allows.
    public static func checkInputs(_ spec: TaskSpec, policy: Policy) throws(Failure) {
        var total = 0
        for (path, content) in spec.inputs {
            let (sum, isTooLarge) = total.addingReportingOverflow(content.byteCount)
            guard !isTooLarge, sum <= policy.inputBytesMax else {
                throw Failure(
                    .limit, "input \(path): more than the owner's \(policy.inputBytesMax) bytes")
            }
            total = sum
        }
    }
}
