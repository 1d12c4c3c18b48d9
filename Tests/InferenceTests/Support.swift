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
}

/// Every form of a plan's session on a device gives the reference's bits.
func expectReferenceBits(
    _ plan: Plan, _ inputs: [Tensor], on device: any ComputeDevice,
    _ what: @autoclosure () -> String
) throws {
    let expected = ReferenceRun.run(plan, inputs).map(\.bytes)
    for isNarrow in device.forms {
        let found = try Session(plan, on: device, isNarrow: isNarrow).run(inputs)
        #expect(found.map(\.bytes) == expected, "narrow \(isNarrow), \(what())")
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
