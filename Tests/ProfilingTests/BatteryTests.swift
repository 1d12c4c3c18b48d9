import Core
import Profiling
import Testing

/// The questions themselves, without any device.
@Suite struct BatteryTests {
    @Test(arguments: Battery.probes.map(\.name))
    func canFailAndIsAlive(_ name: String) throws {
        let probe = try #require(Battery.probes.first { $0.name == name })
        #expect(Battery.probes.filter { $0.name == name }.count == 1)
        #expect(!probe.controls.isEmpty)
        let answers = probe.answers(Probe.itemCountMax)
        for control in probe.controls { #expect(control.answers != answers) }
        // Alive: many values, most of them finite.
        let firsts = stride(from: 0, to: answers.count, by: 2).map { answers[$0] }
        #expect(Set(answers).count > 2)
        #expect(firsts.filter { $0 == Oracle.nan }.count < firsts.count / 2)
        #expect(probe.answers(7) == Array(probe.answers(7)))
        #expect(probe.items.count == Probe.itemCountMax)
    }

    @Test func theTripleOfTheFormats() {
        #expect(Oracle.fma(0x3f80_0800, 0x3f80_0800, 0x0008_0000) == 0x3f80_1001)
        #expect(Oracle.fma(0x3f80_0800, 0x3f80_0800, 0) == 0x3f80_1000)
    }

    /// Values that any reference gives.
    @Test func literalAnswers() {
        #expect(Oracle.divide(0x3f80_0000, 0x4040_0000) == 0x3eaa_aaab) // 1/3
        #expect(Oracle.squareRoot(0x4000_0000) == 0x3fb5_04f3) // √2
        #expect(Oracle.add(0x3dcc_cccd, 0x3e4c_cccd) == 0x3e99_999a) // 0.1 + 0.2
        #expect(Oracle.multiply(0x7f7f_ffff, 0x4000_0000) == 0x7f80_0000)
        #expect(Oracle.subtract(0x7f80_0000, 0x7f80_0000) == Oracle.nan)
        #expect(Oracle.divide(0x0000_0001, 0x4000_0000) == 0) // half the least: to even
        #expect(Oracle.half(0x477f_efff) == 0x7bff)
        #expect(Oracle.half(0x477f_f000) == 0x7c00)
        #expect(Oracle.half(0x3300_0000) == 0)
        #expect(Oracle.half(0x3300_0001) == 1)
        #expect(Oracle.bfloat16(0x3f80_8000) == 0x3f80)
        #expect(Oracle.bfloat16(0x3f81_8000) == 0x3f82)
        #expect(Oracle.widened(half: 0x0001) == 0x3380_0000)
        #expect(Oracle.widened(half: 0xfbff) == 0xc77f_e000)
    }

    /// Changes with every question: certificates of before do not hold after.
    @Test func theBatteryHasOneHash() {
        #expect(Battery.hash == Battery.hash)
        #expect(Battery.probes.filter { $0.need.rawValue == "subnormal" }.count >= 7)
    }
}
