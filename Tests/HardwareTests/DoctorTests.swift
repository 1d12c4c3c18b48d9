import Core
import Hardware
import OpenCL
import Testing

@Suite struct DoctorTests {
    /// A machine with one certified processor and nothing to complain about.
    private func healthy() -> Facts {
        var processor = DeviceInfo()
        processor.name = "pthread-skylake"
        processor.kinds = .cpu
        processor.profile = "FULL_PROFILE"
        processor.single = [.roundToNearest, .fma]
        return facts([PlatformInfo(name: "Portable Computing Language", devices: [processor])])
    }

    private func facts(
        _ platforms: [PlatformInfo], machine: Machine = Machine(),
        memory: MemoryInfo = MemoryInfo(totalBytes: 16 << 30, availableBytes: 8 << 30),
        limits: ControlGroup = ControlGroup(), readings: [Reading] = [],
        faults: [DriverEnumeration.Fault] = [], problem: String? = nil,
        verdict: Inventory.Verdict? = Inventory.Verdict(name: "exact")
    ) -> Facts {
        let inventory = Inventory(
            machine: machine, memory: memory, limits: limits,
            answers: DriverAnswers(platforms: platforms, problem: problem), readings: readings,
            faults: faults, verdict: { _, _ in verdict })
        return Facts(
            inventory: inventory,
            drivers: [DriverEnumeration.Driver(file: "/v/pocl.icd", library: "libpocl.so.2")],
            userName: "anna",
            home: Facts.Folder(path: "/data", freeBytes: 100 << 30, isWritable: true),
            clock: Facts.ClockState(nowSeconds: 1_800_000_000, isSynchronized: true))
    }

    private func only(_ facts: Facts, _ check: String) throws -> Finding {
        let findings = Diagnosis(facts).findings.filter { $0.check == check }
        try #require(findings.count == 1, "\(findings)")
        return findings[0]
    }

    private func card(_ vendor: Int, bus: Int = 3) -> Machine {
        Machine(pciDevices: [
            PCIDevice(
                address: PCIAddress(domain: 0, bus: bus, device: 0, function: 0),
                vendorID: vendor, deviceID: 1, classID: 0x0300, name: nil,
                linkGigabytesPerSecond: nil, numaNodes: [0], osDevices: [])
        ])
    }

    @Test func nothingIsWrongWithAHealthyMachine() {
        let diagnosis = Diagnosis(healthy())
        #expect(diagnosis.findings.isEmpty)
        #expect(diagnosis.canEarn)
        #expect(diagnosis.json.text.contains("\"state\": \"fine\""))
    }

    @Test func noDriver() throws {
        var facts = facts([])
        facts.drivers = []
        let finding = try only(facts, "drivers")
        #expect(finding.severity == .blocks)
        #expect(finding.remedy == "sudo apt-get install pocl-opencl-icd")
        #expect(!Diagnosis(facts).canEarn)
        #expect(!Diagnosis(facts).findings.contains { $0.check == "devices" })
    }

    @Test func noDriverWhereTheEnvironmentPoints() throws {
        var facts = facts([])
        facts.drivers = []
        facts.vendorPlace = "/opt/own"
        var finding = try only(facts, "drivers")
        #expect(finding.message.hasSuffix("no .icd file in /opt/own"))
        #expect(finding.remedy?.hasPrefix("unset OCL_ICD_VENDORS") == true)
        facts.vendorPlace = "/opt/own/a.icd"
        finding = try only(facts, "drivers")
        #expect(finding.message.hasSuffix("/opt/own/a.icd names no library"))
    }

    @Test(arguments: [
        ("/opt/own/c.icd", "sudo mv /opt/own/c.icd /opt/own/c.icd.off"),
        (
            "/etc/OpenCL/vendors/c.icd",
            "sudo apt-get install --reinstall $(dpkg -S /etc/OpenCL/vendors/c.icd | cut -d: -f1)"
        ),
    ])
    func libraryThatIsNotThere(_ file: String, _ remedy: String) throws {
        let driver = DriverEnumeration.Driver(file: file, library: "/nonexistent/lib.so")
        let fault = DriverEnumeration.Fault(
            driver: driver, reason: "no such library", isLibraryMissing: true)
        var facts = facts(healthy().inventory.platforms, faults: [fault])
        facts.drivers.append(driver)
        let some = try only(facts, "drivers")
        #expect(some.severity == .hinders)
        #expect(some.message.hasPrefix("\(file) names the library /nonexistent/lib.so"))
        #expect(some.remedy?.hasPrefix(remedy) == true)
        #expect(Diagnosis(facts).fine.contains("driver_faults"))

        facts = self.facts([], faults: [fault])
        facts.drivers = [driver]
        let diagnosis = Diagnosis(facts)
        #expect(try only(facts, "drivers").severity == .blocks)
        #expect(diagnosis.findings.count == 1, "\(diagnosis.findings)")
        for name in ["driver_faults", "devices", "certificate"] {
            #expect(diagnosis.unknown[name] == "no driver")
        }
    }

    /// What nobody looked at is not fine.
    @Test func unknownIsNotFine() throws {
        let blind = Diagnosis(healthy())
        #expect(
            blind.unknown == [
                "permissions": "no GPU in /dev", "graphics": "no graphics card",
                "temperature": "no sensor", "frequency": "no cpufreq",
            ])
        #expect(!blind.fine.contains("temperature"))
        #expect(blind.fine.contains("devices"))
        #expect(blind.json.text.contains("\"reason\": \"no sensor\""))
        #expect(blind.json.text.contains("\"state\": \"unknown\""))
        #expect(!blind.checks.contains("wallet"))

        let sensor = Reading(
            source: .hwmon, device: "amdgpu", label: "edge", quantity: .temperature, value: 40,
            critical: 110)
        var seeing = facts(
            healthy().inventory.platforms, machine: card(0x10de), readings: [sensor])
        seeing.nodes = [Facts.DeviceNode(path: "/dev/nvidia0", group: "root", isAccessible: true)]
        seeing.frequency = Facts.Frequency(driver: "acpi-cpufreq", governor: "schedutil")
        #expect(Diagnosis(seeing).unknown.isEmpty)
        #expect(Diagnosis(seeing).fine.contains("temperature"))
        seeing.clock.isSynchronized = nil
        seeing.home.freeBytes = nil
        #expect(Set(Diagnosis(seeing).unknown.keys) == ["clock", "disk"])
        let empty = Diagnosis(facts([PlatformInfo(name: "rusticl")]))
        #expect(empty.unknown["certificate"] == "no device")
    }

    @Test func driversThatShowNoDevice() throws {
        let finding = try only(facts([PlatformInfo(name: "rusticl")]), "devices")
        #expect(finding.severity == .blocks)
        #expect(finding.message.contains("rusticl"))
    }

    @Test(arguments: [(0x1002, "radeonsi"), (0x8086, "iris")])
    func rusticlThatIsNotToldToDriveACard(_ vendor: Int, _ driver: String) throws {
        var facts = facts([PlatformInfo(name: "rusticl")], machine: card(vendor))
        let finding = try only(facts, "graphics")
        #expect(finding.remedy == "export RUSTICL_ENABLE=\(driver)")
        facts.rusticlEnable = driver
        #expect(try only(facts, "graphics").remedy?.hasPrefix("sudo apt-get install") == true)
    }

    @Test func cardWithoutDriver() throws {
        let platforms = healthy().inventory.platforms
        let finding = try only(facts(platforms, machine: card(0x10de)), "graphics")
        #expect(finding.severity == .hinders)
        #expect(finding.message.contains("NVIDIA graphics device at 0000:03:00.0"))
        #expect(finding.remedy == "sudo apt-get install nvidia-opencl-icd")
        // A server's display chip drives no kernels and is not missed.
        let display = facts(platforms, machine: card(0x1a03))
        #expect(Diagnosis(display).findings.isEmpty)
    }

    @Test func cardWithDriverIsFine() {
        var gpu = DeviceInfo()
        gpu.name = "RTX"
        gpu.kinds = .gpu
        gpu.profile = "FULL_PROFILE"
        gpu.single = .roundToNearest
        gpu.vendorID = 0x10de
        gpu.pciAddress = DeviceInfo.PCIAddress(domain: 0, bus: 3, device: 0, function: 0)
        let platform = PlatformInfo(name: "NVIDIA CUDA", devices: [gpu])
        #expect(Diagnosis(facts([platform], machine: card(0x10de))).findings.isEmpty)
    }

    @Test func driverThatCrashes() throws {
        let driver = DriverEnumeration.Driver(file: "/v/bad.icd", library: "libbad.so")
        let fault = DriverEnumeration.Fault(driver: driver, reason: "killed by signal 11")
        let some = try only(
            facts(healthy().inventory.platforms, faults: [fault]), "driver_faults")
        #expect(some.severity == .hinders)
        #expect(some.message.contains("libbad.so"))
        #expect(some.remedy == "sudo mv /v/bad.icd /v/bad.icd.off")
        #expect(try only(facts([], faults: [fault]), "driver_faults").severity == .blocks)
    }

    @Test func closedDeviceNodes() throws {
        var facts = healthy()
        facts.nodes = [
            Facts.DeviceNode(path: "/dev/dri/renderD128", group: "render", isAccessible: false),
            Facts.DeviceNode(path: "/dev/dri/renderD129", group: "render", isAccessible: false),
            Facts.DeviceNode(path: "/dev/kfd", group: "render", isAccessible: true),
        ]
        let finding = try only(facts, "permissions")
        #expect(finding.message.contains("/dev/dri/renderD128, /dev/dri/renderD129"))
        #expect(finding.remedy?.hasPrefix("sudo usermod -aG render anna") == true)
        facts.nodes = facts.nodes.map { node in
            var open = node
            open.isAccessible = true
            return open
        }
        #expect(Diagnosis(facts).findings.isEmpty)
    }

    @Test func certificates() throws {
        let platforms = healthy().inventory.platforms
        let none = try only(facts(platforms, verdict: nil), "certificate")
        #expect(none.severity == .blocks)
        #expect(none.remedy == "rigor certify --device all")
        let flushing = Inventory.Verdict(name: "exact-normal", reason: "flushes subnormals")
        let found = Diagnosis(facts(platforms, verdict: flushing)).findings
        #expect(found.map(\.severity) == [.blocks, .hinders])
        #expect(found[1].message.contains("exact-normal: flushes subnormals"))
    }

    /// Nothing to install where the driver that computes right everywhere is the one that failed.
    @Test func aWrongAnswerIsAskedAgain() throws {
        let wrong = Inventory.Verdict(name: "no", reason: "floor: 2 words wrong")
        var platforms = healthy().inventory.platforms
        var found = Diagnosis(facts(platforms, verdict: wrong)).findings
        #expect(found.map(\.severity) == [.blocks, .hinders])
        #expect(found[0].remedy?.hasPrefix("rigor certify --device all") == true)
        #expect(found[1].message.contains("floor: 2 words wrong"))
        #expect(found[1].remedy?.hasPrefix("rigor certify --device 0") == true)
        platforms[0].name = "Clover"
        found = Diagnosis(facts(platforms, verdict: wrong)).findings
        #expect(found[0].remedy == "sudo apt-get install pocl-opencl-icd")
        #expect(found[1].remedy?.hasPrefix("rigor certify --device 0") == true)
    }

    @Test(arguments: [
        (1, nil, Finding.Severity.blocks), (3, nil, .hinders), (64, 1, .blocks), (64, 3, .hinders),
        (64, 32, .note),
    ])
    func memory(_ total: Int, _ limit: Int?, _ severity: Finding.Severity) throws {
        let memory = MemoryInfo(
            totalBytes: total << 30, availableBytes: 1 << 30, limitBytes: limit.map { $0 << 30 })
        let finding = try only(facts(healthy().inventory.platforms, memory: memory), "memory")
        #expect(finding.severity == severity)
        #expect(finding.message.contains("control group") == (limit != nil))
    }

    @Test func fullSwap() throws {
        let memory = MemoryInfo(
            totalBytes: 16 << 30, availableBytes: 1 << 30, swapTotalBytes: 4 << 30,
            swapFreeBytes: 1 << 20)
        let finding = try only(facts(healthy().inventory.platforms, memory: memory), "memory")
        #expect(finding.message.hasPrefix("swap is full"))
    }

    @Test(arguments: [(0, Finding.Severity.blocks), (1 << 30, .hinders)])
    func disk(_ free: Int, _ severity: Finding.Severity) throws {
        var facts = healthy()
        facts.home.freeBytes = free
        #expect(try only(facts, "disk").severity == severity)
        facts.home.isWritable = false
        let finding = try only(facts, "disk")
        #expect(finding.severity == .blocks)
        #expect(finding.remedy == "sudo install -d -o anna /data")
    }

    @Test func clocks() throws {
        var facts = healthy()
        facts.clock.isSynchronized = false
        #expect(try only(facts, "clock").severity == .hinders)
        facts.clock.nowSeconds = 1000
        #expect(try only(facts, "clock").severity == .blocks)
        facts = healthy()
        facts.clock.isSynchronized = nil
        #expect(Diagnosis(facts).findings.isEmpty)
    }

    @Test func heat() throws {
        let hot = Reading(
            source: .hwmon, device: "amdgpu", label: "junction", quantity: .temperature,
            value: 106, critical: 110)
        var cool = hot
        cool.value = 80
        var silent = hot
        silent.critical = nil
        let platforms = healthy().inventory.platforms
        let finding = try only(facts(platforms, readings: [cool, hot, silent]), "temperature")
        #expect(finding.message.contains("amdgpu junction is at 106 °C, critical is 110 °C"))
    }

    @Test func slowGovernor() throws {
        var facts = healthy()
        facts.frequency = Facts.Frequency(driver: "acpi-cpufreq", governor: "powersave")
        #expect(try only(facts, "frequency").severity == .hinders)
        facts.frequency = Facts.Frequency(driver: "intel_pstate", governor: "powersave")
        #expect(Diagnosis(facts).findings.isEmpty)
    }

    @Test func quota() throws {
        let limits = ControlGroup(processorsMax: 0.5)
        let facts = facts(healthy().inventory.platforms, limits: limits)
        let quota = try only(facts, "processors")
        #expect(quota.severity == .hinders)
        #expect(quota.message.contains("allows 0.50 of"))
        #expect(Diagnosis(facts).canEarn)
    }

    @Test func worstComesFirst() {
        let limits = ControlGroup(processorsMax: 2)
        var facts = facts([PlatformInfo(name: "rusticl")], limits: limits)
        facts.clock.isSynchronized = false
        let severities = Diagnosis(facts).findings.map(\.severity)
        #expect(severities == severities.sorted(by: >))
        #expect(severities.first == .blocks)
        #expect(severities.last == .note)
    }

    @Test func readsNodesFoldersAndGovernors() throws {
        let tree = try RecordedTree(
            """
            == dev/dri/renderD128
            == dev/dri/card0
            == dev/kfd
            == dev/nvidia0
            == dev/nvidiactl
            == dev/nvidia-uvm
            == sys/devices/system/cpu/cpu0/cpufreq/scaling_driver
            acpi-cpufreq
            == sys/devices/system/cpu/cpu0/cpufreq/scaling_governor
            powersave
            """)
        tree.reading { root in
            let nodes = Facts.DeviceNode.all(root)
            #expect(
                Set(nodes.map(\.path)) == [
                    "/dev/dri/renderD128", "/dev/kfd", "/dev/nvidia0", "/dev/nvidiactl",
                ])
            #expect(!nodes.contains { !$0.isAccessible })
            let expected = Facts.Frequency(driver: "acpi-cpufreq", governor: "powersave")
            #expect(Facts.Frequency(reading: root) == expected)
            let folder = Facts.Folder(path: root.location("not/yet/there"))
            #expect(folder.isWritable)
            #expect((folder.freeBytes ?? 0) > 0)
        }
    }
}
