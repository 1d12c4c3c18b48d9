internal import Compute
internal import Core

/// What sessions share that run one after the other on a device: programs, and a model's constants
/// as they lie there. Stages of a model, turns of a loop among them, bring and pack them once.
final class SessionCommons {
    let device: LaunchRecorder
    let isNarrow: Bool
    let gemm: Gemm
    let programs: Programs
    /// The model's own constants, which live as long as it does.
    private let own: Set<Tensor.Identity>
    private var plain: [Tensor.Identity: any ComputeBuffer] = [:]
    private var packed: [Packing: any ComputeBuffer] = [:]

    private struct Packing: Hashable {
        var constant: Tensor.Identity
        var form: [Int]
    }

    /// - Parameter model: whose constants are kept; nil keeps none.
    init(
        on device: any ComputeDevice, isNarrow: Bool, of model: Model?
    ) throws(Failure) {
        self.device = LaunchRecorder(device)
        self.isNarrow = isNarrow
        gemm = try Gemm(on: self.device, isNarrow: isNarrow)
        programs = Programs(device: self.device, gemm: gemm)
        var own: Set<Tensor.Identity> = []
        if let model {
            model.graph.collectConstants(&own)
            for function in model.functions.values { function.graph.collectConstants(&own) }
        }
        self.own = own
    }

    /// A buffer that holds a constant: what `make` gives, or gave before.
    func plain(
        _ tensor: Tensor, _ make: () throws(Failure) -> any ComputeBuffer
    ) throws(Failure) -> any ComputeBuffer {
        guard let identity = tensor.identity, own.contains(identity) else { return try make() }
        if let known = plain[identity] { return known }
        let buffer = try make()
        plain[identity] = buffer
        return buffer
    }

    /// A constant as products read it: what `make` gives, or gave before.
    ///
    /// - Parameter form: all that decides how it is packed.
    func packed(
        _ tensor: Tensor, _ form: [Int], _ make: () throws(Failure) -> any ComputeBuffer
    ) throws(Failure) -> any ComputeBuffer {
        guard let identity = tensor.identity, own.contains(identity) else { return try make() }
        let packing = Packing(constant: identity, form: form)
        if let known = packed[packing] { return known }
        let buffer = try make()
        packed[packing] = buffer
        return buffer
    }
}

extension Graph {
    /// Its own, its nodes' and those of the graphs inside them.
    fileprivate func collectConstants(_ found: inout Set<Tensor.Identity>) {
        func add(_ tensor: Tensor) {
            if let identity = tensor.identity { found.insert(identity) }
        }
        for tensor in constants.values { add(tensor) }
        for attribute in nodes.flatMap(\.attributes.values) {
            switch attribute {
            case .tensor(let tensor): add(tensor)
            case .graph(let graph): graph.collectConstants(&found)
            default: break
            }
        }
    }
}
