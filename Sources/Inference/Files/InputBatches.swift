public import Core

/// What a model computes on, where that is many files: as many are read at a time as one batch
/// takes, so that a folder may hold more than memory does.
public struct InputBatches {
    /// Values for all of the model's inputs, of some files.
    public struct Batch {
        public var values: [String: Tensor]
        /// How each file is called, without folder and ending.
        public var stems: [String]
        /// Items that each file brought.
        public var counts: [Int]

        package init(values: [String: Tensor], stems: [String], counts: [Int]) {
            (self.values, self.stems, self.counts) = (values, stems, counts)
        }
    }

    private struct Entry {
        let input: Model.Input
        let sources: [InputSource]
    }

    private let entries: [Entry]
    private let normalization: InputFiles.Normalization
    private let itemsMax: Int
    /// Inputs with one file where others have many: each file is computed with it.
    private var shared: [String: Tensor] = [:]
    private var place = 0
    /// Read already, for the next batch.
    private var ahead: [String: Tensor]?
    public let fileCount: Int

    /// - Parameter itemsMax: items of a batch.
    /// - Throws: ``Failure`` when inputs have different numbers of files.
    public init(
        _ sources: [(input: Model.Input, sources: [InputSource])],
        _ normalization: InputFiles.Normalization, itemsMax: Int
    ) throws(Failure) {
        let most = sources.map(\.sources.count).max() ?? 0
        for (input, files) in sources where files.count != most && files.count != 1 {
            throw Failure(
                .malformed,
                "input \"\(input.name.printable)\" has \(files.count) files, another \(most); "
                    + "as many expected, or one for all")
        }
        entries = sources.map { Entry(input: $0.input, sources: $0.sources) }
        self.normalization = normalization
        self.itemsMax = itemsMax
        fileCount = most
    }

    /// - Returns: nil after the last file.
    /// - Throws: ``Failure`` naming the file and what was expected.
    public mutating func next() throws(Failure) -> Batch? {
        guard var file = try takeFile() else { return nil }
        var parts = file.mapValues { [$0] }
        var batch = Batch(values: file, stems: [stem(place - 1)], counts: [Self.items(file)])
        while isJoinable, let other = try takeFile() {
            file = other
            guard Self.canJoin(file, parts),
                batch.counts.reduce(Self.items(file), +) <= itemsMax
            else {
                ahead = file
                place -= 1
                break
            }
            for (name, value) in file { parts[name]?.append(value) }
            batch.stems.append(stem(place - 1))
            batch.counts.append(Self.items(file))
        }
        if batch.stems.count > 1 { batch.values = parts.mapValues(Tensor.init(stacking:)) }
        return batch
    }

    /// Files of one input alone are items of a batch; what is shared belongs to each.
    private var isJoinable: Bool { entries.allSatisfy { $0.sources.count == fileCount } }

    private mutating func takeFile() throws(Failure) -> [String: Tensor]? {
        guard place < fileCount else { return nil }
        defer { place += 1 }
        if let ahead {
            self.ahead = nil
            return ahead
        }
        var values: [String: Tensor] = [:]
        for entry in entries {
            let name = entry.input.name
            if let value = shared[name] {
                values[name] = value
                continue
            }
            let source = entry.sources.count == 1 ? entry.sources[0] : entry.sources[place]
            let value = try InputFiles.read(source, for: entry.input, normalization)
            values[name] = value
            if entry.sources.count == 1, fileCount > 1 { shared[name] = value }
        }
        return values
    }

    private func stem(_ place: Int) -> String {
        let many = entries.first { $0.sources.count == fileCount }
        return many?.sources[place].stem ?? "\(place)"
    }

    /// 1 where the inputs have no first axis in common: the file is one item.
    private static func items(_ file: [String: Tensor]) -> Int {
        let firsts = Set(file.values.map { $0.shape.first ?? 0 })
        return firsts.count == 1 ? firsts.first ?? 1 : 1
    }

    private static func canJoin(_ file: [String: Tensor], _ parts: [String: [Tensor]]) -> Bool {
        let firsts = Set(file.values.map { $0.shape.first ?? 0 })
        return firsts.count == 1 && firsts.first != 0
            && file.allSatisfy { name, value in
                parts[name]?.first.map { $0.shape.dropFirst() == value.shape.dropFirst() } ?? false
            }
    }
}
