internal import Compute
internal import Core

// How values come to the device, and from there.
extension Session {
    /// Brings inputs to the device, or the device to them, while `body` runs.
    func provide(
        _ inputs: ArraySlice<Tensor>, _ body: () throws(Failure) -> Void
    ) throws(Failure) {
        guard let tensor = inputs.first else { return try body() }
        let number = plan.inputs[inputs.startIndex].buffer
        if viewedInputs.contains(inputs.startIndex) {
            defer { buffers[number] = nil }
            return try tensor.withBuffer(on: device) { (view) throws(Failure) in
                buffers[number] = view
                try provide(inputs.dropFirst(), body)
            }
        }
        let target = try buffer(number)
        try tensor.withBytes { (bytes) throws(Failure) in
            try device.write(bytes, to: target, at: 0)
        }
        try provide(inputs.dropFirst(), body)
    }

    /// Brings the device to where outputs are to be while `body` runs.
    ///
    /// - Parameter positions: of the plan's outputs.
    func receive(
        _ positions: ArraySlice<Int>, into received: inout [Int: Tensor],
        _ body: () throws(Failure) -> Void
    ) throws(Failure) {
        guard let position = positions.first else { return try body() }
        let port = plan.outputs[position]
        let block: HostBlock
        do {
            defer { buffers[port.buffer] = nil }
            block = try device.block(byteCount: port.shape.elementCount * port.type.byteCount) {
                (view) throws(Failure) in
                buffers[port.buffer] = view
                try receive(positions.dropFirst(), into: &received, body)
            }
        }
        received[position] =
            port.type == .float32
            ? canonical(Tensor(HostValues(block), shape: port.shape), port)
            : Tensor(narrow: HostValues(block), port.type, port.shape)
    }

    func read(_ port: Plan.Port) throws(Failure) -> Tensor {
        canonical(
            try device.readTensor(port.type, port.shape, from: try buffer(port.buffer)), port)
    }

    private func canonical(_ tensor: Tensor, _ port: Plan.Port) -> Tensor {
        canonicalBuffers.contains(port.buffer) ? tensor : tensor.canonical
    }
}

extension Plan {
    /// Positions of inputs that can be read where the caller has them: of at least so many bytes
    /// that lie there as on the device, in buffers of their own that no step writes.
    func inputs(viewedFrom bytesMin: Int) -> Set<Int> {
        let taken = Set(steps.map(\.result)).union(constants.keys)
        let numbers = inputs.map(\.buffer)
        return Set(
            inputs.indices.filter { position in
                let port = inputs[position]
                return !port.type.isNarrowFloat && isAlone(port, numbers, bytesMin)
                    && !taken.contains(port.buffer)
            })
    }

    /// Positions of outputs that can be written where the caller gets them, likewise.
    ///
    /// - Parameter others: buffers that are written by more than their own step.
    func outputs(viewedFrom bytesMin: Int, without others: Set<Int>) -> [Int] {
        let taken = others.union(inputs.map(\.buffer)).union(constants.keys)
        let own = Set(steps.map(\.result)).subtracting(taken)
        let numbers = outputs.map(\.buffer)
        return outputs.indices.filter { position in
            let port = outputs[position]
            let isWholeBytes = port.type.isNarrowInteger && port.type.bitCount >= 8
            return (port.type == .float32 || isWholeBytes) && isAlone(port, numbers, bytesMin)
                && own.contains(port.buffer)
        }
    }

    /// Whether a port is all of its buffer, which is large enough and no other's of `numbers`.
    private func isAlone(_ port: Port, _ numbers: [Int], _ bytesMin: Int) -> Bool {
        let byteCount = port.shape.elementCount * port.type.byteCount
        return byteCount >= bytesMin && byteCount == buffers[port.buffer]
            && numbers.count { $0 == port.buffer } == 1
    }

    /// Buffers that a product of floats writes last: kernels of products give NaN its bits.
    ///
    /// - Parameter extents: of steps that are computed together, by other kernels.
    func productBuffers(outside extents: some Sequence<Range<Int>>) -> Set<Int> {
        let others = extents.reduce(into: Set<Int>()) { $0.formUnion($1) }
        var found: Set<Int> = []
        for (index, step) in steps.enumerated() {
            if step.kind == .gemm, !others.contains(index) {
                found.insert(step.result)
            } else {
                found.remove(step.result)
            }
        }
        return found
    }
}

extension Tensor {
    /// The same numbers with one bit pattern for NaN.
    var canonical: Tensor {
        if holdsNaN, let floats {
            return Tensor(floats.map { $0.isNaN ? .quietNaN : $0 }, shape: shape, as: type)
        }
        if let doubles, doubles.contains(where: \.isNaN) {
            return Tensor(doubles: doubles.map { $0.isNaN ? .quietNaN : $0 }, shape: shape)
        }
        return self
    }
}
