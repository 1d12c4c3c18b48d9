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
    let isNarrow: Bool

    init(_ device: any ComputeDevice, isNarrow: Bool) throws(Failure) {
        func program(_ name: String, _ files: [String]) throws(Failure) -> any ComputeProgram {
            try device.program(Self.source(name, files, isNarrow: isNarrow))
        }
        self.isNarrow = isNarrow
        frame = try program("frame", ["random", "queue", "camera", "accumulate"])
        trace = try device.program(Self.trace(isNarrow: isNarrow))
        packet = isNarrow ? nil : try device.program(Self.packet)
        let place = ["random", "texture", "triangle", "environment"]
        surface = try program("surface", place + ["density", "queue", "surface"])
        light = try program("light", place + ["queue", "light"])
        scatter = try program(
            "scatter",
            ["random", "texture", "triangle", "density", "bsdf", "queue", "scatter"])
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
        _ name: String, _ files: [String], isNarrow: Bool
    ) -> ProgramSource {
        let exact = ["exact/divide.cl", "exact/root.cl", "exact/inverse.cl"]
        let own = (["vector", "layout"] + files).map { "render/\($0).cl" }
        return ProgramSource(
            "render/\(name)", files: exact + own,
            defines: isNarrow ? ["RIGOR_NARROW": "1"] : [:])
    }
}
