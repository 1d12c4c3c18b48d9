public import Compute
public import Core
public import HostProtocol
internal import OpenCL
internal import Profiling

/// The OpenCL devices of this machine.
public struct OpenCLShelf: DeviceShelf {
    private let catalog: DeviceCatalog
    private let cacheFolder: String?
    private let clock: any Clock

    /// - Parameter cacheFolder: where compiled programs are kept; nil keeps none.
    public init(cacheFolder: String?, clock: any Clock) {
        catalog = DeviceCatalog()
        self.cacheFolder = cacheFolder
        self.clock = clock
    }

    public func list() throws(Failure) -> [DeviceReport] {
        catalog.descriptions.enumerated().map { DeviceReport($0.element, index: $0.offset) }
    }

    public func open(_ selection: DeviceSelection) throws(Failure) -> any ComputeDevice {
        try device(selection)
    }

    private func device(_ selection: DeviceSelection) throws(Failure) -> OpenCLDevice {
        guard catalog.descriptions.indices.contains(selection.index) else {
            throw Failure(
                .missing,
                "device \(selection.index): this machine has \(catalog.descriptions.count)")
        }
        let computeUnits = catalog.descriptions[selection.index].computeUnits
        var options = OpenCLDevice.Options(cacheFolder: cacheFolder)
        options.scrubsOnRelease = true
        let opened = try catalog.open(
            DeviceSelector("\(selection.index)"),
            computeUnits: selection.shareCount == 1
                ? nil : max(computeUnits / selection.shareCount, 1),
            share: selection.share, options: options, clock: clock)
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
        let device = try device(DeviceSelection(index: selection.index))
        var failure: Failure?
        let certificate = try Certifier(libraryChecks: LibraryChecks.all).certify(device) { probe in
            do throws(Failure) { try progress(probe, 0) } catch { failure = error }
        }
        if let failure { throw failure }
        return CertificateReport(
            device: DeviceReport(catalog.descriptions[selection.index], index: selection.index),
            verdict: certificate.verdict, conformance: certificate.conformanceHash,
            reasons: certificate.reasons)
    }
}

extension DeviceReport {
    /// What a description says, under the index that selections use.
    public init(_ description: DeviceDescription, index: Int) {
        self.init(
            index: index, platform: description.platform, name: description.name,
            driver: description.driverVersion, kind: description.kind.rawValue,
            computeUnits: description.computeUnits, memoryBytes: description.memoryBytes)
    }
}
