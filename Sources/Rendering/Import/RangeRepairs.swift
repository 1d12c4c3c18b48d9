internal import Core

/// Whose numbers are read.
struct RangeOwner: Hashable {
    /// Such as `material`.
    let kind: String
    let label: String

    init(_ kind: String, _ index: Int, name: String?) {
        self.kind = kind
        label = name.map { "\(kind) \"\(SceneImporter.printable($0))\"" } ?? "\(kind) \(index)"
    }
}

/// Numbers that lie outside what glTF or the renderer's arithmetic allows, and as what they are
/// taken. Told once for each property, however many owners have it so.
struct RangeRepairs {
    private struct Repair {
        let line: String
        var owners: Set<RangeOwner>
    }

    private struct Property: Hashable {
        let kind: String
        let name: String
    }

    private var repairs: [Property: Repair] = [:]
    private var order: [Property] = []

    mutating func add(
        _ owner: RangeOwner, _ name: String, _ value: String, takenAs taken: String,
        expected: String
    ) {
        let property = Property(kind: owner.kind, name: name)
        if repairs[property]?.owners.insert(owner) != nil { return }
        let line = "\(owner.label): \(name) \(value) taken as \(taken) (\(expected) expected)"
        repairs[property] = Repair(line: line, owners: [owner])
        order.append(property)
    }

    /// One line for each property, in the order in which they came up.
    var lines: [String] {
        order.compactMap { property in
            repairs[property].map { repair in
                let others = repair.owners.count - 1
                guard others > 0 else { return repair.line }
                let noun = others == 1 ? property.kind : property.kind + "s"
                return "\(repair.line), and so of \(others) other \(noun)"
            }
        }
    }
}

extension SceneImporter {
    /// Zero to 2²⁶, the most that a pixel's sum may take in.
    private static let radiances = 0...0x1p26

    func unit(_ value: Double, _ name: String) -> Float { kept(value, 0...1, name) }

    func radiance(_ value: Double, _ name: String) -> Float {
        kept(value, Self.radiances, name)
    }

    /// A number within `range`; one outside it is taken as the nearer end, and told.
    func kept(_ value: Double, _ range: ClosedRange<Double>, _ name: String) -> Float {
        let inside = Self.clamped(value, range)
        if !range.contains(value) {
            tell(name, Self.text(value), Self.text(inside), Self.text(range))
        }
        return Float(inside).withoutSubnormals
    }

    func units(
        _ values: [Double]?, _ standard: [Double], _ name: String
    ) throws(Failure)
        -> [Float]
    {
        try kept(values ?? standard, standard.count, 0...1, name)
    }

    func radiances(
        _ values: [Double]?, _ standard: [Double], _ name: String
    ) throws(Failure)
        -> SIMD3<Float>
    {
        let numbers = try kept(values ?? standard, standard.count, Self.radiances, name)
        return SIMD3(numbers[0], numbers[1], numbers[2])
    }

    /// Exactly `count` numbers, each within `range`.
    func kept(
        _ values: [Double], _ count: Int, _ range: ClosedRange<Double>, _ name: String
    ) throws(Failure) -> [Float] {
        let numbers = try Affine.numbers(values, count, name)
        let inside = numbers.map { Self.clamped($0, range) }
        if !numbers.allSatisfy(range.contains) {
            tell(name, Self.text(numbers), Self.text(inside), Self.text(range))
        }
        return inside.map { Float($0).withoutSubnormals }
    }

    /// A colour times how strong it is. Neither may be below 0; together they may be a radiance.
    func radiances(
        _ color: [Double], _ colorName: String, times strength: Double, _ strengthName: String
    ) throws(Failure) -> SIMD3<Float> {
        let range = 0...Double.greatestFiniteMagnitude
        let numbers = try Affine.numbers(color, 3, colorName)
        if !numbers.allSatisfy(range.contains) {
            let inside = numbers.map { Self.clamped($0, range) }
            tell(colorName, Self.text(numbers), Self.text(inside), "0 or more")
        }
        if strength < 0 { tell(strengthName, Self.text(strength), "0", "0 or more") }
        let scaled = numbers.map { max($0, 0) * max(strength, 0) }
        let inside = scaled.map { Self.clamped($0, Self.radiances) }
        if scaled != inside {
            tell(
                "\(colorName) × \(strengthName)", Self.text(scaled), Self.text(inside),
                Self.text(Self.radiances))
        }
        let floats = inside.map { Float($0).withoutSubnormals }
        return SIMD3(floats[0], floats[1], floats[2])
    }

    /// Notes that a number of the ``owner`` is taken as another one.
    func tell(_ name: String, _ value: String, _ taken: String, _ expected: String) {
        repairs.add(owner, name, value, takenAs: taken, expected: expected)
    }

    private static func clamped(_ value: Double, _ range: ClosedRange<Double>) -> Double {
        // What is no number is taken as the lower end.
        value > range.lowerBound ? min(value, range.upperBound) : range.lowerBound
    }

    // MARK: Words

    private static func text(_ range: ClosedRange<Double>) -> String {
        "\(text(range.lowerBound)) to \(text(range.upperBound))"
    }

    private static func text(_ values: [Double]) -> String {
        "[\(values.map(text).joined(separator: ", "))]"
    }

    static func text(_ value: Double) -> String {
        for exponent in [20, 26] where value.magnitude == Double(1 << exponent) {
            return "\(value < 0 ? "-" : "")2^\(exponent)"
        }
        return Int(exactly: value).flatMap { $0.magnitude < 1_000_000_000 ? String($0) : nil }
            ?? "\(value)"
    }
}
