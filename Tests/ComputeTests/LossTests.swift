import Compute
import Core
import Foundation
import RigorTestKit
import Testing

/// A kernel that never ends costs a bounded wait, then every call fails at once. In processes of
/// their own, since the driver's threads spin on. (llvmpipe ends any loop after 65,535 turns.)
@Suite struct LossTests {
    static let endless = """
        __kernel void endless(volatile __global uint *flag) { while (flag[0] == 0u) { } }
        """

    static func check(_ label: String) throws {
        guard let test = TestDevices.all.first(where: { $0.label == label }) else { _exit(6) }
        alarm(60)
        var options = OpenCLDevice.Options()
        options.waitSecondsMax = 0.5
        let device = try test.open(options)
        let program = try device.program(ProgramSource("tests/endless", customText: endless))
        let flag = try device.makeBuffer(byteCount: 4)
        try device.finish()
        try device.launch(
            "endless", of: program, global: [1], local: [1], arguments: [.buffer(flag)])
        let start = MonotonicClock().monotonicSeconds
        do throws(Failure) {
            _ = try device.read(UInt32.self, count: 1, from: flag)
            _exit(1)
        } catch {
            guard error.code == .timeout, error.message.contains("lost") else { _exit(2) }
        }
        for _ in 0..<3 {
            do throws(Failure) {
                _ = try device.makeBuffer(byteCount: 4)
                _exit(3)
            } catch {
                guard error.code == .timeout else { _exit(4) }
            }
        }
        // Once half a second, and not once a call. Leaving must not wait for the driver either.
        exit(MonotonicClock().monotonicSeconds - start < 2 ? 0 : 5)
    }

    @Test func poclLoses() async {
        guard TestDevices.named("PoCL") != nil else { return }
        await #expect(processExitsWith: .success) { try LossTests.check("PoCL") }
    }

    @Test func intelLoses() async {
        guard TestDevices.named("Intel") != nil else { return }
        await #expect(processExitsWith: .success) { try LossTests.check("Intel") }
    }

    @Test func oclgrindLoses() async {
        guard TestDevices.named("Oclgrind") != nil else { return }
        await #expect(processExitsWith: .success) { try LossTests.check("Oclgrind") }
    }
}
