internal import Compute
internal import Core
internal import Digest

// How much the exact functions cost: calls per second of those that the apps call most.

extension BenchSuite {
    /// In the order of `BENCH_FUNCTION`.
    private static let functions: [(name: String, files: [String])] = [
        ("div", ["divide"]), ("sqrt", ["divide", "root"]), ("exp", ["divide", "exponential"]),
        ("log", ["divide", "logarithm"]), ("sin", ["divide", "trigonometric"]),
        ("pow", ["divide", "exponential", "logarithm", "power"]),
    ]

    static let functionItems: [Item] = functions.indices.map { index in
        Item("exact_\(functions[index].name)", unit: "Gcall/s") { stopwatch throws(Failure) in
            try function(stopwatch, index)
        }
    }

    private static func functionProgram(
        _ index: Int, on device: any ComputeDevice
    ) throws(Failure) -> any ComputeProgram {
        let function = functions[index]
        return try device.program(
            ProgramSource(
                "bench/\(function.name)",
                files: function.files.map { "exact/\($0).cl" } + ["bench/function.cl"],
                defines: ["BENCH_FUNCTION": "\(index)"]))
    }

    /// Results of the `index`th function over the fixed arguments.
    private static func functionHash(
        _ index: Int, on device: any ComputeDevice
    ) throws(Failure) -> Hash256 {
        let out = try device.makeBuffer(byteCount: 1024 * 4)
        try device.launch(
            "bench_function", of: functionProgram(index, on: device), global: [1024], local: nil,
            arguments: [.buffer(out), .uint(1024), .uint(16)])
        return SHA256.hash(try device.read(UInt8.self, count: 1024 * 4, from: out))
    }

    /// Over the hashes of all functions.
    static func functionsHash(on device: any ComputeDevice) throws(Failure) -> Hash256 {
        var bytes = Bytes()
        for index in functions.indices { bytes += try functionHash(index, on: device).bytes }
        return SHA256.hash(bytes)
    }

    private static func function(
        _ stopwatch: Stopwatch, _ index: Int
    ) throws(Failure) -> Measured {
        let device = stopwatch.device
        let program = try functionProgram(index, on: device)
        let count = stopwatch.items(each: 1 << 10, least: 1 << 12)
        let out = try device.makeBuffer(byteCount: count * 4)
        let hash = try functionHash(index, on: device)
        let amounts = Stopwatch.doublings(from: 8, to: 1 << 18)
        let rates = try stopwatch.rates(amounts: amounts) { rounds throws(Failure) in
            try device.launch(
                "bench_function", of: program, global: [count], local: stopwatch.local(),
                arguments: [.buffer(out), .uint(UInt32(count)), .uint(UInt32(rounds))])
        }
        return Measured(samples: rates.map { $0 * Double(count) / 1e9 }, hash: hash)
    }
}
