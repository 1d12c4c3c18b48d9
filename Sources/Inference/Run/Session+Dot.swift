internal import Compute
internal import Core

/// Products of 8-bit integers.
extension Session {
    func dotProduct() throws(Failure) -> DotProduct {
        if let known = dots { return known }
        let made = try DotProduct(on: device, isNarrow: gemm.isNarrow)
        dots = made
        return made
    }

    /// Packs a constant B once.
    func packDot(
        _ shape: DotShape, _ plain: any ComputeBuffer
    ) throws(Failure) -> any ComputeBuffer {
        let product = try dotProduct()
        let panels = try device.makeBuffer(
            byteCount: 4 * product.packedCountB(shape) * (shape.bMatrix == 0 ? 1 : shape.matrices))
        try product.packB(shape, plain, into: panels)
        return panels
    }

    func dot(
        _ step: Step, _ index: Int, _ result: any ComputeBuffer
    ) throws(Failure) {
        guard let shape = DotShape(step.ints) else { throw Step.broken }
        let product = try dotProduct()
        var a = try operand(step, 0)
        if !product.readsRows(shape) {
            let count = product.packedCountA(shape) * (shape.aMatrix == 0 ? 1 : shape.matrices)
            let panels = try scratch(.a, count: count)
            try product.packA(shape, a, into: panels)
            a = panels
        }
        let b: any ComputeBuffer
        if let packed = packed[index] {
            b = packed
        } else {
            b = try scratch(
                .b, count: product.packedCountB(shape) * (shape.bMatrix == 0 ? 1 : shape.matrices))
            try product.packB(shape, try operand(step, 1), into: b)
        }
        let aZero = shape.aZeros == .none ? a : try operand(step, 2)
        let bZero = shape.bZeros == .none ? b : try operand(step, step.operands.count - 1)
        try product.multiply(shape, a: a, b: b, zeros: (aZero, bZero), into: result)
    }
}

// MARK: - Convolutions

extension Session {
    /// Packs constant weights once.
    func packFilters(
        _ shape: DotConvolutionShape, _ plain: any ComputeBuffer
    ) throws(Failure) -> any ComputeBuffer {
        let product = try dotProduct()
        let panels = try device.makeBuffer(
            byteCount: 4 * product.packedCount(shape) * shape.convolution.groups)
        try product.packFilters(shape, plain, into: panels)
        return panels
    }

    func dotConvolve(
        _ step: Step, _ index: Int, _ result: any ComputeBuffer
    ) throws(Failure) {
        guard let shape = DotConvolutionShape(step.ints) else { throw Step.broken }
        let product = try dotProduct()
        let s = shape.convolution
        let x = try operand(step, 0)
        let filters: any ComputeBuffer
        if let packed = packed[index] {
            filters = packed
        } else {
            filters = try scratch(.a, count: product.packedCount(shape) * s.groups)
            try product.packFilters(shape, try operand(step, 1), into: filters)
        }
        let layout = try WindowLayout(s.window)
        let itemCount = s.groups * shape.words * layout.planeSize
        // As many items at a time as fit.
        let each = max(1, min(s.items, panelBytesMax / (itemCount * 4)))
        let words = try scratch(.b, count: each * itemCount + product.placesSlack)
        let zero = shape.xZeros == .none ? nil : try operand(step, 2)
        let factors = DotProduct.Factors(
            filters: filters, words: words,
            offsets: try table(index, layout, channels: shape.words),
            zeros: (
                zero ?? words,
                shape.wZeros == .none ? words : try operand(step, step.operands.count - 1)
            ))
        for first in stride(from: 0, to: s.items, by: each) {
            let items = first..<min(first + each, s.items)
            try product.spread(shape, layout, x, zero: zero, items: items, into: words)
            try product.convolve(shape, layout, factors, items: items, into: result)
        }
    }

    func requantize(
        _ step: Step, _ operands: [any ComputeBuffer], _ result: any ComputeBuffer
    ) throws(Failure) {
        guard let s = RequantizeShape(step.ints) else { throw Step.broken }
        let isCPU = device.description.kind == .cpu
        let each = isCPU ? min(s.pixels, 8192) : 1
        let parts = s.pixels.dividedUp(by: each)
        var buffers = operands
        if !s.hasBias { buffers.insert(operands[0], at: 1) }
        try device.launch(
            "requantize", of: try programs.requantize(),
            global: [isCPU ? parts : parts.inGroups, s.planes], local: isCPU ? [1, 1] : nil,
            arguments: (buffers + [result]).map { .buffer($0) } + [
                .int(Int32(s.pixels)), .int(Int32(each)), .int(Int32(s.channels)),
                .int(s.hasBias ? 1 : 0), .int(s.isByChannel ? 1 : 0), .int(s.isSigned ? 1 : 0),
            ])
    }
}
