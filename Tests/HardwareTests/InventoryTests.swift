import Core
import Foundation
import Hardware
import OpenCL
import Testing

@Suite struct InventoryTests {
    private func answers(_ name: String) throws -> DriverAnswers {
        let text = try Fixtures.text("opencl/\(name).json")
        return try JSONDecoder().decode(DriverAnswers.self, from: Data(text.utf8))
    }

    private func inventory(
        _ machine: Machine, _ answers: DriverAnswers, memory: MemoryInfo? = nil,
        readings: [Reading] = [],
        verdict: (PlatformInfo, DeviceInfo) -> Inventory.Verdict? = { _, _ in nil }
    ) -> Inventory {
        Inventory(
            machine: machine, memory: memory, limits: ControlGroup(), answers: answers,
            readings: readings, verdict: verdict)
    }

    private var rigWithOneCard: Machine {
        let card = PCIDevice(
            address: PCIAddress(domain: 0, bus: 3, device: 0, function: 0), vendorID: 0x1002,
            deviceID: 0x73ff, classID: 0x0300, name: nil, linkGigabytesPerSecond: nil,
            numaNodes: [0], osDevices: [OSDevice(name: "renderD128", kind: "gpu")])
        return Machine(
            numaNodes: [NUMANode(index: 0, memoryBytes: 1 << 33, processors: [0, 1])],
            pciDevices: [card])
    }

    @Test func eightEqualCardsAreEightDevicesNearTheirNodes() throws {
        let rig = inventory(try Fixtures.machine("eight-gpus"), try answers("eight-gpus"))
        #expect(rig.devices.map(\.index) == Array(0...8))
        let cards = rig.devices.filter { $0.kind == .gpu }
        #expect(cards.count == 8)
        #expect(Set(cards.map(\.pci)).count == 8)
        #expect(cards.map(\.numaNode) == [0, 0, 0, 0, 1, 1, 1, 1])
        #expect(cards.allSatisfy { $0.isPreferred && $0.sameHardware.isEmpty })
        #expect(cards.map { rig.readings(of: $0).count } == Array(repeating: 2, count: 8))
        #expect(rig.readings(of: cards[3]).map(\.value) == [44, 22.5])
        // The processors are on both nodes.
        #expect(rig.devices[8].kind == .cpu)
        #expect(rig.devices[8].numaNode == nil)
        #expect(rig.devices[8].isPreferred)
    }

    @Test func oneCardUnderThreeDrivers() throws {
        let rig = inventory(rigWithOneCard, try answers("one-gpu-three-drivers"))
        #expect(rig.platforms.map(\.duplicateOf) == [nil, nil, nil, 2])
        #expect(rig.devices.map(\.index) == [0, 1, 2, nil])
        // Clover does not say where the card sits, but there is only one.
        let places = Set(rig.devices.map { $0.pci?.description })
        #expect(places == ["0000:03:00.0"])
        #expect(rig.devices[0].sameHardware == [1, 2, 3])
        // Nobody is certified: the vendor's own driver is preferred.
        #expect(rig.devices.map(\.isPreferred) == [false, false, true, false])
        #expect(rig.devices[3].unusable == "platform 2 listed twice")
        #expect(rig.devices.map(\.numaNode) == [0, 0, 0, 0])
    }

    @Test func anExactDriverIsPreferredOverTheVendorsOwn() throws {
        let rig = inventory(rigWithOneCard, try answers("one-gpu-three-drivers")) { platform, _ in
            Inventory.Verdict(name: platform.name == "rusticl" ? "exact" : "exact-normal")
        }
        #expect(rig.devices.map(\.isPreferred) == [false, true, false, false])
        #expect(rig.devices[1].verdict?.maySettle == true)
        #expect(rig.devices[2].verdict?.maySettle == false)
    }

    @Test func oneProcessorUnderTwoDrivers() throws {
        let machine = try Fixtures.machine("virtual-machine")
        let memory = MemoryInfo(totalBytes: 8 << 30, availableBytes: 4 << 30, limitBytes: 3 << 30)
        let rig = inventory(machine, try answers("processor-two-drivers"), memory: memory)
        #expect(rig.devices.map(\.platformName) == ["Portable Computing Language", "rusticl"])
        #expect(rig.devices.map(\.sameHardware) == [[1], [0]])
        #expect(rig.devices.map(\.isPreferred) == [true, false])
        #expect(rig.devices.map(\.numaNode) == [0, 0])
        // PoCL announces the host's memory; a control group allows less.
        #expect(rig.devices.map(\.memoryBytes) == [3 << 30, 2 << 30])
        #expect(rig.platforms.last?.devices.isEmpty == true)
    }

    @Test func noPlatformAndPlatformsWithoutDevices() throws {
        let machine = try Fixtures.machine("virtual-machine")
        #expect(inventory(machine, DriverAnswers()).devices.isEmpty)
        let empty = DriverAnswers(platforms: [PlatformInfo(name: "rusticl")])
        let rig = inventory(machine, empty)
        #expect(rig.devices.isEmpty)
        #expect(rig.platforms.count == 1)
        #expect(rig.json.text.contains("\"devices\": []"))
        #expect(rig.json.text.contains("\"sensors\": \"none\""))
    }

    @Test func devicesThatCannotBeOpenedHaveNoIndex() throws {
        var broken = DeviceInfo()
        broken.name = "embedded"
        broken.kinds = .gpu
        broken.hasCompiler = false
        var good = broken
        good.hasCompiler = true
        let answers = DriverAnswers(platforms: [PlatformInfo(name: "A", devices: [broken, good])])
        let rig = inventory(Machine(), answers)
        #expect(rig.devices.map(\.index) == [0, nil])
        #expect(rig.devices[0].info.hasCompiler)
        #expect(rig.devices[1].unusable == "its driver has no compiler")
        #expect(!rig.devices[1].isPreferred)
    }

    @Test func savedInventoriesAreReadBack() throws {
        let rig = inventory(try Fixtures.machine("eight-gpus"), try answers("eight-gpus"))
        let encoded = try JSONEncoder().encode(rig)
        #expect(try JSONDecoder().decode(Inventory.self, from: encoded) == rig)
    }

    @Test func documentHasTheFixedKeys() throws {
        let rig = inventory(try Fixtures.machine("eight-gpus"), try answers("eight-gpus"))
        let text = Data(rig.json.text.utf8)
        let document = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
        #expect(document["machine"] is [String: Any])
        let devices = try #require(document["devices"] as? [[String: Any]])
        #expect(devices.count == 9)
        let first = try #require(devices.first)
        let keys = [
            "index", "platform", "name", "type", "driver", "pci", "numa_node", "memory_bytes",
            "verdict",
        ]
        for key in keys { #expect(first[key] != nil, "\(key)") }
        #expect(first["pci"] as? String == "0000:18:00.0")
        #expect(first["verdict"] is NSNull)
        #expect(first["memory_bytes"] as? Int == 10_500_964_352)
    }

    @Test func cachesAreCounted() throws {
        let rig = inventory(try Fixtures.machine("eight-gpus"), DriverAnswers())
        let shared = rig.cacheSummaries.filter { $0.cache.level == 3 }
        #expect(shared.map(\.count) == [2])
        #expect(shared.first?.cache.processors.count == 24)
        #expect(rig.cacheSummaries.filter { $0.cache.level == 1 }.map(\.count) == [24, 24])
    }

    @Test(arguments: [
        ([], ""), ([3], "3"), ([0, 1, 2, 8], "0-2,8"), ([5, 4, 4, 1], "1,4-5"),
    ])
    func indexRanges(_ indices: [Int], _ text: String) {
        #expect(IndexRanges.text(indices) == text)
    }
}
