public import Core
internal import Foundation
public import HostProtocol

/// One device and the host that drives it, which is started when needed and again after it died.
public final class DeviceSlot {
    /// Device, and the share of it.
    public let selection: DeviceSelection
    private let logPath: String
    private var link: HostLink?
    private var program: Hash256?
    private static let openSecondsMax = 120.0
    private static let certifySecondsMax = 900.0

    public init(selection: DeviceSelection, logPath: String) {
        self.selection = selection
        self.logPath = logPath
    }

    /// Kills the host.
    public func close() {
        link?.stop()
        link = nil
    }

    /// A host of `program` with the device open.
    public func host(_ program: Program) throws(Failure) -> HostLink {
        if let link, self.program == program.hash, !link.isLost { return link }
        close()
        let started = try HostLink.start(
            .device, executable: program.path, expected: program.hash, logPath: logPath)
        _ = try started.ask(.open(selection), secondsMax: Self.openSecondsMax)
        link = started
        self.program = program.hash
        return started
    }

    /// The device's certificate, from the cache or by examination.
    ///
    /// - Parameter progress: gets a test's name and the part of the battery that is done.
    /// - Throws: ``Failure`` when the machine has no such device, or its host fails.
    public func certificate(
        _ program: Program, cache: any CertificateKeeping, progress: (String, Double) -> Void
    ) throws(Failure) -> CertificateReport {
        let host = try HostLink.start(
            .device, executable: program.path, expected: program.hash, logPath: logPath)
        defer { host.stop() }
        let answer = try host.ask(.describe, secondsMax: Self.openSecondsMax)
        guard case .devices(let devices) = answer,
            let device = devices.first(where: { $0.index == selection.index })
        else {
            throw Failure(.missing, "device \(selection.index): this machine has no such device")
        }
        if let known = cache.certificate(for: device, program: program.hash) { return known }
        let reply: HostReply
        do throws(Failure) {
            reply = try host.ask(
                .certify(DeviceSelection(index: selection.index)),
                secondsMax: Self.certifySecondsMax
            ) { (event) throws(Failure) in
                if case .progress(let stage, let fraction) = event { progress(stage, fraction) }
            }
        } catch {
            // What another program or an older driver measured must not speak for it.
            cache.revoke(device)
            throw error
        }
        guard case .certificate(let report) = reply else {
            throw Failure(.malformed, "device host: a certificate expected")
        }
        try cache.keep(report, program: program.hash)
        return report
    }
}

/// An executable whose hosts may be started, and its SHA-256: the app version of its apps.
public struct Program: Hashable, Sendable {
    public var hash: Hash256
    public var path: String

    public init(hash: Hash256, path: String) {
        self.hash = hash
        self.path = path
    }
}
