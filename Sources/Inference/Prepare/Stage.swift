internal import Core

/// A part of a model that runs without asking for data, as a plan whose ports are buffers of the
/// lowering.
struct Stage {
    var plan: Plan
    /// Buffers that it reads, in the order of the plan's inputs: the model's, or of stages before.
    var inputs: [Int]
    /// Buffers that later stages, the host or the results need, in the order of the outputs.
    var outputs: [Int]
    /// All buffers, of this stage or others, that are needed after it.
    var live: Set<Int>
}

extension Lowering {
    /// Takes the steps lowered so far as a stage of their own.
    ///
    /// - Parameter needed: buffers whose data come next.
    mutating func takeStage(_ needed: [Int]) throws(Failure) -> Stage {
        let written = Set(steps.map(\.result))
        let live = liveBuffers.union(needed)
        let outputs = live.intersection(written).sorted()
        var plan = Plan(
            buffers: buffers, constants: constants, inputs: [],
            outputs: outputs.map(port), steps: steps)
        var read = Set(steps.flatMap(\.operands)).subtracting(written)
        read.subtract(constants.keys)
        let inputs = read.sorted()
        plan.inputs = inputs.map(port)
        steps = []
        return Stage(plan: try plan.pruned(), inputs: inputs, outputs: outputs, live: live)
    }

    private func port(_ buffer: Int) -> Plan.Port {
        let type = bufferTypes[buffer]
        return .init(
            name: "", type: type, shape: [buffers[buffer] / type.byteCount], buffer: buffer)
    }

    /// Buffers that names, loops and results stand for, as far as nodes yet to come use them.
    private var liveBuffers: Set<Int> {
        var live: Set<Int> = []
        func add(_ slots: some Sequence<Slot>) {
            for slot in slots { live.formUnion(slot.tensors.compactMap(\.buffer)) }
        }
        if let results {
            add(results)
            return live
        }
        for frame in frames {
            add(
                frame.slots.lazy.filter { name, _ in
                    frame.graph.consumers[name]?.contains { $0 < 0 || $0 >= frame.next } ?? false
                }.map(\.value))
            if case .iteration(let iteration) = frame.purpose { add(iteration.slots) }
        }
        return live
    }
}
