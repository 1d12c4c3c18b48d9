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
