internal import Exact

/// What random numbers are distributed like.
enum Distribution: Int, Hashable, Sendable, CaseIterable {
    /// In [0, 1), multiples of 2⁻²⁴, or of 2⁻⁵³ where they are doubles.
    case uniform
    /// With mean 0 and variance 1.
    case normal

    /// The number of an element. Twin of Kernels/inference/random.cl.
    ///
    /// - Parameter place: two words that no other draw of the run has.
    func number(_ index: Int, _ place: SIMD2<UInt32>, seed: UInt64) -> Float {
        let words = words(index, place, seed)
        return switch self {
        case .uniform: Exact.unit(words.x)
        case .normal: Exact.normal(words.x, words.y)
        }
    }

    /// As ``number(_:_:seed:)``, of all the bits that a double has.
    func double(_ index: Int, _ place: SIMD2<UInt32>, seed: UInt64) -> Double {
        let words = words(index, place, seed)
        return switch self {
        case .uniform: Exact.unit(words.x, words.y)
        case .normal: Exact.normal(words)
        }
    }

    private func words(_ index: Int, _ place: SIMD2<UInt32>, _ seed: UInt64) -> SIMD4<UInt32> {
        Exact.philox(
            SIMD4(UInt32(truncatingIfNeeded: index), place.x, place.y, 0), key: seed.words)
    }
}

extension UInt64 {
    /// The lower half and the upper one.
    var words: SIMD2<UInt32> {
        SIMD2(UInt32(truncatingIfNeeded: self), UInt32(truncatingIfNeeded: self >> 32))
    }
}

extension HostSteps {
    static func draw(_ step: Step, _ seed: Tensor, shape: [Int]) -> Tensor {
        guard let distribution = Distribution(rawValue: step.ints[0]) else {
            preconditionFailure("a known distribution")
        }
        let place = SIMD2(UInt32(step.ints[2]), UInt32(step.ints[3]))
        let key = UInt64(bitPattern: integers(seed)[0])
        let (a, b) = (step.floats[0], step.floats[1])
        return Tensor(
            (0..<step.ints[1]).map {
                a.addingProduct(distribution.number($0, place, seed: key), b)
            }, shape: shape)
    }

    /// Of each row's classes, the first at which the running sum of weights is more than the part
    /// `u` of all of them.
    static func pick(_ step: Step, _ operands: [Tensor], shape: [Int]) -> Tensor {
        let (weights, parts) = (floats(operands[0]), floats(operands[1]))
        let (classes, samples) = (step.ints[1], step.ints[2])
        let picked = parts.indices.map { place -> Int64 in
            let first = place / samples * classes
            let own = weights[first..<(first + classes)]
            let target = parts[place] * own.reduce(0, +)
            var sum: Float = 0
            var picked = 0
            for weight in own {
                sum += weight
                picked += sum <= target ? 1 : 0
            }
            return Int64(min(picked, classes - 1))
        }
        return Tensor(picked, type: .int32, shape: shape)
    }
}
