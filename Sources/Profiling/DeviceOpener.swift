public import Compute
public import Core
internal import Foundation
internal import OpenCL

/// Opens this machine's devices for work, as they are known here: with those of their own
/// operations that are proven to have our bits, and the tuning of their profiles.
///
/// Whatever computes opens its devices here, commands and device hosts alike; only what judges a
/// device opens it bare.
public struct DeviceOpener: Sendable {
    public let catalog: DeviceCatalog
    private let cacheFolder: String?
    private let proofs: NativeProofs?
    private let profiles: DeviceProfiles
    private let clock: any Clock

    /// - Parameters:
    ///   - cacheFolder: where compiled programs and proofs are kept between runs; nil keeps none,
    ///     and takes no native operation, since each start would have to prove it.
    ///   - profiles: with a user's own.
    public init(
        catalog: DeviceCatalog = DeviceCatalog(), cacheFolder: String?,
        profiles: DeviceProfiles = .shipped, clock: any Clock
    ) {
        self.catalog = catalog
        self.profiles = profiles
        self.cacheFolder = cacheFolder
        self.clock = clock
        proofs = cacheFolder.map { NativeProofs(folder: "\($0)/proofs") }
    }

    /// Opens every device that `selector` names.
    ///
    /// - Parameters:
    ///   - computeUnits: when given, processors are split into parts of so many compute units.
    ///   - share: when given, of those parts this one alone, if there are so many.
    ///   - options: what else the devices are opened with.
    /// - Throws: ``Failure`` `missing` when nothing matches, `device` when a driver refuses.
    public func open(
        _ selector: DeviceSelector, computeUnits: Int? = nil, share: Int? = nil,
        options: OpenCLDevice.Options = .init()
    ) throws(Failure) -> [OpenCLDevice] {
        var opened: [OpenCLDevice] = []
        for index in try selector.select(from: catalog.descriptions) {
            opened += try catalog.open(
                index, computeUnits: computeUnits, share: share,
                options: working(index, native: try native(index), options), clock: clock)
        }
        return opened
    }

    /// Certifies a device: bare, then at the apps' known workloads as it will work; and keeps what
    /// was proven of its own operations.
    ///
    /// - Parameters:
    ///   - examinees: how the device is asked; nil asks it in this process.
    ///   - progress: gets the name of the question that is asked, and the part of them answered.
    /// - Throws: ``Failure`` when the device cannot be opened, or was lost on the way.
    public func certify(
        _ index: Int, examinees: [any Examinee]? = nil,
        progress: (_ name: String, _ fraction: Double) -> Void = { _, _ in }
    ) throws(Failure) -> Certificate {
        let certificate = try Certifier(libraryChecks: LibraryChecks.all).certify(
            catalog.descriptions[index],
            gateRefusals: catalog.system.devices[index].info.gateRefusals,
            examinees: try asked(index, examinees), progress: progress)
        keep(certificate, for: index)
        return certificate
    }

    private func asked(
        _ index: Int, _ examinees: [any Examinee]?
    ) throws(Failure) -> [any Examinee] {
        if let examinees { return examinees }
        return [try examinee(index)]
    }

    /// The device, to be asked in this process.
    public func examinee(_ index: Int) throws(Failure) -> DeviceExaminee {
        let openWorking: DeviceExaminee.Working = { [self] (native) throws(Failure) in
            try OpenCLDevice(
                catalog.system.devices[index],
                options: working(index, native: native, .init()), clock: clock)
        }
        return DeviceExaminee(try openBare(index), working: openWorking)
    }

    /// What the whole battery found replaces what was proven of the device.
    package func keep(_ certificate: Certificate, for index: Int) {
        proofs?.keep(certificate.native, for: catalog.descriptions[index])
    }

    /// What a device is opened with for work.
    private func working(
        _ index: Int, native: OpenCLDevice.NativeOperations, _ options: OpenCLDevice.Options
    ) -> OpenCLDevice.Options {
        var options = options
        options.cacheFolder = programFolder
        options.native = native
        options.tuning = profiles.tuning(for: catalog.descriptions[index])
        return options
    }

    /// Opens a device with our own operations alone, to be judged.
    public func openBare(_ index: Int) throws(Failure) -> OpenCLDevice {
        try OpenCLDevice(
            catalog.system.devices[index], options: .init(cacheFolder: programFolder),
            clock: clock)
    }

    /// Figures that a profile has of the device; see ``DeviceProfiles/figures(for:)``.
    public func figures(for device: DeviceDescription) -> [String: Double] {
        profiles.figures(for: device)
    }

    private var programFolder: String? { cacheFolder.map { "\($0)/programs" } }

    /// What is proven of a device, measured now if it was not before.
    private func native(_ index: Int) throws(Failure) -> OpenCLDevice.NativeOperations {
        // Without the announcement programs cannot ask for correct rounding.
        guard let proofs,
            catalog.system.devices[index].info.single.contains(.correctlyRoundedDivideSqrt)
        else { return [] }
        if let known = proofs.find(for: catalog.descriptions[index]) { return known }
        return try proofs.measure(try openBare(index))
    }
}
