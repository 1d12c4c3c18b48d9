import Core
import Hardware
import Testing

@Suite struct TopologyTests {
    @Test func readsAVirtualMachine() throws {
        let machine = try Fixtures.machine("virtual-machine")
        #expect(machine.hostName == "vm")
        #expect(machine.kernelRelease == "6.1.0-28-cloud-amd64")
        #expect(machine.packages.count == 1)
        #expect(machine.packages[0].model == "AMD EPYC")
        #expect(machine.packages[0].vendor == "AuthenticAMD")
        #expect(machine.coreCount == 2)
        #expect(machine.processorCount == 2)
        #expect(machine.numaNodes.map(\.processors) == [[0, 1]])
        #expect(machine.caches.filter { $0.level == 3 }.map(\.byteCount) == [32 << 20])
        #expect(machine.caches.filter { $0.level == 3 }.map(\.processors) == [[0, 1]])
        #expect(machine.caches.filter { $0.level == 2 }.map(\.ways) == [8, 8])
        #expect(machine.caches.filter { $0.kind == .instruction }.count == 2)
        #expect(machine.pciDevices.contains { $0.osDevices.contains { $0.kind == "network" } })
    }

    @Test func readsEightGraphicsCardsOnTwoSockets() throws {
        let machine = try Fixtures.machine("eight-gpus")
        #expect(machine.packages.map(\.cores.count) == [12, 12])
        #expect(machine.processorCount == 48)
        #expect(machine.packages.map(\.numaNodes) == [[0], [1]])
        let cards = machine.pciDevices.filter { $0.isGraphics && $0.vendorID == 0x10de }
        #expect(
            cards.map(\.address.description) == [
                "0000:18:00.0", "0000:3b:00.0", "0000:5e:00.0", "0000:6f:00.0", "0000:86:00.0",
                "0000:af:00.0", "0000:d8:00.0", "0000:e1:00.0",
            ])
        #expect(cards.map { machine.numaNode(near: $0.address) } == [0, 0, 0, 0, 1, 1, 1, 1])
        #expect(cards.map(\.osDevices.first?.name).first == "renderD128")
        #expect(cards.allSatisfy { $0.linkGigabytesPerSecond ?? 0 > 15 })
    }

    @Test func readsASyntheticMachine() throws {
        let machine = try Topology(.synthetic("pack:2 numa:2 core:4 pu:2")).machine()
        #expect(machine.packages.count == 2)
        #expect(machine.numaNodes.count == 4)
        #expect(machine.coreCount == 16)
        #expect(machine.processorCount == 32)
        #expect(machine.packages[1].numaNodes == [2, 3])
        #expect(machine.pciDevices.isEmpty)
    }

    @Test func aDeviceNearSeveralNodesIsNearNone() {
        let address = PCIAddress(domain: 0, bus: 1, device: 0, function: 0)
        let device = PCIDevice(
            address: address, vendorID: 0x1002, deviceID: 1, classID: 0x300, name: nil,
            linkGigabytesPerSecond: nil, numaNodes: [0, 1], osDevices: [])
        #expect(Machine(pciDevices: [device]).numaNode(near: address) == nil)
    }

    @Test(arguments: [
        "", "not xml", "<topology/>", "<topology version=\"2.0\"><object/></topology>",
    ])
    func refusesWhatIsNoTopology(_ text: String) {
        let failure = #expect(throws: Failure.self) {
            let topology = try Topology(.xml(text))
            _ = topology.machine()
        }
        #expect(failure?.code == .malformed)
    }

    @Test func refusesABrokenSyntheticDescription() {
        let failure = #expect(throws: Failure.self) {
            let topology = try Topology(.synthetic("core:zero"))
            _ = topology.machine()
        }
        #expect(failure?.message.contains("core:zero") == true)
    }

    @Test func readsThisMachine() throws {
        let machine = try Topology(.thisMachine).machine()
        #expect(machine.processorCount >= 1)
        #expect(machine.packages.count >= 1)
        #expect(machine.processorCount >= machine.coreCount)
    }

    @Test(arguments: [
        ("0000:3b:00.0", "0000:3b:00.0"), ("00000000:3B:00.0", "0000:3b:00.0"),
        ("3b:1f.7", "0000:3b:1f.7"), ("10000:e1:00.0", "10000:e1:00.0"),
    ])
    func readsPCIAddresses(_ text: String, _ expected: String) {
        #expect(PCIAddress(text)?.description == expected)
    }

    @Test(arguments: ["", "3b", "3b:00", "3b:00.8", "100:00.0", "0:0:0:0.0", "3b:20.0", "-1:00.0"])
    func refusesWhatIsNoPCIAddress(_ text: String) {
        #expect(PCIAddress(text) == nil)
    }
}
