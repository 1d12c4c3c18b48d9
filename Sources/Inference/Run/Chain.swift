internal import Compute
internal import Core

/// Elementwise steps that follow one another, as one launch: see `Kernels/inference/chain.cl`.
/// Values that only the chain's own steps read are never stored.
struct Chain {
    /// Which of the plan's steps these are.
    let steps: Range<Int>
    let elements: Int
    /// The program's words.
    let words: [Int32]
    /// Numbers of the buffers that it loads and stores.
    let buffers: [Int]
    /// The same by a kernel of its own, where there is one.
    let affine: PlanesAffine?

    static let registersMax = 12
    static let buffersMax = 8
    static let stepsMax = 32

    /// How an operand's elements repeat over the result's.
    struct Pattern: Hashable {
        /// How often each element stands, and after how many they begin again; 0 where there are
        /// as many as the result has.
        var inner = 1, count = 0
        static let whole = Pattern()
    }

    /// A step as operations on registers.
    private struct Element {
        var code: Int
        var elements: Int
        var patterns: [Pattern]
        var floats: [Float] = []
    }

    /// Whether it is launched as one there; on graphics cards, steps alone have kernels that know
    /// what they are.
    func suits(_ device: DeviceDescription) -> Bool {
        device.kind == .cpu || device.kind == .gpu && steps.count > 1
    }

    /// The chains of a plan, by the first step's index.
    static func chains(of plan: Plan) -> [Int: Chain] {
        let elements = plan.steps.map(element)
        let readers = lastReaders(plan)
        var chains: [Int: Chain] = [:]
        var first = 0
        while first < plan.steps.count {
            var end = extent(from: first, plan, elements, readers)
            while end > first {
                if let chain = Chain(first..<end, plan, elements, readers) {
                    chains[first] = chain
                    break
                }
                end -= 1
            }
            first = max(end, first + 1)
        }
        return chains
    }

    /// The last step that reads each step's result; `Int.max` for the plan's outputs.
    static func lastReaders(_ plan: Plan) -> [Int] {
        var last: [Int: Int] = [:]
        for port in plan.outputs { last[port.buffer] = Int.max }
        var readers = plan.steps.map { _ in -1 }
        for (index, step) in plan.steps.enumerated().reversed() {
            readers[index] = last.removeValue(forKey: step.result) ?? -1
            for operand in step.operands where last[operand] == nil { last[operand] = index }
        }
        return readers
    }

    /// Behind the last step that may belong to a chain from `first` on.
    private static func extent(
        from first: Int, _ plan: Plan, _ elements: [Element?], _ readers: [Int]
    ) -> Int {
        guard let head = elements[first] else { return first }
        var made: Set<Int> = []
        // What repeats is read at other places than it would be stored to.
        var repeating: Set<Int> = []
        var end = first
        while end < min(plan.steps.count, first + stepsMax) {
            let step = plan.steps[end]
            guard let element = elements[end], element.elements == head.elements,
                end == first || step.operands.contains(where: made.contains)
            else { break }
            for (number, pattern) in zip(step.operands, element.patterns) where pattern != .whole {
                guard !made.contains(number) else { return end }
                repeating.insert(number)
            }
            guard !repeating.contains(step.result) else { break }
            made.insert(step.result)
            end += 1
        }
        return end
    }

    // MARK: Steps as operations

    /// - Returns: nil for steps that are not elementwise, or have no operation in chains.
    private static func element(_ step: Step) -> Element? {
        let i = step.ints
        switch step.kind {
        case .unary:
            guard let operation = UnaryOperation(rawValue: i[0]), unary.contains(operation),
                isFloat(i, at: 2), isCountable(i[1])
            else { return nil }
            return Element(
                code: 100 + i[0], elements: i[1], patterns: [.whole], floats: step.floats)
        case .binary:
            guard let operation = BinaryOperation(rawValue: i[0]), binary.contains(operation),
                isFloat(i, at: 1), let lists = try? step.lists(from: 2, parts: 3)
            else { return nil }
            let axes = Array(lists[0])
            let count = axes.reduce(1, *)
            let patterns = lists[1...].compactMap { pattern(axes, Array($0)) }
            guard patterns.count == 2, isCountable(count) else { return nil }
            return Element(code: 200 + i[0], elements: count, patterns: patterns)
        case .affine:
            let channels = Pattern(inner: i[2], count: i[1])
            guard isCountable(i[0] * i[1] * i[2]) else { return nil }
            return Element(
                code: 2, elements: i[0] * i[1] * i[2], patterns: [.whole, channels, channels])
        default: return nil
        }
    }

    /// What the kernel has a case for.
    private static let unary: Set<UnaryOperation> = [
        .relu, .leakyRelu, .clip, .neg, .abs, .floor, .ceil, .sqrt, .reciprocal, .exp, .log, .tanh,
        .sigmoid, .erf, .hardSigmoid, .hardSwish, .power,
    ]
    private static let binary: Set<BinaryOperation> = [
        .add, .sub, .mul, .div, .max, .min, .prelu,
    ]

    /// Whether a step's numbers name floats; those that name no type mean floats.
    static func isFloat(_ ints: [Int], at place: Int) -> Bool {
        ints.count <= place || ints[place] == Int(ElementType.float32.rawValue)
    }

    private static func isCountable(_ count: Int) -> Bool { count <= Int(Int32.max) - 4096 }

    /// What strides over the result's axes come to; nil when they do not repeat so simply.
    static func pattern(_ axes: [Int], _ strides: [Int]) -> Pattern? {
        var rest = zip(axes, strides).filter { $0.0 != 1 }[...]
        if rest.isEmpty { return .whole }
        var inner = 1
        while let (axis, stride) = rest.last, stride == 0 {
            inner *= axis
            rest.removeLast()
        }
        if rest.isEmpty { return Pattern(inner: 1, count: 1) }
        var count = 1
        while let (axis, stride) = rest.last, stride == count {
            count *= axis
            rest.removeLast()
        }
        guard rest.allSatisfy({ $0.1 == 0 }) else { return nil }
        if rest.isEmpty, inner == 1 { return .whole }
        return Pattern(inner: inner, count: count)
    }

    // MARK: The program

    /// - Returns: nil when registers or buffers do not suffice.
    private init?(_ range: Range<Int>, _ plan: Plan, _ elements: [Element?], _ readers: [Int]) {
        var program = ChainProgram()
        for index in range {
            guard let element = elements[index] else { return nil }
            let step = plan.steps[index]
            var values: [Int] = []
            for (number, pattern) in zip(step.operands, element.patterns) {
                values.append(program.value(of: number, pattern))
            }
            let result = program.compute(element.code, values, element.floats)
            program.define(step.result, result)
            if readers[index] >= range.upperBound { program.store(result, to: step.result) }
        }
        program.fuse()
        guard let words = program.words(), program.buffers.count <= Self.buffersMax else {
            return nil
        }
        steps = range
        self.elements = elements[range.lowerBound]?.elements ?? 0
        self.words = words
        buffers = program.buffers
        let isOneResult = readers[range].dropLast().allSatisfy { $0 < range.upperBound }
        affine =
            isOneResult
            ? PlanesAffine(
                plan.steps[range], range.map { elements[$0]?.patterns ?? [] },
                elements: self.elements) : nil
    }
}

/// A chain's operations while it is made: on values first, then on registers.
private struct ChainProgram {
    private struct Operation {
        var code: Int
        var result: Int?
        var sources: [Int] = []
        var slot = 0
        var numbers: [Int32] = [0, 0]
    }

    private struct Operand: Hashable {
        var number: Int
        var pattern: Chain.Pattern
    }

    private(set) var buffers: [Int] = []
    private var operations: [Operation] = []
    private var valueCount = 0
    /// What is known of a buffer's contents.
    private var loaded: [Operand: Int] = [:]
    /// Values whose register is theirs alone, since it may hold for the next turn too.
    private var repeating: [Int] = []

    private mutating func newValue() -> Int {
        valueCount += 1
        return valueCount - 1
    }

    private mutating func slot(_ number: Int) -> Int {
        if let slot = buffers.firstIndex(of: number) { return slot }
        buffers.append(number)
        return buffers.count - 1
    }

    mutating func value(of number: Int, _ pattern: Chain.Pattern) -> Int {
        let operand = Operand(number: number, pattern: pattern)
        if let value = loaded[operand] { return value }
        let value = newValue()
        operations.append(
            Operation(
                code: 0, result: value, slot: slot(number),
                numbers: [Int32(pattern.inner), Int32(pattern.count)]))
        if pattern != .whole { repeating.append(value) }
        loaded[operand] = value
        return value
    }

    mutating func compute(_ code: Int, _ sources: [Int], _ floats: [Float]) -> Int {
        let value = newValue()
        var numbers = floats.map { Int32(bitPattern: $0.bitPattern) }
        while numbers.count < 2 { numbers.append(0) }
        operations.append(
            Operation(code: code, result: value, sources: sources, numbers: numbers))
        return value
    }

    /// A buffer would hold `value` now.
    mutating func define(_ number: Int, _ value: Int) {
        loaded = loaded.filter { $0.key.number != number }
        loaded[Operand(number: number, pattern: .whole)] = value
    }

    mutating func store(_ value: Int, to number: Int) {
        operations.append(Operation(code: 1, sources: [value], slot: slot(number)))
    }

    /// Where values come from.
    private struct Origins {
        private var uses: [Int: Int] = [:]
        private var makers: [Int: Int] = [:]

        init(_ operations: [Operation]) {
            for (index, operation) in operations.enumerated() {
                for value in operation.sources { uses[value, default: 0] += 1 }
                if let result = operation.result { makers[result] = index }
            }
        }

        /// The operation of those codes whose result is `value` and goes nowhere else.
        func maker(_ value: Int, _ codes: Set<Int>, in operations: [Operation]) -> Int? {
            guard uses[value] == 1, let index = makers[value],
                codes.contains(operations[index].code)
            else { return nil }
            return index
        }
    }

    /// Makes one operation of several where there is one: products and sums, with what follows.
    mutating func fuse() {
        let origins = Origins(operations)
        var gone: Set<Int> = []
        for index in operations.indices {
            let operation = operations[index]
            switch operation.code {
            case 100:
                guard let sum = origins.maker(operation.sources[0], [2, 3], in: operations) else {
                    continue
                }
                operations[index].code = operations[sum].code + 2
                operations[index].sources = operations[sum].sources
                gone.insert(sum)
            case 200:
                for (a, b) in [(0, 1), (1, 0)] {
                    guard let product = origins.maker(operation.sources[a], [202], in: operations)
                    else { continue }
                    operations[index].code = 3
                    operations[index].sources =
                        operations[product].sources + [operation.sources[b]]
                    gone.insert(product)
                    break
                }
            case 202: gone.formUnion(fuseErrorFunction(index, origins))
            case 203: gone.formUnion(fuseHardSwish(index, origins))
            default: break
            }
        }
        operations = operations.enumerated().filter { !gone.contains($0.offset) }.map(\.element)
    }

    /// x · clip(x + a, …) ÷ b, as exporters write hard swish, by the division.
    ///
    /// - Returns: the operations that are in it now.
    private mutating func fuseHardSwish(_ index: Int, _ origins: Origins) -> [Int] {
        let operation = operations[index]
        guard let product = origins.maker(operation.sources[0], [202], in: operations) else {
            return []
        }
        let factors = operations[product].sources
        for (a, b) in [(0, 1), (1, 0)] {
            guard let clip = origins.maker(factors[a], [102], in: operations),
                let sum = origins.maker(operations[clip].sources[0], [200], in: operations),
                let place = operations[sum].sources.firstIndex(of: factors[b])
            else { continue }
            operations[index].code = 6
            operations[index].sources = [
                factors[b], operations[sum].sources[1 - place], operation.sources[1],
            ]
            operations[index].numbers = operations[clip].numbers
            return [product, clip, sum]
        }
        return []
    }

    /// x · (erf(x ÷ a) + b), or of x · a, as exporters write most of GELU, by the outer product.
    ///
    /// - Returns: the operations that are in it now.
    private mutating func fuseErrorFunction(_ index: Int, _ origins: Origins) -> [Int] {
        let factors = operations[index].sources
        for (a, b) in [(0, 1), (1, 0)] {
            // A product that is added to is one operation with the sum.
            guard let sum = origins.maker(factors[a], [200], in: operations) else { continue }
            for (c, d) in [(0, 1), (1, 0)] {
                let terms = operations[sum].sources
                guard let error = origins.maker(terms[c], [115], in: operations),
                    let inner = origins.maker(
                        operations[error].sources[0], [202, 203], in: operations),
                    let place = operations[inner].sources.firstIndex(of: factors[b])
                else { continue }
                let isQuotient = operations[inner].code == 203
                guard !isQuotient || place == 0 else { continue }
                operations[index].code = isQuotient ? 7 : 8
                operations[index].sources = [
                    factors[b], operations[inner].sources[1 - place], terms[d],
                ]
                return [sum, error, inner]
            }
        }
        return []
    }

    /// - Returns: nil when registers do not suffice.
    func words() -> [Int32]? {
        var lastUse: [Int: Int] = [:]
        for (index, operation) in operations.enumerated() {
            for value in operation.sources + [operation.result].compactMap(\.self) {
                lastUse[value] = index
            }
        }
        var free = Array((0..<Chain.registersMax).reversed())
        var registers: [Int: Int] = [:]
        for value in repeating {
            guard let register = free.popLast() else { return nil }
            registers[value] = register
        }
        var words: [Int32] = []
        for (index, operation) in operations.enumerated() {
            var sources = operation.sources.map { registers[$0] ?? 0 }
            for value in Set(operation.sources)
            where lastUse[value] == index && !repeating.contains(value) {
                free.append(registers[value] ?? 0)
            }
            if let result = operation.result, registers[result] == nil {
                guard let register = free.popLast() else { return nil }
                registers[result] = register
            }
            if operation.code == 0 { sources = [operation.slot] }
            if operation.code == 1 { sources.append(operation.slot) }
            while sources.count < 3 { sources.append(0) }
            let target = operation.result.flatMap { registers[$0] } ?? 0
            words += ([operation.code, target] + sources).map(Int32.init)
            words += operation.numbers + [0]
        }
        return words
    }
}

extension Session {
    /// Puts a chain on the queue.
    func launch(_ chain: Chain) throws(Failure) {
        let isCard = device.description.kind == .gpu
        if !isCard, let affine = chain.affine { return try launch(affine) }
        let first = chain.steps.lowerBound
        let program: any ComputeBuffer
        if let known = tables[first] {
            program = known
        } else {
            program = try device.makeBuffer(chain.words)
            tables[first] = program
        }
        var operands: [KernelArgument] = []
        for number in chain.buffers { operands.append(.buffer(try buffer(number))) }
        while operands.count < Chain.buffersMax { operands.append(operands[0]) }
        // Enough parts for all processors, each worth its start.
        let part = chain.elements.dividedUp(by: WindowLayout.groupsWanted)
        let each = isCard ? 1 : min(max(part.roundedUp(to: 256), 512), 8192)
        try device.launch(
            "chain", of: try programs.chain(),
            global: [isCard ? chain.elements.inGroups : chain.elements.dividedUp(by: each)],
            local: isCard ? nil : [1],
            arguments: [
                .buffer(program), .int(Int32(chain.words.count / 8)),
                .int(Int32(chain.elements)), .int(Int32(each)),
            ] + operands)
    }
}
