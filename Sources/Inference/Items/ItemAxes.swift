/// The axes that a step walks over, and where each of its operands lies along them, to find the one
/// axis that counts the items of a batch.
///
/// An operand holds items where its elements are (outer, items, inner), row by row. Each of its
/// positions then has three digits: outside the item, the item, and inside it. Axes are split until
/// each moves one digit alone.
struct ItemAxes {
    struct Axis {
        var size: Int
        /// Elements from one index to the next, per operand.
        var strides: [Int]
        /// The axis of the step that it is a part of.
        var group: Int
        /// Whether it is one over which the step sums or searches, or that it pads: such an axis
        /// has to stay whole.
        var isWhole = false
        /// Whether the result has it.
        var isInResult = true
    }

    /// An operand: elements of one item without a gap, or nil where all items share it; and where
    /// it begins.
    struct Operand {
        var inner: Int?
        var offset = 0
    }

    /// As in a row-major result, those that it does not have anywhere.
    var axes: [Axis]
    var operands: [Operand]
    let items: Int

    init(_ axes: [Axis], _ operands: [Operand], items: Int) {
        (self.axes, self.operands, self.items) = (axes, operands, items)
    }

    /// What to do about an operand that all items share, but of which each would read another part.
    enum Obstacle: Error {
        case mixes
        /// It would have to be the same for each of the items, so many elements each.
        case repeats(operand: Int, inner: Int)
    }

    /// Takes the axis of items out: what is left are one item's axes and places.
    ///
    /// - Returns: the axes that were behind it.
    mutating func takeItemsOut() throws(Obstacle) -> ArraySlice<Axis> {
        for operand in operands.indices { try split(operand) }
        // Splitting for one may have cut what belonged together for another, which is no harm.
        var found: Int?
        for (at, operand) in operands.enumerated() {
            guard let inner = operand.inner else { continue }
            let own = axes.indices.filter { axes[$0].strides[at] == inner && axes[$0].size > 1 }
            guard own.count == 1, axes[own[0]].size == items, found ?? own[0] == own[0] else {
                throw .mixes
            }
            found = own[0]
        }
        guard let item = found, axes[item].isInResult, !axes[item].isWhole else { throw .mixes }
        for at in operands.indices where operands[at].inner == nil && axes[item].strides[at] != 0 {
            throw .repeats(operand: at, inner: axes[item].strides[at])
        }
        axes.remove(at: item)
        for at in operands.indices { try narrow(at) }
        return axes[item...]
    }

    /// Takes the axis of items out.
    ///
    /// - Returns: elements that the result has behind an index of it.
    mutating func removeItems() throws(Obstacle) -> Int {
        try takeItemsOut().reduce(1) { $1.isInResult ? $0 * $1.size : $0 }
    }

    /// Splits axes until each moves one digit of an operand's places.
    private mutating func split(_ at: Int) throws(Obstacle) {
        guard let inner = operands[at].inner else { return }
        var index = 0
        while index < axes.count {
            let (axis, stride) = (axes[index], abs(axes[index].strides[at]))
            if axis.size == 1 || stride == 0 || stride % (inner * items) == 0 {
                index += 1
                continue
            }
            let part: Int
            if stride % inner == 0 {
                guard axes[index].strides[at] == inner else { throw .mixes }
                part = items
            } else {
                guard stride < inner else { throw .mixes }
                if stride * (axis.size - 1) < inner {
                    index += 1
                    continue
                }
                guard inner % stride == 0 else { throw .mixes }
                part = inner / stride
            }
            if axis.size == part {
                index += 1
                continue
            }
            guard axis.size > part, axis.size % part == 0, !axis.isWhole else { throw .mixes }
            var (high, low) = (axis, axis)
            high.size = axis.size / part
            high.strides = axis.strides.map { $0 * part }
            low.size = part
            axes.replaceSubrange(index...index, with: [high, low])
        }
    }

    /// An operand's places in one item; no step from one of them may leave it.
    private mutating func narrow(_ at: Int) throws(Obstacle) {
        guard let inner = operands[at].inner else { return }
        let offset = operands[at].offset
        guard offset / inner % items == 0 else { throw .mixes }
        var (low, high) = (offset % inner, offset % inner)
        for index in axes.indices where axes[index].size > 1 {
            let stride = axes[index].strides[at]
            if stride.magnitude >= inner * items {
                axes[index].strides[at] = stride / items
                continue
            }
            let reach = stride * (axes[index].size - 1)
            if reach < 0 { low += reach } else { high += reach }
        }
        guard low >= 0, high < inner else { throw .mixes }
        operands[at].offset = offset / (inner * items) * inner + offset % inner
    }

    /// One axis for each of the step's, which parts of one may have become several; nil where those
    /// do not go together.
    func merged(groups: Int) -> [Axis]? {
        (0..<groups).reduce(into: [Axis]?([])) { result, group in
            guard result != nil else { return }
            let parts = axes.filter { $0.group == group && $0.size > 1 }
            guard var whole = parts.last else {
                result?.append(
                    Axis(size: 1, strides: operands.map { _ in 0 }, group: group))
                return
            }
            for part in parts.dropLast().reversed() {
                guard zip(part.strides, whole.strides).allSatisfy({ $0 == $1 * whole.size })
                else {
                    result = nil
                    return
                }
                whole.size *= part.size
            }
            result?.append(whole)
        }
    }
}
