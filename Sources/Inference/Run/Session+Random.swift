internal import Compute
internal import Core

extension Session {
    func draw(
        _ step: Step, _ seed: any ComputeBuffer, _ result: any ComputeBuffer
    ) throws(Failure) {
        guard let distribution = Distribution(rawValue: step.ints[0]) else { throw Step.broken }
        let (count, low, high) = (step.ints[1], step.ints[2], step.ints[3])
        try device.launch(
            "random_\(distribution)", of: try programs.draws(), global: [count.inGroups],
            local: Launch.local(device, axes: 1),
            arguments: [
                .buffer(seed), .buffer(result), .int(Int32(count)), .uint(UInt32(low)),
                .uint(UInt32(high)), .float(step.floats[0]), .float(step.floats[1]),
            ])
    }

    func pick(
        _ step: Step, _ operands: [any ComputeBuffer], _ result: any ComputeBuffer
    ) throws(Failure) {
        let (rows, classes, samples) = (step.ints[0], step.ints[1], step.ints[2])
        try device.launch(
            "random_pick", of: try programs.draws(), global: [samples.inGroups, rows],
            local: Launch.local(device, axes: 2),
            arguments: (operands + [result]).map { .buffer($0) } + [
                .int(Int32(samples)), .int(Int32(classes)),
            ])
    }
}
