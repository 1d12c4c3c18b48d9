/// Energy counters of processors (RAPL), as the kernel's powercap folder shows them: microjoules
/// that wrap round. Intel's name is on the folder; AMD processors have it too.
/// Source: the kernel's `Documentation/power/powercap`.
public struct EnergyMeter: Hashable, Sendable {
    static let folder = "sys/class/powercap"

    /// `package-0`, `core`, `dram`, `psys`.
    public let name: String
    /// The counter's largest value, in microjoules; it wraps to zero behind it.
    public let rangeMicrojoules: Int
    let file: String
    let root: SystemRoot

    /// Every top-level counter. Parts of a package (`intel-rapl:0:0`) are left out: their energy is
    /// in the package's already.
    public static func all(_ root: SystemRoot) -> [EnergyMeter] {
        root.list(folder).compactMap { zone in
            guard zone.split(separator: ":").count == 2,
                let name = root.line("\(folder)/\(zone)/name"),
                let range = root.integer("\(folder)/\(zone)/max_energy_range_uj"), range > 0
            else { return nil }
            let file = "\(folder)/\(zone)/energy_uj"
            return EnergyMeter(name: name, rangeMicrojoules: range, file: file, root: root)
        }
    }

    /// The counter now; nil where it may not be read, which kernels allow to root alone.
    public func microjoules() -> Int? { root.integer(file) }

    /// Joules between two values of the counter, which may have wrapped once.
    public func joules(from first: Int, to last: Int) -> Double {
        let difference = last >= first ? last - first : last + (rangeMicrojoules - first)
        return Double(difference) / 1e6
    }

    /// What the counters hold now, in joules since some unknown moment.
    public static func readings(_ root: SystemRoot) -> [Reading] {
        all(root).compactMap { meter in
            meter.microjoules().map { value in
                Reading(
                    source: .rapl, device: meter.name, label: "", quantity: .energy,
                    value: Double(value) / 1e6)
            }
        }
    }
}
