public import Core

/// A model and values for its inputs as bytes, where no plan can be made before it runs: what a
/// prepare host hands to a device host, which plans stage after stage.
///
///     "RIGORNG1"  8 bytes
///     header size 8 bytes, little-endian
///     header      deterministic CBOR: format, model, values, seed; floats as their bit patterns
///     data        raw little-endian tensors, each at a multiple of 64 from the data's start
public struct PreparedGraph: Sendable {
    public var model: Model
    /// A value for each of the model's inputs, in order.
    public var inputs: [Tensor]
    public var seed: UInt64

    static let magic = Bytes("RIGORNG1".utf8)
    static let format = 1

    /// - Parameter inputs: by name.
    /// - Throws: ``Failure`` when an input has no value, or graphs lie too deep in each other to be
    ///   written.
    public init(
        _ model: Model, inputs: [String: Tensor], seed: UInt64 = 0
    ) throws(Failure) {
        self.model = model
        self.seed = seed
        self.inputs = []
        for input in model.inputs {
            guard let value = inputs[input.name] else {
                throw Failure(.missing, "input \(input.text): no value is given for it")
            }
            self.inputs.append(value)
        }
        guard model.graph.depth <= Self.depthMax,
            model.functions.values.allSatisfy({ $0.graph.depth <= Self.depthMax })
        else {
            throw Failure(.limit, "graphs lie more than \(Self.depthMax) deep in each other")
        }
    }

    /// Graphs inside graphs: each takes a few levels of the header's.
    private static let depthMax = 4

    /// Whether a blob begins as one of these.
    public static func begins(_ blob: Bytes) -> Bool { blob.starts(with: magic) }
}

extension Graph {
    /// How many graphs lie in each other here.
    fileprivate var depth: Int {
        1
            + (nodes.flatMap(\.attributes.values).map {
                if case .graph(let graph) = $0 { graph.depth } else { 0 }
            }.max() ?? 0)
    }
}

// MARK: - Writing

extension PreparedGraph {
    /// The blob: a function of the model, the values and the seed alone.
    public var encoded: Bytes {
        var data = BlobData()
        let header = CBOR.map([
            "format": CBOR(Self.format),
            "opsets": Self.opsets(model.opsets),
            "graph": Self.graph(model.graph, &data),
            "functions": .array(
                model.functions.sorted { $0.key.text < $1.key.text }.map { name, function in
                    .array([
                        .text(name.domain), .text(name.name), .text(name.overload),
                        Self.texts(function.inputs), Self.attributes(function.attributes, &data),
                        Self.graph(function.graph, &data), Self.opsets(function.opsets),
                    ])
                }),
            "values": .array(inputs.map { data.append($0) }),
            "seed": .unsigned(seed),
        ]).encoded
        return Self.magic + UInt64(header.count).littleEndianBytes + header + data.bytes
    }

    private static func texts(_ texts: [String]) -> CBOR { .array(texts.map { .text($0) }) }

    private static func opsets(_ opsets: [String: Int]) -> CBOR {
        .array(
            opsets.sorted { $0.key < $1.key }.map { .array([.text($0.key), CBOR($0.value)]) })
    }

    private static func graph(_ graph: Graph, _ data: inout BlobData) -> CBOR {
        var nodes: [CBOR] = []
        for node in graph.nodes {
            nodes.append(
                .array([
                    .text(node.name), .text(node.domain), .text(node.type), .text(node.overload),
                    texts(node.inputs), texts(node.outputs), attributes(node.attributes, &data),
                ]))
        }
        var constants: [CBOR] = []
        for (name, tensor) in graph.constants.sorted(by: { $0.key < $1.key }) {
            constants.append(.array([.text(name), data.append(tensor)]))
        }
        return .array([
            .array(nodes), .array(constants), .array(graph.inputs.map(port)), texts(graph.outputs),
        ])
    }

    private static func port(_ port: Model.Input) -> CBOR {
        .array([
            .text(port.name), CBOR(Int(port.type.rawValue)),
            .array(port.shape.map { $0.map { CBOR($0) } ?? .null }), CBOR(port.kind.number),
            .bool(port.isRanked),
        ])
    }

    private static func attributes(
        _ attributes: [String: Node.Attribute], _ data: inout BlobData
    ) -> CBOR {
        var list: [CBOR] = []
        for (name, attribute) in attributes.sorted(by: { $0.key < $1.key }) {
            let (kind, value) = Self.attribute(attribute, &data)
            list.append(.array([.text(name), CBOR(kind.rawValue), value]))
        }
        return .array(list)
    }

    /// How attributes are told apart.
    enum AttributeKind: Int {
        case float, int, string, tensor, floats, ints, strings, graph, type, reference
    }

    private static func attribute(
        _ attribute: Node.Attribute, _ data: inout BlobData
    ) -> (AttributeKind, CBOR) {
        switch attribute {
        case .float(let value): (.float, CBOR(Int(value.bitPattern)))
        case .int(let value): (.int, CBOR(value))
        case .string(let value): (.string, .text(value))
        case .tensor(let value): (.tensor, data.append(value))
        case .floats(let values): (.floats, .array(values.map { CBOR(Int($0.bitPattern)) }))
        case .ints(let values): (.ints, .array(values.map { CBOR($0) }))
        case .strings(let values): (.strings, texts(values))
        case .graph(let value): (.graph, graph(value, &data))
        case .type(let value): (.type, port(value))
        case .reference(let value): (.reference, .text(value))
        }
    }
}

extension FunctionName {
    fileprivate var text: String { "\(domain)\0\(name)\0\(overload)" }
}

extension Model.Input.Kind {
    fileprivate static let all: [Self] = [.tensor, .sequence, .optional]

    fileprivate var number: Int { Self.all.firstIndex(of: self) ?? 0 }
}

// MARK: - Reading

extension PreparedGraph {
    /// Reads a blob, trusting nothing: what comes out has sound names, sizes and operators, as a
    /// model that was loaded has. Whether its operators fit each other is seen as stages are
    /// planned, and every plan is checked like one that came in a blob.
    ///
    /// - Throws: ``Failure`` `malformed` when it is not one that this version makes.
    public init(decoding blob: Bytes) throws(Failure) {
        let (root, reader) = try BlobReader.open(blob, magic: Self.magic)
        guard root["format"]?.int == Self.format, root.map?.count == 6,
            let seed = root["seed"]?.unsigned
        else { throw Step.broken }
        self.seed = seed
        let parser = GraphParser(reader: reader)
        model = Model(
            opsets: try parser.opsets(root["opsets"]), graph: try parser.graph(root["graph"]))
        for entry in try reader.array(root["functions"]) {
            let (name, function) = try parser.function(entry)
            guard model.functions.updateValue(function, forKey: name) == nil else {
                throw Step.broken
            }
        }
        inputs = []
        for entry in try reader.array(root["values"]) { inputs.append(try reader.tensor(entry)) }
        guard inputs.count == model.inputs.count else { throw Step.broken }
        try model.check()
    }
}

/// Graphs of a blob, value by value.
private struct GraphParser {
    let reader: BlobReader

    func opsets(_ value: CBOR?) throws(Failure) -> [String: Int] {
        var opsets: [String: Int] = [:]
        for entry in try reader.array(value) {
            let parts = try reader.array(entry, count: 2)
            guard let domain = parts[0].text, let version = parts[1].int,
                opsets.updateValue(version, forKey: domain) == nil
            else { throw Step.broken }
        }
        return opsets
    }

    func text(_ value: CBOR) throws(Failure) -> String {
        guard let text = value.text else { throw Step.broken }
        return text
    }

    func texts(_ value: CBOR) throws(Failure) -> [String] {
        var texts: [String] = []
        for entry in try reader.array(value) { texts.append(try text(entry)) }
        return texts
    }

    func graph(_ value: CBOR?) throws(Failure) -> Graph {
        let parts = try reader.array(value, count: 4)
        var nodes: [Node] = []
        for (index, entry) in try reader.array(parts[0]).enumerated() {
            let node = try reader.array(entry, count: 7)
            nodes.append(
                Node(
                    index: index, name: try text(node[0]), domain: try text(node[1]),
                    type: try text(node[2]), overload: try text(node[3]),
                    inputs: try texts(node[4]), outputs: try texts(node[5]),
                    attributes: try attributes(node[6])))
        }
        var constants: [String: Tensor] = [:]
        for entry in try reader.array(parts[1]) {
            let pair = try reader.array(entry, count: 2)
            let tensor = try reader.tensor(pair[1])
            guard constants.updateValue(tensor, forKey: try text(pair[0])) == nil else {
                throw Step.broken
            }
        }
        var inputs: [Model.Input] = []
        for entry in try reader.array(parts[2]) { inputs.append(try port(entry)) }
        return Graph(
            nodes: nodes, constants: constants, inputs: inputs, outputs: try texts(parts[3]))
    }

    func function(_ value: CBOR) throws(Failure) -> (FunctionName, Function) {
        let parts = try reader.array(value, count: 7)
        let name = FunctionName(
            domain: try text(parts[0]), name: try text(parts[1]), overload: try text(parts[2]))
        return (
            name,
            Function(
                inputs: try texts(parts[3]), attributes: try attributes(parts[4]),
                graph: try graph(parts[5]), opsets: try opsets(parts[6]))
        )
    }

    private func port(_ value: CBOR) throws(Failure) -> Model.Input {
        let parts = try reader.array(value, count: 5)
        guard let kind = parts[3].int, Model.Input.Kind.all.indices.contains(kind),
            let isRanked = parts[4].bool
        else { throw Step.broken }
        var shape: [Int?] = []
        for axis in try reader.array(parts[2]) {
            if axis == .null {
                shape.append(nil)
            } else {
                guard let size = axis.int else { throw Step.broken }
                shape.append(size)
            }
        }
        _ = try Shape.checked(shape.map { $0 ?? 1 })
        var port = Model.Input(
            name: try text(parts[0]), type: try reader.type(parts[1]), shape: shape)
        port.kind = Model.Input.Kind.all[kind]
        port.isRanked = isRanked
        return port
    }

    private func attributes(_ value: CBOR) throws(Failure) -> [String: Node.Attribute] {
        var attributes: [String: Node.Attribute] = [:]
        for entry in try reader.array(value) {
            let parts = try reader.array(entry, count: 3)
            guard let raw = parts[1].int,
                let kind = PreparedGraph.AttributeKind(rawValue: raw),
                attributes.updateValue(
                    try attribute(kind, parts[2]), forKey: try text(parts[0])) == nil
            else { throw Step.broken }
        }
        return attributes
    }

    private func attribute(
        _ kind: PreparedGraph.AttributeKind, _ value: CBOR
    ) throws(Failure) -> Node.Attribute {
        switch kind {
        case .float: return .float(try float(value))
        case .int:
            guard let number = value.int else { throw Step.broken }
            return .int(number)
        case .string: return .string(try text(value))
        case .tensor: return .tensor(try reader.tensor(value))
        case .floats:
            var floats: [Float] = []
            for entry in try reader.array(value) { floats.append(try float(entry)) }
            return .floats(floats)
        case .ints: return .ints(try reader.list(value))
        case .strings: return .strings(try texts(value))
        case .graph: return .graph(try graph(value))
        case .type: return .type(try port(value))
        case .reference: return .reference(try text(value))
        }
    }

    private func float(_ value: CBOR) throws(Failure) -> Float {
        guard let number = value.int, let bits = UInt32(exactly: number) else { throw Step.broken }
        return Float(bitPattern: bits)
    }
}
