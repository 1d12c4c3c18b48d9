/// Lets values that never live at the same time share a buffer.
enum MemoryPlan {
    /// Renumbers `plan`'s buffers. Inputs, outputs and constants keep one of their own.
    static func share(_ plan: inout Plan) {
        var lastUse: [Int: Int] = [:]
        for (index, step) in plan.steps.enumerated() {
            for buffer in step.operands + [step.result] { lastUse[buffer] = index }
        }
        // Where a convolution computes elementwise steps behind it, it writes their result while it
        // reads its own input, and what they add to it.
        var maker: [Int: Int] = [:]
        for (index, step) in plan.steps.enumerated() { maker[step.result] = index }
        for (index, step) in plan.steps.enumerated() where step.kind == .convolve {
            let end = elementwiseEnd(behind: index, plan)
            let others = plan.steps[index...end].dropFirst().flatMap(\.operands).filter {
                maker[$0] ?? -1 < index
            }
            for operand in [step.operands[0]] + others {
                lastUse[operand] = max(lastUse[operand] ?? end, end)
            }
        }
        let early = earlyResults(plan, maker)
        var kept = Set(plan.constants.keys)
        kept.formUnion(plan.inputs.map(\.buffer))
        kept.formUnion(plan.outputs.map(\.buffer))

        var ending: [Int: [Int]] = [:]
        for (old, index) in lastUse.sorted(by: { $0.key < $1.key }) where !kept.contains(old) {
            ending[index, default: []].append(old)
        }

        var sizes: [Int] = []
        var numbers: [Int: Int] = [:]
        for old in kept.sorted() {
            numbers[old] = sizes.count
            sizes.append(plan.buffers[old])
        }
        var free: [Int] = []
        for index in plan.steps.indices {
            let step = plan.steps[index]
            for result in (early[index] ?? []) + [step.result] where numbers[result] == nil {
                numbers[result] = take(plan.buffers[result], from: &free, sizes: &sizes)
            }
            let names = step.operands.compactMap { numbers[$0] }
            precondition(names.count == step.operands.count, "operands are defined before use")
            plan.steps[index].operands = names
            plan.steps[index].result = numbers[step.result] ?? 0
            for old in ending[index] ?? [] {
                if let number = numbers[old] { free.append(number) }
            }
        }
        plan.constants = Dictionary(
            uniqueKeysWithValues: plan.constants.map { (numbers[$0] ?? 0, $1) })
        for index in plan.inputs.indices {
            plan.inputs[index].buffer = numbers[plan.inputs[index].buffer] ?? 0
        }
        for index in plan.outputs.indices {
            plan.outputs[index].buffer = numbers[plan.outputs[index].buffer] ?? 0
        }
        plan.buffers = sizes
    }

    /// Results of concatenations that convolutions may write their parts of, by the first of these.
    private static func earlyResults(_ plan: Plan, _ maker: [Int: Int]) -> [Int: [Int]] {
        var early: [Int: [Int]] = [:]
        for step in plan.steps where step.kind == .concat && step.ints[1] == 1 {
            let makers = step.operands.compactMap { operand -> Int? in
                guard var index = maker[operand] else { return nil }
                while index > 0, [.unary, .binary].contains(plan.steps[index].kind) { index -= 1 }
                return plan.steps[index].kind == .convolve ? index : nil
            }
            if let first = makers.min() { early[first, default: []].append(step.result) }
        }
        return early
    }

    /// The last of the elementwise steps that follow a step, each reading one of those before it.
    private static func elementwiseEnd(behind index: Int, _ plan: Plan) -> Int {
        var made: Set<Int> = [plan.steps[index].result]
        var end = index
        while end + 1 < plan.steps.count {
            let step = plan.steps[end + 1]
            guard [.unary, .binary].contains(step.kind),
                step.operands.contains(where: made.contains)
            else { break }
            made.insert(step.result)
            end += 1
        }
        return end
    }

    /// The free buffer that fits best: the smallest that is large enough, else the largest, grown.
    private static func take(_ size: Int, from free: inout [Int], sizes: inout [Int]) -> Int {
        let best =
            free.indices.filter { sizes[free[$0]] >= size }.min {
                sizes[free[$0]] < sizes[free[$1]]
            }
            ?? free.indices.max { sizes[free[$0]] < sizes[free[$1]] }
        guard let best else {
            sizes.append(size)
            return sizes.count - 1
        }
        let number = free.remove(at: best)
        sizes[number] = max(sizes[number], size)
        return number
    }
}
