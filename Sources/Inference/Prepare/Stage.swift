internal import Core

/// A part of a model that runs without asking for data, as a plan whose ports are buffers of the
/// lowering.
struct Stage {
    var plan: Plan
    /// Buffers that it reads, in the order of the plan's inputs: the model's, or of stages before.
    var inputs: [Int]
    /// Buffers that later stages, the host or the results need, in the order of the outputs.
    var outputs: [Int]
}

extension Lowering {
    /// Takes the steps lowered so far as a stage of their own.
    ///
    /// - Parameter needed: buffers whose data come next.
    mutating func takeStage(_ needed: [Int]) throws(Failure) -> Stage {
        let written = Set(steps.map(\.result))
        // What turns gave to earlier stages was written there.
        let outputs = liveBuffers(isFresh: true).union(needed).intersection(written).sorted()
        settleTurns()
        var plan = Plan(
            buffers: buffers, constants: [:], inputs: [], outputs: outputs.map(port), steps: steps)
        let read = Set(steps.flatMap(\.operands)).subtracting(written)
        for buffer in read { plan.constants[buffer] = constants[buffer] }
        let inputs = read.filter { plan.constants[$0] == nil }.sorted()
        plan.inputs = inputs.map(port)
        steps = []
        return Stage(plan: try plan.pruned(), inputs: inputs, outputs: outputs)
    }

    /// What turns gave so far has been looked at.
    private mutating func settleTurns() {
        for index in frames.indices {
            guard case .iteration(var iteration) = frames[index].purpose else { continue }
            // So that nothing is copied.
            frames[index].purpose = .model
            for at in iteration.collected.indices { iteration.collected[at].settle() }
            frames[index].purpose = .iteration(iteration)
        }
    }

    private func port(_ buffer: Int) -> Plan.Port {
        let type = bufferTypes[buffer]
        return .init(
            name: "", type: type, shape: [buffers[buffer] / type.byteCount], buffer: buffer)
    }

    /// Buffers that names, loops and results stand for, as far as nodes yet to come use them.
    ///
    /// - Parameter isFresh: without what turns gave before the last stage was taken.
    func liveBuffers(isFresh: Bool = false) -> Set<Int> {
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
            if case .iteration(let iteration) = frame.purpose {
                add(iteration.slots(isFresh: isFresh))
            }
        }
        return live
    }
}
