import Compute
import Core
import Digest
import Exact
import RigorTestKit
import Testing

/// Proof that the comparisons can fail: the smallest breach of the rules changes the hash.
@Suite(.serialized) struct MutationTests {
    /// One constant for each function, away from zero by one ulp. Division and roots are absent:
    /// their last steps take out what the first ones get wrong.
    private static let mutations = [
        "exp": "0x1.5558bep-5f", "exp2": "0x1.3b2dep-7f", "log": "0x1.55554ep-2f",
        "log2": "0x1.ec7094p-2f", "sin": "0x1.111166p-7f", "cos": "-0x1.6c08b6p-10f",
        "atan2": "-0x1.242084p-3f", "acos": "0x1.747bb8p-5f", "pow": "0x1.ec709ep-1f",
        "erf": "-0x1.b7ff9p-6f", "tanh": "-0x1.b91e7ep-5f", "sinh": "0x1.555556p-3f",
        "asinh": "0x1.62e430p-1f",
    ]

    @Test func oneUlpInAConstant() throws {
        guard let test = TestDevices.any else { return }
        var text = try ExactProgram.text()
        for constant in Self.mutations.values {
            let value = try #require(Float(constant.dropLast()))
            let next = Float(bitPattern: value.bitPattern + 1)
            let changed = text.replacing(constant, with: "as_float(\(next.bitPattern)u)")
            #expect(changed != text, "\(constant) stands in no kernel")
            text = changed
        }
        let device = try test.open()
        let shipped = try device.program(try ExactProgram.source())
        let mutant = try device.program(ExactProgram.source(text))
        // tan stands on sin, and sigmoid on exp.
        let names = Set(Self.mutations.keys).union(["tan", "sigmoid"])
        for function in ExactFunction.all where names.contains(function.description) {
            let pairs = function.arguments(count: 1 << 16, seed: 11)
            let bits = try ExactProgram.run(function, pairs, device, shipped)
            let mutated = try ExactProgram.run(function, pairs, device, mutant)
            #expect(hash(bits) == hash(pairs.map(function.twin)), "\(function)")
            #expect(hash(bits) != hash(mutated), "\(function)")
        }
    }

    /// With contraction on, a product and a sum become one; the exact functions themselves have no
    /// product in a sum's statement and keep their bits.
    @Test func contraction() throws {
        guard let test = TestDevices.exact.first(where: { !$0.isSlow }) else {
            return TestDevices.skip("no exact implementation is installed")
        }
        let device = try test.open()
        let kernel = ExactProgram.kernel(
            "mixed", "as_uint(ex_sigmoid(as_float(a) * as_float(b) + as_float(a)))")
        let off = try ExactProgram.text()
        let on = off.replacing("FP_CONTRACT OFF", with: "FP_CONTRACT ON")
        #expect(on != off)
        let pairs = try #require(ExactFunction.all.first).arguments(count: 1 << 16, seed: 5)
            .map { ($0.0 & 0x807f_ffff | 0x3f80_0000, $0.1 & 0x807f_ffff | 0x3f80_0000) }
        let twin = pairs.map { a, b in
            let (x, y) = (Float(bitPattern: a), Float(bitPattern: b))
            return Exact.sigmoid(x * y + x).bitPattern
        }
        let kept = try device.program(ProgramSource("tests/off", customText: off + kernel))
        let fused = try device.program(ProgramSource("tests/on", customText: on + kernel))
        #expect(hash(try ExactProgram.run("mixed", pairs, device, kept)) == hash(twin))
        #expect(hash(try ExactProgram.run("mixed", pairs, device, fused)) != hash(twin))

        let program = try device.program(ExactProgram.source(on))
        for function in ExactFunction.all {
            let pairs = function.arguments(count: 1 << 12, seed: 6)
            let bits = try ExactProgram.run(function, pairs, device, program)
            #expect(hash(bits) == hash(pairs.map(function.twin)), "\(function)")
        }
    }

    private func hash(_ bits: [UInt32]) -> Hash256 {
        SHA256.hash(bits.flatMap(\.littleEndianBytes))
    }
}
