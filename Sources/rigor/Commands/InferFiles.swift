internal import Compute
internal import Core
internal import Digest
internal import Files
internal import Foundation
internal import Inference

// Many files: read, computed and written a batch at a time.
extension InferCommand {
    /// Whether inputs or outputs are folders, or the user says how many items to take at a time.
    var isByFile: Bool {
        batch != nil || inputs.hasFolders || output?.hasSuffix("/") == true
    }

    /// Of a folder, where the user does not say.
    private static let batchOfFolder = 16

    func computeFiles(_ console: Console) async throws {
        var watch = Lap()
        var seconds = Seconds()
        let folder = output.flatMap { $0.hasSuffix("/") ? $0 : nil }
        if let output, folder == nil { try FileBytes.checkWritable(output) }
        let opened = try devices.open(home: home.given, isProfiling: kernels)
        // As for one batch: while the model is read.
        async let compiled: Void = Self.compileAhead(on: opened)
        console.progress("loading \(model)")
        let loaded = try ModelLoader.load(path: model)
        let families = KernelFamily.needed(by: loaded)
        async let compiledFamilies: Void = Self.compileAhead(families, on: opened)
        let sources = try inputs.files(of: loaded)
        let paths = sources.flatMap(\.sources).map(\.path) + [model, inputs.labels ?? model]
        if let folder { try FileBytes.checkApart(folder: folder, from: inputs.folders) }
        let writer = try FileWriter(output, apartFrom: paths, sources)
        let names = try inputs.labels.map { path throws(Failure) in try ClassLabels.read(path) }
        seconds.load = watch.next()
        await compiled
        await compiledFamilies
        seconds.kernels = watch.next()
        var digests: Set<Hash256> = []
        var documents: [JSON] = []
        for (place, device) in opened.enumerated() {
            var reader = try InputBatches(
                sources, try inputs.normalization(), itemsMax: batchMax(loaded))
            let report = try compute(
                &reader, BatchedModel(loaded, on: device, seed: inputs.usedSeed), names, seconds,
                place == 0 ? writer : nil, device, console)
            console.endProgress()
            digests.insert(report.digest)
            documents.append(report.json)
            if !json.json { report.say(console) }
        }
        if json.json { console.write(.perDevice(documents)) }
        guard digests.count == 1 else {
            throw Failure(.untrusted, "the devices' outputs differ: run `rigor certify`")
        }
    }

    /// What the user says, or the batch that the model itself has.
    private func batchMax(_ model: Model) -> Int {
        model.fixedBatch ?? batch ?? Self.batchOfFolder
    }

    private func compute(
        _ reader: inout InputBatches, _ given: BatchedModel, _ names: [String]?,
        _ before: Seconds, _ writer: FileWriter?, _ device: any ComputeDevice, _ console: Console
    ) throws(Failure) -> FilesReport {
        var (model, watch) = (given, Lap())
        var report = FilesReport(device: device.description.label, seconds: before)
        while let batch = try reader.next() {
            report.seconds.load += watch.next()
            let outputs: [BatchedModel.Output]
            do throws(Failure) { outputs = try model.run(batch) } catch {
                let names = [batch.stems.first, batch.stems.count > 1 ? batch.stems.last : nil]
                throw error.at(names.compactMap(\.self).joined(separator: " to "))
            }
            report.seconds.compute += watch.next()
            if model.hasDrawn { report.seed = inputs.usedSeed }
            for (stem, output) in zip(batch.stems, outputs) {
                if let names, let labels = inputs.labels {
                    try ClassLabels.check(names, from: labels, for: output.tensors[0].tensor)
                }
                report.take(output, of: stem, top, names)
            }
            report.seconds.digest += watch.next()
            for (stem, output) in zip(batch.stems, outputs) { try writer?.take(output, stem) }
            report.seconds.write += watch.next()
            console.progress("\(report.files.count) of \(reader.fileCount) files")
        }
        if let doubt = model.doubt {
            console.endProgress()
            console.note(
                "items may depend on each other in \(doubt.place): each file is computed alone")
        }
        try writer?.end()
        report.file = writer == nil ? nil : output
        report.kernels = (device as? OpenCLDevice)?.kernelTimes ?? [:]
        report.seconds.write += watch.next()
        return report
    }
}

// MARK: - Writing

/// Outputs of many files: an archive of all, or a folder with one for each.
private final class FileWriter {
    private let path: String
    private var parts: [(name: String, tensors: [Tensor])] = []

    /// - Throws: ``Failure`` where the output cannot be written, two files would be written to
    ///   one place, or an input would be overwritten.
    init?(
        _ path: String?, apartFrom inputs: [String],
        _ sources: [(input: Model.Input, sources: [InputSource])]
    ) throws(Failure) {
        guard let path else { return nil }
        self.path = path
        guard path.hasSuffix("/") else {
            try FileBytes.checkApart(path, from: inputs)
            return
        }
        try Folder.make(path, isPrivate: false)
        let most = sources.map(\.sources).max { $0.count < $1.count } ?? []
        var seen: [String: InputSource] = [:]
        for source in most {
            let target = "\(path)\(source.stem).npz"
            if let other = seen.updateValue(source, forKey: source.stem) {
                throw Failure(
                    .usage,
                    "\(other.label) and \(source.label) would both be written to \(target)")
            }
            try FileBytes.checkApart(target, from: inputs)
        }
    }

    func take(_ output: BatchedModel.Output, _ stem: String) throws(Failure) {
        guard !path.hasSuffix("/") else {
            return try FileBytes.replace(
                "\(path)\(stem).npz", with: [try Archive.npz(output.tensors)])
        }
        if parts.isEmpty { parts = output.tensors.map { ($0.name, []) } }
        for (at, (name, tensor)) in output.tensors.enumerated() {
            guard let first = parts[at].tensors.first ?? Optional(tensor), !tensor.shape.isEmpty,
                first.shape.dropFirst() == tensor.shape.dropFirst()
            else {
                throw Failure(
                    .unsupported,
                    "\(stem): output \"\(name.printable)\" \(tensor.shape) does not go behind "
                        + "that of other files in one array; end -o with / for a file each")
            }
            parts[at].tensors.append(tensor)
        }
    }

    func end() throws(Failure) {
        guard !path.hasSuffix("/") else { return }
        let whole = parts.map { (name: $0.name, tensor: Tensor(stacking: $0.tensors)) }
        try FileBytes.write(try Archive.npz(whole), to: path)
    }
}

// MARK: - Report

/// What many files gave.
private struct FilesReport {
    var device: String
    var seconds: InferCommand.Seconds
    var files: [(stem: String, items: Int, best: [[ClassLabels.Score]])] = []
    var leafHashes: [Hash256] = []
    var items = 0
    /// Nil where no random number was drawn.
    var seed: UInt64?
    var file: String?
    var kernels: [String: (launches: Int, seconds: Double)] = [:]

    /// Over the leaves of all items, as if they had been one batch.
    var digest: Hash256 { MerkleTree(leafHashes: leafHashes).root }

    mutating func take(
        _ output: BatchedModel.Output, of stem: String, _ top: Int?, _ labels: [String]?
    ) {
        let first = output.tensors[0].tensor
        let count = output.isByItem ? first.shape.first ?? 1 : 1
        for leaf in InferenceLeaves.leaves(
            output.tensors, isByItem: output.isByItem, firstItem: items)
        {
            var leaf = leaf
            leaf.index = leafHashes.count
            leafHashes.append(MerkleTree.leafHash(leaf))
        }
        items += count
        files.append(
            (stem, count, top.map { ClassLabels.best($0, of: first, labels: labels) } ?? []))
    }

    func say(_ console: Console) {
        for file in files {
            for scores in file.best {
                let text = scores.map { "\($0.label) \($0.score)" }.joined(separator: ", ")
                console.say("\(file.stem): \(text)")
            }
        }
        console.say("\(items) items of \(files.count) files")
        if let seed { console.say("drawn    with --seed \(seed), each file anew") }
        if let file { console.say("outputs: \(file)") }
        for line in KernelTimes.lines(kernels) { console.say(line) }
        console.say("digest   \(digest)")
        let each = seconds.compute * 1000 / Double(max(items, 1))
        if case .decimal(let text) = JSON.number(each, decimals: 3) {
            console.say("\(text) ms an item on \(device)")
        }
    }

    var json: JSON {
        var members: [JSON.Member] = [
            .init("device", .string(device)), .init("digest", .hash(digest)),
            .init("items", .int(items)),
            .init(
                "files",
                .array(
                    files.map { file in
                        var members: [JSON.Member] = [
                            .init("file", .string(file.stem)), .init("items", .int(file.items)),
                        ]
                        if !file.best.isEmpty {
                            members.append(
                                .init("top", .array(file.best.map { .array($0.map(\.json)) })))
                        }
                        return .object(members)
                    })),
            .init("seconds", seconds.json),
        ]
        if let seed { members.append(.init("seed", .string(String(seed)))) }
        if let file { members.append(.init("file", .string(file))) }
        if !kernels.isEmpty {
            members.append(.init("kernel_seconds", KernelTimes.json(kernels)))
        }
        return .object(members)
    }
}
