import Core
import Foundation
import OpenCL
import RigorTestKit
import Testing

/// Drivers by script: what each handle answers, or the status it fails with.
struct ScriptedDrivers: InfoSource {
    var platformIDs: Result<[UInt], OpenCLError> = .success([])
    var devices: [UInt: Result<[UInt], OpenCLError>] = [:]
    /// By handle, then parameter.
    var answers: [UInt: [Int32: Bytes]] = [:]

    func platforms() throws(OpenCLError) -> [PlatformID] {
        try platformIDs.get().map(PlatformID.init)
    }
    func devices(of platform: PlatformID) throws(OpenCLError) -> [DeviceID] {
        try (devices[platform.bits] ?? .success([])).get().map(DeviceID.init)
    }
    func info(_ parameter: Int32, of platform: PlatformID) throws(OpenCLError) -> Bytes {
        try answer(platform.bits, parameter, "clGetPlatformInfo")
    }
    func info(_ parameter: Int32, of device: DeviceID) throws(OpenCLError) -> Bytes {
        try answer(device.bits, parameter, "clGetDeviceInfo")
    }
    private func answer(
        _ handle: UInt, _ parameter: Int32, _ function: String
    ) throws(OpenCLError) -> Bytes {
        guard let bytes = answers[handle]?[parameter] else {
            throw OpenCLError(.invalidValue, function)
        }
        return bytes
    }

    /// A platform with a name and devices.
    mutating func add(_ platform: UInt, _ name: String, devices: [UInt]) {
        platformIDs = platformIDs.map { $0 + [platform] }
        self.devices[platform] = .success(devices)
        answers[platform] = [0x0902: Bytes(name.utf8) + [0]]
    }
}

@Suite struct SystemTests {
    @Test func everyInstalledDeviceIsDescribed() {
        for test in TestDevices.all {
            let info = test.device.info
            #expect(!info.name.isEmpty)
            #expect(info.computeUnits >= 1)
            #expect(info.allocationBytesMax > 0)
            #expect(info.gateRefusals == [])
        }
    }

    @Test func answersSurviveRecording() throws {
        let infos = TestDevices.all.map(\.device.platformInfo)
        let recorded = try JSONEncoder().encode(infos)
        #expect(try JSONDecoder().decode([PlatformInfo].self, from: recorded) == infos)
    }

    @Test func noDriversIsAnOrdinaryMachine() {
        var drivers = ScriptedDrivers()
        drivers.platformIDs = .failure(OpenCLError(.platformNotFound, "clGetPlatformIDs"))
        let system = OpenCLSystem(from: drivers)
        #expect(system.platforms.isEmpty)
        #expect(system.problem == nil)
    }

    @Test func aLoaderThatFailsIsAProblem() {
        var drivers = ScriptedDrivers()
        drivers.platformIDs = .failure(OpenCLError(.outOfHostMemory, "clGetPlatformIDs"))
        #expect(
            OpenCLSystem(from: drivers).problem == "clGetPlatformIDs: CL_OUT_OF_HOST_MEMORY")
    }

    @Test func platformsWithoutDevicesAndBrokenOnesStayApart() {
        var drivers = ScriptedDrivers()
        drivers.add(1, "empty", devices: [])
        drivers.devices[1] = .failure(OpenCLError(.deviceNotFound, "clGetDeviceIDs"))
        drivers.add(2, "broken", devices: [])
        drivers.devices[2] = .failure(
            OpenCLError(OpenCLStatus(rawValue: -4711), "clGetDeviceIDs"))
        drivers.add(3, "half", devices: [30, 31])
        drivers.answers[31] = [0x102B: Bytes("card".utf8)]
        let infos = OpenCLSystem(from: drivers).infos
        #expect(
            infos.map(\.problem?.description) == [
                nil, "clGetDeviceIDs: status -4711", "clGetDeviceInfo: CL_INVALID_VALUE",
            ])
        #expect(infos.map { $0.devices.map(\.name) } == [[], [], ["card"]])
    }

    @Test func aDriverListedTwiceIsADuplicateAndEqualCardsAreNot() {
        var drivers = ScriptedDrivers()
        drivers.add(1, "vendor", devices: [10, 11])
        drivers.add(2, "vendor", devices: [20, 21])
        drivers.add(3, "other", devices: [30])
        // Two equal cards in slots 1 and 2, seen by both copies of the driver.
        for (device, bus) in [(10, 1), (11, 2), (20, 1), (21, 2)] as [(UInt, UInt32)] {
            drivers.answers[device] = [
                0x102B: Bytes("card".utf8), 0x4008: bus.littleEndianBytes,
                0x4009: UInt32(0).littleEndianBytes,
            ]
        }
        drivers.answers[30] = [0x102B: Bytes("card".utf8)]
        let system = OpenCLSystem(from: drivers)
        #expect(system.infos.map(\.duplicateOf) == [nil, 0, nil])
        #expect(system.devices.map(\.id.bits) == [10, 11, 30])
    }

    @Test(arguments: ["standard", "AMD", "NVIDIA"])
    func pciAddresses(vendor: String) {
        var drivers = ScriptedDrivers()
        drivers.add(1, "vendor", devices: [10])
        var answers: [Int32: Bytes] = [0x102B: Bytes("card".utf8)]
        switch vendor {
        case "standard":
            answers[0x1030] = Bytes("cl_khr_fp64 cl_khr_pci_bus_info ".utf8) + [0]
            answers[0x410F] = [2, 0x81, 3, 1].flatMap { UInt32($0).littleEndianBytes }
        case "AMD":
            // Bus 0x81 comes as a negative character.
            answers[0x4037] =
                UInt32(1).littleEndianBytes + Bytes(repeating: 0, count: 17)
                + [0x81, 3, 1]
        default:
            answers[0x4008] = UInt32(0x81).littleEndianBytes
            answers[0x4009] = UInt32(3 << 3 | 1).littleEndianBytes
            answers[0x400A] = UInt32(2).littleEndianBytes
        }
        drivers.answers[10] = answers
        let address = OpenCLSystem(from: drivers).infos[0].devices[0].pciAddress
        #expect(address?.description == (vendor == "AMD" ? "0000" : "0002") + ":81:03.1")
    }

    @Test func unknownStatusesKeepTheirNumber() {
        #expect(OpenCLStatus(rawValue: -5).description == "CL_OUT_OF_RESOURCES")
        #expect(OpenCLStatus(rawValue: -123_456).description == "status -123456")
        #expect(OpenCLError(.memoryAllocationFailure, "f").failure.code == .limit)
        #expect(OpenCLError(.outOfResources, "f").failure.code == .device)
    }

    /// The loader itself, told to look into an empty folder, in a process of its own.
    @Test func aMachineWithoutDrivers() async {
        await #expect(processExitsWith: .success) {
            let folder = NSTemporaryDirectory() + "/rigor-no-drivers-\(getpid())"
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            setenv("OCL_ICD_VENDORS", folder, 1)
            let system = OpenCLSystem.read()
            precondition(system.platforms.isEmpty && system.problem == nil)
        }
    }
}
