/// Values that decide how fast a device works and cannot move a bit of what it computes.
///
/// They come from profiles (`Profiles/` and the user's), are complete, and within limits.
public struct Tuning: Hashable, Sendable {
    /// What can be tuned, under the name it has in a profile.
    public enum Name: String, Hashable, Sendable, CaseIterable {
        /// 1 where vectors wider than float4 pay, and finish compiling.
        case wideVectors = "wide_vectors"
        /// Accumulator rows of a work-item in a matrix product.
        case gemmRows = "gemm.rows"
        /// Accumulator columns of a work-item, in whole vectors of 16.
        case gemmColumns = "gemm.columns"
        /// Bytes of planes with their padding that a convolution lays out at a time.
        case inferPanelBytes = "infer.panel_bytes"
        /// Work-items a group of inference's kernels on a processor: one size for all shapes, since
        /// some implementations compile a kernel anew for each.
        case inferGroupItems = "infer.group_items"
        /// Paths traced at once at most, where the device's memory holds as many.
        case renderPathsMax = "render.paths_max"
        /// 1 where camera rays go faster in packets of sixteen than one by one.
        case renderPackets = "render.packets"

        /// Least and greatest value, of which others are whole steps away from the least.
        public var limits: (least: Int, greatest: Int, step: Int) {
            switch self {
            case .wideVectors, .renderPackets: (0, 1, 1)
            case .gemmRows: (1, 16, 1)
            case .gemmColumns: (16, 64, 16)
            case .inferPanelBytes: (1 << 12, 1 << 30, 1 << 12)
            case .inferGroupItems: (8, 32, 8)
            case .renderPathsMax: (1 << 10, 1 << 24, 1 << 10)
            }
        }

        /// Whether kernels can work with `value`.
        public func allows(_ value: Int) -> Bool {
            let (least, greatest, step) = limits
            let isFit = self != .inferGroupItems || 32 % max(value, 1) == 0
            return (least...greatest).contains(value) && (value - least) % step == 0 && isFit
        }

        /// What ``allows(_:)`` allows, for messages.
        var expectation: String {
            let (least, greatest, step) = limits
            if self == .inferGroupItems { return "8, 16 or 32" }
            return "\(least) to \(greatest)" + (step > 1 ? " in steps of \(step)" : "")
        }
    }

    private var values: [Name: Int]

    /// - Precondition: a value for every name, which it allows.
    public init(_ values: [Name: Int]) {
        precondition(
            Name.allCases.allSatisfy { values[$0].map($0.allows) ?? false },
            "every name has a value that it allows")
        self.values = values
    }

    /// - Precondition: a value set is one that the name allows.
    public subscript(name: Name) -> Int {
        get { values[name] ?? name.limits.least }
        set {
            precondition(name.allows(newValue), "\(name.rawValue): \(name.expectation)")
            values[name] = newValue
        }
    }
}
