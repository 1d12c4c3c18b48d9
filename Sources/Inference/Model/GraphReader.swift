internal import Core
internal import Foundation

/// Reads the graphs of a model, and those inside their nodes.
struct GraphReader {
    var opsets: [String: Int]
    var files: ExternalFiles?
    /// Operators that the model defines itself.
    var functionNames: Set<FunctionName> = []
    /// Names that graphs around this one define, each graph's own, and may be used here.
    private var outer: [Set<String>] = []

    init(opsets: [String: Int], files: ExternalFiles?) {
        self.opsets = opsets
        self.files = files
    }

    /// ONNX's own domain has two names.
    static func domain(_ name: String) -> String { name == "ai.onnx" ? "" : name }

    func graph(_ message: Onnx_GraphProto, isOuter: Bool) throws(Failure) -> Graph {
        var constants: [String: Tensor] = [:]
        func add(_ name: String, _ tensor: (String) throws(Failure) -> Tensor) throws(Failure) {
            let place = "initializer \"\(name.printable)\""
            guard !name.isEmpty, constants[name] == nil else {
                throw Failure(.malformed, "\(place): a name of its own expected")
            }
            constants[name] = try tensor(place)
        }
        for tensor in message.initializer {
            try add(tensor.name) { (place) throws(Failure) in
                try ModelLoader.tensor(tensor, place, files)
            }
        }
        for sparse in message.sparseInitializer {
            try add(sparse.values.name) { (place) throws(Failure) in
                try ModelLoader.dense(sparse, place, files)
            }
        }
        let inputs = try inputs(message, constants: constants, isOuter: isOuter)
        var names = Set(constants.keys)
        for input in inputs {
            guard names.insert(input.name).inserted else {
                throw Failure(.malformed, "input \"\(input.name.printable)\" is defined twice")
            }
        }
        let nodes = try nodes(message.node, &names)
        let outputs = try outputs(message.output.map(\.name), names, isOuter: isOuter)
        return Graph(nodes: nodes, constants: constants, inputs: inputs, outputs: outputs)
    }

    // MARK: Inputs and outputs

    private func inputs(
        _ graph: Onnx_GraphProto, constants: [String: Tensor], isOuter: Bool
    ) throws(Failure) -> [Model.Input] {
        var inputs: [Model.Input] = []
        var names: Set<String> = []
        for input in graph.input {
            let place = "input \"\(input.name.printable)\""
            guard !input.name.isEmpty, names.insert(input.name).inserted else {
                throw Failure(.malformed, "\(place): a name of its own expected")
            }
            // Before IR version 4 every initializer was listed as an input too.
            if constants[input.name] != nil, isOuter { continue }
            if !isOuter, !input.hasType {
                var open = Model.Input(name: input.name, type: .float32, shape: [])
                open.isRanked = false
                inputs.append(open)
                continue
            }
            inputs.append(try self.input(input.name, input.type, place))
        }
        return inputs
    }

    /// A value's kind and type.
    func input(
        _ name: String, _ type: Onnx_TypeProto, _ place: String
    ) throws(Failure) -> Model.Input {
        switch type.value {
        case .tensorType(let tensor)?: return try tensorInput(name, tensor, place)
        case .sequenceType(let sequence)?:
            var input = try self.input(name, sequence.elemType, place)
            guard input.kind == .tensor else {
                throw Failure(.unsupported, "\(place): a sequence of tensors expected")
            }
            input.kind = .sequence
            return input
        case .optionalType(let optional)?:
            var input = try self.input(name, optional.elemType, place)
            guard input.kind != .optional else {
                throw Failure(.malformed, "\(place): an optional of an optional")
            }
            if input.kind == .sequence { input.isRanked = false }
            input.kind = .optional
            return input
        case .mapType?: throw Failure(.unsupported, "\(place): a map; a tensor expected")
        case nil: throw Failure(.unsupported, "\(place): a tensor expected")
        }
    }

    private func tensorInput(
        _ name: String, _ type: Onnx_TypeProto.Tensor, _ place: String
    ) throws(Failure) -> Model.Input {
        guard let element = ModelLoader.elementType(type.elemType),
            type.shape.dim.count <= Shape.rankMax
        else {
            throw Failure(
                .unsupported,
                "\(place): element type \(ModelLoader.typeName(type.elemType)) with "
                    + "\(type.shape.dim.count) axes; numbers or bool with at most "
                    + "\(Shape.rankMax) axes expected")
        }
        let shape = type.shape.dim.map { dimension -> Int? in
            if case .dimValue(let value)? = dimension.value, value > 0 { Int(value) } else { nil }
        }
        _ = try ModelLoader.checked(shape.map { $0 ?? 1 }, place)
        var input = Model.Input(name: name, type: element, shape: shape)
        input.isRanked = type.hasShape
        return input
    }

    private func outputs(
        _ names: [String], _ own: Set<String>, isOuter: Bool
    ) throws(Failure) -> [String] {
        var seen: Set<String> = []
        for name in names {
            let place = "output \"\(name.printable)\""
            guard isDefined(name, own), !name.isEmpty else {
                throw Failure(.malformed, "\(place): no node computes it")
            }
            guard seen.insert(name).inserted || !isOuter else {
                throw Failure(.malformed, "\(place): a name of its own expected")
            }
        }
        guard names.count <= 256 else { throw Failure(.limit, "more than 256 outputs") }
        guard !names.isEmpty || !isOuter else {
            throw Failure(.malformed, "the graph has no output; at least one expected")
        }
        return names
    }

    // MARK: Nodes

    private func isDefined(_ name: String, _ own: Set<String>) -> Bool {
        own.contains(name) || outer.contains { $0.contains(name) }
    }

    /// - Parameter own: names that this graph defines itself; the nodes' outputs are added.
    private func nodes(
        _ messages: [Onnx_NodeProto], _ own: inout Set<String>
    ) throws(Failure) -> [Node] {
        var nodes: [Node] = []
        nodes.reserveCapacity(messages.count)
        for (index, message) in messages.enumerated() {
            var node = Node(
                index: index, name: message.name, domain: Self.domain(message.domain),
                type: message.opType, overload: message.overload, inputs: message.input,
                outputs: message.output, attributes: [:])
            try checkOperator(node)
            for name in node.inputs where !name.isEmpty && !isDefined(name, own) {
                throw Failure(
                    .malformed,
                    "\(node.place): input \"\(name.printable)\" is not defined before it; "
                        + "no cycles and nodes in order of use expected")
            }
            for attribute in message.attribute {
                guard node.attributes[attribute.name] == nil else {
                    throw Failure(
                        .malformed,
                        "\(node.place): attribute \"\(attribute.name.printable)\" is given twice")
                }
                node.attributes[attribute.name] = try self.attribute(
                    attribute, node.place, own)
            }
            for name in node.outputs where !name.isEmpty {
                guard own.insert(name).inserted else {
                    throw Failure(
                        .malformed,
                        "\(node.place): output \"\(name.printable)\" is defined twice")
                }
            }
            nodes.append(node)
        }
        return nodes
    }

    private func checkOperator(_ node: Node) throws(Failure) {
        let function = FunctionName(
            domain: node.domain, name: node.type, overload: node.overload)
        if functionNames.contains(function) { return }
        guard let opset = opsets[node.domain] ?? (node.domain.isEmpty ? nil : 1) else {
            throw Failure(
                .malformed, "\(node.place): the model imports no opset of its domain")
        }
        try Operators.check(node, opset: opset)
    }

    private func attribute(
        _ message: Onnx_AttributeProto, _ place: String, _ own: Set<String>
    ) throws(Failure) -> Node.Attribute {
        let place = "\(place): attribute \"\(message.name.printable)\""
        if !message.refAttrName.isEmpty { return .reference(message.refAttrName) }
        switch message.type {
        case .float: return .float(message.f)
        case .int: return .int(Int(message.i))
        case .string: return .string(String(decoding: message.s, as: UTF8.self))
        case .tensor: return .tensor(try ModelLoader.tensor(message.t, place, files))
        case .sparseTensor:
            return .tensor(try ModelLoader.dense(message.sparseTensor, place, files))
        case .floats: return .floats(message.floats)
        case .ints: return .ints(message.ints.map(Int.init))
        case .strings: return .strings(message.strings.map { String(decoding: $0, as: UTF8.self) })
        case .graph:
            var inner = self
            inner.outer.append(own)
            do throws(Failure) {
                return .graph(try inner.graph(message.g, isOuter: false))
            } catch {
                throw error.at(place)
            }
        case .typeProto: return .type(try input("", message.tp, place))
        default:
            throw Failure(
                .unsupported,
                "\(place): type \(message.type.rawValue); numbers, strings, a tensor or a graph "
                    + "expected")
        }
    }

    // MARK: Functions

    func function(
        _ message: Onnx_FunctionProto
    ) throws(Failure) -> (FunctionName, Function) {
        let place = "function \"\(message.name.printable)\""
        do throws(Failure) {
            var reader = self
            reader.outer = []
            reader.opsets = try ModelLoader.opsets(message.opsetImport, isOuter: false)
            var own = Set(message.input)
            guard own.count == message.input.count, !own.contains("") else {
                throw Failure(.malformed, "inputs with names of their own expected")
            }
            let nodes = try reader.nodes(message.node, &own)
            for name in message.output where !own.contains(name) {
                throw Failure(.malformed, "output \"\(name.printable)\": no node computes it")
            }
            var defaults: [String: Node.Attribute] = [:]
            for attribute in message.attributeProto {
                defaults[attribute.name] = try reader.attribute(attribute, "default", [])
            }
            let name = FunctionName(
                domain: Self.domain(message.domain), name: message.name,
                overload: message.overload)
            let graph = Graph(
                nodes: nodes, constants: [:], inputs: [], outputs: message.output)
            return (
                name,
                Function(
                    inputs: message.input, attributes: defaults, graph: graph,
                    opsets: reader.opsets)
            )
        } catch {
            throw error.at(place)
        }
    }
}
