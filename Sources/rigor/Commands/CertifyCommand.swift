internal import ArgumentParser
internal import Compute
internal import Core
internal import DeviceHost
internal import Foundation
internal import OpenCL
internal import Profiling

/// `rigor certify`: what each device's arithmetic is worth.
struct CertifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certify",
        abstract: "Ask devices questions with known answers, and judge their arithmetic.",
        discussion: """
            The verdict is exact (results may settle by hash), exact-normal (right but for \
            subnormal numbers: for local use), or no (for local use, with a warning). Devices with \
            equal conformance hashes answered alike to the bit. A device that is lost on the way \
            has no certificate any more, and the exit code is 1.

            EXAMPLES
              rigor certify
              rigor certify --device gpu --json
            """)

    @OptionGroup var devices: DeviceOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var home: HomeOptions
    @Flag(name: .long, help: "List every probe, not only those with something to say.")
    var verbose = false

    func run() async throws {
        let console = Console()
        let opener = try DeviceOptions.opener(home: home.given)
        let catalog = opener.catalog
        let chosen = try DeviceSelector(devices.device ?? "all").select(from: catalog.descriptions)
        var documents: [JSON] = []
        var areDone = true
        for index in chosen {
            let device = catalog.descriptions[index]
            do {
                let certificate = try certify(index, opener, device.label, console)
                areDone = keep(certificate, console) && areDone
                documents.append(Certificate.json(index: index, of: device, .success(certificate)))
                if !output.json { say(certificate, console) }
            } catch {
                // One device's driver must not keep the others from being judged.
                areDone = false
                home.certificates.revoke(
                    platform: device.platform, device: device.name,
                    pciAddress: device.pciAddress)
                documents.append(Certificate.json(index: index, of: device, .failure(error)))
                if !output.json { console.say("\(device.label): no\n    \(error.message)") }
            }
        }
        if output.json { console.write(["devices": .array(documents)]) }
        // A certificate that nobody finds later is no certificate.
        if !areDone { throw ExitCode.failure }
    }

    private func certify(
        _ index: Int, _ opener: DeviceOpener, _ label: String, _ console: Console
    ) throws(Failure) -> Certificate {
        defer { console.endProgress() }
        let helpers = try DeviceOptions.helpers(
            cacheFolder: DeviceOptions.cacheFolder(home: home.given).path)
        var certificate = try opener.certify(
            index, examinees: helpers.examinees(of: index)
        ) { name, fraction in
            console.progress("\(Int(fraction * 100)) % \(name) (\(label))")
        }
        certificate.program = helpers.program
        return certificate
    }

    private func keep(_ certificate: Certificate, _ console: Console) -> Bool {
        do {
            try home.certificates.save(certificate)
            return true
        } catch {
            console.warn("the certificate is not kept: \(error.message)")
            return false
        }
    }

    private func say(_ certificate: Certificate, _ console: Console) {
        let passed = certificate.probes.filter(\.hasPassed).count
        console.say(
            """
            \(certificate.platform): \(certificate.device): \(certificate.verdict.rawValue)
                \(passed) of \(certificate.probes.count) probes passed; conformance hash \
            \(certificate.conformanceHash)
            """)
        for probe in certificate.probes {
            let note = probe.need == "optional" ? " (not relied on)" : ""
            if let reason = probe.reason {
                console.say("    \(probe.name)\(note): \(reason)")
            } else if verbose {
                console.say("    \(probe.name): passed")
            }
        }
    }
}
