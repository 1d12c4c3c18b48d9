import Compute
import Core
import Inference
import RigorTestKit
import Testing

/// Convolutions and products as graphics cards compute them, with what they take in of the steps
/// behind them, on whatever is at hand.
@Suite struct TiledConvolutionTests {
    /// A convolution of random shape, and what follows it.
    private static func net(_ generator: inout SplitMix64) -> Model {
        var net = Net()
        func some(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
        let groups = [1, 1, 2, 3].randomElement(using: &generator) ?? 1
        let (channels, outChannels) = (some(2...40), some(1...70))
        let kernel = [some(1...4), some(1...4)]
        let (strides, dilations) = ([some(1...3), some(1...3)], [some(1...2), some(1...2)])
        let pads = (0..<4).map { (side: Int) -> Int in
            min(some(0...2), (kernel[side % 2] - 1) * dilations[side % 2])
        }
        let size = [some(7...20), some(7...20)]
        let items = some(1...3)
        let out = (0..<2).map { (axis: Int) -> Int in
            let padded = size[axis] + pads[axis] + pads[axis + 2]
            return (padded - (kernel[axis] - 1) * dilations[axis] - 1) / strides[axis] + 1
        }
        let x = net.input("x", [items, groups * channels] + size)
        let all = groups * outChannels
        func numbers(_ shape: [Int]) -> String {
            net.floats(generator.floats(shape.reduce(1, *)), shape)
        }
        let attributes: [String: Node.Attribute] = [
            "strides": .ints(strides), "dilations": .ints(dilations), "pads": .ints(pads),
            "group": .int(groups),
        ]
        var operands = [x, numbers([all, channels] + kernel)]
        if some(0...1) == 1 { operands.append(numbers([all])) }
        var y = net.add("Conv", operands, attributes)
        if some(0...2) == 0 { y = net.add("Mul", [y, numbers([all, 1, 1])]) }
        if some(0...2) == 0 { y = net.add("Add", [y, numbers([all, 1, 1])]) }
        if some(0...2) == 0 {
            let other = net.input("other", [items, all] + out)
            y = net.add("Add", some(0...1) == 0 ? [y, other] : [other, y])
        }
        switch some(0...2) {
        case 0: y = net.add("Relu", [y])
        case 1:
            y = net.add(
                "Clip", [y, net.floats([-0.5], []), net.floats([0.75], [])])
        default: break
        }
        if some(0...3) == 0 {
            let z = net.add("Conv", [x, numbers([all, channels] + kernel)], attributes)
            y = net.add("Concat", [z, y], ["axis": .int(1)])
        }
        return net.model([y])
    }

    @Test(arguments: TestDevices.quick)
    func haveTheBitsOfTheReference(_ test: TestDevice) throws {
        let device = try test.open()
        guard device.description.workGroupItemsMax >= 256 else { return }
        let seed = UInt64.random(in: 0...UInt64.max)
        print("TiledConvolutionTests seed \(seed)")
        var generator = SplitMix64(seed: seed)
        for number in 0..<24 {
            let model = Self.net(&generator)
            let shapes = Dictionary(
                uniqueKeysWithValues: model.graph.inputs.map { ($0.name, $0.shape.map { $0 ?? 1 }) }
            )
            let plan = try Planner.plan(model, shapes: shapes)
            let inputs = plan.inputs.map {
                Tensor(generator.floats($0.shape.reduce(1, *)), shape: $0.shape)
            }
            try expectReferenceBits(plan, inputs, on: [AsCard(device)], "\(number) of seed \(seed)")
        }
    }

    /// Rows alone, few, and many, times constants and times what another input brings.
    @Test(arguments: TestDevices.quick)
    func productsHaveTheBitsOfTheReference(_ test: TestDevice) throws {
        let device = try test.open()
        guard device.description.workGroupItemsMax >= 256 else { return }
        let seed = UInt64.random(in: 0...UInt64.max)
        print("TiledConvolutionTests products seed \(seed)")
        var generator = SplitMix64(seed: seed)
        for (rows, depth, columns) in [
            (1, 700, 70), (2, 256, 5), (1, 30, 33), (5, 300, 90), (70, 513, 66), (320, 513, 420),
        ] {
            for isConstant in [true, false] {
                var net = Net()
                let a = net.input("a", [2, rows, depth])
                let b =
                    isConstant
                    ? net.floats(generator.floats(depth * columns), [depth, columns])
                    : net.input("b", [2, depth, columns])
                let turned = net.add("Transpose", [a], ["perm": .ints([0, 2, 1])])
                let back = net.add("Transpose", [turned], ["perm": .ints([0, 2, 1])])
                let product = net.add("MatMul", [back, b])
                let y = net.add("Add", [product, net.floats(generator.floats(columns), [columns])])
                let model = net.model([y])
                let plan = try Planner.plan(
                    model,
                    shapes: Dictionary(
                        uniqueKeysWithValues: model.graph.inputs.map {
                            ($0.name, $0.shape.map { $0 ?? 1 })
                        }))
                let inputs = plan.inputs.map {
                    Tensor(generator.floats($0.shape.reduce(1, *)), shape: $0.shape)
                }
                try expectReferenceBits(
                    plan, inputs, on: [AsCard(device)],
                    "\(rows)x\(depth)x\(columns), constant \(isConstant), seed \(seed)")
            }
        }
    }
}
