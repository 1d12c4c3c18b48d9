import Compute
import Core
import Inference
import RigorTestKit
import Synchronization
import Testing

/// What a session does once it has run a few times.
@Suite struct SteadyTests {
    /// What reads the caller's inputs is put together with the rest, wherever they lie.
    @Test func inputsLieElsewhereInEveryRun() throws {
        guard let test = TestDevices.any, case let device = try test.open(),
            device.description.runsTapes
        else { return TestDevices.skip("no device that runs tapes") }
        for name in ["squeeze-excite.onnx", "conv.onnx", "gemm.onnx", "layernorm.onnx"] {
            let item = try OperatorTests.Case(name)
            let plan = try Planner.plan(item.model, shapes: item.inputs.mapValues(\.shape))
            let values = plan.inputs.compactMap { item.inputs[$0.name] }
            var kernels: [Set<String>] = []
            for viewBytesMin in [1, Int.max] {
                let session = try Session(
                    plan, on: device, viewBytesMin: viewBytesMin,
                    tapes: .init(fromRun: 4, launchesMin: 1))
                for run in 1...12 {
                    let inputs = values.map { value in
                        Tensor(
                            (value.floats ?? []).map { $0 * Float(run) }, shape: value.shape)
                    }
                    let expected = ReferenceRun.run(plan, inputs).map(\.bytes)
                    let found = try session.run(inputs).map(\.bytes)
                    #expect(found == expected, "\(name), run \(run)")
                }
                kernels.append(session.tapedKernels)
            }
            #expect(!kernels[0].isEmpty && kernels[0] == kernels[1], "\(name): \(kernels)")
        }
    }

    /// Memory is planned and made once: no run asks for more.
    @Test(arguments: TestDevices.all.filter { !$0.isSlow })
    func asksForNoMemory(_ test: TestDevice) throws {
        for name in ["squeeze-excite.onnx", "conv.onnx", "gemm.onnx", "layernorm.onnx"] {
            let item = try OperatorTests.Case(name)
            let plan = try Planner.plan(item.model, shapes: item.inputs.mapValues(\.shape))
            let values = plan.inputs.compactMap { item.inputs[$0.name] }
            let device = CountingDevice(try test.open())
            let session = try Session(plan, on: device, tapes: .init(fromRun: 4, launchesMin: 1))
            for _ in 0..<6 { _ = try session.run(values) }
            let before = device.buffersMade
            #expect(before > 0, "\(name): what is counted is made")
            for _ in 0..<3 { _ = try session.run(values) }
            #expect(device.buffersMade == before, "\(name): buffers made by steady runs")
        }
    }
}

extension SteadyTests {
    /// There is a launch for each place on short axes, and not on long ones.
    @Test func longAxesAreNotLaunchedPlaceByPlace() throws {
        guard let test = TestDevices.any else { return }
        for (name, launchesMax) in [
            ("depth-to-space.onnx", 8), ("space-to-depth.onnx", 4), ("five-axes.onnx", 12),
        ] {
            let item = try OperatorTests.Case(name)
            let plan = try Planner.plan(item.model, shapes: item.inputs.mapValues(\.shape))
            let values = plan.inputs.compactMap { item.inputs[$0.name] }
            let device = CountingDevice(try test.open())
            let session = try Session(plan, on: device)
            let before = device.launchesMade
            _ = try session.run(values)
            let count = device.launchesMade - before
            #expect((1...launchesMax).contains(count), "\(name): \(count) launches")
        }
    }
}

/// Another device, whose buffers and launches are counted.
private final class CountingDevice: RelayDevice {
    let base: any ComputeDevice
    private let made = Mutex(0)
    private let launched = Mutex(0)

    init(_ base: any ComputeDevice) { self.base = base }

    var buffersMade: Int { made.withLock { $0 } }

    var launchesMade: Int { launched.withLock { $0 } }

    func launch(
        _ kernel: String, of program: any ComputeProgram, global: [Int], local: [Int]?,
        arguments: [KernelArgument]
    ) throws(Failure) {
        launched.withLock { $0 += 1 }
        try base.launch(kernel, of: program, global: global, local: local, arguments: arguments)
    }

    func makeBuffer(byteCount: Int) throws(Failure) -> any ComputeBuffer {
        made.withLock { $0 += 1 }
        return try base.makeBuffer(byteCount: byteCount)
    }
}
