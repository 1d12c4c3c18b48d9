internal import Compute
internal import Core

/// Launches one after another that are put on the queue as one: see `Kernels/inference/tape.cl`.
/// Which kernel computes what, and in which order, stays as it is; only the time between launches
/// is saved.
package struct Tape {
    /// The groups of steps that are launched.
    let groups: Range<Int>
    /// Names of the kernels that are launched.
    let kernels: Set<String>
    private let launch: any PreparedLaunch
    /// The same as one that stays, where that pays.
    private var standing: (any StandingLaunch)?
    private let program: any ComputeBuffer
    /// Buffers whose addresses are in the program.
    private let held: [any ComputeBuffer]
    /// Addresses in the program that differ from run to run.
    private var views: [View]

    struct View {
        /// The place in the program.
        let word: Int
        /// A plan's buffer, which lies there now.
        let buffer: Int
        var address: UInt64
    }

    /// Kernels as `tape.cl` numbers them.
    package static let kernelNames = [
        "chain", "conv_depthwise_strips", "conv_direct", "conv_lanes", "conv_place", "copy_rows",
        "gemm", "gemm_pack", "gemm_rows", "planes_affine", "pool_average_strips",
        "pool_max_strips", "rows_lrn", "rows_mean", "rows_softmax", "rows_sum", "window_spread",
        "gemm_row", "normalize_rows", "dot_product", "dot_row", "conv_pool", "dot_tiles",
    ]
    private static let numbers = Dictionary(
        uniqueKeysWithValues: kernelNames.enumerated().map { ($1, $0) })

    /// Words of a record, and of those its arguments.
    private static let wordsEach = 48, argumentsMax = 38
    /// What a tape takes at most, as ``Step/cost`` counts: between tapes a run can be stopped.
    private static let costMax = 4e9

    /// How long work-groups stay for another run, in a processor's ticks: less than 0.1 ms.
    private static let patience: UInt64 = 250_000

    /// Whether the launch can be on a tape.
    ///
    /// - Parameter programs: those whose kernels tapes run; others may have one of that name.
    private static func takes(
        _ launch: RecordedLaunch, of programs: [any ComputeProgram]
    ) -> Bool {
        guard programs.contains(where: { $0 === launch.program }), numbers[launch.kernel] != nil,
            let local = launch.local, launch.arguments.count <= argumentsMax
        else { return false }
        return local.dropFirst().allSatisfy { $0 == 1 }
    }

    /// When launches are put together.
    package struct Rule {
        /// Launches are known from the third run on. Compiling what runs tapes takes seconds, where
        /// it is not cached: not for a few runs.
        var fromRun: Int
        var launchesMin: Int

        package init(fromRun: Int = 8, launchesMin: Int = 2) {
            (self.fromRun, self.launchesMin) = (fromRun, launchesMin)
        }
    }

    /// What of a plan can be on tapes, in order: ranges of groups.
    ///
    /// - Parameters:
    ///   - launches: those of each group, where they are known.
    ///   - programs: those whose kernels tapes run.
    static func extents(
        of groups: [StepGroup], _ launches: [[RecordedLaunch]?], _ programs: [any ComputeProgram],
        cost: Double, launchesMin: Int
    ) -> [Range<Int>] {
        var extents: [Range<Int>] = []
        var first = 0
        while first < groups.count {
            let begun = first == 0 ? 0 : groups[first - 1].done
            var end = first
            var count = 0
            while end < groups.count, let made = launches[end],
                made.allSatisfy({ takes($0, of: programs) }),
                end == first || (groups[end].done - begun) * cost <= costMax
            {
                count += made.count
                end += 1
            }
            if count >= launchesMin { extents.append(first..<end) }
            first = max(end, first + 1)
        }
        return extents
    }

    /// - Parameters:
    ///   - launches: those of the groups, in order.
    ///   - views: numbers of the plan's buffers that lie elsewhere in the next run.
    ///   - state: its counters, zero; tapes of one queue may share them.
    ///   - stands: whether nothing but this is launched, run after run.
    init(
        _ groups: Range<Int>, _ launches: [RecordedLaunch], views: [ObjectIdentifier: Int],
        by program: any ComputeProgram, state: any ComputeBuffer, stands: Bool,
        on device: LaunchRecorder
    ) throws(Failure) {
        var writer = TapeWriter(recordCount: launches.count, views: views)
        let workers = max(1, device.description.computeUnits)
        for launch in launches {
            try writer.write(
                launch, number: Self.numbers[launch.kernel] ?? 0, wordsEach: Self.wordsEach,
                workers: workers)
        }
        self.groups = groups
        kernels = Set(launches.map(\.kernel))
        held = Array(writer.held.values)
        self.views = writer.noted
        let words = try device.makeBuffer(writer.words)
        self.program = words
        let (records, tickets, localBytes) = (launches.count, writer.tickets, writer.localBytes)
        func prepare(
            _ state: any ComputeBuffer, patience: UInt64
        ) throws(Failure) -> any PreparedLaunch {
            try device.prepare(
                "tape", of: program, global: [workers], local: [1],
                arguments: [
                    .buffer(words), .int(Int32(records)), .int(Int32(tickets)),
                    .int(Int32(workers)), .buffer(state), .ulong(patience),
                    .local(byteCount: max(64, localBytes.roundedUp(to: 64))),
                ])
        }
        launch = try prepare(state, patience: 0)
        if stands {
            let own = try Self.makeState(on: device)
            standing = try device.stand(
                try prepare(own, patience: Self.patience), tickets: tickets, state: own)
        }
    }

    /// Puts it on the queue, or runs it where it stays.
    ///
    /// - Parameter buffers: a plan's, as they lie now.
    mutating func run(
        on device: LaunchRecorder, _ buffers: [(any ComputeBuffer)?]
    ) throws(Failure) {
        for place in views.indices {
            guard let address = buffers[views[place].buffer]?.address else { throw Step.broken }
            guard address != views[place].address else { continue }
            views[place].address = address
            try device.write([address], to: program, at: views[place].word * 8)
        }
        if let standing {
            if try standing.run() { return }
            self.standing = nil
        }
        try device.launch(launch)
    }

    /// Counters of tapes, zero: some for all, and one for each work-group.
    static func makeState(
        on device: any ComputeDevice
    ) throws(Failure) -> any ComputeBuffer {
        let workers = max(1, device.description.computeUnits)
        return try device.makeBuffer(byteCount: (4 + workers) * 64)
    }

    /// Runs a tape without records: some drivers compile a kernel when it is first launched.
    static func compile(
        _ program: any ComputeProgram, on device: LaunchRecorder
    ) throws(Failure) {
        let none = try makeState(on: device)
        let workers = max(1, device.description.computeUnits)
        try device.launch(
            "tape", of: program, global: [workers], local: [1],
            arguments: [
                .buffer(none), .int(0), .int(0), .int(Int32(workers)), .buffer(none), .ulong(0),
                .local(byteCount: 64),
            ])
        try device.finish()
    }
}

/// A tape's program while it is written.
private struct TapeWriter {
    private var records: [UInt64] = []
    /// Arguments that are no number, behind the records.
    private var behind: [UInt64] = []
    private let recordCount: Int
    private let views: [ObjectIdentifier: Int]
    /// Buffers that lie where they are, and the places of those that do not.
    private(set) var held: [ObjectIdentifier: any ComputeBuffer] = [:]
    private(set) var noted: [Tape.View] = []
    private(set) var tickets = 0
    private(set) var localBytes = 0
    /// The last tickets of a processor's part of a record are then 1/32 of it: so well is work
    /// balanced where one processor is slower.
    private static let cutsMax = 6

    init(recordCount: Int, views: [ObjectIdentifier: Int]) {
        self.recordCount = recordCount
        self.views = views
    }

    var words: [UInt64] { records + behind }

    mutating func write(
        _ launch: RecordedLaunch, number: Int, wordsEach: Int, workers: Int
    ) throws(Failure) {
        let global = launch.global + Array(repeating: 1, count: 3 - launch.global.count)
        let items = launch.local?.first ?? 1
        let across = global[0] / items
        let groups = across * global[1] * global[2]
        let parts = max(1, min(workers, groups))
        let cuts = min(Self.cutsMax, Int.bitWidth - (groups / parts).leadingZeroBitCount)
        var record = [number, tickets, cuts, groups, across, global[1], items].map(UInt64.init)
        record += global.map(UInt64.init)
        for argument in launch.arguments {
            let place = records.count + record.count
            record.append(try word(argument, at: place, behind: recordCount * wordsEach))
        }
        records += record + Array(repeating: 0, count: wordsEach - record.count)
        tickets += parts * cuts
    }

    private mutating func word(
        _ argument: KernelArgument, at place: Int, behind start: Int
    ) throws(Failure) -> UInt64 {
        switch argument {
        case .buffer(let buffer):
            guard let address = buffer.address else { throw Step.broken }
            if let number = views[ObjectIdentifier(buffer)] {
                noted.append(.init(word: place, buffer: number, address: address))
            } else {
                held[ObjectIdentifier(buffer)] = buffer
            }
            return address
        case .int(let value): return UInt64(bitPattern: Int64(value))
        case .uint(let value): return UInt64(value)
        case .long(let value): return UInt64(bitPattern: value)
        case .ulong(let value): return value
        case .float(let value): return UInt64(value.bitPattern)
        case .local(let byteCount):
            localBytes = max(localBytes, byteCount)
            return 0
        case .bytes(let bytes):
            let place = start + behind.count
            for first in stride(from: 0, to: bytes.count, by: 8) {
                behind.append(
                    bytes[first..<min(first + 8, bytes.count)].reversed().reduce(0) {
                        $0 << 8 | UInt64($1)
                    })
            }
            return UInt64(place)
        }
    }
}
