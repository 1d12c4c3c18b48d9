internal import Core
internal import Inference

/// A convolution's numbers, and its gradients as convolutions.
struct Convolution {
    let x: [Int]
    let weights: [Int]
    let out: [Int]
    let groups: Int
    let strides: [Int]
    let dilations: [Int]
    private(set) var begins: [Int]
    private(set) var ends: [Int]

    /// Number of axes under the kernel.
    private var rank: Int { x.count - 2 }
    private var planes: Range<Int> { 2..<x.count }
    /// Elements that the kernel spans.
    private var reach: [Int] { (0..<rank).map { (weights[2 + $0] - 1) * dilations[$0] + 1 } }

    /// - Throws: ``Failure`` when an attribute is none that it can be.
    init(_ node: Node, x: [Int], weights: [Int], out: [Int]) throws(Failure) {
        (self.x, self.weights, self.out) = (x, weights, out)
        let rank = x.count - 2
        let ones = Array(repeating: 1, count: rank)
        groups = node.int("group", default: 1)
        strides = node.ints("strides") ?? ones
        dilations = node.ints("dilations") ?? ones
        begins = ones.map { _ in 0 }
        ends = begins
        let reach = (0..<rank).map { (weights[2 + $0] - 1) * dilations[$0] + 1 }
        switch node.string("auto_pad", default: "NOTSET") {
        case "NOTSET", "":
            let pads = node.ints("pads") ?? begins + ends
            (begins, ends) = (Array(pads[..<rank]), Array(pads[rank...]))
        case "VALID": break
        case let mode:
            for axis in 0..<rank {
                let total = max(
                    0, (out[2 + axis] - 1) * strides[axis] + reach[axis] - x[2 + axis])
                begins[axis] = mode == "SAME_UPPER" ? total / 2 : total - total / 2
                ends[axis] = total - begins[axis]
            }
        }
    }

    /// With strides of 1 a convolution by the kernel turned around; else a transposed one.
    func inputGradient(_ builder: inout GraphBuilder, weights name: String, _ g: String) -> String {
        let before = (0..<rank).map { reach[$0] - 1 - begins[$0] }
        let behind = (0..<rank).map { reach[$0] - 1 - ends[$0] }
        let isPlain = strides.allSatisfy { $0 == 1 } && (before + behind).allSatisfy { $0 >= 0 }
        guard isPlain else {
            let rests = (0..<rank).map { axis in
                let span = (out[2 + axis] - 1) * strides[axis] + reach[axis]
                return x[2 + axis] - span + begins[axis] + ends[axis]
            }
            return builder.add(
                "ConvTranspose", [g, name],
                [
                    "group": .int(groups), "strides": .ints(strides),
                    "dilations": .ints(dilations), "pads": .ints(begins + ends),
                    "output_padding": .ints(rests),
                ])
        }
        let kernel = Array(weights[2...])
        let (outs, channels) = (weights[0] / groups, weights[1])
        var turned = builder.reshaped(name, [groups, outs, channels] + kernel)
        let order = [0, 2, 1] + kernel.indices.map { $0 + 3 }
        turned = builder.add("Transpose", [turned], ["perm": .ints(order)])
        turned = builder.reshaped(turned, [groups * channels, outs] + kernel)
        if kernel.contains(where: { $0 > 1 }) {
            turned = builder.slice(
                turned, axes: Array(planes), from: kernel.map { _ in -1 },
                to: kernel.map { _ in Int(Int32.min) }, steps: kernel.map { _ in -1 })
        }
        return builder.add(
            "Conv", [g, turned],
            [
                "group": .int(groups), "dilations": .ints(dilations),
                "pads": .ints(before + behind), "kernel_shape": .ints(kernel),
            ])
    }

    /// A convolution whose items are the channels of a group, and whose kernel is the gradient:
    /// sums go over items, then rows, then columns.
    func weightGradient(_ builder: inout GraphBuilder, x name: String, _ g: String) -> String {
        let kernel = Array(weights[2...])
        let channels = weights[1]
        let spatial = kernel.indices.map { $0 + 3 }
        // Elements behind those that windows reach are left out; where they reach beyond the end,
        // there is padding.
        let rests = (0..<rank).map { axis -> Int in
            let span: Int = (kernel[axis] - 1) * dilations[axis]
            let steps: Int = (out[2 + axis] - 1) * strides[axis]
            return span + steps + 1 - x[2 + axis] - begins[axis]
        }
        var planes = name
        if rests.contains(where: { $0 < 0 }) {
            let axes = (0..<rank).filter { rests[$0] < 0 }
            planes = builder.slice(
                planes, axes: axes.map { $0 + 2 }, from: axes.map { _ in 0 },
                to: axes.map { x[2 + $0] + rests[$0] })
        }
        let sizes = (0..<rank).map { x[2 + $0] + min(0, rests[$0]) }
        planes = builder.reshaped(planes, [x[0], groups, channels] + sizes)
        planes = builder.add("Transpose", [planes], ["perm": .ints([2, 1, 0] + spatial)])
        planes = builder.reshaped(planes, [channels, groups * x[0]] + sizes)
        let order = [1, 0] + self.planes
        let taps = builder.add("Transpose", [g], ["perm": .ints(order)])
        let sums = builder.add(
            "Conv", [planes, taps],
            [
                "group": .int(groups), "strides": .ints(dilations), "dilations": .ints(strides),
                "pads": .ints(begins + rests.map { max(0, $0) }),
                "kernel_shape": .ints(Array(out[2...])),
            ])
        return builder.add("Transpose", [sums], ["perm": .ints(order)])
    }
}
