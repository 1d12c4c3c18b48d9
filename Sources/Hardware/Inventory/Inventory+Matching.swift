public import OpenCL

extension Inventory {
    /// Puts together what was read apart.
    ///
    /// - Parameter verdict: what the certificates on disk say about a device, if anything.
    public init(
        machine: Machine, memory: MemoryInfo?, limits: ControlGroup, answers: DriverAnswers,
        readings: [Reading] = [], faults: [DriverEnumeration.Fault] = [],
        verdict: (PlatformInfo, DeviceInfo) -> Verdict? = { _, _ in nil }
    ) {
        var devices: [Device] = []
        for (position, platform) in answers.platforms.enumerated() {
            for info in platform.devices {
                var device = Device(
                    index: nil, unusable: Self.unusable(platform, info), platform: position,
                    platformName: platform.name, info: info, kind: Self.kind(info), pci: nil,
                    numaNode: nil, memoryBytes: info.memoryBytes, sameHardware: [],
                    isPreferred: true, verdict: verdict(platform, info))
                device.pci = Self.place(info, device.kind, in: platform, of: machine)
                device.numaNode = Self.numaNode(of: device, in: machine)
                if info.isHostUnified || device.kind != .gpu, let usable = memory?.usableBytes {
                    device.memoryBytes = min(info.memoryBytes, usable)
                }
                devices.append(device)
            }
        }
        // Stable: equal devices keep the order in which indices count them.
        devices = devices.filter { $0.unusable == nil } + devices.filter { $0.unusable != nil }
        for position in devices.indices where devices[position].unusable == nil {
            devices[position].index = position
        }
        Self.pairUp(&devices, platforms: answers.platforms)
        self.init(
            machine: machine, memory: memory, limits: limits, platforms: answers.platforms,
            devices: devices, readings: readings + answers.nvidia.flatMap(\.readings),
            faults: faults, problem: answers.problem)
    }

    /// Why a device gets no index: the rule that decides what can be opened.
    private static func unusable(_ platform: PlatformInfo, _ info: DeviceInfo) -> String? {
        if let first = platform.duplicateOf { return "platform \(first) listed twice" }
        if !info.isAvailable { return "its driver says it is not available" }
        return info.hasCompiler ? nil : "its driver has no compiler"
    }

    private static func kind(_ info: DeviceInfo) -> Device.Kind {
        switch info.kinds.subtracting(.default) {
        case .cpu: .cpu
        case .gpu: .gpu
        case .accelerator: .accelerator
        default: .other
        }
    }

    // MARK: - Place

    /// The driver's own word; else, where the machine has one graphics device of that vendor and
    /// the platform one GPU of it, there is no other place it could be.
    private static func place(
        _ info: DeviceInfo, _ kind: Device.Kind, in platform: PlatformInfo, of machine: Machine
    ) -> PCIAddress? {
        if let own = info.pciAddress {
            return PCIAddress(
                domain: own.domain, bus: own.bus, device: own.device, function: own.function)
        }
        guard kind == .gpu, info.vendorID > 0 else { return nil }
        let there = machine.pciDevices.filter { $0.isGraphics && $0.vendorID == info.vendorID }
        let rivals = platform.devices.filter { $0.vendorID == info.vendorID }
        return there.count == 1 && rivals.count == 1 ? there[0].address : nil
    }

    /// A processor is near its own memory; on one node everything is.
    private static func numaNode(of device: Device, in machine: Machine) -> Int? {
        if let pci = device.pci, let node = machine.numaNode(near: pci) { return node }
        return machine.numaNodes.count == 1 ? machine.numaNodes[0].index : nil
    }

    // MARK: - Same hardware

    private static func pairUp(_ devices: inout [Device], platforms: [PlatformInfo]) {
        for position in devices.indices {
            let device = devices[position]
            let same = devices.indices.filter {
                $0 != position && isSameHardware(devices[$0], device, platforms)
            }
            let best = (same + [position]).min {
                (rank(devices[$0], platforms), $0) < (rank(devices[$1], platforms), $1)
            }
            devices[position].sameHardware = same
            devices[position].isPreferred = device.unusable == nil && best == position
        }
    }

    private static func isSameHardware(
        _ first: Device, _ second: Device, _ platforms: [PlatformInfo]
    ) -> Bool {
        if let one = first.pci, let other = second.pci { return one == other }
        if let one = first.info.uuid, let other = second.info.uuid, one == other { return true }
        // Equal GPUs of one platform are several boards; processors are one, whoever drives them.
        if first.platform == second.platform { return false }
        if first.kind == .cpu && second.kind == .cpu { return true }
        let original = [first, second].map { platforms[$0.platform].duplicateOf ?? $0.platform }
        return original[0] == original[1] && first.info == second.info
    }

    /// Lower is preferred: what can be opened, what is proved exact, the vendor's own driver, then
    /// the newer one.
    private static func rank(_ device: Device, _ platforms: [PlatformInfo]) -> Int {
        var rank = device.unusable == nil ? 0 : 1000
        switch device.verdict?.name {
        case "exact": rank += 0
        case "exact-normal": rank += 200
        case nil: rank += 100
        default: rank += 300
        }
        if !isOwnDriver(device, platforms[device.platform]) { rank += 10 }
        if device.platformName == "Clover" { rank += 5 }
        return rank
    }

    private static func isOwnDriver(_ device: Device, _ platform: PlatformInfo) -> Bool {
        let vendors = [0x10de: "nvidia", 0x1002: "advanced micro devices", 0x8086: "intel"]
        guard let vendor = vendors[device.info.vendorID] else { return false }
        return platform.vendor.lowercased().contains(vendor)
    }
}
