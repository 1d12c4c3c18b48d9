public import Compute
public import Core
internal import Files

/// A plan on a device: constants uploaded and packed once, then run as often as wanted.
public final class Session {
    /// Without the constants, which are the device's by now.
    public internal(set) var plan: Plan
    let device: LaunchRecorder
    let commons: SessionCommons
    let gemm: Gemm
    let programs: Programs
    /// Products on graphics cards.
    var tiledGemms: [TiledGemm.Use: [TiledGemm.Tile: TiledGemm]] = [:]
    /// Products of 8-bit integers, made when the first one asks.
    var dots: DotProduct?
    var buffers: [(any ComputeBuffer)?]
    /// Whether work-items share a row of elements; processors take rows whole.
    let sharesRows: Bool
    /// Packed constants, by step index: A of a convolution, B of a matrix product.
    var packed: [Int: any ComputeBuffer] = [:]
    /// Whether inputs and outputs are buffers of a device.
    let bindsPorts: Bool
    /// Steps that are launched together, by the first one's index.
    let chains: [Int: Chain]
    let cellRuns: [Int: CellRun]
    /// What convolutions take in of the steps behind them, by the convolution's index.
    let tails: [Int: ConvolutionTail]
    /// Convolutions that are launched with the pooling behind them, by the convolution's index.
    let pooled: [Int: PooledConvolution]
    /// Convolutions that write into a concatenation's result.
    let placement: Placement
    /// Whether time steps of recurrent layers are launched so, or by work-items that take wide
    /// vectors of hidden units.
    let takesCellRuns: Bool
    /// The steps in order, as they are launched.
    private(set) var groups: [StepGroup] = []
    private var runCount = 0
    /// Groups that are launched together, by the first one's index.
    var tapes: [Int: Tape] = [:]
    let tapeRule: Tape.Rule?
    /// What ``step(carrying:reading:)`` launches to carry state on, once it is known.
    var carrying: [RecordedLaunch]?
    /// Where windows' taps lie, and chains' programs, by step index.
    var tables: [Int: any ComputeBuffer] = [:]
    /// Convolutions whose taps in the padding are left out, and that read planes as they lie.
    var bare: Set<Int> = []
    /// How windows are computed, by step index.
    var directs: [Int: Direct] = [:]
    var strips: [Int: Strips] = [:]
    /// Inputs that kernels read from the caller's memory, by position.
    let viewedInputs: Set<Int>
    /// Outputs that kernels write where the caller gets them, by position.
    let viewedOutputs: [Int]
    /// Outputs' buffers in which every NaN is the quiet one with no payload.
    let canonicalBuffers: Set<Int>
    /// Panels of what is not constant, shared by all steps.
    var scratch: [Scratch: any ComputeBuffer] = [:]

    enum Scratch: Hashable { case a, b, sums }

    /// Bytes of panels packed at a time.
    let panelBytesMax: Int

    /// Compiles, uploads and packs.
    ///
    /// - Parameter viewBytesMin: where device and host share their memory, kernels read inputs of
    ///   so many bytes where the caller has them, and write outputs where the caller gets them;
    ///   smaller ones are copied. By default what copying costs more than a view of.
    /// - Parameter bindsPorts: for ``run(binding:advance:)``.
    /// - Throws: ``Failure`` when the plan contradicts itself or the device fails.
    public convenience init(
        _ plan: consuming Plan, on device: any ComputeDevice, isNarrow: Bool = false,
        viewBytesMin: Int? = nil, bindsPorts: Bool = false
    ) throws(Failure) {
        try self.init(
            plan, on: device, isNarrow: isNarrow, viewBytesMin: viewBytesMin,
            bindsPorts: bindsPorts, tapes: Tape.Rule())
    }

    /// - Parameter tapes: when launches are put together, on devices that allow it.
    package convenience init(
        _ plan: consuming Plan, on device: any ComputeDevice, isNarrow: Bool = false,
        viewBytesMin: Int? = nil, bindsPorts: Bool = false, tapes: Tape.Rule
    ) throws(Failure) {
        try self.init(
            plan, with: try SessionCommons(on: device, isNarrow: isNarrow, of: nil),
            viewBytesMin: viewBytesMin, bindsPorts: bindsPorts, tapes: tapes)
    }

    /// - Parameter commons: what it shares with other sessions, of which one runs at a time.
    init(
        _ plan: consuming Plan, with commons: SessionCommons, viewBytesMin: Int? = nil,
        bindsPorts: Bool = true, tapes: Tape.Rule = Tape.Rule()
    ) throws(Failure) {
        try plan.check()
        self.bindsPorts = bindsPorts
        self.commons = commons
        device = commons.device
        tapeRule = device.description.runsTapes ? tapes : nil
        // Where kernels go by addresses, the driver need not be told of a view.
        let viewBytesMin = viewBytesMin ?? (device.description.runsInPlace ? 1 << 12 : 1 << 16)
        panelBytesMax = device.tuning[.inferPanelBytes]
        gemm = commons.gemm
        sharesRows = commons.isNarrow || device.description.kind != .cpu
        programs = commons.programs
        let found = Chain.chains(of: plan)
        let tails = ConvolutionTail.tails(of: plan, found, on: gemm)
        let description = device.description
        let chains = found.filter { $0.value.suits(description) }
        (self.chains, self.tails) = (chains, tails)
        pooled = try PooledConvolution.found(in: plan, tails, on: gemm)
        placement = Placement.found(in: plan, tails, on: gemm)
        takesCellRuns = device.description.kind == .cpu && !gemm.isNarrow
        cellRuns = takesCellRuns ? CellRun.runs(of: plan) : [:]
        buffers = Array(repeating: nil, count: plan.buffers.count)
        viewedInputs =
            device.sharesMemory && !bindsPorts ? plan.inputs(viewedFrom: viewBytesMin) : []
        let placed = Set(placement.places.values.map(\.buffer))
        viewedOutputs =
            device.description.runsInPlace && !bindsPorts
            ? plan.outputs(viewedFrom: viewBytesMin, without: placed) : []
        var extents = chains.mapValues(\.steps).merging(cellRuns.mapValues(\.steps)) { a, _ in a }
        extents.merge(tails.mapValues(\.steps)) { a, _ in a }
        extents.merge(pooled.mapValues(\.steps)) { _, b in b }
        canonicalBuffers = plan.productBuffers(outside: extents.values)
        self.plan = plan
        groups = StepGroup.groups(of: self.plan, extents, varying: varying)
        try makeBuffers()
    }

    /// Seconds that compiling took so far, or loading compiled programs.
    public var compileSeconds: Double {
        gemm.buildSeconds + programs.buildSeconds + (dots?.buildSeconds ?? 0)
    }

    /// Runs every step. Between launches, `advance` may stop the run by throwing.
    ///
    /// - Parameters:
    ///   - inputs: one for each of the plan's inputs, in order, of its type and shape.
    ///   - advance: called after each step with the part of the work that is launched.
    /// - Returns: the plan's outputs in order. Each NaN is the quiet one with no payload.
    public func run(
        _ inputs: [Tensor], advance: (Double) throws(Failure) -> Void = { _ in }
    ) throws(Failure) -> [Tensor] {
        precondition(inputs.count == plan.inputs.count, "a value for each input")
        for (tensor, port) in zip(inputs, plan.inputs) {
            precondition(tensor.type == port.type && tensor.shape == port.shape, "as planned")
        }
        // With what takes the elements from the device, and gives NaN its bits.
        let outputBytes = plan.outputs.reduce(0) {
            $0 + $1.shape.elementCount * $1.type.byteCount
        }
        try HostRoom.check(2 * outputBytes, for: "outputs")
        var outputs: [Tensor] = []
        try provide(inputs[...]) { () throws(Failure) in
            var received: [Int: Tensor] = [:]
            try receive(viewedOutputs[...], into: &received) { () throws(Failure) in
                try compute(advance)
            }
            // Several outputs may be one buffer.
            var read: [Int: Tensor] = [:]
            for (position, port) in plan.outputs.enumerated() {
                if let known = received[position] ?? read[port.buffer], known.type == port.type,
                    known.count == port.shape.elementCount
                {
                    outputs.append(known.reshaped(port.shape))
                    continue
                }
                let tensor = try self.read(port)
                read[port.buffer] = tensor
                outputs.append(tensor)
            }
        }
        return outputs
    }

    /// Runs every step on buffers of this device.
    ///
    /// - Parameter inputs: one for each of the plan's inputs.
    /// - Returns: a buffer for each of the plan's outputs, valid until the next run.
    func run(
        binding inputs: [any ComputeBuffer], advance: (Double) throws(Failure) -> Void = { _ in }
    ) throws(Failure) -> [any ComputeBuffer] {
        precondition(bindsPorts && inputs.count == plan.inputs.count, "a buffer for each input")
        for (buffer, port) in zip(inputs, plan.inputs) { buffers[port.buffer] = buffer }
        try compute(advance)
        var outputs: [any ComputeBuffer] = []
        for port in plan.outputs { outputs.append(try buffer(port.buffer)) }
        return outputs
    }

    /// Runs every step on its own, and gives what those that compute a value of the model made.
    ///
    /// - Parameters:
    ///   - inputs: one for each of the plan's inputs.
    ///   - body: called for each value, in the plan's order.
    public func trace(
        _ inputs: [Tensor], _ body: (Step.Output, Tensor) throws(Failure) -> Void
    ) throws(Failure) {
        precondition(inputs.count == plan.inputs.count, "a value for each input")
        try provide(inputs[...]) { () throws(Failure) in
            var received: [Int: Tensor] = [:]
            try receive(viewedOutputs[...], into: &received) { () throws(Failure) in
                try trace(body)
            }
        }
    }

    /// The same on buffers of this device; returns as ``run(binding:advance:)``.
    func trace(
        binding inputs: [any ComputeBuffer],
        _ body: (Step.Output, Tensor) throws(Failure) -> Void
    ) throws(Failure) -> [any ComputeBuffer] {
        for (buffer, port) in zip(inputs, plan.inputs) { buffers[port.buffer] = buffer }
        try trace(body)
        var outputs: [any ComputeBuffer] = []
        for port in plan.outputs { outputs.append(try buffer(port.buffer)) }
        return outputs
    }

    private func trace(
        _ body: (Step.Output, Tensor) throws(Failure) -> Void
    ) throws(Failure) {
        for (index, step) in plan.steps.enumerated() {
            try launch(step, index)
            guard let output = step.output else { continue }
            let tensor = try device.readTensor(
                output.type, output.shape, from: try buffer(step.result))
            try body(output, tensor.canonical)
        }
    }

    func compute(_ advance: (Double) throws(Failure) -> Void) throws(Failure) {
        runCount += 1
        let makesTapes = runCount + 1 == tapeRule?.fromRun
        var views: [Int: [RecordedLaunch]] = [:]
        var next = 0
        while next < groups.count {
            let index = next
            next += 1
            if let extent = tapes[index]?.groups {
                try tapes[index]?.run(on: device, buffers)
                next = extent.upperBound
            } else if let launches = groups[index].launches {
                for launch in launches { try device.launch(launch.prepared) }
            } else if runCount > 1, groups[index].isSteady {
                // By now all scratch memory is as large as any step needs.
                let launches = try device.recording { () throws(Failure) in
                    try launch(groups[index])
                }
                groups[index].launches = launches
                groups[index].isSteady = launches != nil
            } else if makesTapes, groups[index].isView {
                views[index] = try device.recording { () throws(Failure) in
                    try launch(groups[index])
                }
            } else {
                try launch(groups[index])
            }
            try advance(groups[next - 1].done)
        }
        if makesTapes { try makeTapes(views) }
    }

    func buffer(_ number: Int) throws(Failure) -> any ComputeBuffer {
        guard let buffer = buffers[number] else { throw Step.broken }
        return buffer
    }

    // MARK: Setting up

    /// Buffers that may be others in the next run.
    var varying: Set<Int> {
        Set(
            (bindsPorts ? Array(plan.inputs.indices) : Array(viewedInputs)).map {
                plan.inputs[$0].buffer
            } + viewedOutputs.map { plan.outputs[$0].buffer })
    }

    func packWeights(
        _ shape: ConvolutionShape, byLanes: Bool, _ plain: any ComputeBuffer
    ) throws(Failure) -> any ComputeBuffer {
        if gemm.takesTiles(shape) { return try packTiles(shape, plain) }
        let panels = try device.makeBuffer(
            byteCount: gemm.packedCount(of: shape, byLanes: byLanes) * shape.groups * 4)
        let matrix = Gemm.Matrix(
            buffer: plain, lineStride: shape.depth, depthStride: 1,
            matrixStride: shape.outChannels * shape.depth, matrixCount: shape.groups)
        if byLanes {
            try gemm.packB(matrix, columns: shape.outChannels, depth: shape.depth, into: panels)
        } else {
            try gemm.packA(matrix, rows: shape.outChannels, depth: shape.depth, into: panels)
        }
        return panels
    }

    /// Scratch memory of at least `count` floats.
    func scratch(_ use: Scratch, count: Int) throws(Failure) -> any ComputeBuffer {
        if let buffer = scratch[use], buffer.byteCount >= count * 4 { return buffer }
        // Launches are in order and hold what they use, so the old one may go.
        let buffer = try device.makeBuffer(byteCount: count * 4)
        scratch[use] = buffer
        return buffer
    }
}
