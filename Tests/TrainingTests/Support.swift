import Compute
import Core
import Files
import Foundation
import Inference
import RigorTestKit
import Training

extension SplitMix64 {
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
