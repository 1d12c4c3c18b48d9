internal import Compute
internal import Core

extension Session {
    /// Rows of one group of `normalize_lanes`.
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
        let program = try programs.normalize()
        if !sharesRows {
            try device.launch(
                "normalize_rows", of: program, global: [rows.inGroups],
                local: Launch.local(device, axes: 1), arguments: arguments)
        } else {
            try device.launch(
                "normalize_lanes", of: program,
                global: [16, rows.roundedUp(to: Self.rowsPerGroup)],
                local: [16, Self.rowsPerGroup], arguments: arguments)
        }
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
            "cell", of: try programs.cell(),
            global: [shape.hidden.inGroups, shape.batch, shape.directions],
            local: Launch.local(device),
            arguments: [operands[0], operands[1], operands[2], gates, biases, peepholes, result]
                .map { .buffer($0) } + [.bytes(shape.bytes)])
    }
}
