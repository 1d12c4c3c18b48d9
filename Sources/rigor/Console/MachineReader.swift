import Core
import Files
import Foundation
import Hardware
import HostProtocol
import OpenCL
import Profiling

/// Reads this machine into an ``Inventory``; drivers are asked in child processes.
struct MachineReader {
    /// A driver that has not answered after this long hangs.
    static let secondsMax = 20.0
    private static let pollMicroseconds: UInt32 = 2000

    var clock: any Clock = SystemClock()
    var root = SystemRoot.machine
    var environment = ProcessInfo.processInfo.environment
    /// Where verdicts come from; without it devices have none.
    var certificates: CertificateStore?

    /// - Throws: ``Failure`` when the machine's topology cannot be read or no child can be started.
    func read() throws(Failure) -> Inventory {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("rigor-probe-\(UUID().uuidString)", isDirectory: true)
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw Failure(.io, "\(folder.path): cannot be made: \(systemMessage(error))")
        }
        defer { try? FileManager.default.removeItem(at: folder) }
        // The drivers take longest: they are asked while the machine is read here.
        let together = try start(in: folder, driver: nil)
        let machine = try Topology(.thisMachine).machine()
        let limits = ControlGroup(reading: root)
        let drivers = DriverEnumeration.installed(root, environment: environment)
        let missing = DriverEnumeration.missingLibraries(drivers, root, environment: environment)
        let present = drivers.filter { driver in !missing.contains { $0.driver == driver } }
        let (answers, faults) = DriverEnumeration.read(present) { driver in
            guard let driver else { return wait(for: together) }
            do throws(Failure) {
                return wait(for: try start(in: folder, driver: driver))
            } catch {
                return .failed(error.message)
            }
        }
        return Inventory(
            machine: machine, memory: MemoryInfo(reading: root, limits: limits), limits: limits,
            answers: answers,
            readings: HardwareMonitor.readings(root) + EnergyMeter.readings(root),
            faults: missing + faults,
            verdict: verdict)
    }

    private func verdict(_ platform: PlatformInfo, _ device: DeviceInfo) -> Inventory.Verdict? {
        let certificate = certificates?.certificate(
            platform: platform.name, platformVersion: platform.version, device: device.name,
            driverVersion: device.driverVersion, pciAddress: device.pciAddress?.description)
        return certificate.map {
            Inventory.Verdict(
                name: $0.verdict.rawValue, reason: $0.reasons.first,
                conformanceHash: $0.conformanceHash.description)
        }
    }

    private struct Child {
        let process: ChildProcess
        let answers: URL
    }

    private func start(
        in folder: URL, driver: DriverEnumeration.Driver?
    ) throws(Failure) -> Child {
        let own = folder.appendingPathComponent(UUID().uuidString, isDirectory: true)
        var childEnvironment = environment
        do {
            let vendors = own.appendingPathComponent("vendors", isDirectory: true)
            try FileManager.default.createDirectory(at: vendors, withIntermediateDirectories: true)
            if let driver {
                // A folder with this driver alone is what every loader understands.
                let file = vendors.appendingPathComponent("driver.icd")
                try Data((driver.library + "\n").utf8).write(to: file)
                childEnvironment["OCL_ICD_VENDORS"] = vendors.path + "/"
                childEnvironment["OPENCL_VENDOR_PATH"] = vendors.path
            }
        } catch {
            throw Failure(.io, "\(own.path): cannot be written: \(systemMessage(error))")
        }
        let answers = own.appendingPathComponent("answers.json")
        let command = ChildProcess.Command(
            name: driver.map { "probe of \($0.file)" } ?? "probe of devices",
            executable: try ProgramPath.executable(),
            arguments: ["probe-devices", "--output", answers.path],
            environment: childEnvironment, logPath: own.appendingPathComponent("log").path)
        return Child(
            process: try ChildProcess.start(command, hasChannel: false), answers: answers)
    }

    private func wait(for child: Child) -> DriverEnumeration.Outcome {
        let limit = clock.monotonicSeconds + Self.secondsMax
        while child.process.isRunning {
            guard clock.monotonicSeconds < limit else {
                child.process.kill()
                return .failed("no answer after \(Int(Self.secondsMax)) seconds")
            }
            usleep(Self.pollMicroseconds)
        }
        guard let bytes = try? Data(contentsOf: child.answers),
            let answers = try? JSONDecoder().decode(DriverAnswers.self, from: bytes)
        else { return .failed(child.process.exitDiagnosis ?? "it ended without an answer") }
        return .answers(answers)
    }
}

/// Where this program's own file is.
enum ProgramPath {
    static func executable() throws(Failure) -> String {
        if let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
            return link
        }
        guard let path = Bundle.main.executablePath else {
            throw Failure(.io, "/proc/self/exe: cannot be read, expected this program's own path")
        }
        return path
    }
}
