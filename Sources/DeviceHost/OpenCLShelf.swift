public import Compute
public import Core
public import HostProtocol
internal import OpenCL
internal import Profiling
internal import Synchronization

/// The OpenCL devices of this machine.
public final class OpenCLShelf: DeviceShelf {
    private let opener: DeviceOpener
    private let helpers: HostExaminee.Helpers?
    /// Devices that are being asked.
    private let examinees = Mutex<[Int: DeviceExaminee]>([:])
    private var catalog: DeviceCatalog { opener.catalog }

    /// - Parameters:
    ///   - cacheFolder: where compiled programs, and what is proven of devices, are kept; nil keeps
    ///     nothing.
    ///   - profiles: with a user's own.
    ///   - helpers: the processes that examine a device for its certificate; nil examines it here.
    public init(
        cacheFolder: String?, profiles: DeviceProfiles = .shipped,
        helpers: HostExaminee.Helpers? = nil, clock: any Clock
    ) {
        self.helpers = helpers
        opener = DeviceOpener(cacheFolder: cacheFolder, profiles: profiles, clock: clock)
    }

    public func list() throws(Failure) -> [DeviceReport] {
        catalog.descriptions.enumerated().map { DeviceReport($0.element, index: $0.offset) }
    }

    private func check(_ selection: DeviceSelection) throws(Failure) {
        guard catalog.descriptions.indices.contains(selection.index) else {
            throw Failure(
                .missing,
                "device \(selection.index): this machine has \(catalog.descriptions.count)")
        }
    }

    public func open(_ selection: DeviceSelection) throws(Failure) -> any ComputeDevice {
        try check(selection)
        let computeUnits = catalog.descriptions[selection.index].computeUnits
        var options = OpenCLDevice.Options()
        options.scrubsOnRelease = true
        let opened = try opener.open(
            DeviceSelector("\(selection.index)"),
            computeUnits: selection.shareCount == 1
                ? nil : max(computeUnits / selection.shareCount, 1),
            share: selection.share, options: options)
        guard let device = opened.first else {
            throw Failure(
                .unsupported,
                "device \(selection.index): share \(selection.share) of "
                    + "\(selection.shareCount): it has \(computeUnits) compute units")
        }
        return device
    }

    public func certify(
        _ selection: DeviceSelection,
        progress: (String, Double) throws(Failure) -> Void
    ) throws(Failure) -> CertificateReport {
        try check(selection)
        var failure: Failure?
        let certificate = try opener.certify(
            selection.index, examinees: helpers?.examinees(of: selection.index)
        ) { (name, fraction) in
            do throws(Failure) { try progress(name, fraction) } catch { failure = error }
        }
        if let failure { throw failure }
        return CertificateReport(
            certificate,
            device: DeviceReport(catalog.descriptions[selection.index], index: selection.index))
    }

    public func ask(_ order: AskOrder) throws(Failure) -> AnswerReport {
        try check(order.device)
        guard let question = Question.all.first(where: { $0.name == order.question }) else {
            throw Failure(.missing, "question \(order.question): the battery has no such question")
        }
        let answer = try examinee(order.device.index).answer(
            question, native: OpenCLDevice.NativeOperations(rawValue: order.native & 3))
        return AnswerReport(
            values: answer.words, reason: answer.reason, isMissing: answer.isMissing)
    }

    private func examinee(_ index: Int) throws(Failure) -> DeviceExaminee {
        if let known = examinees.withLock({ $0[index] }) { return known }
        let opened = try opener.examinee(index)
        examinees.withLock { $0[index] = opened }
        return opened
    }
}

extension DeviceReport {
    /// What a description says, under the index that selections use.
    public init(_ description: DeviceDescription, index: Int) {
        self.init(
            index: index, platform: description.platform,
            platformVersion: description.platformVersion, name: description.name,
            driver: description.driverVersion, pciAddress: description.pciAddress,
            kind: description.kind.rawValue, computeUnits: description.computeUnits,
            memoryBytes: description.memoryBytes)
    }
}
