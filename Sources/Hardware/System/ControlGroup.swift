/// What the control groups around this process allow it, whichever version of them is mounted.
///
/// Limits hold for a group and everything below it, so the tightest one on the way up counts.
/// Source: the Linux kernel's admin guide, `cgroup-v1/memory` and `cgroup-v2`.
public struct ControlGroup: Hashable, Codable, Sendable {
    /// Bytes of memory; nil where nothing limits them.
    public var memoryBytesMax: Int?
    /// Processors' worth of time, such as 1.5; nil where nothing limits it.
    public var processorsMax: Double?

    public init(memoryBytesMax: Int? = nil, processorsMax: Double? = nil) {
        self.memoryBytesMax = memoryBytesMax
        self.processorsMax = processorsMax
    }

    /// Reads `/proc/self/cgroup` and the folders below `/sys/fs/cgroup` that it names.
    public init(reading root: SystemRoot) {
        let membership = Self.membership(root.text("proc/self/cgroup") ?? "")
        memoryBytesMax = Self.memoryLimit(membership, root)
        processorsMax = Self.processorLimit(membership, root)
    }

    /// Version 1 says no limit with the largest page count it can hold; no machine has this much.
    static let memoryBytesSane = 1 << 56

    /// Path of the group by controller; the version 2 hierarchy is under the empty name.
    static func membership(_ text: String) -> [String: String] {
        var paths: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            for controller in fields[1].split(separator: ",", omittingEmptySubsequences: false) {
                paths[String(controller)] = String(fields[2])
            }
        }
        return paths
    }

    private static func memoryLimit(_ membership: [String: String], _ root: SystemRoot) -> Int? {
        let limits: [Int]
        if let path = membership["memory"] {
            limits = folders("sys/fs/cgroup/memory", path, root).compactMap {
                root.integer($0 + "/memory.limit_in_bytes")
            }
        } else {
            limits = unified(membership, root).compactMap { root.integer($0 + "/memory.max") }
        }
        return limits.filter { 0..<memoryBytesSane ~= $0 }.min()
    }

    private static func processorLimit(
        _ membership: [String: String], _ root: SystemRoot
    ) -> Double? {
        let limits: [Double]
        if let path = membership["cpu"] {
            limits = folders("sys/fs/cgroup/cpu", path, root).compactMap { folder in
                ratio(
                    root.integer(folder + "/cpu.cfs_quota_us"),
                    root.integer(folder + "/cpu.cfs_period_us"))
            }
        } else {
            limits = unified(membership, root).compactMap { folder in
                let words = (root.line(folder + "/cpu.max") ?? "").split(separator: " ")
                guard words.count == 2 else { return nil }
                return ratio(Int(words[0]), Int(words[1]))
            }
        }
        return limits.min()
    }

    private static func ratio(_ quota: Int?, _ period: Int?) -> Double? {
        guard let quota, let period, quota > 0, period > 0 else { return nil }
        return Double(quota) / Double(period)
    }

    private static func unified(_ membership: [String: String], _ root: SystemRoot) -> [String] {
        guard let path = membership[""] else { return [] }
        // Mounted alone, or beside version 1 in a folder of its own.
        let mount =
            root.exists("sys/fs/cgroup/unified/cgroup.procs")
            ? "sys/fs/cgroup/unified" : "sys/fs/cgroup"
        return folders(mount, path, root)
    }

    /// The group's folder and all above it. In a container the path may be the host's, and then
    /// only the mount itself is there.
    private static func folders(_ mount: String, _ path: String, _ root: SystemRoot) -> [String] {
        var folders = [mount]
        for part in path.split(separator: "/") where part != ".." {
            let next = (folders.last ?? mount) + "/" + part
            guard root.exists(next) else { break }
            folders.append(next)
        }
        return folders
    }
}
