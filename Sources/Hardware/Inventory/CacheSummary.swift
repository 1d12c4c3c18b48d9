internal import Core

/// Equal caches, counted: `2 × L2 1 MiB`.
public struct CacheSummary: Hashable, Sendable {
    public var cache: Cache
    public var count: Int

    var json: JSON {
        [
            "level": .int(cache.level), "kind": .string(cache.kind.rawValue),
            "bytes": .int(cache.byteCount), "line_bytes": .int(cache.lineByteCount),
            "ways": .int(cache.ways), "count": .int(count),
            "processors_each": .int(cache.processors.count),
        ]
    }
}

extension Inventory {
    /// The machine's caches by level and kind, equal ones together.
    public var cacheSummaries: [CacheSummary] {
        var summaries: [CacheSummary] = []
        for cache in machine.caches {
            let known = summaries.firstIndex { summary in
                let other = summary.cache
                return (other.level, other.kind, other.byteCount, other.processors.count)
                    == (cache.level, cache.kind, cache.byteCount, cache.processors.count)
            }
            if let known {
                summaries[known].count += 1
            } else {
                summaries.append(CacheSummary(cache: cache, count: 1))
            }
        }
        return summaries.sorted {
            ($0.cache.level, $0.cache.kind.rawValue) < ($1.cache.level, $1.cache.kind.rawValue)
        }
    }
}

/// Sets of indices as Linux writes them: `0-11,24-35`.
public enum IndexRanges {
    public static func text(_ indices: [Int]) -> String {
        var ranges: [(first: Int, last: Int)] = []
        for index in Set(indices).sorted() {
            if let last = ranges.last, last.last + 1 == index {
                ranges[ranges.count - 1].last = index
            } else {
                ranges.append((index, index))
            }
        }
        return ranges.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" }
            .joined(separator: ",")
    }
}
