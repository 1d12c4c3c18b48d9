internal import Compute
public import Core

/// Runs that follow one another, each beginning with what the last one left: the state stays on
/// the device.
extension Session {
    /// An output that the next run has as an input.
    public struct Carry: Hashable, Sendable {
        public var output: Int
        public var input: Int

        public init(output: Int, input: Int) {
            self.output = output
            self.input = input
        }
    }

    /// Puts a value where the plan's input at `index` is, and leaves it there.
    ///
    /// - Precondition: the session was made with ``Int/max`` for `viewBytesMin`, and the value is
    ///   of the input's type and shape.
    public func write(_ value: Tensor, to index: Int) throws(Failure) {
        let port = plan.inputs[index]
        precondition(value.type == port.type && value.shape == port.shape, "as planned")
        let target = try buffer(port.buffer)
        try value.withBytes { (bytes) throws(Failure) in
            try device.write(bytes, to: target, at: 0)
        }
    }

    /// What is where the plan's input at `index` is.
    public func value(of index: Int) throws(Failure) -> Tensor { try read(plan.inputs[index]) }

    /// Runs every step, and puts outputs where the next run has its inputs.
    ///
    /// - Returns: the outputs at `reading`.
    public func step(carrying carries: [Carry], reading: [Int]) throws(Failure) -> [Tensor] {
        try compute { _ in }
        if let carrying {
            for launch in carrying { try device.launch(launch.prepared) }
        } else {
            carrying = try device.recording { () throws(Failure) in
                for carry in carries { try self.carry(carry) }
            }
        }
        var values: [Tensor] = []
        for index in reading { values.append(try read(plan.outputs[index])) }
        return values
    }

    private func carry(_ carry: Carry) throws(Failure) {
        let (from, to) = (plan.outputs[carry.output], plan.inputs[carry.input])
        precondition(from.type == to.type && from.shape == to.shape, "as planned")
        guard from.buffer != to.buffer else { return }
        try copy(
            from.type, try buffer(from.buffer), try buffer(to.buffer),
            axes: [from.shape.elementCount], from: (0, [1]), to: (0, [1]))
    }
}
