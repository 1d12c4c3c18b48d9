public import Core

/// One measured figure: the median of several runs, how much they differed, and why there is none
/// if there is none.
public struct Metric: Hashable, Sendable {
    public enum Status: String, Hashable, Sendable {
        case ok, unsupported, skipped, error, implausible
    }

    /// Snake case, with the shape in it where there is one: `gemm_512`.
    public var name: String
    /// `GFLOP/s`, `GB/s` (10^9 bytes), `us`, `Mrays/s`.
    public var unit: String
    public var samples: [Double]
    public var status: Status
    /// Why the status is not `ok`; nil when it is.
    public var reason: String?
    /// Figures of different versions are not compared.
    public var methodVersion: Int
    /// Hash of the fixed small workload's result; nil where there is nothing to hash.
    public var resultHash: Hash256?

    public init(
        name: String, unit: String, samples: [Double], methodVersion: Int = 1,
        resultHash: Hash256? = nil
    ) {
        self.name = name
        self.unit = unit
        self.samples = samples
        self.methodVersion = methodVersion
        self.resultHash = resultHash
        let isWhole = !samples.isEmpty && samples.allSatisfy { $0.isFinite && $0 > 0 }
        status = isWhole ? .ok : .implausible
        reason = isWhole ? nil : "a rate that is not positive and finite"
    }

    /// A figure that could not be had.
    public init(name: String, unit: String, status: Status, reason: String) {
        self.name = name
        self.unit = unit
        self.status = status
        self.reason = reason
        samples = []
        methodVersion = 1
    }

    public var median: Double? { Self.median(samples) }
    public var min: Double? { samples.min() }
    public var max: Double? { samples.max() }

    /// Median absolute deviation from the median: spread that one disturbed run does not move.
    public var medianDeviation: Double? {
        guard let median else { return nil }
        return Self.median(samples.map { ($0 - median).magnitude })
    }

    static func median(_ values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1
            ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    public var json: JSON {
        func number(_ value: Double?) -> JSON { .optional(value) { .number($0, decimals: 4) } }
        return [
            "name": .string(name), "value": number(median), "unit": .string(unit),
            "n": .int(samples.count), "median": number(median), "mad": number(medianDeviation),
            "min": number(min), "max": number(max), "status": .string(status.rawValue),
            "reason": .optional(reason, JSON.string), "method_version": .int(methodVersion),
            "result_hash": .optional(resultHash, JSON.hash),
        ]
    }
}
