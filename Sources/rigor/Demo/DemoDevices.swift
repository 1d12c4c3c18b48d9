internal import Agent
internal import Core
internal import DeviceHost
internal import HostProtocol
internal import Profiling

/// Finds two devices that may settle: on two implementations where two are certified exact, else
/// two halves of one.
struct DemoDevices {
    let folder: DemoFolder
    let program: Program
    let console: Console

    /// Simulators compute right and too slowly to wait for.
    private static let slowPlatforms: Set<String> = ["Oclgrind"]
    private static let describeSecondsMax = 120.0

    func choose() throws(Failure) -> [DemoPlan.Device] {
        let cache = CertificateStore(folder: folder.certificates)
        var exact: [CertificateReport] = []
        var failures: [String] = []
        let all: [DeviceReport]
        do throws(Failure) { all = try insist(list) } catch {
            throw error.at("listing the devices")
        }
        for device in all {
            if Self.slowPlatforms.contains(device.platform) {
                console.note("\(device.label): a simulator, left out of the demo")
                continue
            }
            do throws(Failure) {
                let report = try insist { () throws(Failure) in try certify(device, cache) }
                let reason = report.reasons.first.map { " (\(Self.brief($0)))" } ?? ""
                console.note("\(device.label): certified \(report.verdict.rawValue)\(reason)")
                if report.verdict == .exact { exact.append(report) }
            } catch {
                failures.append("\(device.label): not certified: \(error.message)")
            }
        }
        // What could not be examined may be as good as any: no advice on drivers then.
        if exact.isEmpty, let failure = failures.last {
            failures.dropLast().forEach(console.note)
            throw Failure(.device, failure)
        }
        failures.forEach(console.note)
        return try choose(from: exact)
    }

    private func certify(
        _ device: DeviceReport, _ cache: CertificateStore
    ) throws(Failure) -> CertificateReport {
        defer { console.endProgress() }
        let slot = DeviceSlot(
            selection: DeviceSelection(index: device.index), logPath: "\(folder.logs)/certify.log")
        return try slot.certificate(program, cache: cache) { stage, _ in
            console.progress("certifying: \(stage) (\(device.label))")
        }
    }

    /// Does it once more after a host that was killed or fell silent.
    private func insist<T>(_ body: () throws(Failure) -> T) throws(Failure) -> T {
        do throws(Failure) { return try body() } catch {
            guard error.code == .io || error.code == .timeout else { throw error }
            console.note("\(error.message); starting it again")
            return try body()
        }
    }

    /// A reason without the words that were wrong: `rigor certify` has them.
    private static func brief(_ reason: String) -> String {
        String(reason.prefix { $0 != ";" })
    }

    private func list() throws(Failure) -> [DeviceReport] {
        let host = try HostLink.start(
            .device, executable: program.path, expected: program.hash,
            logPath: "\(folder.logs)/certify.log")
        defer { host.stop() }
        guard
            case .devices(let all) = try host.ask(
                .describe, secondsMax: Self.describeSecondsMax)
        else { throw Failure(.malformed, "device host: a list of devices expected") }
        return all
    }

    private func choose(from exact: [CertificateReport]) throws(Failure) -> [DemoPlan.Device] {
        guard let first = exact.first?.device else {
            throw Failure(
                .missing,
                "no device of this machine is certified exact; `rigor doctor` says what would "
                    + "mend it")
        }
        if let second = exact.map(\.device).first(where: { $0.platform != first.platform })
            ?? exact.dropFirst().first?.device
        {
            return [first, second].map {
                DemoPlan.Device(report: $0, selection: DeviceSelection(index: $0.index))
            }
        }
        let shares = first.computeUnits > 1 ? 2 : 1
        console.note(
            shares == 2
                ? "one exact device: each worker gets half of \(first.label)"
                : "one exact device with one compute unit: both workers share \(first.label)")
        return (0..<2).map { worker in
            DemoPlan.Device(
                report: first,
                selection: DeviceSelection(
                    index: first.index, share: min(worker, shares - 1), shareCount: shares))
        }
    }
}
