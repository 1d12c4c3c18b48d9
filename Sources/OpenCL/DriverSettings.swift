internal import Glibc

/// What drivers read from the environment when they load, and must read so that their bits hold.
enum DriverSettings {
    /// Sets it; call before the process's first OpenCL call.
    static func apply() {
        // Intel's runtime for processors packs work-items into vectors by itself (1 switches that
        // off). With it on, the path tracer's shading came out with many pixels dark; with it off,
        // the bits are the golden ones. Whether the packing is at fault, or a kernel of ours leans
        // on something undefined that it brings to light, is not known.
        setenv("CL_CONFIG_CPU_VECTORIZER_MODE", "1", 1)
    }
}
