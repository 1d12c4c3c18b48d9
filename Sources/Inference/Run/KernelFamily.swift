public import Compute
public import Core

/// Kernels that are compiled together. A driver reads all of a program before the first launch of
/// any of its kernels: a model waits for those families alone that it has steps of. But each has
/// its price, some 3 ms with PoCL: where a device compiles kernels when they are first launched,
/// there are two programs of all that most models have.
public enum KernelFamily: String, CaseIterable, Sendable {
    case products
    /// Convolutions whose lanes are places of the output, and depthwise ones.
    case convolutions
    /// For processors: convolutions whose lanes are channels of the output, and pools.
    case windows

    /// Those that a processor needs for a model beside ``products``, as far as its nodes tell.
    public static func needed(by model: Model) -> [KernelFamily] {
        var found: Set<KernelFamily> = []
        let graphs = [model.graph] + model.functions.values.map(\.graph)
        for graph in graphs { graph.collectFamilies(&found) }
        return allCases.filter(found.contains)
    }

    private var files: [String] {
        switch self {
        case .products: ["activate", "gemm_tile", "gemm", "pack"]
        case .convolutions:
            [
                "activate", "gemm_tile", "layout", "window", "spread", "convolve_tail", "convolve",
                "planes",
            ]
        case .windows:
            [
                "order", "activate", "gemm_tile", "layout", "window", "convolve_tail",
                "convolve_lanes", "pool_maxima", "convolve_pool", "pool_strips",
            ]
        }
    }

    /// The program of its kernels.
    func source(
        _ tiles: Gemm.Tiles, isNarrow: Bool, _ device: DeviceDescription
    ) -> ProgramSource {
        var defines = ["GEMM_ROWS": "\(tiles.rows)", "GEMM_COLUMNS": "\(tiles.columns)"]
        if isNarrow { defines["RIGOR_NARROW"] = "1" }
        guard self != .windows, device.compilesAtLaunch else {
            return ProgramSource(
                "inference/\(rawValue)",
                files: Programs.files(exact: self == .products ? [] : ["divide"], files),
                defines: defines)
        }
        defines.merge(Programs.copies("uint")) { a, _ in a }
        return ProgramSource(
            "inference/common",
            files: Programs.files(
                exact: Programs.chainFunctions,
                ["order", "chain"] + Self.products.files
                    + Self.convolutions.files.filter { !Self.products.files.contains($0) }
                    + ["reduce", "rows", "copy", "normalize"]),
            defines: defines)
    }
}

extension Graph {
    /// Adds what its nodes, and those of the graphs inside them, need.
    fileprivate func collectFamilies(_ found: inout Set<KernelFamily>) {
        for node in nodes {
            for case .graph(let graph) in node.attributes.values { graph.collectFamilies(&found) }
            switch node.type {
            case "Conv", "FusedConv", "ConvTranspose":
                found.insert(.convolutions)
                let weights = node.inputs.dropFirst().first.flatMap { constants[$0] }
                if let weights, node.type != "ConvTranspose", Self.mayTakeLanes(weights.shape) {
                    found.insert(.windows)
                }
            case "MaxPool", "AveragePool", "LpPool": found.insert(.windows)
            default: continue
            }
        }
    }

    /// Windows along one axis mostly are on long rows, and take lanes of places.
    private static func mayTakeLanes(_ weights: [Int]) -> Bool {
        weights.count == 4 && (weights[2] == 1) == (weights[3] == 1)
            && weights[1...].reduce(1, *) >= Gemm.laneDepthMin
    }
}

extension Session {
    /// Compiles kernels on a device, which keeps them: for the time in which a model is loaded.
    /// On graphics cards, products alone: most of their kernels depend on what a model has.
    ///
    /// - Throws: ``Failure`` when the device fails.
    public static func compileAhead(
        _ families: [KernelFamily] = [.products], on device: any ComputeDevice
    ) throws(Failure) {
        // Of what is one program with products nobody needs to wait for those once more.
        let isCommon = device.description.compilesAtLaunch
        let families = families.filter { $0 != .convolutions || !isCommon }
        guard !families.isEmpty else { return }
        let gemm = try Gemm(on: device)
        guard device.description.kind == .cpu else { return }
        for family in families {
            _ = try device.program(
                family.source(gemm.tiles, isNarrow: gemm.isNarrow, device.description))
        }
    }
}
