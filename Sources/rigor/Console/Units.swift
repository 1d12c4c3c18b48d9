internal import Core

/// Figures for people.
enum Units {
    /// Powers of 1024: `24 GiB`, `1.5 MiB`.
    static func bytes(_ count: Int) -> String {
        let names = ["B", "KiB", "MiB", "GiB", "TiB"]
        var value = Double(count)
        var unit = 0
        while value >= 1024, unit + 1 < names.count {
            value /= 1024
            unit += 1
        }
        return "\(decimal(value, 1)) \(names[unit])"
    }

    /// `45 s`, `3 min 20 s`, `2 h 5 min`.
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e9 else { return "-" }
        let whole = Int(seconds.rounded(.up))
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3600) h \(whole / 60 % 60) min"
    }

    /// `1 device`, `2 devices`, `3 leaves`.
    static func count(_ number: Int, _ word: String, _ many: String? = nil) -> String {
        "\(number) \(number == 1 ? word : many ?? "\(word)s")"
    }

    /// Three digits that tell, however small the value is: `2.39`, `0.00042`.
    static func significant(_ value: Double) -> String {
        var digits = 0
        var least = 100.0
        while value.magnitude < least, digits < 12 {
            least /= 10
            digits += 1
        }
        return plain(value, digits)
    }

    /// At most `digits` behind the point, and no exponent; `-` for what is not finite.
    static func plain(_ value: Double, _ digits: Int) -> String {
        if case .decimal(let text) = JSON.number(value, decimals: digits) { return text }
        return "-"
    }

    /// At most `digits` behind the point, none where they are zeros.
    static func decimal(_ value: Double, _ digits: Int) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let rounded = (value * scale).rounded() / scale
        return rounded == rounded.rounded() && rounded.magnitude < 1e15
            ? String(Int(rounded)) : String(rounded)
    }
}

/// Columns of text, each as wide as its widest cell.
struct TextTable {
    private var rows: [[String]]

    init(_ heading: [String]) { rows = [heading] }

    mutating func add(_ row: [String]) { rows.append(row) }

    var lines: [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { $0.indices ~= column ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                cell + String(repeating: " ", count: widths[column] - cell.count)
            }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }
}
