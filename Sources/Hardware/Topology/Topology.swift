import CHwloc
public import Core

/// A loaded hwloc topology, freed when it goes out of scope. C: `hwloc_topology_t`.
///
/// Read it into a ``Machine`` and let it go: nothing else here keeps pointers into it.
public struct Topology: ~Copyable {
    let handle: hwloc_topology_t

    /// Loads the topology that `source` describes.
    ///
    /// hwloc's own GPU plugins are switched off: they load vendor drivers into this process, which
    /// is what a child process is for.
    ///
    /// - Throws: ``Failure``, `malformed` for a description that hwloc refuses, `io` where this
    ///   machine cannot be read.
    public init(_ source: TopologySource) throws(Failure) {
        var made: hwloc_topology_t?
        guard hwloc_topology_init(&made) == 0, let made else {
            throw Failure(.io, "hwloc: hwloc_topology_init failed, expected an empty topology")
        }
        do throws(Failure) {
            try Self.load(source, into: made)
        } catch {
            hwloc_topology_destroy(made)
            throw error
        }
        handle = made
    }

    deinit { hwloc_topology_destroy(handle) }

    private static let driverComponents = ["opencl", "cuda", "nvml", "rsmi", "levelzero", "gl"]

    private static func load(
        _ source: TopologySource, into topology: hwloc_topology_t
    ) throws(Failure) {
        let blacklist = UInt(HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST.rawValue)
        for component in driverComponents {
            // A component that is not installed is no error for hwloc, and none for us.
            _ = hwloc_topology_set_components(topology, blacklist, component)
        }
        switch source {
        case .thisMachine: break
        case .xml(let text):
            let accepted = text.withCString { pointer in
                // The size counts the terminator.
                let size = Int32(clamping: text.utf8.count + 1)
                return hwloc_topology_set_xmlbuffer(topology, pointer, size)
            }
            try check(accepted, "hwloc XML: not a topology, expected the output of lstopo --of xml")
        case .synthetic(let description):
            try check(
                hwloc_topology_set_synthetic(topology, description),
                "synthetic topology '\(description)': expected the form 'pack:2 core:8 pu:2'")
        }
        _ = hwloc_topology_set_io_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_IMPORTANT)
        _ = hwloc_topology_set_icache_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_ALL)
        let loaded = hwloc_topology_load(topology)
        switch source {
        case .thisMachine:
            guard loaded == 0 else {
                throw Failure(.io, "hwloc: this machine's topology could not be read from /sys")
            }
        case .xml, .synthetic:
            try check(loaded, "hwloc: the topology description does not hold together")
        }
    }

    private static func check(_ status: Int32, _ message: String) throws(Failure) {
        guard status == 0 else { throw Failure(.malformed, message) }
    }
}
