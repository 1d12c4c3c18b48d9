import Compute
import Core
import Inference
import RigorTestKit
import Testing

extension SplitMix64 {
    /// Multiples of 2⁻²⁰ in -1..<1, and now and then a zero of either sign.
    mutating func floats(_ count: Int) -> [Float] {
        (0..<count).map { _ -> Float in
            switch Int.random(in: 0..<64, using: &self) {
            case 0: 0.0
            case 1: -0.0
            default: Float(Int32.random(in: -(1 << 20)..<(1 << 20), using: &self)) * 0x1p-20
            }
        }
    }
}

extension [Float] {
    var bits: [UInt32] { map(\.bitPattern) }
}

/// The rule for sums of products, word by word.
func sumOfProducts(_ count: Int, _ a: (Int) -> Float, _ b: (Int) -> Float) -> Float {
    var total: Float = 0
    for block in Swift.stride(from: 0, to: count, by: 256) {
        var sum: Float = 0
        for k in block..<min(count, block + 256) { sum = sum.addingProduct(a(k), b(k)) }
        total = block == 0 ? sum : total + sum
    }
    return total
}

/// The rule for other sums: sixteen lanes, then a tree.
func laneSum(_ values: [Float]) -> Float {
    var lanes = [Float](repeating: 0, count: 16)
    for (index, value) in values.enumerated() {
        lanes[index % 16] = index < 16 ? value : lanes[index % 16] + value
    }
    for width in [8, 4, 2, 1] {
        for lane in 0..<width { lanes[lane] += lanes[lane + width] }
    }
    return lanes[0]
}

extension ComputeDevice {
    /// In which ways a session may have its kernels there: whether in narrow vectors.
    var forms: [Bool] { description.prefersWideVectors ? [false, true] : [true] }

    /// The device, and the same one as if it were a graphics card where that compiles quickly.
    var kinds: [any ComputeDevice] { description.runsTapes ? [self, AsCard(self)] : [self] }
}

/// A processor that says it is a graphics card, with as many units as keep it from splitting
/// everything: sessions launch there what they launch on cards.
final class AsCard: RelayDevice {
    let base: any ComputeDevice
    let description: DeviceDescription

    init(_ base: any ComputeDevice) {
        self.base = base
        var description = base.description
        description.kind = .gpu
        description.computeUnits = 4
        description.prefersWideVectors = false
        description.takesVNNI = false
        description.takesAMX = false
        description.runsTapes = false
        description.compilesAtLaunch = false
        description.runsInPlace = false
        self.description = description
    }

    // Some implementations compile a kernel anew for each size of a group that they choose.
    private static func local(_ global: [Int]) -> [Int] {
        [global[0] % 32 == 0 ? 32 : 1] + Array(repeating: 1, count: global.count - 1)
    }

    func launch(
        _ kernel: String, of program: any ComputeProgram, global: [Int], local: [Int]?,
        arguments: [KernelArgument]
    ) throws(Failure) {
        try base.launch(
            kernel, of: program, global: global, local: local ?? Self.local(global),
            arguments: arguments)
    }

    func prepare(
        _ kernel: String, of program: any ComputeProgram, global: [Int], local: [Int]?,
        arguments: [KernelArgument]
    ) throws(Failure) -> any PreparedLaunch {
        try base.prepare(
            kernel, of: program, global: global, local: local ?? Self.local(global),
            arguments: arguments)
    }
}

/// Every form of a plan's session on some devices gives the reference's bits.
func expectReferenceBits(
    _ plan: Plan, _ inputs: [Tensor], on devices: [any ComputeDevice],
    _ what: @autoclosure () -> String
) throws {
    let expected = ReferenceRun.run(plan, inputs).map(\.bytes)
    for device in devices {
        for isNarrow in device.forms {
            let found = try Session(plan, on: device, isNarrow: isNarrow).run(inputs)
            #expect(
                found.map(\.bytes) == expected,
                "\(device.description.kind), narrow \(isNarrow), \(what())")
        }
    }
}

extension Plan {
    /// One step from one list of floats to another.
    init(_ step: Step, of count: Int, to results: Int) {
        func port(_ count: Int, _ buffer: Int) -> Port {
            .init(name: "\(buffer)", type: .float32, shape: [count], buffer: buffer)
        }
        self.init(
            buffers: [count * 4, results * 4], constants: [:], inputs: [port(count, 0)],
            outputs: [port(results, 1)], steps: [step])
    }
}
