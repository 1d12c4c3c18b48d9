import Compute
import Core
import Digest
import OpenCL
import RigorTestKit
import Testing

/// The same task has the same hash everywhere, and breaking a rule changes it.
@Suite struct MutationTests {
    /// A logistic map: each step's rounding shows in all later ones.
    private static let body = """
        __kernel void chaos(__global float *values, const float rate) {
            const uint i = get_global_id(0);
            float x = values[i];
            for (int step = 0; step < 40; step++) {
                const float rest = 1.0f - x;
                x = rate * x * rest + 0x1p-10f;
            }
            values[i] = x;
        }
        """
    private static let off = "#pragma OPENCL FP_CONTRACT OFF\n"

    private func hash(_ device: any ComputeDevice, _ text: String) throws -> Hash256 {
        let program = try device.program(ProgramSource("tests/chaos", customText: text))
        let values = try device.makeBuffer((0..<100).map { Float($0) * 0x1p-7 })
        try device.launch(
            "chaos", of: program, global: [100], local: nil,
            arguments: [.buffer(values), .float(3.9)])
        return SHA256.hash(try device.read(UInt8.self, count: 400, from: values))
    }

    @Test func oneHashOnEveryDeviceAndOnHalves() throws {
        var hashes: Set<Hash256> = []
        for test in TestDevices.all { hashes.insert(try hash(test.open(), Self.off + Self.body)) }
        if let pocl = TestDevices.named("PoCL"), pocl.device.info.computeUnits > 1 {
            for half in try pocl.open(computeUnits: pocl.device.info.computeUnits / 2) {
                hashes.insert(try hash(half, Self.off + Self.body))
            }
        }
        #expect(hashes.count <= 1)
    }

    @Test func contractionAndOneUlpChangeIt() throws {
        guard let test = TestDevices.named("PoCL") else { return }
        let device = try test.open()
        let right = try hash(device, Self.off + Self.body)
        #expect(try hash(device, Self.body) != right)
        let ulp = Self.body.replacing("0x1p-10f", with: "0x1.000002p-10f")
        #expect(try hash(device, Self.off + ulp) != right)
        #expect(try hash(device, Self.off + Self.body) == right)
    }
}
