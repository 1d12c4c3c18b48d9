import Compute
import Core
import RigorTestKit
import Testing

/// What every implementation must do alike.
@Suite struct DeviceTests {
    static let source = ProgramSource(
        "tests/basics",
        customText: """
            #pragma OPENCL FP_CONTRACT OFF
            __kernel void add(__global const float *a, __global const float *b,
                              __global float *sum, const uint count) {
                const uint i = get_global_id(0);
                if (i < count) sum[i] = a[i] + b[i];
            }
            __kernel void reverse(__global uint *values, __local uint *scratch) {
                const uint i = get_local_id(0), n = get_local_size(0);
                scratch[i] = values[i];
                barrier(CLK_LOCAL_MEM_FENCE);
                values[i] = scratch[n - 1 - i];
            }
            typedef struct { uint count; float scale; long shift; } parameters;
            __kernel void affine(__global long *out, const parameters p) {
                const uint i = get_global_id(0);
                if (i < p.count) out[i] = convert_long(p.scale * (float)i) + p.shift;
            }
            """)

    @Test(arguments: TestDevices.all)
    func addsOneSevenAndTwoThousand(_ test: TestDevice) throws {
        let device = try test.open()
        let program = try device.program(Self.source)
        for count in [1, 7, 2000] {
            let a = (0..<count).map { Float($0) * 0.25 }
            let b = (0..<count).map { Float($0) * 3 }
            let sum = try device.makeBuffer(byteCount: count * 4)
            try device.launch(
                "add", of: program, global: [count], local: nil,
                arguments: [
                    .buffer(try device.makeBuffer(a)), .buffer(try device.makeBuffer(b)),
                    .buffer(sum), .uint(UInt32(count)),
                ])
            let read = try device.read(Float.self, count: count, from: sum)
            #expect(read == zip(a, b).map { $0 + $1 })
        }
    }

    /// A prepared launch has its own arguments, and finds what its buffers hold by then.
    @Test(arguments: TestDevices.all)
    func preparedLaunchesRepeat(_ test: TestDevice) throws {
        let device = try test.open()
        let program = try device.program(Self.source)
        let a = try device.makeBuffer([Float](repeating: 0.5, count: 16))
        let b = try device.makeBuffer([Float](repeating: 2, count: 16))
        let sum = try device.makeBuffer(byteCount: 64)
        func arguments(_ x: any ComputeBuffer) -> [KernelArgument] {
            [.buffer(x), .buffer(sum), .buffer(sum), .uint(16)]
        }
        let adds = try [a, b].map {
            try device.prepare(
                "add", of: program, global: [16], local: nil, arguments: arguments($0))
        }
        for round in 1...3 {
            for add in adds { try device.launch(add) }
            try device.launch(
                "add", of: program, global: [16], local: nil, arguments: arguments(a))
            let found = try device.read(Float.self, count: 16, from: sum)
            #expect(found == [Float](repeating: 3 * Float(round), count: 16))
        }
    }

    @Test(arguments: TestDevices.all)
    func localMemoryAndStructs(_ test: TestDevice) throws {
        let device = try test.open()
        let program = try device.program(Self.source)
        let values = try device.makeBuffer((0..<32).map { UInt32($0) })
        try device.launch(
            "reverse", of: program, global: [32], local: [32],
            arguments: [.buffer(values), .local(byteCount: 128)])
        #expect(try device.read(UInt32.self, count: 32, from: values) == (0..<32).reversed())
        let out = try device.makeBuffer(byteCount: 80)
        let parameters =
            UInt32(10).littleEndianBytes + Float(2).bitPattern.littleEndianBytes
            + Int64(-7).littleEndianBytes
        try device.launch(
            "affine", of: program, global: [16], local: nil,
            arguments: [.buffer(out), .bytes(parameters)])
        #expect(
            try device.read(Int64.self, count: 10, from: out) == (0..<10).map { Int64($0 * 2 - 7) })
    }

    /// What cards with memory of their own go through: pinned pieces, two in flight.
    @Test(arguments: TestDevices.all)
    func copiesInPieces(_ test: TestDevice) throws {
        var options = OpenCLDevice.Options()
        options.forcesStaging = true
        let device = try test.open(options)
        let pieces = test.isSlow ? 1 : 3
        let count = (pieces << 21) + 3 // words; a piece holds 2^21
        let values = (0..<UInt32(count)).map { $0 &* 2_654_435_761 }
        let buffer = try device.makeBuffer(byteCount: 4 * count + 20)
        try device.write(values, to: buffer, at: 8)
        #expect(try device.read(UInt32.self, count: count, from: buffer, at: 8) == values)
        #expect(try device.read(UInt64.self, count: 1, from: buffer) == [0])
        let end = try device.read(UInt32.self, count: 3, from: buffer, at: 8 + 4 * count)
        #expect(end == [0, 0, 0])
        try device.write([7] as [UInt32], to: buffer, at: 8 + 4 * (1 << 21))
        #expect(try device.read(UInt32.self, count: 1, from: buffer, at: 8 + (8 << 20)) == [7])
    }

    @Test(arguments: TestDevices.all)
    func scrubsWhatItReleases(_ test: TestDevice) throws {
        for scrubs in [true, false] {
            var options = OpenCLDevice.Options()
            options.scrubsOnRelease = scrubs
            options.isProfiling = true // which counts what the device has done
            let device = try test.open(options)
            let kept = try device.makeBuffer([1, 2, 3] as [UInt32])
            for _ in 0..<20 { _ = try device.makeBuffer([4, 5, 6] as [UInt32]) }
            try device.finish()
            let fills = device.kernelTimes["fill of 12 bytes"]?.launches
            // The host's memory is zero without one.
            #expect(fills == (device.description.runsInPlace ? nil : 21))
            #expect(device.kernelTimes["scrub of 12 bytes"]?.launches == (scrubs ? 20 : nil))
            #expect(try device.read(UInt32.self, count: 3, from: kept) == [1, 2, 3])
        }
    }

    @Test(arguments: TestDevices.all)
    func measuresKernels(_ test: TestDevice) throws {
        var options = OpenCLDevice.Options()
        options.isProfiling = true
        let device = try test.open(options)
        let program = try device.program(Self.source)
        let a = try device.makeBuffer(byteCount: 4 << 10)
        let count = test.isSlow ? 8 : 1024
        for _ in 0..<600 { // more than may be outstanding at once
            try device.launch(
                "add", of: program, global: [count], local: nil,
                arguments: [.buffer(a), .buffer(a), .buffer(a), .uint(UInt32(count))])
        }
        try device.finish()
        #expect(device.kernelTimes["add"]?.launches == 600)
        #expect((device.kernelTimes["add"]?.seconds ?? 0) > 0)
    }

    @Test(arguments: TestDevices.all)
    func buffersStartAtZeroAndCopyAnyRange(_ test: TestDevice) throws {
        let device = try test.open()
        let buffer = try device.makeBuffer(byteCount: 1001)
        #expect(try device.read(UInt8.self, count: 1001, from: buffer).allSatisfy { $0 == 0 })
        try device.write(Bytes("exact".utf8), to: buffer, at: 996)
        #expect(try device.read(UInt8.self, count: 6, from: buffer, at: 995) == [0] + "exact".utf8)
        #expect(throws: Failure.self) { try device.write([UInt32(1)], to: buffer, at: 998) }
        #expect(throws: Failure.self) {
            try device.read(UInt8.self, count: 2, from: buffer, at: 1000)
        }
    }
}
