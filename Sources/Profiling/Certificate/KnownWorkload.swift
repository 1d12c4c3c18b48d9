package import Compute
package import Core

/// A small piece of an app's work whose result is known: the app's own kernels, as it runs them. A
/// driver can be right on every single operation and wrong on a large kernel; this is where that
/// shows. A device that gets one wrong is wrong somewhere: its verdict is ``Verdict/no``.
///
/// The results were recorded when implementations that share no code agreed on them. A new version
/// of an app that moves a bit records them anew.
package struct KnownWorkload: Sendable {
    package let name: String
    /// SHA-256 of the result.
    package let expected: String
    package let run: @Sendable (any ComputeDevice) throws(Failure) -> Hash256

    package init(
        _ name: String, _ expected: String,
        run: @escaping @Sendable (any ComputeDevice) throws(Failure) -> Hash256
    ) {
        self.name = name
        self.expected = expected
        self.run = run
    }

    package static let all: [KnownWorkload] = [
        KnownWorkload(
            "exact functions",
            "0xd0a9d0191e52734a7c85ed110b507de5b5310175333c8d046163239301d1a42e"
        ) { device throws(Failure) in
            try BenchSuite.functionsHash(on: device)
        },
        KnownWorkload(
            "matrix product",
            "0x4d2069ba38bf1b364e911d10716f1e3ef1cb4fad2e6b7ce40c9b9b84972925db"
        ) { device throws(Failure) in
            try BenchSuite.gemmHash(on: device)
        },
        KnownWorkload(
            "small network",
            "0xc506d97d78572cb8a20697d28bbfff9ee9156faa6c4f07b439792ebba087ab92"
        ) { device throws(Failure) in
            try networkHash(on: device)
        },
        KnownWorkload(
            "path tracing",
            "0xb5084bc87bbf1db00ca0670c21dea15af7431ffd76e366d5efee18742c2efd0c"
        ) { device throws(Failure) in
            try BenchSuite.pathHash(on: device, clock: StoppedClock())
        },
    ]

    /// The device's result, without its words, and what is wrong with it.
    ///
    /// - Throws: ``Failure`` `timeout` when the device was lost; a device that cannot run the
    ///   workload has failed it.
    func answer(of device: any ComputeDevice) throws(Failure) -> Question.Answer {
        do throws(Failure) {
            let found = try run(device).description
            return Question.Answer(
                reason: found == expected ? nil : "result \(found), expected \(expected)")
        } catch {
            if error.code == .timeout { throw error }
            return Question.Answer(unanswered: error.firstLine)
        }
    }
}

/// For work that nobody times.
private struct StoppedClock: Clock {
    var nowSeconds: Int { 0 }
    var monotonicSeconds: Double { 0 }
}
