internal import Core

/// Numbers for values: two that have one number have the same bits, whichever plan computes them.
struct ItemValues {
    /// How a value is computed.
    struct Source: Hashable {
        enum Origin: Hashable {
            case input(Int)
            case step(Step.Kind)
        }

        var origin: Origin
        var operands: [Int] = []
        var ints: [Int] = []
        /// Bits of floats.
        var floats: [UInt32] = []
    }

    /// A copy, for those who read through it.
    struct View {
        var of: Int
        var step: Step
    }

    private var numbers: [Source: Int] = [:]
    private var constants: [ConstantKey: [(tensor: Tensor, number: Int)]] = [:]
    private(set) var views: [Int: View] = [:]
    private(set) var count = 0

    /// What is looked at first, before all bytes are.
    private struct ConstantKey: Hashable {
        var type: ElementType
        var count: Int
        var sample: [UInt8]
    }

    mutating func number(of source: Source) -> Int {
        if let known = numbers[source] { return known }
        count += 1
        numbers[source] = count
        return count
    }

    mutating func number(of view: View, _ source: Source) -> Int {
        let number = number(of: source)
        views[number] = view
        return number
    }

    /// By the bytes alone: shapes are in the steps that read them.
    mutating func number(of constant: Tensor) -> Int {
        var sample: [UInt8] = []
        constant.withRawBytes { bytes in
            let step = max(1, bytes.count / 64)
            sample = Swift.stride(from: 0, to: bytes.count, by: step).map { bytes[$0] }
        }
        let key = ConstantKey(type: constant.type, count: constant.count, sample: sample)
        if let known = constants[key]?.first(where: { $0.tensor.hasBytes(of: constant) }) {
            return known.number
        }
        count += 1
        constants[key, default: []].append((constant, count))
        return count
    }
}

extension Tensor {
    fileprivate func withRawBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        do throws(Failure) {
            try withBytes { (bytes) throws(Failure) in body(bytes) }
        } catch {
            preconditionFailure("nothing was thrown")
        }
    }

    fileprivate func hasBytes(of other: Tensor) -> Bool {
        var isEqual = false
        withRawBytes { own in
            other.withRawBytes { isEqual = own.hasBytes(of: $0) }
        }
        return isEqual
    }

    /// What each of `items` has of it, as (outer, items, inner); nil where that is not the same
    /// for all.
    func repeatedItem(inner: Int, items: Int) -> Tensor? {
        guard inner > 0, count % (inner * items) == 0 else { return nil }
        let size = inner * type.byteCount
        var part = Bytes()
        var isRepeated = true
        withRawBytes { bytes in
            for outer in Swift.stride(from: 0, to: bytes.count, by: size * items) {
                let first = UnsafeRawBufferPointer(rebasing: bytes[outer..<(outer + size)])
                part += first
                for item in 1..<items where isRepeated {
                    let start = outer + item * size
                    isRepeated = first.hasBytes(
                        of: UnsafeRawBufferPointer(rebasing: bytes[start..<(start + size)]))
                }
            }
        }
        guard isRepeated else { return nil }
        return part.withUnsafeBytes {
            Tensor(type: type, shape: [count / items], bytes: $0)
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func hasBytes(of other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count, let own = baseAddress, let others = other.baseAddress else {
            return count == other.count
        }
        if own == others { return true }
        // By words, and by bytes what is left.
        let words = count / 8
        for word in 0..<words
        where own.loadUnaligned(fromByteOffset: 8 * word, as: UInt64.self)
            != others.loadUnaligned(fromByteOffset: 8 * word, as: UInt64.self)
        {
            return false
        }
        return self[(8 * words)...].elementsEqual(other[(8 * words)...])
    }
}
