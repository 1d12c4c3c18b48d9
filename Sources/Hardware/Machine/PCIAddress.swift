/// Where a device sits on the PCI bus: domain, bus, device, function.
public struct PCIAddress: Hashable, Comparable, Codable, Sendable, CustomStringConvertible {
    public var domain: Int
    public var bus: Int
    public var device: Int
    public var function: Int

    public init(domain: Int, bus: Int, device: Int, function: Int) {
        self.domain = domain
        self.bus = bus
        self.device = device
        self.function = function
    }

    /// Reads `0000:3b:00.0`, `00000000:3B:00.0` or `3b:00.0`, as sysfs, NVML and lspci write it.
    public init?(_ text: some StringProtocol) {
        let fields = text.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count == 2 || fields.count == 3 else { return nil }
        let slot = fields[fields.count - 1].split(separator: ".", omittingEmptySubsequences: false)
        guard slot.count == 2,
            let domain = fields.count == 3 ? Int(fields[0], radix: 16) : 0,
            let bus = Int(fields[fields.count - 2], radix: 16),
            let device = Int(slot[0], radix: 16), let function = Int(slot[1], radix: 16),
            0...0xffff_ffff ~= domain, 0...255 ~= bus, 0...31 ~= device, 0...7 ~= function
        else { return nil }
        self.init(domain: domain, bus: bus, device: device, function: function)
    }

    /// As sysfs writes it: `0000:3b:00.0`.
    public var description: String {
        "\(Self.hex(domain, 4)):\(Self.hex(bus, 2)):\(Self.hex(device, 2)).\(function)"
    }

    public static func < (left: PCIAddress, right: PCIAddress) -> Bool {
        (left.domain, left.bus, left.device, left.function)
            < (right.domain, right.bus, right.device, right.function)
    }

    /// As text in JSON, so that a recording reads like `lspci`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let address = PCIAddress(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\(text) is no PCI address like 0000:3b:00.0")
        }
        self = address
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    private static func hex(_ value: Int, _ digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
