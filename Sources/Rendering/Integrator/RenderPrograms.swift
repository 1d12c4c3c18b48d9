internal import Compute
internal import Core

/// The programs of the path tracer. They are small: an implementation that spells out every fma
/// compiles a large one for minutes.
struct RenderPrograms {
    /// Begins paths, and adds up what they found.
    let frame: any ComputeProgram
    /// Rays through the tree.
    let trace: any ComputeProgram
    /// Sixteen rays together, for those that go much the same way; nil where they do not pay, or
    /// the scene has instances.
    let packet: (any ComputeProgram)?
    // The stages between rays.
    let surface: any ComputeProgram
    let light: any ComputeProgram
    let scatter: any ComputeProgram
    /// What layered materials have, and what they do with light; nil where the scene has none.
    let layers: (any ComputeProgram)?
    let scatterLayered: (any ComputeProgram)?
    let isNarrow: Bool

    init(
        _ device: any ComputeDevice, isNarrow: Bool, hasPackets: Bool,
        features: RenderFeatures = []
    ) throws(Failure) {
        func program(
            _ name: String, _ files: [String], exact: [String] = [], _ defines: [String] = []
        ) throws(Failure) -> any ComputeProgram {
            try device.program(
                Self.source(name, files, exact: exact, isNarrow: isNarrow, defines: defines))
        }
        let hasMedia = features.contains(.media)
        let hasLayers = features.contains(.layers)
        let media = hasMedia ? ["RIGOR_MEDIA"] : []
        let exponential = hasMedia ? ["exponential"] : []
        let mediaFile = hasMedia ? ["media"] : []
        let hasInstances = features.contains(.instances)
        let shared = hasInstances ? ["RIGOR_INSTANCES"] : []
        let meeting = hasInstances ? ["instance", "meeting"] : ["meeting"]
        let hasTree = features.contains(.lightTree)
        let tree = hasTree ? ["RIGOR_LIGHT_TREE"] : []
        let treeFile = hasTree ? ["light_tree"] : []
        self.isNarrow = isNarrow
        frame = try program("frame", ["random", "queue", "camera", "accumulate"])
        trace = try device.program(Self.trace(isNarrow: isNarrow, features))
        // A packet goes into every instance that one of its rays does: one by one is faster there.
        packet =
            hasPackets && !hasInstances
            ? try device.program(Self.packet(isNarrow: isNarrow, features)) : nil
        let place = ["random", "texture", "triangle", "environment"]
        surface = try program(
            "surface",
            place + ["density", "queue"] + meeting + mediaFile + treeFile + ["surface"],
            exact: exponential, media + shared + tree)
        light = try program("light", place + ["queue"] + treeFile + ["light"], tree)
        let local = ["random", "texture", "triangle", "density"]
        scatter = try program(
            "scatter", local + ["bsdf", "queue"] + mediaFile + ["scatter"], exact: exponential,
            media + (hasLayers ? ["RIGOR_MIXED"] : []))
        guard hasLayers else {
            layers = nil
            scatterLayered = nil
            return
        }
        layers = try program(
            "layers", ["random", "texture", "triangle", "queue"] + meeting + ["layers"], shared)
        scatterLayered = try program(
            "scatter_layered",
            local + ["film", "bsdf", "layered", "queue"] + mediaFile + ["scatter"],
            exact: ["exponential", "logarithm", "power", "trigonometric"],
            media + ["RIGOR_LAYERED"])
    }

    /// Rays alone, for those who bring their own.
    static func trace(isNarrow: Bool, _ features: RenderFeatures) -> ProgramSource {
        source("trace", rays(features, ["closest", "occlusion"]), isNarrow: isNarrow, features)
    }

    /// The same in packets of sixteen.
    static func packet(isNarrow: Bool, _ features: RenderFeatures) -> ProgramSource {
        source("packet", rays(features, ["rays", "packet"]), isNarrow: isNarrow, features)
    }

    private static func rays(_ features: RenderFeatures, _ kernels: [String]) -> [String] {
        let instance = features.contains(.instances) ? ["instance"] : []
        return ["random", "texture", "triangle", "queue"] + instance + ["traverse"] + kernels
    }

    private static func source(
        _ name: String, _ files: [String], isNarrow: Bool, _ features: RenderFeatures
    ) -> ProgramSource {
        source(
            name, files, isNarrow: isNarrow,
            defines: features.contains(.instances) ? ["RIGOR_INSTANCES"] : [])
    }

    /// What camera rays meet first, for pictures beside the settled one.
    static func firstHits(isNarrow: Bool) -> ProgramSource {
        source("aov", ["random", "queue", "camera", "accumulate", "aov"], isNarrow: isNarrow)
    }

    private static func source(
        _ name: String, _ files: [String], exact: [String] = [], isNarrow: Bool,
        defines: [String] = []
    ) -> ProgramSource {
        let math = (["divide", "root", "inverse"] + exact).map { "exact/\($0).cl" }
        let own = (["vector", "layout"] + files).map { "render/\($0).cl" }
        let names = defines + (isNarrow ? ["RIGOR_NARROW"] : [])
        return ProgramSource(
            "render/\(name)", files: math + own,
            defines: Dictionary(uniqueKeysWithValues: names.map { ($0, "1") }))
    }
}
