import ArgumentParser
import Foundation
import Inference
import Rendering

/// What an option's value may be. The parser names the option and the value it refuses; here is
/// said what was expected, so that a usage error is always whole.
enum Accepted {
    typealias Reading<T> = @Sendable (String) throws -> T

    /// A whole number.
    static func whole<T: FixedWidthInteger & Sendable>(_ range: ClosedRange<T>) -> Reading<T> {
        { text in
            guard let value = T(text), range.contains(value) else {
                throw ValidationError(
                    "a whole number from \(range.lowerBound) to \(range.upperBound) expected")
            }
            return value
        }
    }

    /// A decimal number.
    static func decimal(_ range: ClosedRange<Double>) -> Reading<Double> {
        { text in
            guard let value = Double(text), range.contains(value) else {
                let (low, high) = (plain(range.lowerBound), plain(range.upperBound))
                throw ValidationError("a number from \(low) to \(high) expected")
            }
            return value
        }
    }

    /// A bound as it may be typed: a range must not seem to begin at 0 where 0 is refused.
    private static func plain(_ bound: Double) -> String {
        bound == bound.rounded() ? String(Int(bound)) : "\(bound)"
    }

    /// A decimal number as text: a task's specification holds it so.
    static func decimalText(_ range: ClosedRange<Double>) -> Reading<String> {
        let accept = decimal(range)
        return { text in
            _ = try accept(text)
            return text
        }
    }

    /// Decimal numbers between commas, as text: a task's specification holds them so.
    static func decimals(areDivisors: Bool = false) -> Reading<String> {
        { text in
            guard let values = try? InputFiles.Normalization.numbers(text),
                !(areDivisors && values.contains(0))
            else {
                let kind = areDivisors ? "decimal numbers other than 0" : "decimal numbers"
                throw ValidationError("\(kind), separated by commas, expected")
            }
            return text
        }
    }

    /// Any text but none.
    static func text(_ what: String) -> Reading<String> {
        { text in
            guard !text.isEmpty else { throw ValidationError("\(what) expected") }
            return text
        }
    }

    /// One of a few words.
    static func oneOf<T: RawRepresentable<String> & Sendable>(_ all: [T]) -> Reading<T> {
        { text in
            guard let value = T(rawValue: text) else {
                let names = all.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("one of \(names) expected")
            }
            return value
        }
    }

    /// Layers beside a picture.
    static let layers: Reading<Set<Auxiliary>> = { text in
        if text == "all" { return Set(Auxiliary.allCases) }
        let read = oneOf(Auxiliary.allCases)
        let words = text.split(separator: ",", omittingEmptySubsequences: false)
        do { return Set(try words.map { try read(String($0)) }) } catch {
            let names = Auxiliary.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("all, or some of \(names), separated by commas, expected")
        }
    }

    /// Bits a channel of a PNG.
    static let depth: Reading<Int> = { text in
        guard let bits = Int(text), PictureLook.depths.contains(bits) else {
            throw ValidationError("8 or 16 expected")
        }
        return bits
    }

    /// A file to be written; its name says which format.
    static func file(ending endings: [String]) -> Reading<String> {
        { text in
            guard endings.contains(where: { text.lowercased().hasSuffix(".\($0)") }) else {
                let list = endings.map { ".\($0)" }.joined(separator: " or ")
                throw ValidationError("a name ending in \(list) expected")
            }
            return text
        }
    }

    /// A file to be written, or with "/" at its end a folder for many.
    static func fileOrFolder(ending endings: [String]) -> Reading<String> {
        { text in text.hasSuffix("/") ? text : try file(ending: endings)(text) }
    }

    static let device: Reading<String> = { text in
        let terms = text.split(separator: ",", omittingEmptySubsequences: false)
        let isEmpty = { (term: Substring) in term.allSatisfy { $0 == " " } }
        guard !terms.contains(where: { isEmpty($0) || $0.hasPrefix("-") }) else {
            throw ValidationError(
                "an index, part of a name or platform, cpu, gpu or all expected; several between "
                    + "commas")
        }
        return text
    }

    /// A model under a name.
    static let namedModel: Reading<String> = { text in
        guard let sign = text.firstIndex(of: "="), sign != text.startIndex,
            text.index(after: sign) != text.endIndex
        else {
            throw ValidationError("NAME=MODEL expected, such as digits=model.onnx")
        }
        return text
    }

    static let input: Reading<String> = { text in
        guard let sign = text.firstIndex(of: "=") else {
            // An archive of arrays says the names itself.
            guard text.lowercased().hasSuffix(".npz") else {
                throw ValidationError("NAME=FILE expected, or an .npz archive")
            }
            return text
        }
        guard sign != text.startIndex, text.index(after: sign) != text.endIndex else {
            throw ValidationError("NAME=FILE expected")
        }
        return text
    }
}
