internal import ArgumentParser
internal import Compute
internal import Core
internal import Files
internal import Foundation
internal import Inference

/// `rigor dispute model MODEL`.
struct DisputeModelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model",
        abstract: "Run a model on a device and hold it against another one, or a trace.",
        discussion: """
            Values are compared in the order in which they are computed. Names are those of the \
            rewritten graph: what is folded into another operator has none. A trace, which \
            `rigor infer --trace` writes, holds hashes: it tells the value, not the element.
            """)

    @Argument(help: "The model.", completion: .file(extensions: ["onnx"]))
    var model: String
    @OptionGroup var inputs: ModelInputOptions
    @OptionGroup var devices: DeviceOptions
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "What it is held against: another device, or a trace.", valueName: "device|file"),
        transform: Accepted.text("a device or a file"))
    var against: String
    @OptionGroup var output: OutputOptions
    @OptionGroup var home: HomeOptions

    func run() async throws {
        let console = Console()
        let loaded = try ModelLoader.load(path: model)
        let values = try inputs.ordered(of: loaded)
        let device = try one(devices)
        console.progress("tracing on \(device.description.label)")
        let mine = try ModelTrace(
            of: ModelSession(loaded, on: device), values, seed: inputs.usedSeed)
        let other: OpenCLDevice?
        let theirs: ModelTrace
        if against.hasSuffix(".json") {
            other = nil
            theirs = try ModelTrace(
                decoding: try FileBytes.read(against, byteCountMax: 1 << 28))
        } else {
            var options = DeviceOptions()
            options.device = against
            let second = try one(options)
            console.progress("tracing on \(second.description.label)")
            theirs = try ModelTrace(
                of: ModelSession(loaded, on: second), values, seed: inputs.usedSeed)
            other = second
        }
        console.endProgress()
        let finding = try finding(loaded, values, device, other, mine, theirs)
        if output.json {
            console.write(finding.json)
        } else {
            for line in finding.lines { console.say(line) }
        }
        if !finding.isSame { throw ExitCode.failure }
    }

    private func one(_ options: DeviceOptions) throws(Failure) -> OpenCLDevice {
        let devices = try options.open(home: home.given)
        guard devices.count == 1 else {
            throw Failure(
                .usage, "\(devices.count) devices; one expected on either side of a dispute")
        }
        return devices[0]
    }

    private func finding(
        _ model: Model, _ values: [ModelValue], _ device: OpenCLDevice, _ other: OpenCLDevice?,
        _ mine: ModelTrace, _ theirs: ModelTrace
    ) throws(Failure) -> Finding {
        var finding = Finding(
            device: device.description.label, other: other?.description.label ?? against,
            valueCount: mine.entries.count)
        guard let index = mine.firstDifference(from: theirs) else { return finding }
        finding.index = index
        let entries = (mine.entries, theirs.entries)
        guard index < entries.0.count, index < entries.1.count,
            entries.0[index].output == entries.1[index].output
        else { return finding }
        finding.value = entries.0[index].output
        guard let other else { return finding }
        let a = try tensor(index, model, values, device)
        let b = try tensor(index, model, values, other)
        finding.element = ElementDifference(a, b)
        return finding
    }

    /// One value of a run, by its place in the trace.
    private func tensor(
        _ index: Int, _ model: Model, _ values: [ModelValue], _ device: OpenCLDevice
    ) throws(Failure) -> Tensor {
        var found: Tensor?
        var next = 0
        try ModelTrace.walk(ModelSession(model, on: device), values, seed: inputs.usedSeed) {
            (_, tensor) throws(Failure) in
            if next == index { found = tensor }
            next += 1
        }
        guard let found else {
            throw Failure(.device, "\(device.description.label) gave fewer values this time")
        }
        return found
    }

    struct Finding {
        var device: String
        var other: String
        var valueCount: Int
        var index: Int?
        var value: Step.Output?
        var element: ElementDifference?

        var isSame: Bool { index == nil }

        var lines: [String] {
            guard let index else {
                return ["the same: \(Units.count(valueCount, "value", "values"))"]
            }
            guard let value else {
                return ["value \(index): the traces are not of one model and one kind of input"]
            }
            var lines = [
                "value \(index), \"\(value.name.printable)\" \(value.type.name) \(value.shape), "
                    + "is the first that differs"
            ]
            if let element {
                lines.append(
                    "element \(element.place): \(element.first) on \(device), "
                        + "\(element.second) on \(other); \(element.count) elements differ")
            } else {
                lines.append("of a trace only the hashes are known")
            }
            return lines
        }

        var json: JSON {
            [
                "same": .bool(isSame), "values": .int(valueCount),
                "first": .optional(index) { .int($0) },
                "name": .optional(value) { .string($0.name) },
                "element": .optional(element) { element in
                    [
                        "place": .array(element.place.map { .int($0) }),
                        "differ": .int(element.count), "device": .string(element.first),
                        "against": .string(element.second),
                    ]
                },
            ]
        }
    }
}
