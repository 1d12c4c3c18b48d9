import Compute
import Core
import RigorTestKit
import Testing

@Suite struct CastTests {
    /// Oclgrind's own conversion rounds twice here; the kernels' must not.
    @Test(arguments: TestDevices.all)
    func longToFloatRoundsOnce(_ test: TestDevice) throws {
        let device = try test.open()
        let program = try device.program(
            ProgramSource(
                "tests/cast", files: ["exact/narrow.cl", "inference/cast.cl"],
                defines: [
                    "FROM": "long", "TO": "float", "LOAD": "cast_as_is",
                    "STORE": "cast_from_long",
                ]))
        var values: [Int64] = [
            0, 1, -1, .max, .min, 0x0100_0001_0000_0001, -0x0100_0001_0000_0001,
            0x0100_0001_0000_0000, 0x0100_0003_0000_0000, 1 << 40, 1 << 40 | 1 << 16,
            1 << 40 | 1 << 16 | 1, (1 << 40) - 1, 0x7fff_ffbf_ffff_ffff, 0x7fff_ffc0_0000_0000,
        ]
        var state: UInt64 = 1
        for _ in 0..<500 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            values.append(Int64(bitPattern: state) >> Int64(state >> 58))
        }
        let x = try device.makeBuffer(values)
        let y = try device.makeBuffer(byteCount: 4 * values.count)
        try device.launch(
            "cast", of: program, global: [values.count], local: nil,
            arguments: [.buffer(x), .buffer(y), .int(Int32(values.count))])
        let floats = try device.read(Float.self, count: values.count, from: y)
        #expect(floats == values.map { Float($0) })
    }
}
