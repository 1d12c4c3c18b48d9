import Compute
import Core
import Profiling
import RigorTestKit
import Synchronization
import Testing

@Suite struct MetricTests {
    @Test func robustFigures() {
        let metric = Metric(name: "x", unit: "GB/s", samples: [10, 12, 11, 90, 11])
        #expect(metric.median == 11)
        #expect(metric.medianDeviation == 1)
        #expect(metric.min == 10)
        #expect(metric.max == 90)
        #expect(metric.status == .ok)
        #expect(Metric(name: "x", unit: "u", samples: [1, 2]).median == 1.5)
    }

    @Test(arguments: [[], [1, 0], [.infinity], [-1], [Double.nan]])
    func whatIsNoRate(_ samples: [Double]) {
        let metric = Metric(name: "x", unit: "u", samples: samples)
        #expect(metric.status == .implausible)
        #expect(metric.reason != nil)
    }

    @Test func jsonHasTheProfileFields() {
        let text = Metric(name: "x", unit: "u", samples: [0.25]).json.text
        let keys = [
            "name", "value", "unit", "n", "median", "mad", "min", "max", "status", "reason",
            "method_version",
        ]
        for key in keys { #expect(text.contains("\"\(key)\":"), "\(key)") }
        #expect(text.contains("\"value\": 0.25"))
    }
}

@Suite struct StopwatchTests {
    /// Time passes only through work.
    private final class WorkClock: Clock {
        let time = Mutex(0.0)
        var nowSeconds: Int { 0 }
        var monotonicSeconds: Double { time.withLock { $0 } }
        func pass(_ seconds: Double) { time.withLock { $0 += seconds } }
    }

    @Test func sizesFollowTheDevice() throws {
        let clock = WorkClock()
        let stopwatch = Stopwatch(
            on: try #require(TestDevices.any).open(), clock: clock, runSecondsMin: 0.1,
            budgetSeconds: 0.95, runsMax: 5)
        var amounts: [Int] = []
        let rates = try stopwatch.rates(amounts: [1, 10, 100, 1000]) { amount throws(Failure) in
            amounts.append(amount)
            clock.pass(Double(amount) * 0.002)
        }
        // 100 takes 0.2 s: a warm-up, then as many as the second allows.
        #expect(amounts.filter { $0 == 1 }.count == 3)
        #expect(amounts.filter { $0 == 100 }.count == 5)
        #expect(!amounts.contains(1000))
        #expect(rates.count == 4)
        #expect(rates.allSatisfy { ($0 - 500).magnitude < 1e-6 })
    }

    /// One run that something else disturbed does not stop the search for a size.
    @Test func disturbancesAreSeenThrough() throws {
        let clock = WorkClock()
        let stopwatch = Stopwatch(
            on: try #require(TestDevices.any).open(), clock: clock, runSecondsMin: 0.1,
            budgetSeconds: 0.95, runsMax: 5)
        var runs = 0
        let rates = try stopwatch.rates(amounts: [1, 100]) { amount throws(Failure) in
            runs += 1
            clock.pass(runs == 2 ? 0.3 : Double(amount) * 0.002)
        }
        #expect(rates.allSatisfy { ($0 - 500).magnitude < 1e-6 })
        #expect(rates.count == 4)
    }

    @Test func verySlowWorkRunsOnce() throws {
        let clock = WorkClock()
        let stopwatch = Stopwatch(
            on: try #require(TestDevices.any).open(), clock: clock, budgetSeconds: 1)
        var runs = 0
        let rates = try stopwatch.rates(amounts: [1, 2]) { _ throws(Failure) in
            runs += 1
            clock.pass(30)
        }
        #expect(runs == 1)
        #expect(rates == [1 / 30.0])
    }
}

@Suite struct BenchSuiteTests {
    private func bench(_ device: any ComputeDevice) -> [Metric] {
        BenchSuite.quick.run(
            on: Stopwatch(
                on: device, clock: MonotonicClock(), runSecondsMin: 0, budgetSeconds: 0.02,
                runsMax: 2))
    }

    /// Of the fixed workloads; a change here is a change of bits.
    private static let golden = [
        "transfer_to_device":
            "0x5d6d77dafffbdf42143a9b4248e71405dec06018f62db2122eb24de784b2b289",
        "transfer_to_host":
            "0x5d6d77dafffbdf42143a9b4248e71405dec06018f62db2122eb24de784b2b289",
        "memory_copy":
            "0xfcb263581fd3a69af461d89a7881068ff645f8ecc403007bb95e79e83691f08b",
        "memory_triad":
            "0x8839b0e24c720cff72ae44867798479a6f77cc98f4bb8d0a0bff21965d96f03f",
        "fma_peak":
            "0x267fb1a9ac8dd343ef05e76bd21946722326586634130da3720f7b1754d3574e",
        "exact_div":
            "0x93a15ecbbf60e5a41e23436f94d7c5a4651f35396553f7c404776d866402a1ac",
        "exact_sqrt":
            "0x9d4a83bd5ed495522f18789b23d538f62fc2e7f447568371deeed2d82c09d3e0",
        "exact_exp":
            "0x91af3db3bf6ed70fe53e5717cee4a6975ec1cfd43cf19aa73c88446b78ee7efe",
        "exact_log":
            "0x9fe1e5cca2664310eca047a21c8d36adfaf0ffbc066a2aee82084db42ae71fad",
        "exact_sin":
            "0x69e9c775fc7390790eabe89d4d506d44c1d7d7a5e73c4e8a09577b07562644ca",
        "exact_pow":
            "0x09056446cd2549a303537d690fa85c68bb7e135b2a0d9df5700a493629e8f8f9",
        "gemm_square":
            "0x4d2069ba38bf1b364e911d10716f1e3ef1cb4fad2e6b7ce40c9b9b84972925db",
    ]

    /// Every implementation at hand measures everything, and computes the same.
    @Test func resultsAreEqualOnAllDevices() throws {
        var hashes: [String: [Hash256: [String]]] = [:]
        for test in TestDevices.all {
            for metric in bench(try test.open()) {
                let note = "\(test.label) \(metric.name): \(metric.reason ?? "")"
                if metric.status == .unsupported {
                    TestDevices.skip(note)
                    continue
                }
                #expect(metric.status == .ok, "\(note)")
                if let hash = metric.resultHash {
                    hashes[metric.name, default: [:]][hash, default: []].append(test.label)
                }
            }
        }
        #expect(hashes.count >= 9)
        for (name, golden) in Self.golden {
            #expect(hashes[name]?.keys.map(\.description) == [golden], "\(name)")
        }
        for (name, found) in hashes { #expect(found.count == 1, "\(name): \(found)") }
    }

    @Test func differingBitsAreNamed() throws {
        func metric(_ name: String, _ byte: UInt8?) throws -> Metric {
            let hash = try byte.map { try #require(Hash256(Bytes(repeating: $0, count: 32))) }
            return Metric(name: name, unit: "u", samples: [1], resultHash: hash)
        }
        let first = [try metric("a", 1), try metric("b", 2), try metric("c", nil)]
        let second = [try metric("a", 1), try metric("b", 3), try metric("c", nil)]
        #expect(BenchComparison.differing([first, second]) == ["b"])
        #expect(BenchComparison.differing([first, first]).isEmpty)
        #expect(BenchComparison.differing([]).isEmpty)
    }

    @Test func aBrokenDeviceHasReasonsAndAStuckOneSkipsTheRest() {
        let broken = bench(FakeComputeDevice(kernels: [:], faults: [.build]))
        #expect(broken.count == BenchSuite.quick.items.count)
        #expect(broken.contains { $0.status == .error && $0.reason != nil })
        let stuck = FakeComputeDevice(
            kernels: ["bench_empty": { _ throws(Failure) in }], faults: [.hang(launch: 1)])
        let metrics = bench(stuck)
        #expect(metrics.first?.status == .error)
        #expect(metrics.dropFirst().allSatisfy { $0.status == .skipped })
    }
}
