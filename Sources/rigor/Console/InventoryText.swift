import Core
import Hardware
import OpenCL

/// An inventory for people.
enum InventoryText {
    static func lines(_ inventory: Inventory) -> [String] {
        machine(inventory) + [""] + devices(inventory) + notes(inventory)
    }

    // MARK: - Machine

    private static func machine(_ inventory: Inventory) -> [String] {
        let machine = inventory.machine
        let system = [
            machine.hostName, machine.operatingSystem, machine.kernelRelease, machine.architecture,
        ]
        var table = TextTable(["machine", system.compactMap(\.self).joined(separator: " ")])
        for package in machine.packages {
            let threads = package.cores.reduce(0) { $0 + $1.processors.count }
            table.add([
                "processor",
                "\(package.model ?? "unknown"), \(Units.count(package.cores.count, "core")), "
                    + Units.count(threads, "thread"),
            ])
        }
        if let quota = inventory.limits.processorsMax {
            table.add(["", "control group allows \(Units.decimal(quota, 2)) processors' time"])
        }
        let caches = inventory.cacheSummaries.map { summary in
            let kind = summary.cache.kind == .unified ? "" : " \(summary.cache.kind.rawValue)"
            return "\(summary.count) × L\(summary.cache.level)\(kind) "
                + Units.bytes(summary.cache.byteCount)
        }
        table.add(["caches", caches.isEmpty ? "unknown" : caches.joined(separator: ", ")])
        for node in machine.numaNodes where machine.numaNodes.count > 1 {
            table.add([
                "NUMA node \(node.index)",
                "\(Units.bytes(node.memoryBytes)), processors "
                    + IndexRanges.text(node.processors),
            ])
        }
        table.add(["memory", memory(inventory.memory)])
        table.add(["sensors", sensors(inventory)])
        return table.lines
    }

    private static func memory(_ memory: MemoryInfo?) -> String {
        guard let memory else { return "unknown: no /proc/meminfo" }
        var text = "\(Units.bytes(memory.totalBytes)), \(Units.bytes(memory.availableBytes)) free"
        if let limit = memory.limitBytes { text += ", limited to \(Units.bytes(limit))" }
        if memory.swapTotalBytes > 0 { text += ", swap \(Units.bytes(memory.swapTotalBytes))" }
        return text
    }

    private static func sensors(_ inventory: Inventory) -> String {
        let shown = inventory.readings.filter { $0.quantity != .energy }
        guard !shown.isEmpty else {
            return inventory.readings.isEmpty ? "none" : "energy counters"
        }
        return shown.map { reading in
            let label = reading.label.isEmpty ? "" : " \(reading.label)"
            return "\(reading.device)\(label) \(Units.decimal(reading.value, 1)) "
                + reading.quantity.unit
        }.joined(separator: ", ")
    }

    // MARK: - Devices

    private static func devices(_ inventory: Inventory) -> [String] {
        guard !inventory.devices.isEmpty else {
            return ["no OpenCL device: rigor doctor says what to install"]
        }
        var table = TextTable([
            "#", "platform", "device", "type", "units", "memory", "pci", "numa", "verdict",
        ])
        for device in inventory.devices {
            table.add([
                device.index.map(String.init) ?? "-", device.platformName,
                device.info.boardName ?? device.info.name, device.kind.rawValue,
                String(device.info.computeUnits), Units.bytes(device.memoryBytes),
                device.pci?.description ?? "-", device.numaNode.map(String.init) ?? "-",
                device.verdict?.name ?? "uncertified",
            ])
        }
        return table.lines
    }

    private static func notes(_ inventory: Inventory) -> [String] {
        var notes: [String] = []
        for (position, platform) in inventory.platforms.enumerated() {
            if let problem = platform.problem { notes.append("\(platform.name): \(problem)") }
            if platform.devices.isEmpty, platform.duplicateOf == nil {
                notes.append("platform \(position) (\(platform.name)) has no device")
            }
        }
        for device in inventory.devices {
            if let reason = device.unusable { notes.append("\(device.label): \(reason)") }
            if device.index != nil, !device.isPreferred {
                let others = device.sameHardware.compactMap { inventory.devices[$0].index }
                notes.append(
                    "device \(device.index ?? 0) is the same hardware as "
                        + others.map(String.init).joined(separator: ", "))
            }
        }
        for fault in inventory.faults {
            notes.append("\(fault.driver.file) (\(fault.driver.library)): \(fault.reason)")
        }
        if let problem = inventory.problem { notes.append(problem) }
        return notes.isEmpty ? [] : [""] + notes
    }
}
