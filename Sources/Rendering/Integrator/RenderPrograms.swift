internal import Compute
internal import Core

/// The programs of the path tracer. They are small: an implementation that spells out every fma
/// compiles a large one for minutes.
struct RenderPrograms {
    /// Begins paths, and adds up what they found.
    let frame: any ComputeProgram
    /// Rays through the tree.
    let trace: any ComputeProgram
    /// Sixteen rays together, for those that go much the same way; nil where vectors are narrow.
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
        _ device: any ComputeDevice, isNarrow: Bool, features: RenderFeatures = []
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
        let hasTree = features.contains(.lightTree)
        let tree = hasTree ? ["RIGOR_LIGHT_TREE"] : []
        let treeFile = hasTree ? ["light_tree"] : []
        self.isNarrow = isNarrow
        frame = try program("frame", ["random", "queue", "camera", "accumulate"])
        trace = try device.program(Self.trace(isNarrow: isNarrow))
        packet = isNarrow ? nil : try device.program(Self.packet)
        let place = ["random", "texture", "triangle", "environment"]
        surface = try program(
            "surface",
            place + ["density", "queue", "meeting"] + mediaFile + treeFile + ["surface"],
            exact: exponential, media + tree)
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
            "layers", ["random", "texture", "triangle", "queue", "meeting", "layers"])
        scatterLayered = try program(
            "scatter_layered",
            local + ["film", "bsdf", "layered", "queue"] + mediaFile + ["scatter"],
            exact: ["exponential", "logarithm", "power", "trigonometric"],
            media + ["RIGOR_LAYERED"])
    }

    /// Rays alone, for those who bring their own.
    static func trace(isNarrow: Bool) -> ProgramSource {
        source(
            "trace",
            ["random", "texture", "triangle", "queue", "traverse", "closest", "occlusion"],
            isNarrow: isNarrow)
    }

    /// The same in packets of sixteen; wide vectors alone.
    static let packet = source(
        "packet", ["random", "texture", "triangle", "queue", "traverse", "packet"],
        isNarrow: false)

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
