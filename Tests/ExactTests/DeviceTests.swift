import Compute
import Core
import RigorTestKit
import Testing

/// The kernels against their twin, bit for bit, on every OpenCL implementation at hand.
@Suite(.serialized) struct DeviceTests {
    /// Three quarters of a million pairs beyond the special ones; few for simulators.
    private static func count(_ test: TestDevice) -> Int { test.isSlow ? 1 << 12 : 1 << 20 }

    @Test(arguments: TestDevices.all)
    func sameBits(_ test: TestDevice) throws {
        let device = try test.open()
        let program = try device.program(try ExactProgram.source())
        for function in ExactFunction.all {
            try expectTwin(of: function, test, device, program)
        }
    }

    /// Vector loops have a remainder: counts that leave one, or are nothing else.
    @Test(arguments: TestDevices.quick)
    func sameBitsForAnyCount(_ test: TestDevice) throws {
        let device = try test.open()
        let program = try device.program(try ExactProgram.source())
        let function = try #require(ExactFunction.all.first { $0.description == "exp" })
        for count in [1, 7, 2000] {
            let pairs = Array(function.arguments(count: 4096, seed: 3).suffix(count))
            let bits = try ExactProgram.run(function, pairs, device, program)
            #expect(bits == pairs.map(function.twin), "\(count) items")
        }
    }

    /// The devices' own division and root, where a certificate would allow them.
    @Test(arguments: TestDevices.exact.filter { !$0.isSlow })
    func sameBitsFromNativeDivision(_ test: TestDevice) throws {
        var options = OpenCLDevice.Options()
        options.native = [.divide, .squareRoot]
        let device = try test.open(options)
        let program = try device.program(try ExactProgram.source())
        for name in ["div", "rcp", "sqrt", "tan", "atan2", "acos", "tanh", "sigmoid"] {
            let function = try #require(ExactFunction.all.first { $0.description == name })
            try expectTwin(of: function, test, device, program)
        }
    }

    private func expectTwin(
        of function: ExactFunction, _ test: TestDevice, _ device: OpenCLDevice,
        _ program: any ComputeProgram
    ) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var pairs = function.arguments(count: Self.count(test), seed: seed)
        if test.isSlow {
            pairs = stride(from: 0, to: pairs.count, by: 29).map { pairs[$0] }
        }
        let bits = try ExactProgram.run(function, pairs, device, program)
        var wrong: [(UInt32, UInt32)] = []
        for (pair, bits) in zip(pairs, bits) {
            let expected = function.twin(pair.0, pair.1)
            if bits == expected { continue }
            // A device that drops subnormals is held to its word on the rest.
            if test.verdict != .exact,
                [pair.0, pair.1, expected].contains(where: isSubnormal)
            {
                continue
            }
            wrong.append(pair)
        }
        #expect(
            wrong.count == 0,
            "\(function) on \(test): first \(wrong.first ?? (0, 0)), seed \(seed)")
    }

    private func isSubnormal(_ bits: UInt32) -> Bool {
        (1..<0x0080_0000).contains(bits & 0x7fff_ffff)
    }
}

/// One program with a kernel for each function.
enum ExactProgram {
    static let files = [
        "divide", "root", "exponential", "logarithm", "trigonometric", "inverse", "power", "error",
        "hyperbolic", "inverse_hyperbolic", "narrow", "random",
    ].map { "exact/\($0).cl" }

    /// The kernel files as they are shipped.
    static func text() throws(Failure) -> String {
        try ProgramSource("tests/exact", files: files).text()
    }

    /// The shipped text with the kernels behind it.
    static func source() throws(Failure) -> ProgramSource { source(try text()) }

    /// Another text in its place.
    static func source(_ text: String) -> ProgramSource {
        let kernels = ExactFunction.all.map { kernel($0.description, $0.expression) }
        return ProgramSource("tests/exact", customText: text + kernels.joined())
    }

    static func kernel(_ name: String, _ expression: String) -> String {
        """

        __kernel void test_\(name)(__global const uint *restrict first,
                                   __global const uint *restrict second,
                                   __global uint *restrict result) {
            const size_t i = get_global_id(0);
            const uint a = first[i], b = second[i];
            result[i] = \(expression);
        }
        """
    }

    static func run(
        _ function: ExactFunction, _ pairs: [(UInt32, UInt32)], _ device: any ComputeDevice,
        _ program: any ComputeProgram
    ) throws(Failure) -> [UInt32] {
        try run(function.description, pairs, device, program)
    }

    static func run(
        _ name: String, _ pairs: [(UInt32, UInt32)], _ device: any ComputeDevice,
        _ program: any ComputeProgram
    ) throws(Failure) -> [UInt32] {
        let result = try device.makeBuffer(byteCount: pairs.count * 4)
        try device.launch(
            "test_\(name)", of: program, global: [pairs.count], local: nil,
            arguments: [
                .buffer(try device.makeBuffer(pairs.map { $0.0 })),
                .buffer(try device.makeBuffer(pairs.map { $0.1 })), .buffer(result),
            ])
        return try device.read(UInt32.self, count: pairs.count, from: result)
    }
}
