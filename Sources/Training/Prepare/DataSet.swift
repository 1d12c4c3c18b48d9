public import Core
public import Inference

/// Items with a label each.
public struct DataSet: Hashable, Sendable {
    /// float32, items along the first axis.
    public var items: Tensor
    public var labels: [Int]

    public init(items: Tensor, labels: [Int]) {
        self.items = items
        self.labels = labels
    }

    public var count: Int { labels.count }
    /// The shape of one item.
    public var item: [Int] { Array(items.shape.dropFirst()) }

    /// Reads what NumPy's `savez` writes: `x` and `y`, and perhaps `x_test` and `y_test`. Without
    /// these every so many-th item is held out.
    ///
    /// - Throws: ``Failure`` saying what the archive has and what was expected.
    public static func read(
        _ bytes: Bytes, _ options: TrainingOptions
    ) throws(Failure) -> (train: DataSet, test: DataSet?) {
        var arrays: [String: Tensor] = [:]
        for (name, tensor) in try Archive.arrays(bytes) { arrays[name] = tensor }
        let whole = try DataSet(arrays, "x", "y", options)
        let part = options.holdOut
        if arrays["x_test"] != nil || arrays["y_test"] != nil {
            let test = try DataSet(arrays, "x_test", "y_test", options)
            guard test.item == whole.item else {
                throw Failure(
                    .malformed,
                    "x_test: items of \(test.item.text); \(whole.item.text) expected as in x")
            }
            return (whole, test)
        }
        guard part > 0 else { return (whole, nil) }
        let all = 0..<whole.count
        let test = whole.taking(all.filter { $0 % part == part - 1 })
        return (whole.taking(all.filter { $0 % part != part - 1 }), test.count > 0 ? test : nil)
    }

    private init(
        _ arrays: [String: Tensor], _ x: String, _ y: String, _ options: TrainingOptions
    ) throws(Failure) {
        guard let items = arrays[x], let labels = arrays[y] else {
            let names = arrays.keys.sorted().map(\.printable).joined(separator: ", ")
            throw Failure(.malformed, "arrays \(names); \(x) and \(y) expected")
        }
        guard !items.shape.contains(0) else {
            throw Failure(
                .malformed,
                "\(x) \(items.shape.text): an axis of 0; something to train on expected")
        }
        guard items.shape.count >= 2, labels.shape == [items.shape[0]],
            let numbers = labels.integers
        else {
            throw Failure(
                .malformed,
                "\(x) \(items.type.name) \(items.shape.text) and \(y) \(labels.type.name) "
                    + "\(labels.shape.text); items along the first axis and an integer for each "
                    + "expected")
        }
        let isWide = labels.type == .uint64
        if let index = numbers.firstIndex(where: { $0 > Int32.max || isWide && $0 < 0 }) {
            let label = isWide ? "\(UInt64(bitPattern: numbers[index]))" : "\(numbers[index])"
            throw Failure(
                .malformed,
                "\(y): item \(index) has label \(label); at most \(Int32.max) expected")
        }
        let scale = Float(TrainingOptions.number(options.scale))
        let values: [Float] =
            switch items.elements {
            case .floats(let values): values
            case .doubles(let values): values.map { Float($0) }
            case .integers(let values): values.map { Float($0) }
            }
        let scaled = scale == 1 ? values : values.map { $0 * scale }
        guard scaled.allSatisfy(\.isFinite) else {
            throw Failure(.malformed, "\(x): a value that is not finite")
        }
        self.init(
            items: Tensor(scaled, shape: items.shape), labels: numbers.map(Int.init))
    }

    /// - Throws: ``Failure`` naming the first label that is no class.
    func check(classes: Int) throws(Failure) {
        guard let index = labels.firstIndex(where: { !(0..<classes).contains($0) }) else { return }
        throw Failure(
            .malformed,
            "item \(index) has label \(labels[index]); 0 to \(classes - 1) expected")
    }

    /// Items by number, some perhaps more than once.
    func taking(_ numbers: [Int]) -> DataSet {
        let each = item.reduce(1, *)
        let all = items.floats ?? []
        var values: [Float] = []
        values.reserveCapacity(numbers.count * each)
        for number in numbers { values += all[(number * each)..<((number + 1) * each)] }
        return DataSet(
            items: Tensor(values, shape: [numbers.count] + item),
            labels: numbers.map { labels[$0] })
    }

    var labelTensor: Tensor { Tensor(labels.map(Int64.init), type: .int64, shape: [count]) }
}
