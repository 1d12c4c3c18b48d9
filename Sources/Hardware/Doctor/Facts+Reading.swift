import Foundation

extension Facts.DeviceNode {
    /// GPU nodes of this machine: render nodes, AMD's compute node, NVIDIA's.
    public static func all(_ root: SystemRoot) -> [Facts.DeviceNode] {
        let render = root.list("dev/dri").filter { $0.hasPrefix("renderD") }.map { "dri/\($0)" }
        let nvidia = root.list("dev").filter { name in
            let rest = name.dropFirst("nvidia".count)
            return name.hasPrefix("nvidia") && (rest == "ctl" || rest.allSatisfy(\.isNumber))
        }
        let compute = root.exists("dev/kfd") ? ["kfd"] : []
        return (render + compute + nvidia).map { name in
            let path = root.location("dev/\(name)")
            let files = FileManager.default
            let attributes = try? files.attributesOfItem(atPath: path)
            return Facts.DeviceNode(
                path: "/dev/\(name)",
                group: attributes?[.groupOwnerAccountName] as? String ?? "",
                isAccessible: files.isReadableFile(atPath: path)
                    && files.isWritableFile(atPath: path))
        }
    }
}

extension Facts.Folder {
    /// Asks about the folder, or about the nearest one above it that exists.
    public init(path: String) {
        let files = FileManager.default
        var present = URL(fileURLWithPath: path).standardizedFileURL
        while !files.fileExists(atPath: present.path), present.path != "/" {
            present.deleteLastPathComponent()
        }
        let attributes = try? files.attributesOfFileSystem(forPath: present.path)
        let free = attributes?[.systemFreeSize] as? NSNumber
        self.init(
            path: path, freeBytes: free.map { Int(clamping: $0.int64Value) },
            isWritable: files.isWritableFile(atPath: present.path))
    }
}

extension Facts.Frequency {
    /// Reads `cpufreq` of the first processor; nil where the machine has none.
    public init?(reading root: SystemRoot) {
        let folder = "sys/devices/system/cpu/cpu0/cpufreq"
        guard let driver = root.line("\(folder)/scaling_driver"),
            let governor = root.line("\(folder)/scaling_governor")
        else { return nil }
        self.init(driver: driver, governor: governor)
    }
}
