package import Core

/// What of a model keeps its items from being computed together.
public struct ItemDoubt: Hashable, Sendable {
    /// The node, as messages name it, or the output.
    public var place: String

    public init(place: String) { self.place = place }
}

/// A walk through a plan that follows, from inputs whose first axis counts items, where each value
/// has its items, and gives a number to how one item's part of it is computed.
///
/// Where an output's first axis counts items, each made of its own item of the inputs alone, by the
/// steps that a plan of one item has, then each item gets the bits that it gets alone: what a step
/// gives depends on nothing but the numbers it reads, on every device.
struct ItemWalk {
    /// A value in a buffer.
    private struct Form {
        /// Of one item's part, or of the whole where all items share it.
        var number: Int
        /// The value is (outer, items, inner), row by row; nil where all items share it.
        var inner: Int?
        /// Bytes of one item's part, or of the whole.
        var bytes: Int
        var constant: Tensor?
        /// How it is computed, where that is of constants alone.
        var recipe: Recipe?
    }

    private struct Recipe {
        var step: Step
        var operands: [Form]
    }

    private let items: Int
    private var forms: [Int: Form] = [:]

    private init(items: Int) { self.items = items }

    /// Whether a plan gives each of its items what a plan of one item gives it.
    ///
    /// - Parameters:
    ///   - plan: of at least two items, its inputs' first axes.
    ///   - one: of one item; nil where the model has no such plan: then all items are computed
    ///     alike, and each from its own inputs.
    /// - Returns: nil where that is so; otherwise the index of the step that may do otherwise, or
    ///   behind the last one where an output may.
    static func doubt(_ plan: Plan, beside one: Plan?) -> Int? {
        guard plan.isByItem, plan.itemCount > 1, !plan.draws, one?.isByItem ?? true,
            one?.itemCount ?? 1 == 1
        else { return plan.steps.count }
        var values = ItemValues()
        var known: (outputs: [Int?], count: Int)?
        if let one {
            var walk = ItemWalk(items: 1)
            walk.takePorts(one, &values)
            for step in one.steps { _ = walk.take(step, &values) }
            known = (one.outputs.map { walk.forms[$0.buffer]?.number }, values.count)
        }
        var walk = ItemWalk(items: plan.itemCount)
        walk.takePorts(plan, &values)
        for (index, step) in plan.steps.enumerated() {
            guard let form = walk.take(step, &values) else { return index }
            // Copies may be read through, and what all items share may differ where none reads it.
            if let known, form.inner != nil, step.kind != .copy, form.number > known.count {
                return index
            }
        }
        for (at, port) in plan.outputs.enumerated() {
            guard let form = walk.forms[port.buffer] else { return plan.steps.count }
            let inner = port.shape.elementCount / plan.itemCount
            let own = form.inner == nil ? walk.repeated(form, inner, &values) : form
            guard let own, own.inner == inner, known.map({ $0.outputs[at] == own.number }) ?? true,
                one.map({ $0.outputs[at].shape.dropFirst() == port.shape.dropFirst() }) ?? true
            else { return plan.steps.count }
        }
        return nil
    }

    private mutating func takePorts(_ plan: Plan, _ values: inout ItemValues) {
        for (index, port) in plan.inputs.enumerated() {
            let count = port.shape.elementCount / items
            forms[port.buffer] = Form(
                number: values.number(of: .init(origin: .input(index))),
                inner: items == 1 ? nil : count, bytes: count * port.type.byteCount)
        }
        for (buffer, constant) in plan.constants {
            forms[buffer] = Form(
                number: values.number(of: constant), inner: nil,
                bytes: constant.count * constant.type.byteCount, constant: constant)
        }
    }

    /// A constant of which each item has the same part, or what is computed of such a one: the
    /// state that a recurrent layer begins with, and its product with the weights.
    private func repeated(
        _ form: Form, _ inner: Int, _ values: inout ItemValues
    ) -> Form? {
        guard items > 1 else { return nil }
        guard let constant = form.constant else {
            return form.recipe.flatMap { computed($0, inner, &values) }
        }
        guard let part = constant.repeatedItem(inner: inner, items: items) else { return nil }
        return Form(
            number: values.number(of: part), inner: inner,
            bytes: part.count * part.type.byteCount)
    }

    /// What a step gives each item where one of its constants has the same part for each.
    ///
    /// - Returns: nil where there is no such constant, or the result does not lie as wanted.
    private func computed(
        _ recipe: Recipe, _ inner: Int, _ values: inout ItemValues
    ) -> Form? {
        for (at, operand) in recipe.operands.enumerated() {
            let count = operand.constant?.count ?? 0
            guard count % items == 0 else { continue }
            for own in (count / items).divisors {
                var inners = [Int?](repeating: nil, count: recipe.operands.count)
                inners[at] = own
                guard let part = try? recipe.step.ofOneItem(inners, items: items),
                    part.inner == inner, let same = repeated(operand, own, &values)
                else { continue }
                var operands = recipe.operands
                operands[at] = same
                guard let form = Self.form(of: part.step, operands, &values) else { continue }
                return Form(number: form.number, inner: inner, bytes: form.bytes)
            }
        }
        return nil
    }

    /// - Returns: what the step gives; nil where items mix in it.
    private mutating func take(_ step: Step, _ values: inout ItemValues) -> Form? {
        var own = step.operands.compactMap { forms[$0] }
        guard own.count == step.operands.count else { return nil }
        var found = (step: step, inner: Int?.none)
        while own.contains(where: { $0.inner != nil }) {
            do throws(ItemAxes.Obstacle) {
                let part = try step.ofOneItem(own.map(\.inner), items: items)
                found = (part.step, part.inner)
                break
            } catch {
                guard case .repeats(let at, let inner) = error,
                    let form = repeated(own[at], inner, &values)
                else { return nil }
                own[at] = form
            }
        }
        guard let form = Self.form(of: found.step, own, &values) else { return nil }
        var result = Form(number: form.number, inner: found.inner, bytes: form.bytes)
        if items > 1, own.allSatisfy({ $0.constant != nil }) {
            result.recipe = Recipe(step: step, operands: own)
        }
        forms[step.result] = result
        return result
    }

    /// One item's step on one item's values.
    private static func form(
        of given: Step, _ operands: [Form], _ values: inout ItemValues
    ) -> (number: Int, bytes: Int)? {
        var step = given
        step.output = nil
        step.operands = operands.map(\.number)
        step.result = 0
        step.readThrough(values.views)
        step = step.canonical
        step.readThrough(values.views)
        step = step.canonical
        guard let bytes = (try? step.extent())?.result else { return nil }
        if step.kind == .copy, step.isIdentity, bytes == operands[0].bytes {
            return (operands[0].number, bytes)
        }
        let source = ItemValues.Source(
            origin: .step(step.kind), operands: step.operands, ints: step.ints,
            floats: step.floats.map(\.bitPattern))
        guard step.kind == .copy else { return (values.number(of: source), bytes) }
        let view = ItemValues.View(of: step.operands[0], step: step)
        return (values.number(of: view, source), bytes)
    }
}

extension Int {
    /// What divides it without a rest; nothing of zero.
    fileprivate var divisors: [Int] {
        var found: [Int] = []
        var low = 1
        while low * low <= self {
            if self % low == 0 { found += low * low == self ? [low] : [low, self / low] }
            low += 1
        }
        return found
    }
}

extension Step {
    /// Of a copy: whether it begins with the first element and takes them as they come.
    fileprivate var isIdentity: Bool {
        guard ints[1] == 0, let lists = try? lists(from: 2, parts: 2) else { return false }
        return lists[0].isEmpty || (lists[0].count == 1 && lists[1].first == 1)
    }

    /// Has a product read what it multiplies where it was copied from, as long as it can.
    fileprivate mutating func readThrough(_ views: [Int: ItemValues.View]) {
        guard kind == .gemm, var s = MatrixShape(ints) else { return }
        while let view = views[operands[0]],
            let strides = CopiedView(view.step)?.strides(
                of: [s.rows, s.depth, s.matrices], [s.aLine, s.aDepth, s.aMatrix])
        {
            (s.aLine, s.aDepth, s.aMatrix) = (strides[0], strides[1], strides[2])
            operands[0] = view.of
        }
        while let view = views[operands[1]],
            let strides = CopiedView(view.step)?.strides(
                of: [s.columns, s.depth, s.matrices], [s.bLine, s.bDepth, s.bMatrix])
        {
            (s.bLine, s.bDepth, s.bMatrix) = (strides[0], strides[1], strides[2])
            operands[1] = view.of
        }
        ints = s.ints
    }
}

// MARK: - Models

extension Model {
    /// Whether items that are computed together get the bits that each gets alone.
    ///
    /// - Parameter shapes: of the inputs, by name; their first axes count the items.
    /// - Returns: nil where that is proved.
    /// - Throws: ``Failure`` where there is no plan for these shapes, or for one item.
    package func itemDoubt(_ shapes: [String: [Int]]) throws(Failure) -> ItemDoubt? {
        let items = shapes.values.first?.first ?? 0
        guard items != 1 || !shapes.values.allSatisfy({ $0.first == 1 }) else { return nil }
        let plan = try Planner.plan(self, shapes: shapes)
        let one =
            fixedBatch == nil
            ? try Planner.plan(self, shapes: shapes.mapValues { [1] + $0.dropFirst() }) : nil
        return ItemWalk.doubt(plan, beside: one).map { ItemDoubt(place: place(of: $0, plan)) }
    }

    /// The node that a step is of.
    private func place(of step: Int, _ plan: Plan) -> String {
        // What is no value of the model is on the way to one.
        guard let name = plan.steps[step...].lazy.compactMap({ $0.output?.name }).first else {
            let output = plan.outputs.first { $0.shape.first != plan.itemCount } ?? plan.outputs[0]
            return "output \"\(output.name.printable)\""
        }
        return nodes.first { $0.outputs.contains(name) }?.place ?? "value \"\(name.printable)\""
    }
}
