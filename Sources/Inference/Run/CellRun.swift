internal import Compute
internal import Core

/// Time steps of a recurrent layer, each a product with the state and a cell, as one launch for
/// processors: see `recurrence` in `Kernels/inference/cell.cl`.
struct CellRun {
    /// Which of the plan's steps these are.
    let steps: Range<Int>
    /// Of the first time step.
    let shape: CellShape
    /// Operands of the first cell.
    let operands: [Int]
    /// Buffers of the states: the one before, and each time step's.
    private(set) var states: [Int]
    /// From one time step's products with the input to the next one's, by direction.
    private(set) var offsetSteps = [0, 0]

    static let statesMax = 8
    /// Beyond, rows enough share what a product reads of the matrix.
    static let batchMax = 4
    /// Numbers of a matrix that stay near a processor from time step to time step.
    static let weightsMax = 1 << 18

    var times: Int { states.count - 1 }
    /// Whether a work-item takes all hidden units, and so can take several time steps.
    var isWhole: Bool { shape.isWhole }

    /// The runs of a plan, by the first step's index.
    static func runs(of plan: Plan) -> [Int: CellRun] {
        guard plan.steps.contains(where: { $0.kind == .cell }) else { return [:] }
        let readers = Chain.lastReaders(plan)
        var runs: [Int: CellRun] = [:]
        var index = 0
        var last: CellRun?
        while index + 1 < plan.steps.count {
            guard let one = CellRun(at: index, plan, readers) else {
                index += 1
                last = nil
                continue
            }
            if let before = last, let longer = before.followed(by: one) {
                runs[before.steps.lowerBound] = longer
                last = longer
            } else {
                runs[index] = one
                last = one
            }
            index += 2
        }
        return runs
    }

    /// One time step; nil where these are other steps.
    private init?(at index: Int, _ plan: Plan, _ readers: [Int]) {
        let (product, cell) = (plan.steps[index], plan.steps[index + 1])
        guard product.kind == .gemm, cell.kind == .cell, let shape = CellShape(cell),
            let matrix = MatrixShape(product.ints), [.rnn, .lstm, .gru].contains(shape.kind),
            cell.operands[1] == product.result, readers[index] == index + 1,
            product.operands[0] == cell.operands[2], shape.batch <= Self.batchMax,
            plan.constants[product.operands[1]] != nil, matrix.isProduct(of: shape)
        else { return nil }
        steps = index..<(index + 2)
        self.shape = shape
        // The matrix takes the place of the product with it.
        operands = [cell.operands[0], product.operands[1]] + cell.operands[3...]
        states = [cell.operands[2], cell.result]
    }

    private init(_ run: CellRun, _ states: [Int], _ offsetSteps: [Int]) {
        steps = run.steps.lowerBound..<(run.steps.lowerBound + 2 * (states.count - 1))
        (shape, operands) = (run.shape, run.operands)
        (self.states, self.offsetSteps) = (states, offsetSteps)
    }

    /// This run with one more time step; nil where it is no such one.
    private func followed(by next: CellRun) -> CellRun? {
        var alike = next.shape
        alike.offsets = shape.offsets
        let moved = zip(next.shape.offsets, shape.offsets).map { $0 - $1 }
        guard isWhole, states.count < Self.statesMax, next.operands == operands,
            next.states[0] == states.last, alike.ints == shape.ints, alike.floats == shape.floats,
            times == 1 || moved == offsetSteps.map({ $0 * times }),
            moved.allSatisfy({ abs($0) < Int(Int32.max) })
        else { return nil }
        return CellRun(self, states + [next.states[1]], times == 1 ? moved : offsetSteps)
    }
}

extension CellShape {
    fileprivate var isWhole: Bool { kind.gateCount * hidden * hidden <= CellRun.weightsMax }
}

extension MatrixShape {
    /// Whether it is a cell's state times all of its gates, as both lie.
    fileprivate func isProduct(of cell: CellShape) -> Bool {
        let isOne = cell.directions == 1
        return rows == cell.batch && depth == cell.hidden && matrices == cell.directions
            && columns == cell.kind.gateCount * cell.hidden && bias == 0 && activation == 0
            && (rows == 1 || aLine == depth) && (depth == 1 || aDepth == 1)
            && (isOne || aMatrix == rows * depth) && (columns == 1 || bLine == depth)
            && (depth == 1 || bDepth == 1) && (isOne || bMatrix == columns * depth)
    }
}

extension Session {
    /// A constant matrix in panels, gate by gate.
    func packGates(
        _ shape: CellShape, _ plain: any ComputeBuffer
    ) throws(Failure) -> any ComputeBuffer {
        let gates = shape.directions * shape.kind.gateCount
        let count = gemm.packedCountB(columns: shape.hidden, depth: shape.hidden)
        let panels = try device.makeBuffer(byteCount: count * gates * 4)
        try gemm.packB(
            .init(
                buffer: plain, lineStride: shape.hidden, depthStride: 1,
                matrixStride: shape.hidden * shape.hidden, matrixCount: gates),
            columns: shape.hidden, depth: shape.hidden, into: panels)
        return panels
    }

    /// Puts a run on the queue.
    func launch(_ run: CellRun) throws(Failure) {
        guard let panels = packed[run.steps.lowerBound] else { throw Step.broken }
        let shape = run.shape
        let x = try buffer(run.operands[0])
        let vectors = run.operands[2...]
        let biases = shape.flags.contains(.biases) ? try buffer(run.operands[2]) : x
        let peepholes =
            shape.flags.contains(.peepholes) ? try buffer(vectors[vectors.endIndex - 1]) : x
        var states: [KernelArgument] = []
        for number in run.states { states.append(.buffer(try buffer(number))) }
        while states.count < CellRun.statesMax { states.append(states[0]) }
        let unitsEach = run.isWhole ? shape.hidden : Programs.cellLanes
        try device.launch(
            "recurrence", of: try programs.cell(columns: gemm.tiles.columns),
            global: [shape.hidden.dividedUp(by: unitsEach), shape.batch, shape.directions],
            local: [1, 1, 1],
            arguments: [x, panels, biases, peepholes].map { .buffer($0) } + states + [
                .bytes(shape.bytes), .int(Int32(run.times)), .int(Int32(run.offsetSteps[0])),
                .int(Int32(run.offsetSteps[1])), .int(Int32(unitsEach)),
            ])
    }
}
