internal import Compute
internal import Core
internal import Digest

// What the device can do before any app asks: launches, transfers, memory, arithmetic.

extension BenchSuite {
    static let machineItems: [Item] = [
        Item("launch_round_trip", unit: "us", run: launchRoundTrip),
        Item("launch_queued", unit: "us", run: launchQueued),
        Item("transfer_to_device", unit: "GB/s") { stopwatch throws(Failure) in
            try transfer(stopwatch, toDevice: true)
        },
        Item("transfer_to_host", unit: "GB/s") { stopwatch throws(Failure) in
            try transfer(stopwatch, toDevice: false)
        },
        Item("memory_copy", unit: "GB/s") { stopwatch throws(Failure) in
            try memory(stopwatch, kernel: "bench_copy", streams: 2)
        },
        Item("memory_triad", unit: "GB/s") { stopwatch throws(Failure) in
            try memory(stopwatch, kernel: "bench_triad", streams: 3)
        },
        Item("fma_peak", unit: "GFLOP/s", run: peak),
    ]

    static let memoryProgram = ProgramSource("bench/memory", files: ["bench/memory.cl"])

    // MARK: - Launches

    private static func launchRoundTrip(_ stopwatch: Stopwatch) throws(Failure) -> Measured {
        let device = stopwatch.device
        let program = try device.program(memoryProgram)
        let counter = try device.makeBuffer([UInt32(0)])
        var samples: [Double] = []
        for run in 0..<12 {
            let seconds = try stopwatch.seconds { () throws(Failure) in
                try device.launch(
                    "bench_empty", of: program, global: [Stopwatch.group],
                    local: stopwatch.local(), arguments: [.buffer(counter)])
            }
            if run > 1 { samples.append(seconds * 1e6) }
        }
        let count = try device.read(UInt32.self, count: 1, from: counter)
        guard count == [12] else {
            throw Failure(.device, "12 launches counted as \(count), expected 12")
        }
        return Measured(samples: samples)
    }

    /// Microseconds a launch when many wait in the queue.
    private static func launchQueued(_ stopwatch: Stopwatch) throws(Failure) -> Measured {
        let device = stopwatch.device
        let program = try device.program(memoryProgram)
        let counter = try device.makeBuffer([UInt32(0)])
        let rates = try stopwatch.rates(amounts: [16, 128, 1024]) { count throws(Failure) in
            for _ in 0..<count {
                try device.launch(
                    "bench_empty", of: program, global: [Stopwatch.group],
                    local: stopwatch.local(), arguments: [.buffer(counter)])
            }
        }
        return Measured(samples: rates.map { 1e6 / $0 })
    }

    // MARK: - Memory

    /// Sizes in bytes that fit the device several times over.
    private static func byteCounts(_ stopwatch: Stopwatch) -> [Int] {
        let device = stopwatch.device.description
        let limit = min(device.allocationBytesMax, device.memoryBytes / 8)
        let sizes = Stopwatch.doublings(from: fixedBytes, to: 1 << 28)
        return stopwatch.fit(sizes.filter { $0 <= max(limit, fixedBytes) })
    }

    /// What is hashed of moved memory, and the smallest size that is timed.
    private static let fixedBytes = 1 << 14

    private static func transfer(
        _ stopwatch: Stopwatch, toDevice: Bool
    ) throws(Failure) -> Measured {
        let device = stopwatch.device
        // A size is moved whole each time; one buffer serves all sizes.
        let sizes = byteCounts(stopwatch).filter { $0 <= 1 << 26 }
        let largest = sizes.last ?? fixedBytes
        let buffer = try device.makeBuffer(byteCount: largest)
        // Memory of the host's own that is there already: no page of it is new while it is timed.
        let host = UnsafeMutableRawBufferPointer.allocate(byteCount: largest, alignment: 4096)
        defer { host.deallocate() }
        host.copyBytes(from: pattern(largest))
        let rates = try stopwatch.rates(amounts: sizes) { size throws(Failure) in
            let part = UnsafeMutableRawBufferPointer(rebasing: host[..<size])
            if toDevice {
                try device.write(UnsafeRawBufferPointer(part), to: buffer, at: 0)
            } else {
                try device.read(from: buffer, at: 0, into: part)
            }
        }
        let small = pattern(4096)
        try device.write(small, to: buffer)
        let back = try device.read(UInt8.self, count: small.count, from: buffer)
        return Measured(samples: rates.map { $0 / 1e9 }, hash: SHA256.hash(back))
    }

    private static func pattern(_ count: Int) -> Bytes {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ $0 >> 8) }
    }

    private static func memory(
        _ stopwatch: Stopwatch, kernel: String, streams: Int
    ) throws(Failure) -> Measured {
        let device = stopwatch.device
        let program = try device.program(memoryProgram)
        let sizes = byteCounts(stopwatch)
        let largest = sizes.last ?? fixedBytes
        let buffers = [
            try device.makeBuffer(byteCount: largest), try device.makeBuffer(byteCount: largest),
            try device.makeBuffer(byteCount: largest),
        ]
        func launch(
            _ kernel: String, _ arguments: [KernelArgument], _ byteCount: Int
        ) throws(Failure) {
            let count = byteCount / 16
            try device.launch(
                kernel, of: program, global: [count], local: stopwatch.local(),
                arguments: arguments + [.uint(UInt32(count))])
        }
        // Sources hold numbers; pages that were never written may not be there at all.
        for buffer in buffers { try launch("bench_fill", [.buffer(buffer)], largest) }
        var arguments = buffers.suffix(streams).map(KernelArgument.buffer)
        if streams == 3 { arguments.append(.float(0x1p-1)) }
        let rates = try stopwatch.rates(amounts: sizes) { size throws(Failure) in
            try launch(kernel, arguments, size)
        }
        let fixed = try device.read(UInt8.self, count: fixedBytes, from: buffers[2])
        return Measured(
            samples: rates.map { $0 * Double(streams) / 1e9 }, hash: SHA256.hash(fixed))
    }

    // MARK: - Arithmetic

    private static func peak(_ stopwatch: Stopwatch) throws(Failure) -> Measured {
        let device = stopwatch.device
        let isWide = device.description.prefersWideVectors
        let program = try device.program(
            ProgramSource(
                "bench/peak", files: ["bench/peak.cl"],
                defines: isWide ? [:] : ["RIGOR_NARROW": "1"]))
        let lanesEach = isWide ? 16 : 4
        let lanes = stopwatch.items(each: 1 << 12, least: 1 << 14)
        let out = try device.makeBuffer(byteCount: lanes * 8 * 4)
        func launch(lanes: Int, rounds: Int) throws(Failure) {
            let items = max(lanes / lanesEach, Stopwatch.group)
            try device.launch(
                "bench_peak", of: program, global: [items], local: stopwatch.local(),
                arguments: [.buffer(out), .uint(UInt32(lanes)), .uint(UInt32(rounds))])
        }
        try launch(lanes: 256, rounds: 100)
        let fixed = try device.read(UInt8.self, count: 256 * 8 * 4, from: out)
        let amounts = Stopwatch.doublings(from: 16, to: 1 << 18)
        let rates = try stopwatch.rates(amounts: amounts) { rounds throws(Failure) in
            try launch(lanes: lanes, rounds: rounds)
        }
        // Eight chains a lane, a multiplication and an addition each.
        let operations = Double(lanes) * 8 * 2
        return Measured(samples: rates.map { $0 * operations / 1e9 }, hash: SHA256.hash(fixed))
    }
}
