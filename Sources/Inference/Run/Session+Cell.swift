internal import Compute
internal import Core

extension Session {
    /// Rows of one group, as the kernels say.
    private static let rowsPerGroup = 4

    func normalize(
        _ step: Step, _ operands: [any ComputeBuffer], _ result: any ComputeBuffer
    ) throws(Failure) {
        let (rows, count) = (step.ints[0], step.ints[1])
        let flags = NormalizeFlags(rawValue: step.ints[2])
        // What a kernel does not read is x once more.
        let scale = flags.contains(.scales) ? operands[1] : operands[0]
        let bias = flags.contains(.biases) ? operands[flags.operandCount] : operands[0]
        let arguments: [KernelArgument] =
            [operands[0], scale, bias, result].map { .buffer($0) }
            + [count, rows, flags.rawValue].map { .int(Int32($0)) } + [.float(step.floats[0])]
        if sharesRows { return try launchRows("normalize_lanes", rows: rows, arguments) }
        try device.launch(
            "normalize_rows", of: try programs.normalizeRows(), global: [rows.inGroups],
            local: Launch.local(device, axes: 1), arguments: arguments)
    }

    /// A kernel whose work-items share rows.
    func launchRows(
        _ kernel: String, rows: Int, _ arguments: [KernelArgument]
    ) throws(Failure) {
        try device.launch(
            kernel, of: try programs.normalizeLanes(),
            global: [16, rows.roundedUp(to: Self.rowsPerGroup)], local: [16, Self.rowsPerGroup],
            arguments: arguments)
    }

    func cell(
        _ step: Step, _ operands: [any ComputeBuffer], _ result: any ComputeBuffer
    ) throws(Failure) {
        guard let shape = CellShape(step) else { throw Step.broken }
        let more = shape.kind == .gruState ? 1 : 0
        let biases = shape.flags.contains(.biases) ? operands[3 + more] : operands[0]
        let peepholes =
            shape.flags.contains(.peepholes) ? operands[shape.operandCount - 1] : operands[0]
        let gates = more == 1 ? operands[3] : operands[0]
        try device.launch(
            "cell", of: try programs.cell(columns: takesCellRuns ? gemm.tiles.columns : nil),
            global: [
                takesCellRuns
                    ? shape.hidden.dividedUp(by: Programs.cellLanes) : shape.hidden.inGroups,
                shape.batch, shape.directions,
            ],
            local: takesCellRuns ? [1, 1, 1] : Launch.local(device),
            arguments: [operands[0], operands[1], operands[2], gates, biases, peepholes, result]
                .map { .buffer($0) } + [.bytes(shape.bytes)])
    }
}
