internal import ArgumentParser
internal import Core
internal import Inference

/// What a model computes on, for every command that runs one.
struct ModelInputOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("A file for an input; may be repeated.", valueName: "name=file"),
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

    /// What the files hold, by the inputs' names.
    ///
    /// - Throws: ``Failure`` naming the file and what was expected.
    func values(of model: Model) throws(Failure) -> [String: Tensor] {
        var normalization = InputFiles.Normalization()
        normalization.mean = try InputFiles.Normalization.numbers(mean)
        normalization.deviation = try InputFiles.Normalization.numbers(std)
        var values: [String: Tensor] = [:]
        for (input, paths) in try files(of: model) {
            values[input.name] = try InputFiles.read(paths, for: input, normalization)
        }
        return values
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
    /// - Throws: ``Failure`` naming the input that the model does not have.
    func files(of model: Model) throws(Failure) -> [(input: Model.Input, paths: [String])] {
        var files: [String: [String]] = [:]
        for pair in input {
            // Names may hold "="; the file is what follows the last one of a known name.
            let known = model.inputs.map(\.name).filter { pair.hasPrefix($0 + "=") }
            let name =
                known.max { $0.count < $1.count } ?? String(pair.prefix { $0 != "=" })
            files[name, default: []].append(String(pair.dropFirst(name.count + 1)))
        }
        return try files.sorted { $0.key < $1.key }.map { (name, paths) throws(Failure) in
            guard let input = model.inputs.first(where: { $0.name == name }) else {
                let all = model.inputs.map(\.text).joined(separator: "; ")
                throw Failure(.malformed, "the model has no input \"\(name)\"; it has \(all)")
            }
            return (input, paths)
        }
    }
}
