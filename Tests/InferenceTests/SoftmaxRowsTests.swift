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
                let plan = Plan(
                    Step(.softmax, operands: [0], result: 1, ints: [isLogarithm, rows, count, 1]),
                    of: rows * count, to: rows * count)
                try expectReferenceBits(
                    plan, [Tensor(values, shape: [rows * count])], on: device.kinds,
                    "seed \(seed), \(rows) x \(count), logarithm \(isLogarithm)")
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
}
