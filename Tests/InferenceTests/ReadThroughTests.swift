import Core
import Inference
import RigorTestKit
import Testing

/// Products that read through copies have the bits of those that do not.
@Suite struct ReadThroughTests {
    /// Two operands, each copied into [matrices, lines, depth] from axes in some order.
    @Test func hasTheSameBits() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SplitMix64(seed: seed)
        var folded = 0
        for _ in 0..<300 {
            var twin = generator
            let plan = Self.plan(&generator)
            // A copy's axes merge where they are neighbours in both: products find them within one.
            var merged = Self.plan(&twin, merges: true)
            merged.readThroughCopies()
            let values = plan.inputs.map { port in
                Tensor(
                    (0..<port.shape[0]).map { _ in Float.random(in: -1...1, using: &generator) },
                    shape: port.shape)
            }
            var through = plan
            through.readThroughCopies()
            let product = through.steps.firstIndex { $0.kind == .gemm } ?? 0
            #expect(merged.steps[product].ints == through.steps[product].ints, "seed \(seed)")
            #expect(
                merged.steps[product].operands == through.steps[product].operands, "seed \(seed)")
            folded += through.steps[product].operands.prefix(2).filter { $0 < 2 }.count
            #expect(throws: Never.self, "seed \(seed)") { try through.check() }
            #expect(
                ReferenceRun.run(through, values).map(\.bytes)
                    == ReferenceRun.run(plan, values).map(\.bytes), "seed \(seed)")
        }
        // Rows merged of axes that were not neighbours cannot be read so.
        #expect((200..<600).contains(folded), "seed \(seed): \(folded) operands of 600")
    }

    private static func plan(_ generator: inout SplitMix64, merges: Bool = false) -> Plan {
        var shape = MatrixShape()
        func size() -> Int { Int.random(in: 1...5, using: &generator) }
        let (outer, heads, rows, columns, depth) = (size() % 2 + 1, size(), size(), size(), size())
        (shape.rows, shape.columns, shape.depth) = (rows, columns, depth)
        shape.matrices = outer * heads
        (shape.aLine, shape.aDepth, shape.aMatrix) = (depth, 1, rows * depth)
        (shape.bLine, shape.bDepth, shape.bMatrix) = (1, columns, columns * depth)
        let a = copy([outer, heads, rows, depth], from: 0, to: 2, merges, &generator)
        let b = copy([outer, heads, depth, columns], from: 1, to: 3, merges, &generator)
        let counts = [rows, columns].map { outer * heads * depth * $0 }
        let result = outer * heads * rows * columns
        func port(_ buffer: Int, _ count: Int) -> Plan.Port {
            .init(name: "\(buffer)", type: .float32, shape: [count], buffer: buffer)
        }
        return Plan(
            buffers: (counts + counts + [result]).map { $0 * 4 }, constants: [:],
            inputs: [port(0, counts[0]), port(1, counts[1])], outputs: [port(4, result)],
            steps: [
                a, b,
                Step(.gemm, operands: [2, 3], result: 4, ints: shape.ints, floats: [0, 0]),
            ])
    }

    /// `axes` of a tensor whose axes lie in another order, as neighbours.
    private static func copy(
        _ axes: [Int], from: Int, to: Int, _ merges: Bool, _ generator: inout SplitMix64
    ) -> Step {
        var axes = axes
        var strides = axes
        var next = 1
        for axis in axes.indices.shuffled(using: &generator) {
            strides[axis] = next
            next *= axes[axis]
        }
        for axis in axes.indices.dropFirst().reversed()
        where merges && strides[axis - 1] == strides[axis] * axes[axis] {
            let inner = axes.remove(at: axis)
            axes[axis - 1] *= inner
            strides[axis - 1] = strides.remove(at: axis)
        }
        return Step(
            .copy, operands: [from], result: to,
            ints: [Int(ElementType.float32.rawValue), 0] + axes + strides)
    }
}
