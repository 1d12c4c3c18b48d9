import Foundation
import OpenCL
import RigorTestKit
import Testing

@Suite struct HandleTests {
    @Test(arguments: TestDevices.all)
    func aBuildErrorCarriesTheLog(_ test: TestDevice) throws {
        let context = try Context(platform: test.device.platform, device: test.device.id)
        let program = try Program(context, source: "__kernel void broken() { undeclared = 1; }")
        let error = #expect(throws: OpenCLError.self) { try program.build(options: "") }
        #expect(error?.function == "clBuildProgram")
        #expect(error?.context.contains("undeclared") == true)
    }

    @Test(arguments: TestDevices.all)
    func parametersAreKnownByNameAndSize(_ test: TestDevice) throws {
        let context = try Context(platform: test.device.platform, device: test.device.id)
        let program = try Program(
            context,
            source: """
                __kernel void parameters(__global float *values, __local int *scratch,
                                         const ulong seed, float4 weights) {}
                """)
        try program.build(options: "-cl-kernel-arg-info")
        let kernel = try Kernel(program, name: "parameters")
        #expect(kernel.argumentCount == 4)
        guard let parameters = kernel.parameters else {
            TestDevices.skip("\(test.label) keeps no parameter information")
            return
        }
        #expect(parameters.map(\.name) == ["values", "scratch", "seed", "weights"])
        #expect(parameters.map(\.space) == [.global, .local, .private, .private])
        #expect(parameters.map(\.byteCount) == [nil, nil, 8, 16])
    }

    @Test func hostMemoryBeginsAsZeros() throws {
        for byteCount in [1, 4097, 1 << 17, (5 << 20) + 3] {
            let memory = try HostMemory(byteCount: byteCount)
            #expect(memory.bytes.count == byteCount)
            #expect(Int(bitPattern: memory.bytes.baseAddress) % 128 == 0)
            #expect(memory.bytes.allSatisfy { $0 == 0 })
            memory.bytes[byteCount - 1] = 1
        }
    }

    /// The driver may use the memory for as long as a command on it is not complete.
    @Test(arguments: TestDevices.all)
    func aBufferKeepsTheMemoryItUses(_ test: TestDevice) throws {
        let context = try Context(platform: test.device.platform, device: test.device.id)
        let queue = try CommandQueue(context)
        var memory: HostMemory? = try HostMemory(byteCount: 1 << 20)
        weak let seen = memory
        var buffer: Buffer?
        if let memory { buffer = try Buffer(context, using: memory) }
        memory = nil
        #expect(seen != nil)
        let done = DispatchSemaphore(value: 0)
        if let buffer {
            let event = try queue.fillZero(buffer, offset: 0, byteCount: 1 << 20)
            try event.whenComplete { done.signal() }
        }
        buffer = nil
        try queue.finish()
        #expect(done.wait(timeout: .now() + 10) == .success)
        for _ in 0..<1000 where seen != nil { usleep(1000) }
        #expect(seen == nil)
    }

    @Test func aProcessorSplitsIntoHalves() throws {
        guard let test = TestDevices.named("PoCL") else { return }
        let units = test.device.info.computeUnits
        guard units > 1 else { return TestDevices.skip("one compute unit cannot be split") }
        let half = units / 2
        let parts = try test.device.split(equally: half)
        #expect(parts.count == units / half)
        #expect(parts.allSatisfy { $0.info.computeUnits == half })
        let counted = try test.device.split(counts: [1, units - 1])
        #expect(counted.map(\.info.computeUnits) == [1, units - 1])
        #expect(throws: OpenCLError.self) { try test.device.split(counts: [units, units]) }
    }
}
