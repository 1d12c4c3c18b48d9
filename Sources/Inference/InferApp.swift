public import Compute
public import Core
internal import Digest
internal import Files
internal import Foundation

/// Inference on a market: a model and its inputs in, one leaf for each output of each item out.
///
/// Parameters: `model`, the path of the ONNX file; `input:NAME` for each of the model's inputs, the
/// paths of `.npy` arrays or pictures, one a line, stacked along the first axis; for pictures
/// perhaps `mean` and `std` (decimal numbers and commas); for models that draw random numbers
/// perhaps `seed` (a whole number below 2⁶⁴, by default 0); for people perhaps `top` (how many
/// classes to name) and `label_names` (the classes' names, bytes, one a line). A part's `items`
/// are indices of the first axis; without them it is all. A model that draws random numbers, or of
/// which no plan can be made before it runs, computes one item: all of them.
public struct InferApp: App {
    public let id = "infer"
    public let version = "0.1"

    /// The most items that one plan computes at once: enough to keep a device busy.
    static let batchMax = 8

    public init() {}

    /// What to compute, from files in a folder.
    ///
    /// - Parameters:
    ///   - model: the ONNX file's path below `folder`.
    ///   - inputs: paths below `folder` for each of the model's inputs.
    ///   - labels: path of the classes' names, one a line.
    ///   - mean: what to subtract from pictures' channels; decimal numbers and commas.
    ///   - deviation: what to divide them by.
    ///   - top: how many classes to name for each item; nil names none.
    ///   - seed: of the random numbers that the model draws; nil is 0.
    ///   - parts: ranges of items; by default one with all.
    /// - Throws: ``Failure`` when a file cannot be read.
    public func specification(
        model: String, inputs: [String: [String]], mean: String? = nil, deviation: String? = nil,
        labels: String? = nil, top: Int? = nil, seed: UInt64? = nil, folder: String,
        parts: [TaskSpec.Part] = [.init()]
    ) throws(Failure) -> TaskSpec {
        var spec = TaskSpec(
            app: id, appVersion: version, parameters: ["model": .string(model)], inputs: [:],
            parts: parts)
        for path in [model] + inputs.values.joined() {
            let data = try FileBytes.read(
                "\(folder)/\(path)", byteCountMax: ModelLoader.byteCountMax)
            spec.inputs[path] = .init(sha256: SHA256.hash(data), byteCount: data.count)
        }
        for (name, paths) in inputs {
            spec.parameters["input:\(name)"] = .string(paths.joined(separator: "\n"))
        }
        if let mean { spec.parameters["mean"] = .string(mean) }
        if let deviation { spec.parameters["std"] = .string(deviation) }
        if let top { spec.parameters["top"] = .int(top) }
        if let seed { spec.parameters["seed"] = .string(String(seed)) }
        if let labels {
            let names = try FileBytes.read("\(folder)/\(labels)", byteCountMax: 1 << 20)
            spec.parameters["label_names"] = .bytes(Bytes(names))
        }
        return spec
    }

    // MARK: Prepare

    public func prepare(
        _ spec: TaskSpec, frame: Int, inputs: String
    ) throws(Failure) -> Bytes {
        let path = try self.path("model", of: spec)
        let model = try ModelLoader.load(path: "\(inputs)/\(path)")
        var normalization = InputFiles.Normalization()
        if case .string(let text)? = spec.parameters["mean"] {
            normalization.mean = try InputFiles.Normalization.numbers(text)
        }
        if case .string(let text)? = spec.parameters["std"] {
            normalization.deviation = try InputFiles.Normalization.numbers(text)
        }
        var values: [String: Tensor] = [:]
        for (key, value) in spec.parameters where key.hasPrefix("input:") {
            let name = String(key.dropFirst("input:".count))
            guard case .string(let text) = value,
                let input = model.inputs.first(where: { $0.name == name })
            else {
                let known = model.inputs.map(\.text).joined(separator: "; ")
                throw Failure(
                    .malformed, "infer: parameter \(key.printable): the model has \(known)")
            }
            let paths = text.split(separator: "\n").map(String.init)
            for path in paths where spec.inputs[path] == nil {
                throw Failure(
                    .malformed, "infer: parameter \(key.printable): \(path) is no input file")
            }
            values[name] = try InputFiles.read(
                paths.map { .file("\(inputs)/\($0)") }, for: input, normalization)
        }
        let most = spec.parts.compactMap { $0.items?.count }.max() ?? Self.batchMax
        do throws(Failure) {
            let batch = max(1, min(most, Self.batchMax))
            let seed = try seed(of: spec)
            do throws(Failure) {
                return try PreparedModel(model, inputs: values, batchMax: batch, seed: seed).encoded
            } catch  where error.code == .dependsOnData {
                return try PreparedGraph(model, inputs: values, seed: seed).encoded
            } catch {
                throw error
            }
        } catch {
            throw error.at(path)
        }
    }

    private func seed(of spec: TaskSpec) throws(Failure) -> UInt64 {
        guard let parameter = spec.parameters["seed"] else { return 0 }
        guard case .string(let text) = parameter, let seed = UInt64(text), text == String(seed)
        else { throw Failure(.malformed, "infer: parameter seed: a whole number expected") }
        return seed
    }

    private func path(_ name: String, of spec: TaskSpec) throws(Failure) -> String {
        guard case .string(let path) = spec.parameters[name], spec.inputs[path] != nil else {
            throw Failure(
                .malformed, "infer: parameter \(name): the path of an input file expected")
        }
        return path
    }

    // MARK: Run

    public func run(
        _ run: AppRun, on device: any ComputeDevice, observer: any AppObserver
    ) throws(Failure) -> AppSeconds {
        if PreparedGraph.begins(run.blob) {
            return try runInStages(run, on: device, observer: observer)
        }
        let prepared = try PreparedModel(decoding: run.blob)
        let count = try prepared.itemCount()
        let items = run.spec.parts[run.part].items ?? 0..<count
        guard !items.isEmpty, items.lowerBound >= 0, items.upperBound <= count else {
            throw Failure(.malformed, "infer: items \(items) of \(count)")
        }
        let start = run.clock.monotonicSeconds
        let session = try Session(prepared.plan, on: device)
        var slicer = Slicer(run: run, start: run.clock.monotonicSeconds)
        let outputs = try session.run(prepared.inputs, items: items) { (part) throws(Failure) in
            guard slicer.isDue(part) else { return }
            try device.finish()
            slicer.finished(part, at: run.clock.monotonicSeconds)
            try observer.advance(part)
        }
        let named = zip(prepared.plan.outputs, outputs).map { (name: $0.name, tensor: $1) }
        for leaf in InferenceLeaves.leaves(
            named, isByItem: prepared.plan.isByItem, firstItem: items.lowerBound)
        {
            try observer.leaf(leaf)
        }
        let compile = session.compileSeconds
        return AppSeconds(
            compile: compile, compute: max(0, run.clock.monotonicSeconds - start - compile))
    }

    /// A model of which no plan could be made before: all items at once.
    private func runInStages(
        _ run: AppRun, on device: any ComputeDevice, observer: any AppObserver
    ) throws(Failure) -> AppSeconds {
        let prepared = try PreparedGraph(decoding: run.blob)
        let items = run.spec.parts[run.part].items ?? 0..<1
        guard items == 0..<1 else {
            throw Failure(.malformed, "infer: items \(items) of 1")
        }
        let start = run.clock.monotonicSeconds
        let session = ModelSession(prepared.model, on: device)
        // How much there is to do shows when it is done.
        var slicer = CountingSlicer(run: run, start: start)
        let values = try session.run(
            prepared.inputs.map(ModelValue.tensor), seed: prepared.seed,
            advance: { () throws(Failure) in
                guard slicer.isDue() else { return }
                try device.finish()
                slicer.finished(at: run.clock.monotonicSeconds)
                try observer.advance(0)
            })
        var outputs: [(name: String, tensor: Tensor)] = []
        for (name, value) in zip(prepared.model.outputs, values) {
            guard case .tensor(let tensor) = value else {
                throw Failure(
                    .unsupported, "output \"\(name.printable)\" is a sequence; a tensor expected")
            }
            outputs.append((name, tensor))
        }
        try observer.advance(1)
        for leaf in InferenceLeaves.leaves(outputs, isByItem: false) { try observer.leaf(leaf) }
        let compile = session.compileSeconds
        return AppSeconds(
            compile: compile, compute: max(0, run.clock.monotonicSeconds - start - compile))
    }

    /// The same by launches, where nobody knows how many there will be.
    private struct CountingSlicer {
        let sliceSeconds: Double
        private var lastSeconds: Double
        private var count = 0
        private var countMax = 1

        init(run: AppRun, start: Double) {
            sliceSeconds = run.sliceSeconds
            lastSeconds = start
        }

        mutating func isDue() -> Bool {
            count += 1
            return count >= countMax
        }

        mutating func finished(at seconds: Double) {
            let took = seconds - lastSeconds
            if took < sliceSeconds / 2 { countMax = min(countMax * 2, 1 << 20) }
            if took > sliceSeconds { countMax = max(countMax / 2, 1) }
            count = 0
            lastSeconds = seconds
        }
    }

    /// Decides after which part of the work to wait for the device: slices follow what the last
    /// took.
    private struct Slicer {
        let sliceSeconds: Double
        private var lastPart = 0.0
        private var lastSeconds: Double
        private var share = 1.0 / 64

        init(run: AppRun, start: Double) {
            sliceSeconds = run.sliceSeconds
            lastSeconds = start
        }

        func isDue(_ part: Double) -> Bool { part - lastPart >= share || part >= 1 }

        mutating func finished(_ part: Double, at seconds: Double) {
            let took = seconds - lastSeconds
            if took < sliceSeconds / 2 { share = min(share * 2, 1) }
            if took > sliceSeconds { share /= 2 }
            lastPart = part >= 1 ? 0 : part
            lastSeconds = seconds
        }
    }

    // MARK: Present

    public func present(
        _ spec: TaskSpec, leaves: [[Leaf]], folder: String
    ) throws(Failure) -> [String] {
        var items: [(name: String, tensor: Tensor)] = []
        for leaf in leaves.joined() {
            items.append((leaf.name, try InferenceLeaves.tensor(leaf.bytes)))
        }
        let archive = "\(folder)/outputs.npz"
        try FileBytes.write(
            try Archive.npz(items.map { ($0.name.replacing("/", with: "."), $0.tensor) }),
            to: archive)
        guard case .int(let top)? = spec.parameters["top"], (1...1000).contains(top) else {
            return [archive]
        }
        var labels: [String]?
        if case .bytes(let text)? = spec.parameters["label_names"] {
            labels = ClassLabels.parse(text)
        }
        var lines = ""
        var seen: Set<String> = []
        for (name, tensor) in items {
            let item = name.split(separator: "/").prefix(2).joined(separator: "/")
            guard seen.insert(item).inserted else { continue }
            let row = tensor.reshaped([1] + tensor.shape)
            let best = ClassLabels.best(top, of: row, labels: labels)[0]
            lines +=
                "\(item): " + best.map { "\($0.label) \($0.score)" }.joined(separator: ", ") + "\n"
        }
        let path = "\(folder)/labels.txt"
        try FileBytes.write(Bytes(lines.utf8), to: path)
        return [path, archive]
    }
}
