public import Core

/// What `rigor bench` measures on a device: each figure beside a hash of a small fixed workload
/// that went through the same kernels, so that a fast wrong device shows.
public struct BenchSuite: Sendable {
    /// One figure's name and how it is had.
    public struct Item: Sendable {
        public let name: String
        public let unit: String
        let run: @Sendable (Stopwatch) throws(Failure) -> Measured

        public init(
            _ name: String, unit: String,
            run: @escaping @Sendable (Stopwatch) throws(Failure) -> Measured
        ) {
            self.name = name
            self.unit = unit
            self.run = run
        }
    }

    /// Rates in the item's unit, and the small workload's hash.
    public struct Measured: Sendable {
        public var samples: [Double]
        public var hash: Hash256?

        public init(samples: [Double], hash: Hash256? = nil) {
            self.samples = samples
            self.hash = hash
        }
    }

    public let items: [Item]

    public init(_ items: [Item]) { self.items = items }

    /// A few seconds a device.
    public static let quick = BenchSuite(
        machineItems + functionItems + [gemm] + renderItems)

    /// Measures everything on one device. A figure that fails says so and stops no other, unless
    /// the device is lost: then the rest are skipped.
    public func run(
        on stopwatch: Stopwatch, progress: (String) -> Void = { _ in }
    ) -> [Metric] {
        var lost: Failure?
        return items.map { item in
            if let lost {
                return Metric(
                    name: item.name, unit: item.unit, status: .skipped, reason: lost.message)
            }
            progress(item.name)
            do throws(Failure) {
                let measured = try item.run(stopwatch)
                return Metric(
                    name: item.name, unit: item.unit, samples: measured.samples,
                    resultHash: measured.hash)
            } catch {
                if error.code == .timeout { lost = error }
                return Metric(
                    name: item.name, unit: item.unit,
                    status: error.code == .unsupported ? .unsupported : .error,
                    reason: error.message)
            }
        }
    }
}
