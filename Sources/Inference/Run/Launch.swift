internal import Compute
internal import Core

/// How kernels are launched.
enum Launch {
    /// Work-items along the innermost axis come in multiples of this; kernels check their bounds.
    /// Every size of a group that a profile may ask for divides it.
    static let itemsMultiple = 32

    /// Processors get one size for all shapes, since some implementations compile a kernel anew
    /// for each; other devices choose for themselves.
    static func local(_ device: any ComputeDevice, axes: Int = 3) -> [Int]? {
        guard device.description.kind == .cpu else { return nil }
        return [device.tuning[.inferGroupItems]] + Array(repeating: 1, count: axes - 1)
    }
}

extension Int {
    /// The least multiple of `step` that is not less.
    func roundedUp(to step: Int) -> Int { (self + step - 1) / step * step }

    /// Rounded up to whole groups of a launch.
    var inGroups: Int { roundedUp(to: Launch.itemsMultiple) }
}
