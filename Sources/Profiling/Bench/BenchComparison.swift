/// Whether devices that were measured computed the same.
public enum BenchComparison {
    /// Names of figures whose result hashes are not all equal, in the order of the first device.
    public static func differing(_ devices: [[Metric]]) -> [String] {
        var names: [String] = []
        for metric in devices.joined() where !names.contains(metric.name) {
            let hashes = devices.joined().filter { $0.name == metric.name }.compactMap(\.resultHash)
            if Set(hashes).count > 1 { names.append(metric.name) }
        }
        return names
    }
}
