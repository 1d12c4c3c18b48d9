/// Temperatures and power that the kernel's hwmon drivers report: processors, AMD and Intel GPUs,
/// disks. Source: the kernel's `Documentation/hwmon/sysfs-interface`.
public enum HardwareMonitor {
    static let folder = "sys/class/hwmon"
    /// Sensors of one kind that are looked for on a chip.
    static let sensorsMax = 32

    /// What every chip says now; a sensor that gives an error is left out.
    public static func readings(_ root: SystemRoot) -> [Reading] {
        root.list(folder).filter { $0.hasPrefix("hwmon") }.flatMap { name in
            chip("\(folder)/\(name)", root)
        }
    }

    private static func chip(_ folder: String, _ root: SystemRoot) -> [Reading] {
        guard let device = root.line(folder + "/name") else { return [] }
        let files = Set(root.list(folder))
        let pci = root.linkTarget(folder + "/device").flatMap { PCIAddress($0) }
        var readings: [Reading] = []
        for number in 1...sensorsMax where files.contains("temp\(number)_input") {
            let prefix = "\(folder)/temp\(number)"
            guard let value = root.integer(prefix + "_input") else { continue }
            readings.append(
                Reading(
                    source: .hwmon, device: device, label: root.line(prefix + "_label") ?? "",
                    quantity: .temperature, value: Double(value) / 1000,
                    critical: root.integer(prefix + "_crit").map { Double($0) / 1000 }, pci: pci))
        }
        for number in 1...sensorsMax {
            // Drivers give the average, the present figure, or both; the average is steadier.
            let prefix = "\(folder)/power\(number)"
            let names = ["average", "input"].filter { files.contains("power\(number)_\($0)") }
            let values = names.compactMap { root.integer("\(prefix)_\($0)") }
            guard let value = values.first else { continue }
            readings.append(
                Reading(
                    source: .hwmon, device: device, label: root.line(prefix + "_label") ?? "",
                    quantity: .power, value: Double(value) / 1e6,
                    critical: root.integer(prefix + "_cap").map { Double($0) / 1e6 }, pci: pci))
        }
        return readings
    }
}
