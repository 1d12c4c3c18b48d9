internal import Glibc

/// What drivers read from the environment when they load, and must read so that their bits hold.
enum DriverSettings {
    /// Sets it; call before the process's first OpenCL call.
    static func apply() {
        // Intel's runtime for processors packs work-items into vectors by itself (1 switches that
        // off). Doing so it loses lanes in kernels with divergent branches: the path tracer's
        // shading came out with every other pixel dark, while all arithmetic was right.
        setenv("CL_CONFIG_CPU_VECTORIZER_MODE", "1", 1)
    }
}
