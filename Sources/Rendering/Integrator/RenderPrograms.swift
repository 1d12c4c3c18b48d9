internal import Compute
internal import Core

/// The two programs of the path tracer: rays through the tree, and everything between rays.
struct RenderPrograms {
    let trace: any ComputeProgram
    let path: any ComputeProgram
    let isNarrow: Bool

    static func sources(isNarrow: Bool) -> (trace: ProgramSource, path: ProgramSource) {
        let defines = isNarrow ? ["RIGOR_NARROW": "1"] : [:]
        let trace = ["layout", "random", "texture", "surface", "traverse", "closest", "occlusion"]
        let path = [
            "layout", "vector", "random", "texture", "surface", "bsdf", "environment", "light",
            "camera", "shade", "accumulate",
        ]
        let exact = ["exact/divide.cl", "exact/root.cl", "exact/inverse.cl"]
        return (
            ProgramSource(
                "render/trace", files: trace.map { "render/\($0).cl" }, defines: defines),
            ProgramSource(
                "render/path", files: exact + path.map { "render/\($0).cl" }, defines: defines)
        )
    }

    init(_ device: any ComputeDevice, isNarrow: Bool) throws(Failure) {
        self.isNarrow = isNarrow
        let sources = Self.sources(isNarrow: isNarrow)
        trace = try device.program(sources.trace)
        path = try device.program(sources.path)
    }
}
