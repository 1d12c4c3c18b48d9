import Compute
import Core
import Files
import Foundation
import Inference
import RigorTestKit
import Training

/// splitmix64: the same numbers from the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// Multiples of 2⁻¹⁰ in −1..<1.
    mutating func floats(_ count: Int) -> [Float] {
        (0..<count).map { _ in Float(Int32.random(in: -1024..<1024, using: &self)) * 0x1p-10 }
    }
}

/// The shipped digits.
enum Digits {
    static func task(
        _ preset: Preset, _ change: (inout TrainingOptions) -> Void
    ) throws(Failure) -> TrainingTask {
        var options = TrainingOptions()
        options.scale = "0.0625"
        change(&options)
        return try TrainApp.task(
            .preset(preset), data: try ShippedExamples.bytes("digits/digits.npz"),
            named: "digits.npz", options
        ).task
    }
}
