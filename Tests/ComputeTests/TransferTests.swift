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

    /// However many bytes are left over when they are shared out, each is copied, into memory that
    /// held something else.
    @Test(arguments: [2, 3, 7, 8])
    func everyByteIsCopied(threadsMax: Int) {
        for leftOver in Array(0..<130) + [191, 192, 193, 447, 448, 449] {
            let byteCount = (threadsMax << 20) + leftOver
            let sent = [UInt8](repeating: 1, count: byteCount)
            var found = [UInt8](repeating: 2, count: byteCount)
            found.withUnsafeMutableBytes { found in
                sent.withUnsafeBytes { found.copyTogether(from: $0, threadsMax: threadsMax) }
            }
            #expect(found.firstIndex(of: 2) == nil, "\(byteCount) bytes")
        }
    }

    /// Kernels read the caller's memory, or a copy where it is not shared.
    @Test(arguments: TestDevices.all, [false, true])
    func kernelsReadWhatTheHostHas(_ test: TestDevice, forcesStaging: Bool) throws {
        var options = OpenCLDevice.Options()
        options.forcesStaging = forcesStaging
        let device = try test.open(options)
        if forcesStaging { #expect(!device.sharesMemory) }
        let program = try device.program(DeviceTests.source)
        for count in [0, 1, 2000] {
            let a = (0..<count).map { Float($0) * 0.5 }
            let b = (0..<count).map { Float($0) + 1 }
            let sum = try device.makeBuffer(byteCount: max(count, 1) * 4)
            try device.withBuffer(reading: a) { (first) throws(Failure) in
                try device.withBuffer(reading: b) { (second) throws(Failure) in
                    try device.launch(
                        "add", of: program, global: [count], local: nil,
                        arguments: [
                            .buffer(first), .buffer(second), .buffer(sum), .uint(UInt32(count)),
                        ])
                    #expect(
                        try device.read(Float.self, count: count, from: second) == b)
                }
            }
            #expect(
                try device.read(Float.self, count: count, from: sum) == zip(a, b).map { $0 + $1 })
        }
    }

    /// Kernels write what the host gets, wherever that lies.
    @Test(arguments: TestDevices.all, [false, true])
    func kernelsWriteWhatTheHostGets(_ test: TestDevice, forcesStaging: Bool) throws {
        var options = OpenCLDevice.Options()
        options.forcesStaging = forcesStaging
        let device = try test.open(options)
        let program = try device.program(DeviceTests.source)
        for count in [0, 1, 2000] {
            let a = try device.makeBuffer((0..<max(count, 1)).map { Float($0) * 0.5 })
            var inner: HostBlock?
            let outer = try device.block(byteCount: count * 4) { (first) throws(Failure) in
                inner = try device.block(byteCount: count * 4) { (second) throws(Failure) in
                    for (sum, x) in [(second, a), (first, second)] {
                        try device.launch(
                            "add", of: program, global: [count], local: nil,
                            arguments: [
                                .buffer(x), .buffer(a), .buffer(sum), .uint(UInt32(count)),
                            ])
                    }
                }
            }
            #expect(inner.map(Self.floats) == (0..<count).map { Float($0) })
            #expect(Self.floats(outer) == (0..<count).map { Float($0) * 1.5 })
        }
        let failure = #expect(throws: Failure.self) {
            _ = try device.block(byteCount: 4000) { (sum) throws(Failure) in
                let x = try device.makeBuffer(byteCount: 4000)
                try device.launch(
                    "add", of: program, global: [1000], local: nil,
                    arguments: [.buffer(x), .buffer(x), .buffer(sum), .uint(1000)])
                throw Failure(.cancelled, "stopped")
            }
        }
        #expect(failure?.code == .cancelled)
    }

    private static func floats(_ block: HostBlock) -> [Float] {
        block.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    }

    /// What is written while kernels are on the queue is for those behind it alone.
    @Test(arguments: TestDevices.quick, [1000, 1 << 20])
    func writesComeAfterWhatIsOnTheQueue(_ test: TestDevice, count: Int) throws {
        let device = try test.open()
        let program = try device.program(DeviceTests.source)
        let values = try device.makeBuffer(byteCount: count * 4)
        #expect(device.description.runsInPlace == (values.address != nil))
        if test.label == "PoCL" { #expect(device.description.runsInPlace) }
        var sums: [any ComputeBuffer] = []
        for run in 0..<20 {
            sums.append(try device.makeBuffer(byteCount: count * 4))
            try device.write([Float](repeating: Float(run), count: count), to: values)
            for _ in 0..<5 {
                try device.launch(
                    "add", of: program, global: [count], local: nil,
                    arguments: [
                        .buffer(values), .buffer(values), .buffer(sums[run]), .uint(UInt32(count)),
                    ])
            }
        }
        for (run, sum) in sums.enumerated() {
            let found = try device.read(Float.self, count: count, from: sum)
            #expect(found.allSatisfy { $0 == Float(run * 2) }, "run \(run)")
        }
    }

    @Test(arguments: TestDevices.all)
    func anErrorInsideWaitsForTheQueueAndGoesOn(_ test: TestDevice) throws {
        let device = try test.open()
        let program = try device.program(DeviceTests.source)
        let sum = try device.makeBuffer(byteCount: 4000)
        let values = (0..<1000).map { Float($0) }
        let failure = #expect(throws: Failure.self) {
            try device.withBuffer(reading: values) { (buffer) throws(Failure) in
                try device.launch(
                    "add", of: program, global: [1000], local: nil,
                    arguments: [.buffer(buffer), .buffer(buffer), .buffer(sum), .uint(1000)])
                throw Failure(.cancelled, "stopped")
            }
        }
        #expect(failure?.code == .cancelled)
        #expect(try device.read(Float.self, count: 1000, from: sum) == values.map { $0 * 2 })
    }
}
