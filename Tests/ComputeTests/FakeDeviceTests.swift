import Compute
import Core
import RigorTestKit
import Testing

@Suite struct FakeDeviceTests {
    static func device(_ faults: [FakeComputeDevice.Fault] = []) -> FakeComputeDevice {
        FakeComputeDevice(
            kernels: [
                "double": { launch in
                    launch.set(launch.values(UInt32.self, 0).map { $0 &* 2 }, 0)
                }
            ], faults: faults)
    }

    private func run(_ device: any ComputeDevice, launches: Int) throws -> [UInt32] {
        let program = try device.program(ProgramSource("fake", files: []))
        let buffer = try device.makeBuffer([1, 2, 3] as [UInt32])
        for _ in 0..<launches {
            try device.launch(
                "double", of: program, global: [3], local: nil, arguments: [.buffer(buffer)])
        }
        return try device.read(UInt32.self, count: 3, from: buffer)
    }

    @Test func runsClosuresInOrder() throws {
        let device = Self.device()
        #expect(try run(device, launches: 3) == [8, 16, 24])
        #expect(device.launchCount == 3)
        #expect(device.bytesInUse == 0)
    }

    @Test func failsByScript() throws {
        for (fault, code) in [
            (.fail(launch: 2), .device), (.hang(launch: 2), .timeout),
        ] as [(FakeComputeDevice.Fault, Failure.Code)] {
            let device = Self.device([fault])
            let first = #expect(throws: Failure.self) { try run(device, launches: 3) }
            #expect(first?.code == code)
            #expect(throws: Failure.self) { try device.makeBuffer(byteCount: 4) }
        }
        #expect(try run(Self.device([.flip(launch: 1)]), launches: 1) == [3, 4, 6])
        #expect(throws: Failure.self) { try run(Self.device([.build]), launches: 1) }
    }

    @Test func aFlakyDeviceWrapsAnyOther() throws {
        #expect(try run(FlakyDevice(Self.device(), []), launches: 2) == [4, 8, 12])
        let flipping = FlakyDevice(Self.device(), [.flipFromRead(1, byte: 4)])
        #expect(try run(flipping, launches: 1) == [2, 5, 6])
        let dying = FlakyDevice(Self.device(), [.failLaunch(2)])
        #expect(throws: Failure.self) { try run(dying, launches: 2) }
        let hanging = FlakyDevice(Self.device(), [.hangAtLaunch(1)])
        let failure = #expect(throws: Failure.self) { try run(hanging, launches: 1) }
        #expect(failure?.code == .timeout)
    }
}
