internal import ArgumentParser
internal import Core
internal import Inference

/// What a model computes on, for every command that runs one.
struct ModelInputOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            A file for an input, or a folder of them; may be repeated. An .npz archive brings \
            the array of that name, and without a name all arrays named as inputs.
            """, valueName: "name=file"),
        transform: Accepted.input)
    var input: [String] = []
    @Option(
        name: .long, help: ArgumentHelp("Names of the classes, one a line.", valueName: "file"),
        completion: .file(extensions: ["txt"]), transform: Accepted.text("a file"))
    var labels: String?
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Pictures: what to subtract, one number or one a channel. (default: 0)",
            valueName: "a,b,c"),
        transform: Accepted.decimals())
    var mean = "0"
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Pictures: what to divide by, one number or one a channel. (default: 1)",
            valueName: "a,b,c"),
        transform: Accepted.decimals(areDivisors: true))
    var std = "1"
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Of the random numbers that the model draws, if it does. (default: 0)",
            valueName: "n"),
        transform: Accepted.whole(0...UInt64.max))
    var seed: UInt64?

    /// The seed, whether it is given or not.
    var usedSeed: UInt64 { seed ?? 0 }

    /// What the files hold, by the inputs' names.
    ///
    /// - Throws: ``Failure`` naming the file and what was expected.
    func values(of model: Model) throws(Failure) -> [String: Tensor] {
        let normalization = try normalization()
        var values: [String: Tensor] = [:]
        for (input, sources) in try files(of: model) {
            values[input.name] = try InputFiles.read(sources, for: input, normalization)
        }
        return values
    }

    func normalization() throws(Failure) -> InputFiles.Normalization {
        var normalization = InputFiles.Normalization()
        normalization.mean = try InputFiles.Normalization.numbers(mean)
        normalization.deviation = try InputFiles.Normalization.numbers(std)
        return normalization
    }

    /// Whether a folder is among them: of how much it holds nothing is known.
    var hasFolders: Bool { !folders.isEmpty }

    var folders: [String] {
        input.flatMap { pair in
            pair.indices.compactMap { at in
                let path = String(pair[at...].dropFirst())
                return pair[at] == "=" && InputSource.isFolder(path) ? path : nil
            }
        }
    }

    /// The same in the model's order.
    ///
    /// - Throws: ``Failure`` naming an input for which there is no file.
    func ordered(of model: Model) throws(Failure) -> [ModelValue] {
        let values = try values(of: model)
        return try model.inputs.map { (input) throws(Failure) in
            guard let value = values[input.name] else {
                throw Failure(.missing, "input \(input.text): no value is given for it")
            }
            return .tensor(value)
        }
    }

    /// The files for each input of the model, in order of name.
    ///
    /// - Throws: ``Failure`` naming the input that the model does not have, or the folder or
    ///   archive that holds nothing for it.
    func files(
        of model: Model
    ) throws(Failure) -> [(input: Model.Input, sources: [InputSource])] {
        var files: [String: [InputSource]] = [:]
        for pair in input {
            // Names may hold "="; the file is what follows the last one of a known name.
            let known = model.inputs.map(\.name).filter { pair.hasPrefix($0 + "=") }
            if known.isEmpty, InputSource.isArchive(pair), !pair.contains("=") {
                let names = model.inputs.map(\.name)
                for (name, source) in try InputSource.arrays(in: pair, for: names) {
                    files[name, default: []].append(source)
                }
                continue
            }
            let name = known.max { $0.count < $1.count } ?? String(pair.prefix { $0 != "=" })
            guard model.inputs.contains(where: { $0.name == name }) else {
                let all = model.inputs.map(\.text).joined(separator: "; ")
                throw Failure(
                    .malformed, "the model has no input \"\(name.printable)\"; it has \(all)")
            }
            let path = String(pair.dropFirst(name.count + 1))
            files[name, default: []] += try InputSource.list(path, for: name)
        }
        return model.inputs.compactMap { input in files[input.name].map { (input, $0) } }
            .sorted { $0.input.name < $1.input.name }
    }
}
