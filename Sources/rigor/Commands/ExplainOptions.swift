internal import ArgumentParser
internal import Core
internal import Foundation
internal import Rendering

/// `rigor render --explain`: what a scene holds and how each part is handled, without a device.
struct ExplainOptions: ParsableArguments {
    @Flag(
        name: .long,
        help: "Say what the scene holds and how each part is handled, and render nothing.")
    var explain = false

    /// Lines of one kind; a large scene has thousands of materials.
    private static let linesMax = 40

    func run(
        _ scene: String, _ moment: MomentOptions, asJSON: Bool, _ console: Console
    ) throws {
        let url = URL(fileURLWithPath: scene)
        let explanation = try SceneExplanation(
            url.lastPathComponent, from: SceneFiles(folder: url.deletingLastPathComponent()),
            options: try moment.moment.options(frame: moment.first))
        if asJSON {
            console.write(Self.document(scene, explanation))
        } else {
            for line in Self.lines(scene, explanation) { console.say(line) }
        }
        guard let refusal = explanation.refusal else { return }
        // The document has said why.
        if asJSON { throw ExitCode.failure }
        throw refusal
    }

    private static func document(_ scene: String, _ explanation: SceneExplanation) -> JSON {
        [
            "scene": .string(scene),
            "counts": .object(explanation.counts.map { JSON.Member($0.name, .int($0.count)) }),
            "parts": .array(
                explanation.parts.map {
                    [
                        "kind": .string($0.kind), "name": .string($0.name),
                        "detail": .string($0.detail), "handling": .string($0.handling.rawValue),
                    ]
                }),
            "refused": .optional(explanation.refusal?.message, JSON.string),
        ]
    }

    private static func lines(_ scene: String, _ explanation: SceneExplanation) -> [String] {
        let counts = explanation.counts.filter { $0.count > 0 }.map {
            "\($0.count) \($0.name.replacingOccurrences(of: "_", with: " "))"
        }
        var lines = ["scene     \(scene)", "holds     \(counts.joined(separator: ", "))"]
        var shown: [String: Int] = [:]
        for part in explanation.parts {
            shown[part.kind, default: 0] += 1
            let count = shown[part.kind, default: 0]
            guard count <= linesMax else { continue }
            let handling = part.handling.rawValue.padding(
                toLength: 9, withPad: " ", startingAt: 0)
            let words = [part.kind, part.name, part.detail].filter { !$0.isEmpty }
            lines.append("\(handling) \(words.joined(separator: "  "))")
        }
        for (kind, count) in shown.sorted(by: { $0.key < $1.key }) where count > linesMax {
            lines.append("          and \(count - linesMax) more of kind \(kind); all with --json")
        }
        return lines
    }
}
