import Compute
import Core
import Inference
import RigorTestKit
import Testing

/// Rows of a softmax, which processors go through several at a time, in short where all is near the
/// greatest.
@Suite struct SoftmaxRowsTests {
    @Test(arguments: TestDevices.quick)
    func haveTheBitsOfTheReference(_ test: TestDevice) throws {
        let device = try test.open()
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SplitMix64(seed: seed)
        for (rows, count) in [(300, 16), (257, 37), (128, 128), (131, 1), (40, 1000), (3, 5000)] {
            let values = (0..<rows).flatMap { Self.row($0, count, &generator) }
            for isLogarithm in [0, 1] {
                let plan = Self.plan(rows, count, isLogarithm)
                let input = Tensor(values, shape: [rows * count])
                let expected = ReferenceRun.run(plan, [input]).map(\.bytes)
                for isNarrow in device.forms {
                    let session = try Session(plan, on: device, isNarrow: isNarrow)
                    #expect(
                        try session.run([input]).map(\.bytes) == expected,
                        "seed \(seed), \(rows) x \(count), logarithm \(isLogarithm)")
                }
            }
        }
    }

    /// Most rows are of numbers near one another; others are wide, or hold what is no number.
    private static func row(
        _ number: Int, _ count: Int, _ generator: inout SplitMix64
    ) -> [Float] {
        let reach: Float = number % 3 == 0 ? 200 : number % 3 == 1 ? 40 : 3
        var row = (0..<count).map { _ in Float.random(in: -reach...reach, using: &generator) }
        let specials: [Float] = [.nan, .infinity, -.infinity, -0.0, 0, 3e38, -3e38, 81, -81]
        let place = Int.random(in: 0..<count, using: &generator)
        if number % 5 == 0 { row[place] = specials[number / 5 % specials.count] }
        if number % 41 == 0 { row = row.map { _ in specials[number / 41 % specials.count] } }
        return row
    }

    private static func plan(_ rows: Int, _ count: Int, _ isLogarithm: Int) -> Plan {
        func port(_ buffer: Int) -> Plan.Port {
            .init(name: "\(buffer)", type: .float32, shape: [rows * count], buffer: buffer)
        }
        return Plan(
            buffers: [rows * count * 4, rows * count * 4], constants: [:], inputs: [port(0)],
            outputs: [port(1)],
            steps: [
                Step(.softmax, operands: [0], result: 1, ints: [isLogarithm, rows, count, 1])
            ])
    }
}
