import Core
import Foundation
import Hardware
import Testing

@Suite struct SensorTests {
    @Test func readsTemperaturesAndPower() throws {
        let tree = try RecordedTree(named: "mining-rig")
        let readings = tree.reading { HardwareMonitor.readings($0) }
        try #require(readings.count == 5)
        let card = PCIAddress("03:00.0")
        #expect(readings.map(\.device) == ["k10temp", "amdgpu", "amdgpu", "amdgpu", "acpitz"])
        #expect(readings.map(\.value) == [54.25, 67, 82, 142, -5])
        #expect(readings.map(\.label) == ["Tctl", "edge", "junction", "PPT", ""])
        #expect(readings.map(\.critical) == [nil, 100, 110, 186, nil])
        #expect(readings.filter { $0.pci == card }.count == 3)
        #expect(readings[3].quantity == .power)
    }

    @Test func readsEnergyCounters() throws {
        let tree = try RecordedTree(named: "mining-rig")
        let meters = tree.reading { EnergyMeter.all($0) }
        #expect(meters.map(\.name) == ["package-0"])
        let meter = try #require(meters.first)
        #expect(tree.reading { _ in meter.microjoules() } == 65_532_000_000)
        #expect(meter.joules(from: 1_000_000, to: 3_500_000) == 2.5)
        // 610,987 to the end, then 2,389,013 more.
        #expect(meter.joules(from: 65_532_000_000, to: 2_389_013) == 3)
        #expect(tree.reading { EnergyMeter.readings($0) }.map(\.value) == [65532])
    }

    @Test func aMachineWithoutSensorsHasNoReadings() throws {
        let tree = try RecordedTree("== proc/meminfo\nMemTotal: 1 kB")
        tree.reading { root in
            #expect(HardwareMonitor.readings(root).isEmpty)
            #expect(EnergyMeter.all(root).isEmpty)
        }
    }

    @Test func missingLibraryIsSaidByName() {
        let failure = #expect(throws: Failure.self) {
            let library = try NVML(library: "/nonexistent/libnvidia-ml.so.1")
            _ = library.devices()
        }
        #expect(failure?.code == .missing)
        #expect(failure?.message.contains("libnvidia-ml.so.1") == true)
    }

    @Test func speaksToALibraryWithTheSameCalls() throws {
        guard let path = try NVMLDouble.build(failing: false) else {
            Console.note("skipped: no C compiler to build the library's double with")
            return
        }
        defer { try? FileManager.default.removeItem(atPath: path) }
        let library = try NVML(library: path)
        #expect(library.driverVersion == "535.183.01")
        let devices = library.devices()
        try #require(devices.count == 2)
        #expect(devices.map(\.name) == ["NVIDIA GeForce RTX 3080", nil])
        #expect(devices.map(\.pci) == [PCIAddress("18:00.0"), PCIAddress("3b:00.0")])
        #expect(devices.map(\.temperature) == [61, 61])
        #expect(devices.map(\.watts) == [228.5, nil])
        #expect(devices[0].uuid == "GPU-5d3e1f00")
        #expect(devices[0].readings.map(\.critical) == [nil, 320])
        #expect(devices[1].readings.map(\.device) == ["NVIDIA device 1"])
    }

    @Test func libraryThatDoesNotStartIsAFailure() throws {
        guard let path = try NVMLDouble.build(failing: true) else { return }
        defer { try? FileManager.default.removeItem(atPath: path) }
        let failure = #expect(throws: Failure.self) {
            let library = try NVML(library: path)
            _ = library.devices()
        }
        #expect(failure?.code == .device)
        #expect(failure?.message.contains("nvmlInit_v2 gave 9") == true)
    }

    @Test func libraryOfAnotherKindIsRefused() throws {
        let failure = #expect(throws: Failure.self) {
            let library = try NVML(library: "libc.so.6")
            _ = library.devices()
        }
        #expect(failure?.code == .unsupported)
    }
}

private enum Console {
    static func note(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }
}

/// A shared library with the calls of NVIDIA's, and two devices: the second refuses name and power.
private enum NVMLDouble {
    static func build(failing: Bool) throws -> String? {
        let compilers = ["/usr/bin/cc", "/usr/bin/gcc", "/usr/bin/clang"]
        guard let compiler = compilers.first(where: FileManager.default.isExecutableFile) else {
            return nil
        }
        let base = FileManager.default.temporaryDirectory.path + "/rigor-nvml-\(UUID().uuidString)"
        try Data(source.utf8).write(to: URL(fileURLWithPath: base + ".c"))
        defer { try? FileManager.default.removeItem(atPath: base + ".c") }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: compiler)
        process.arguments = [
            "-shared", "-fPIC", "-DSTART_STATUS=\(failing ? 9 : 0)", "-o", base + ".so",
            base + ".c",
        ]
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? base + ".so" : nil
    }

    private static let source = """
        #include <stdint.h>
        #include <string.h>
        int nvmlInit_v2(void) { return START_STATUS; }
        int nvmlShutdown(void) { return 0; }
        int nvmlDeviceGetCount_v2(uint32_t *count) { *count = 2; return 0; }
        int nvmlDeviceGetHandleByIndex_v2(uint32_t index, void **device) {
            *device = (void *)(uintptr_t)(index + 1);
            return 0;
        }
        static int text(const char *value, char *out, uint32_t size) {
            if (strlen(value) >= size) return 7;
            strcpy(out, value);
            return 0;
        }
        int nvmlDeviceGetName(void *device, char *out, uint32_t size) {
            return device == (void *)1 ? text("NVIDIA GeForce RTX 3080", out, size) : 3;
        }
        int nvmlDeviceGetUUID(void *device, char *out, uint32_t size) {
            return text("GPU-5d3e1f00", out, size);
        }
        int nvmlDeviceGetPciInfo_v3(void *device, void *out) {
            memset(out, 0xff, 68);
            strcpy(out, device == (void *)1 ? "0000:18:00.0" : "0000:3B:00.0");
            return 0;
        }
        int nvmlDeviceGetTemperature(void *device, uint32_t sensor, uint32_t *value) {
            *value = sensor == 0 ? 61 : 0;
            return sensor == 0 ? 0 : 2;
        }
        int nvmlDeviceGetPowerUsage(void *device, uint32_t *milliwatts) {
            *milliwatts = 228500;
            return device == (void *)1 ? 0 : 3;
        }
        int nvmlDeviceGetEnforcedPowerLimit(void *device, uint32_t *milliwatts) {
            *milliwatts = 320000;
            return 0;
        }
        int nvmlSystemGetDriverVersion(char *out, uint32_t size) {
            return text("535.183.01", out, size);
        }
        """
}
