public import Compute
public import Core
public import HostProtocol
internal import OpenCL
internal import Profiling

/// The OpenCL devices of this machine.
public struct OpenCLShelf: DeviceShelf {
    private let opener: DeviceOpener
    private var catalog: DeviceCatalog { opener.catalog }

    /// - Parameters:
    ///   - cacheFolder: where compiled programs, and what is proven of devices, are kept; nil keeps
    ///     nothing.
    ///   - profiles: with a user's own.
    public init(
        cacheFolder: String?, profiles: DeviceProfiles = .shipped, clock: any Clock
    ) {
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
        let certificate = try opener.certify(selection.index) { probe in
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
