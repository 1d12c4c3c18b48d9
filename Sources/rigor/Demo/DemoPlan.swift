internal import Core
internal import Foundation
internal import HostProtocol

/// What a demo has decided, on disk: who the parties are, which devices work, what is bought. With
/// it an interrupted demo goes on as if nothing had happened.
struct DemoPlan {
    /// The parties, each with a key.
    enum Role: String, CaseIterable {
        case marketOwner = "market owner"
        case appOwner = "app owner"
        case poolOwner = "workerpool owner"
        case requester
        case workerOne = "worker 1"
        case workerTwo = "worker 2"

        static let workers: [Role] = [.workerOne, .workerTwo]
    }

    /// A device, or a share of one, that a worker uses.
    struct Device {
        var report: DeviceReport
        var selection: DeviceSelection
    }

    /// One job: its number in the market, the specification's canonical bytes, and the trust it is
    /// bought at.
    struct Job {
        var number: Int
        var spec: Bytes
        var trust: Int
    }

    var program: Hash256
    var addresses: [Role: Address]
    /// Empty until they have been certified.
    var devices: [Device]
    var jobs: [Job]
    /// Number of the first job of the latest demo in this market.
    var firstJob: Int
    /// Whether the latest demo has seen its jobs through.
    var isFinished: Bool

    private static let bytesMax = 64 << 20
    private static let format = 2

    // MARK: Disk

    static func path(_ folder: String) -> String { "\(folder)/plan" }

    /// - Throws: ``Failure`` when there is no plan, or it cannot be read.
    init(folder: String) throws(Failure) {
        let place = Self.path(folder)
        let bytes = try FileHash.contents(path: place, bytesMax: Self.bytesMax)
        let value: CBOR
        do throws(Failure) { value = try CBOR(decoding: bytes) } catch { throw error.at(place) }
        let fields = try MessageFields(value, place: place)
        guard try fields.count("format") == Self.format else {
            throw Failure(.unsupported, "\(Self.path(folder)): format \(Self.format) expected")
        }
        program = try fields.hash("program")
        firstJob = try fields.count("first_job")
        isFinished = try fields.bool("is_finished")
        let parties = try MessageFields(try fields.value("parties"), place: "plan: parties")
        addresses = [:]
        for role in Role.allCases { addresses[role] = try parties.address(role.rawValue) }
        devices = []
        for value in try fields.array("devices") {
            let device = try MessageFields(value, place: "plan: device")
            devices.append(
                Device(
                    report: try DeviceReport(try device.value("report")),
                    selection: DeviceSelection(
                        index: try device.count("index"), share: try device.count("share"),
                        shareCount: try device.count("share_count"))))
        }
        jobs = []
        for value in try fields.array("jobs") {
            let job = try MessageFields(value, place: "plan: job")
            jobs.append(
                Job(
                    number: jobs.count, spec: try job.bytes("spec"),
                    trust: try job.count("trust")))
        }
    }

    init(program: Hash256, addresses: [Role: Address]) {
        self.program = program
        self.addresses = addresses
        devices = []
        jobs = []
        firstJob = 0
        isFinished = false
    }

    func save(_ folder: String) throws(Failure) {
        let parties = addresses.map { ($0.key.rawValue, CBOR.bytes($0.value.bytes)) }
        let value: CBOR = [
            "format": CBOR(Self.format), "program": .bytes(program.bytes),
            "first_job": CBOR(firstJob), "is_finished": .bool(isFinished),
            "parties": .map(Dictionary(uniqueKeysWithValues: parties)),
            "devices": .array(
                devices.map { device in
                    [
                        "report": device.report.cbor, "index": CBOR(device.selection.index),
                        "share": CBOR(device.selection.share),
                        "share_count": CBOR(device.selection.shareCount),
                    ]
                }),
            "jobs": .array(jobs.map { ["spec": .bytes($0.spec), "trust": CBOR($0.trust)] }),
        ]
        try FileHash.writeDurably(value.encoded, to: Self.path(folder))
    }

    func address(_ role: Role) -> Address {
        guard let address = addresses[role] else { preconditionFailure("every role has a key") }
        return address
    }
}
