import Compute
import Core
import RigorTestKit
import Testing

/// Wrong calls end in one line that names what was expected; the device stays usable.
@Suite struct RefusalTests {
    private func refusal(_ body: () throws -> Void) -> Failure? {
        #expect(throws: Failure.self) { try body() }
    }

    @Test(arguments: TestDevices.all)
    func argumentsAreChecked(_ test: TestDevice) throws {
        let device = try test.open()
        let program = try device.program(DeviceTests.source)
        let a = try device.makeBuffer(byteCount: 64)
        func launch(_ arguments: [KernelArgument], local: [Int]? = nil) throws {
            try device.launch(
                "add", of: program, global: [16], local: local, arguments: arguments)
        }
        let good: [KernelArgument] = [.buffer(a), .buffer(a), .buffer(a), .uint(16)]
        try launch(good)
        try device.finish()
        let few = refusal { try launch(Array(good.prefix(3))) }
        #expect(few?.message.contains("kernel add: 3 arguments given, 4 expected") == true)
        let long = refusal { try launch(good.dropLast() + [.ulong(16)]) }
        #expect(long?.code == .refused || long?.code == .device)
        _ = refusal { try launch(good, local: [3]) }
        _ = refusal { try launch(good, local: [16, 1]) }
        let large = device.description.workGroupItemsMax * 2
        let crowd = refusal {
            try device.launch(
                "add", of: program, global: [large], local: [large], arguments: good)
        }
        #expect(crowd?.message.contains("at most \(large / 2) fit") == true)
        let elsewhere = try test.open()
        let other = try elsewhere.makeBuffer(byteCount: 64)
        _ = refusal { try launch([.buffer(other)] + good.dropFirst()) }
        let missing = refusal {
            try device.launch("nothing", of: program, global: [1], local: nil, arguments: [])
        }
        #expect(missing?.code == .missing)
        _ = refusal {
            _ = try device.prepare(
                "add", of: program, global: [16], local: [3], arguments: good)
        }
        let prepared = try elsewhere.prepare(
            "add", of: try elsewhere.program(DeviceTests.source), global: [1], local: nil,
            arguments: [.buffer(other), .buffer(other), .buffer(other), .uint(1)])
        #expect(refusal { try device.launch(prepared) }?.code == .refused)
        try launch(good, local: [8])
        try device.launch("add", of: program, global: [0], local: nil, arguments: good)
        try device.finish()
    }

    @Test(arguments: TestDevices.all)
    func anAllocationTooLargeIsRefusedWithFigures(_ test: TestDevice) throws {
        let device = try test.open()
        let limit = device.description.allocationBytesMax
        let failure = refusal { _ = try device.makeBuffer(byteCount: limit + 1) }
        #expect(failure?.code == .limit)
        #expect(failure?.message.contains("\(limit)") == true)
    }

    @Test(arguments: TestDevices.all)
    func aProgramThatDoesNotBuildShowsTheLog(_ test: TestDevice) throws {
        let device = try test.open()
        let source = ProgramSource("tests/broken", customText: "__kernel void f() { nope; }")
        let failure = refusal { _ = try device.program(source) }
        #expect(failure?.code == .device)
        #expect(failure?.message.contains("program tests/broken") == true)
        #expect(failure?.message.contains("nope") == true)
    }

    @Test(arguments: [
        ["A": "1 -cl-fast-relaxed-math"], ["A": "1;2"], ["A B": "1"], ["1A": "1"], ["": "1"],
        ["A": "-"], ["A": "\"x\""],
    ])
    func definitionsCannotSmuggleOptions(_ defines: [String: String]) throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        let failure = refusal {
            _ = try device.program(ProgramSource("tests/options", files: [], defines: defines))
        }
        #expect(failure?.code == .unsupported)
    }

    @Test func unknownKernelFilesAreNamed() throws {
        guard let test = TestDevices.any else { return }
        let failure = refusal {
            _ = try test.open().program(ProgramSource("tests/none", files: ["no/such.cl"]))
        }
        #expect(failure?.message.contains("no/such.cl") == true)
    }
}
