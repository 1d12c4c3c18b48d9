import Compute
import Core
import RigorTestKit
import Testing

/// Copies large enough to be shared among threads arrive whole, from and at any place.
@Suite(.serialized) struct TransferTests {
    @Test(arguments: [false, true])
    func largeCopiesArriveWhole(forcesStaging: Bool) throws {
        guard let test = TestDevices.any else { return }
        var options = OpenCLDevice.Options()
        options.forcesStaging = forcesStaging
        let device = try test.open(options)
        for byteCount in [(1 << 20) - 1, 2 << 20, (5 << 20) + 77, (20 << 20) + 1] {
            let sent = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 11) }
            let buffer = try device.makeBuffer(byteCount: byteCount + 200)
            try device.write(sent, to: buffer, at: 100)
            #expect(try device.read(UInt8.self, count: byteCount, from: buffer, at: 100) == sent)
            let edges = try device.read(UInt8.self, count: 100, from: buffer, at: 0)
            let after = try device.read(UInt8.self, count: 100, from: buffer, at: 100 + byteCount)
            #expect((edges + after).allSatisfy { $0 == 0 })
        }
    }
}
