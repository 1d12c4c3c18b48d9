internal import Compute
internal import Core

// A plan's constants: brought to the device, and packed where products read them.
extension Session {
    /// Constants are given up one by one: a model's weights are on the host or on the device, and
    /// only one of them on both.
    func makeBuffers() throws(Failure) {
        try findBare()
        var plainUses = Set(plan.outputs.map(\.buffer))
        var packedUses: [Int: Int] = [:]
        for step in plan.steps {
            let weights = packedOperand(of: step)
            for (position, number) in step.operands.enumerated() where position != weights {
                plainUses.insert(number)
            }
            if let weights { packedUses[step.operands[weights], default: 0] += 1 }
        }
        let constants = plan.constants.keys.sorted()
        for number in constants {
            guard let tensor = plan.constants[number] else { continue }
            if plainUses.contains(number) {
                buffers[number] = try commons.plain(tensor) { () throws(Failure) in
                    try makeBuffer(tensor)
                }
            }
            if packedUses[number] == nil { plan.constants[number] = nil }
        }
        try packConstants(packedUses)
        let others = varying.union(constants)
        for number in plan.buffers.indices where !others.contains(number) {
            buffers[number] = try device.makeBuffer(byteCount: plan.buffers[number])
        }
    }

    /// Finds the convolutions by lanes whose taps in the padding are left out: of finite constant
    /// weights, and with something behind them that gives the sums' zeros one sign.
    private func findBare() throws(Failure) {
        for (index, step) in plan.steps.enumerated() {
            guard step.kind == .convolve, let shape = ConvolutionShape(step.ints),
                LanesTiles.canBeBare(shape.window), usesLanes(index, shape),
                !gemm.isDepthwise(shape), let weights = plan.constants[step.operands[1]],
                weights.type == .float32
            else { continue }
            let exponent = Float.infinity.bitPattern
            let isFinite = try weights.allBits { $0 & exponent != exponent }
            if isFinite, try hidesZeros(step, shape, tails[index]) { bare.insert(index) }
        }
    }

    /// Whether results are the same for sums that are 0 and -0: behind a constant other than -0
    /// that is added, after a finite factor or none.
    private func hidesZeros(
        _ step: Step, _ shape: ConvolutionShape, _ tail: ConvolutionTail?
    ) throws(Failure) -> Bool {
        guard shape.bias == 1 else { return tail?.hidesZeros ?? false }
        guard step.operands.count > 2, let bias = plan.constants[step.operands[2]],
            bias.type == .float32
        else { return false }
        let negativeZero = (-Float.zero).bitPattern
        return try bias.allBits { $0 != negativeZero }
    }

    /// - Parameter uses: how many steps take a constant packed.
    private func packConstants(_ uses: [Int: Int]) throws(Failure) {
        var uses = uses
        var made: [[Int]: any ComputeBuffer] = [:]
        var runs: [Int: CellRun] = [:]
        for run in cellRuns.values {
            for index in run.steps { runs[index] = run }
        }
        for (index, step) in plan.steps.enumerated() {
            guard let weights = packedOperand(of: step) else { continue }
            let number = step.operands[weights]
            guard let tensor = plan.constants[number] else { throw Step.broken }
            uses[number, default: 0] -= 1
            let shape = runs[index]?.shape
            let form = try form(of: step, index, shape)
            // Steps of a recurrence, and turns of a loop, multiply by one matrix time after time.
            if made[[number] + form] == nil {
                made[[number] + form] = try commons.packed(tensor, form) { () throws(Failure) in
                    try pack(tensor, for: step, index, shape)
                }
            }
            packed[index] = made[[number] + form]
            if uses[number] == 0 { plan.constants[number] = nil }
        }
    }

    /// All that decides how a step's constant is packed.
    private func form(
        of step: Step, _ index: Int, _ run: CellShape?
    ) throws(Failure) -> [Int] {
        if let run { return [-1, run.kind.gateCount, run.directions, run.hidden] }
        guard step.kind == .gemm, let s = MatrixShape(step.ints) else {
            return [step.kind.rawValue, pooled[index] == nil ? 0 : 1] + step.ints
        }
        return [
            step.kind.rawValue, s.columns, s.depth, s.bLine, s.bDepth, s.bMatrix,
            s.bMatrix == 0 ? 1 : s.matrices, gemm.takesTiles(s) ? gemm.panels(s).columns : 0,
        ]
    }

    /// Which operand of a step is packed beforehand, when it is constant.
    private func packedOperand(of step: Step) -> Int? {
        switch step.kind {
        case .convolve:
            guard let shape = ConvolutionShape(step.ints), !gemm.isDepthwise(shape) else {
                return nil
            }
            return plan.constants[step.operands[1]] == nil ? nil : 1
        case .gemm, .dot, .dotConvolve: return plan.constants[step.operands[1]] == nil ? nil : 1
        default: return nil
        }
    }

    private func pack(
        _ tensor: Tensor, for step: Step, _ index: Int, _ run: CellShape?
    ) throws(Failure) -> any ComputeBuffer {
        var panels: (any ComputeBuffer)?
        try tensor.withBuffer(on: device) { (plain) throws(Failure) in
            if let run {
                panels = try packGates(run, plain)
            } else if step.kind == .convolve, let shape = ConvolutionShape(step.ints) {
                panels = try packWeights(shape, byLanes: usesLanes(index, shape), plain)
            } else if step.kind == .dot, let shape = DotShape(step.ints) {
                panels = try packDot(shape, plain)
            } else if step.kind == .dotConvolve, let shape = DotConvolutionShape(step.ints) {
                panels = try packFilters(shape, plain)
            } else if let shape = MatrixShape(step.ints) {
                panels = try packColumns(shape, plain)
            }
        }
        guard let panels else { throw Step.broken }
        return panels
    }

    /// A buffer that holds a constant.
    private func makeBuffer(_ tensor: Tensor) throws(Failure) -> any ComputeBuffer {
        let buffer = try device.makeBuffer(byteCount: tensor.count * tensor.type.byteCount)
        try tensor.withBytes { (bytes) throws(Failure) in
            try device.write(bytes, to: buffer, at: 0)
        }
        return buffer
    }

    private func packColumns(
        _ shape: MatrixShape, _ plain: any ComputeBuffer
    ) throws(Failure) -> any ComputeBuffer {
        if gemm.takesTiles(shape) { return try packTiles(shape, plain) }
        let matrices = shape.bMatrix == 0 ? 1 : shape.matrices
        let count = gemm.packedCountB(columns: shape.columns, depth: shape.depth)
        let panels = try device.makeBuffer(byteCount: count * matrices * 4)
        try gemm.packB(
            .init(
                buffer: plain, lineStride: shape.bLine, depthStride: shape.bDepth,
                matrixStride: shape.bMatrix, matrixCount: matrices),
            columns: shape.columns, depth: shape.depth, into: panels)
        return panels
    }
}

extension Tensor {
    /// Whether the bits of all elements, of 32 each, are as wanted.
    fileprivate func allBits(_ isWanted: (UInt32) -> Bool) throws(Failure) -> Bool {
        // Without an early end, which would keep the loop from going by vectors.
        var isAll = true
        try withBytes { bytes in
            for place in 0..<bytes.count / 4 {
                let bits = bytes.loadUnaligned(fromByteOffset: 4 * place, as: UInt32.self)
                isAll = isAll && isWanted(UInt32(littleEndian: bits))
            }
        }
        return isAll
    }
}
