/// Where a topology is read from.
public enum TopologySource: Hashable, Sendable {
    /// The machine the program runs on, as far as its cgroup lets it see.
    case thisMachine
    /// An XML export of another machine: the text, not a path.
    case xml(String)
    /// hwloc's synthetic description, such as `pack:2 numa:1 core:8 pu:2`.
    case synthetic(String)
}
