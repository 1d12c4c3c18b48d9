/// Memory that may be advertised: the kernel's own figures, within what control groups allow.
public struct MemoryInfo: Hashable, Codable, Sendable {
    public var totalBytes: Int
    public var availableBytes: Int
    public var swapTotalBytes: Int
    public var swapFreeBytes: Int
    /// The tightest control group limit; nil where nothing limits it.
    public var limitBytes: Int?

    public init(
        totalBytes: Int, availableBytes: Int, swapTotalBytes: Int = 0, swapFreeBytes: Int = 0,
        limitBytes: Int? = nil
    ) {
        self.totalBytes = totalBytes
        self.availableBytes = availableBytes
        self.swapTotalBytes = swapTotalBytes
        self.swapFreeBytes = swapFreeBytes
        self.limitBytes = limitBytes
    }

    /// Reads `/proc/meminfo`; nil where there is none.
    public init?(reading root: SystemRoot, limits: ControlGroup) {
        guard let text = root.text("proc/meminfo") else { return nil }
        let fields = Self.fields(text)
        guard let total = fields["MemTotal"] else { return nil }
        self.init(
            totalBytes: total, availableBytes: fields["MemAvailable"] ?? fields["MemFree"] ?? 0,
            swapTotalBytes: fields["SwapTotal"] ?? 0, swapFreeBytes: fields["SwapFree"] ?? 0,
            limitBytes: limits.memoryBytesMax)
    }

    /// What this process and its children can hold at most.
    public var usableBytes: Int { min(totalBytes, limitBytes ?? totalBytes) }

    /// `Name:   123 kB` lines, in bytes; the kernel's kB is 1024 bytes.
    static func fields(_ text: String) -> [String: Int] {
        var fields: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 2, words[0].hasSuffix(":"), let value = Int(words[1]) else {
                continue
            }
            let scale = words.count > 2 && words[2] == "kB" ? 1024 : 1
            let (bytes, overflow) = value.multipliedReportingOverflow(by: scale)
            if !overflow, bytes >= 0 { fields[String(words[0].dropLast())] = bytes }
        }
        return fields
    }
}
