public import Core

/// A plan and values for its inputs as bytes: what a prepare host hands to a device host.
///
///     "RIGORNN1"  8 bytes
///     header size 8 bytes, little-endian
///     header      deterministic CBOR: format, plans; floats as their bit patterns
///     data        raw little-endian tensors, each at a multiple of 64 from the data's start
public struct PreparedModel: Hashable, Sendable {
    public var plan: Plan
    /// A value for each of the plan's inputs, in order; all items, where the plan computes a batch.
    public var inputs: [Tensor]

    public init(plan: Plan, inputs: [Tensor]) {
        self.plan = plan
        self.inputs = inputs
    }

    /// The plan, whose constants are then the caller's alone.
    public mutating func takePlan() -> Plan {
        defer { plan.constants = [:] }
        return plan
    }

    static let magic = Bytes("RIGORNN1".utf8)
    static let format = 3
}

// MARK: - Writing

/// What lies behind a blob's header.
struct BlobData {
    private(set) var bytes = Bytes()

    /// - Returns: where the tensor is, and what.
    mutating func append(_ tensor: Tensor) -> CBOR {
        bytes += Bytes(repeating: 0, count: bytes.count.roundedUp(to: 64) - bytes.count)
        let offset = bytes.count
        bytes += tensor.bytes
        return .array([
            CBOR(offset), CBOR(Int(tensor.type.rawValue)), .array(tensor.shape.map { CBOR($0) }),
        ])
    }
}

extension PreparedModel {
    /// The blob: a function of the prepared model alone.
    public var encoded: Bytes {
        var data = BlobData()
        func port(_ port: Plan.Port) -> CBOR {
            .array([
                .text(port.name), CBOR(Int(port.type.rawValue)), Self.list(port.shape),
                CBOR(port.buffer),
            ])
        }
        let constants = plan.constants.keys.sorted().map { buffer -> CBOR in
            guard let tensor = plan.constants[buffer] else { preconditionFailure("its own key") }
            return .array([CBOR(buffer), data.append(tensor)])
        }
        let header = CBOR.map([
            "format": CBOR(Self.format),
            "buffers": Self.list(plan.buffers),
            "constants": .array(constants),
            "inputs": .array(plan.inputs.map(port)),
            "outputs": .array(plan.outputs.map(port)),
            "steps": .array(
                plan.steps.map { step in
                    .array([
                        CBOR(step.kind.rawValue), Self.list(step.operands), CBOR(step.result),
                        Self.list(step.ints), Self.list(step.floats.map { Int($0.bitPattern) }),
                        step.output.map { output in
                            .array([
                                .text(output.name), CBOR(Int(output.type.rawValue)),
                                Self.list(output.shape),
                            ])
                        } ?? .null,
                    ])
                }),
            "values": .array(inputs.map { data.append($0) }),
        ]).encoded
        return Self.magic + UInt64(header.count).littleEndianBytes + header + data.bytes
    }

    private static func list(_ values: [Int]) -> CBOR { .array(values.map { CBOR($0) }) }
}

// MARK: - Reading

extension PreparedModel {
    /// Reads a blob, trusting nothing: every number is checked before it sizes or places anything.
    ///
    /// - Throws: ``Failure`` `malformed` when it is not one that this version makes.
    public init(decoding blob: Bytes) throws(Failure) {
        let (root, reader) = try BlobReader.open(blob, magic: Self.magic)
        guard root["format"]?.int == Self.format, root.map?.count == 7 else { throw Step.broken }
        var plan = Plan(
            buffers: try reader.list(root["buffers"]), constants: [:], inputs: [], outputs: [],
            steps: [])
        for entry in try reader.array(root["constants"]) {
            guard let pair = entry.array, pair.count == 2, let buffer = pair[0].int,
                plan.buffers.indices.contains(buffer), plan.constants[buffer] == nil
            else { throw Step.broken }
            plan.constants[buffer] = try reader.tensor(pair[1])
        }
        for entry in try reader.array(root["inputs"]) { plan.inputs.append(try reader.port(entry)) }
        for entry in try reader.array(root["outputs"]) {
            plan.outputs.append(try reader.port(entry))
        }
        for entry in try reader.array(root["steps"]) { plan.steps.append(try reader.step(entry)) }
        var inputs: [Tensor] = []
        for entry in try reader.array(root["values"]) { inputs.append(try reader.tensor(entry)) }
        try plan.check()
        guard inputs.count == plan.inputs.count,
            zip(inputs, plan.inputs).allSatisfy({ $0.type == $1.type })
        else { throw Step.broken }
        self.init(plan: plan, inputs: inputs)
        _ = try itemCount()
    }
}

/// Bounds-checked access to a blob's parts.
struct BlobReader {
    let blob: Bytes
    let dataStart: Int

    /// A blob's header, and what reads what it says of the data behind it.
    static func open(
        _ blob: Bytes, magic: Bytes
    ) throws(Failure) -> (header: CBOR, reader: BlobReader) {
        let start = magic.count + 8
        guard blob.count >= start, blob.starts(with: magic) else {
            let name = String(decoding: magic, as: UTF8.self)
            throw Failure(.malformed, "prepared model: \"\(name)\" expected at the start")
        }
        let headerCount = blob[magic.count..<start].reversed().reduce(UInt64(0)) {
            $0 << 8 | UInt64($1)
        }
        guard headerCount <= UInt64(blob.count - start) else { throw Step.broken }
        let dataStart = start + Int(headerCount)
        let header = try CBOR(decoding: Bytes(blob[start..<dataStart]))
        return (header, BlobReader(blob: blob, dataStart: dataStart))
    }

    func array(_ value: CBOR?, count: Int) throws(Failure) -> [CBOR] {
        let array = try array(value)
        guard array.count == count else { throw Step.broken }
        return array
    }

    func array(_ value: CBOR?) throws(Failure) -> [CBOR] {
        guard let array = value?.array else { throw Step.broken }
        return array
    }

    func list(_ value: CBOR?) throws(Failure) -> [Int] {
        var list: [Int] = []
        for entry in try array(value) {
            guard let number = entry.int else { throw Step.broken }
            list.append(number)
        }
        return list
    }

    func type(_ value: CBOR) throws(Failure) -> ElementType {
        guard let raw = value.int else { throw Step.broken }
        return try Step.type(raw)
    }

    func tensor(_ value: CBOR) throws(Failure) -> Tensor {
        let parts = try array(value)
        guard parts.count == 3, let offset = parts[0].int, offset >= 0, offset % 64 == 0 else {
            throw Step.broken
        }
        let type = try type(parts[1])
        let shape = try Shape.checked(try list(parts[2]))
        let byteCount = shape.elementCount * type.byteCount
        guard offset <= blob.count - dataStart, byteCount <= blob.count - dataStart - offset else {
            throw Step.broken
        }
        let first = dataStart + offset
        return blob.withUnsafeBytes { bytes in
            Tensor(
                type: type, shape: shape,
                bytes: UnsafeRawBufferPointer(rebasing: bytes[first..<(first + byteCount)]))
        }
    }

    func port(_ value: CBOR) throws(Failure) -> Plan.Port {
        let parts = try array(value)
        guard parts.count == 4, let name = parts[0].text, let buffer = parts[3].int else {
            throw Step.broken
        }
        return Plan.Port(
            name: name, type: try type(parts[1]), shape: try Shape.checked(try list(parts[2])),
            buffer: buffer)
    }

    private func output(_ value: CBOR) throws(Failure) -> Step.Output {
        let parts = try array(value)
        guard parts.count == 3, let name = parts[0].text else { throw Step.broken }
        return Step.Output(
            name: name, type: try type(parts[1]), shape: try Shape.checked(try list(parts[2])))
    }

    func step(_ value: CBOR) throws(Failure) -> Step {
        let parts = try array(value)
        guard parts.count == 6, let raw = parts[0].int, let kind = Step.Kind(rawValue: raw),
            let result = parts[2].int
        else { throw Step.broken }
        var floats: [Float] = []
        for bits in try list(parts[4]) {
            guard let bits = UInt32(exactly: bits) else { throw Step.broken }
            floats.append(Float(bitPattern: bits))
        }
        var step = Step(
            kind, operands: try list(parts[1]), result: result, ints: try list(parts[3]),
            floats: floats)
        if parts[5] != .null { step.output = try output(parts[5]) }
        return step
    }
}

extension Plan {
    /// Whether every step stays inside its buffers and reads only what was written before.
    ///
    /// - Throws: ``Failure`` when not.
    package func check() throws(Failure) {
        guard buffers.allSatisfy({ $0 > 0 }),
            buffers.reduce(0, { $0.addingReportingOverflow($1).partialValue })
                <= Lowering.deviceBytesMax,
            buffers.allSatisfy({ $0 <= Lowering.deviceBytesMax }), buffers.count <= 1 << 20
        else { throw Failure(.limit, "prepared model: too much device memory") }
        var written = Set(constants.keys)
        for port in inputs {
            try checkPort(port)
            guard written.insert(port.buffer).inserted else { throw Step.broken }
        }
        for (buffer, tensor) in constants {
            guard tensor.count * tensor.type.byteCount <= buffers[buffer] else { throw Step.broken }
        }
        let fixed = written
        for step in steps {
            let extent = try step.extent()
            try Layout.check(step)
            guard buffers.indices.contains(step.result), !fixed.contains(step.result),
                extent.result <= buffers[step.result],
                extent.operands.count == step.operands.count,
                step.output.map({ $0.shape.elementCount * $0.type.byteCount == extent.result })
                    ?? true
            else { throw Step.broken }
            for (buffer, bytes) in zip(step.operands, extent.operands) {
                guard written.contains(buffer), bytes <= buffers[buffer] else { throw Step.broken }
            }
            written.insert(step.result)
        }
        for port in outputs {
            try checkPort(port)
            guard written.contains(port.buffer) else { throw Step.broken }
        }
    }

    private func checkPort(_ port: Port) throws(Failure) {
        guard buffers.indices.contains(port.buffer), port.shape.allSatisfy({ $0 > 0 }),
            port.shape.elementCount * port.type.byteCount <= buffers[port.buffer]
        else { throw Step.broken }
    }
}
