public import Core
internal import OpenCL

extension Inventory {
    /// The document of `rigor probe --json`: keys as in `docs/formats.md`.
    public var json: JSON {
        [
            "machine": machineJSON,
            "platforms": .array(platforms.enumerated().map(Self.platformJSON)),
            "devices": .array(devices.map(deviceJSON)),
            "faults": .array(
                faults.map { fault in
                    [
                        "icd": .string(fault.driver.file),
                        "library": .string(fault.driver.library),
                        "reason": .string(fault.reason),
                    ]
                }),
            "problem": .optional(problem, JSON.string),
        ]
    }

    private var machineJSON: JSON {
        [
            "host_name": .optional(machine.hostName, JSON.string),
            "operating_system": .optional(machine.operatingSystem, JSON.string),
            "kernel": .optional(machine.kernelRelease, JSON.string),
            "architecture": .optional(machine.architecture, JSON.string),
            "core_count": .int(machine.coreCount),
            "processor_count": .int(machine.processorCount),
            "processors_max": .optional(limits.processorsMax) { .number($0, decimals: 3) },
            "memory": .optional(memory, Self.memoryJSON),
            "packages": .array(machine.packages.map(Self.packageJSON)),
            "numa_nodes": .array(
                machine.numaNodes.map { node in
                    [
                        "index": .int(node.index), "memory_bytes": .int(node.memoryBytes),
                        "processors": .string(IndexRanges.text(node.processors)),
                    ]
                }),
            "caches": .array(cacheSummaries.map(\.json)),
            "pci": .array(machine.pciDevices.map(Self.pciJSON)),
            "sensors": readings.isEmpty ? "none" : .array(readings.map(Self.readingJSON)),
        ]
    }

    private static func memoryJSON(_ memory: MemoryInfo) -> JSON {
        [
            "total_bytes": .int(memory.totalBytes),
            "available_bytes": .int(memory.availableBytes),
            "limit_bytes": .optional(memory.limitBytes, JSON.int),
            "usable_bytes": .int(memory.usableBytes),
            "swap_total_bytes": .int(memory.swapTotalBytes),
            "swap_free_bytes": .int(memory.swapFreeBytes),
        ]
    }

    private static func packageJSON(_ package: Package) -> JSON {
        [
            "index": .optional(package.index, JSON.int),
            "vendor": .optional(package.vendor, JSON.string),
            "model": .optional(package.model, JSON.string),
            "core_count": .int(package.cores.count),
            "processors": .string(IndexRanges.text(package.cores.flatMap(\.processors))),
            "numa_nodes": .array(package.numaNodes.map(JSON.int)),
        ]
    }

    private static func pciJSON(_ device: PCIDevice) -> JSON {
        func id(_ value: Int) -> JSON {
            let text = String(value, radix: 16)
            return .string("0x" + String(repeating: "0", count: max(0, 4 - text.count)) + text)
        }
        return [
            "address": .string(device.address.description),
            "vendor_id": id(device.vendorID), "device_id": id(device.deviceID),
            "class_id": id(device.classID), "name": .optional(device.name, JSON.string),
            "link_gigabytes_per_second": .optional(device.linkGigabytesPerSecond) {
                .number($0, decimals: 3)
            },
            "numa_nodes": .array(device.numaNodes.map(JSON.int)),
            "system_names": .array(device.osDevices.map { .string($0.name) }),
        ]
    }

    private static func readingJSON(_ reading: Reading) -> JSON {
        [
            "source": .string(reading.source.rawValue), "device": .string(reading.device),
            "label": .string(reading.label), "quantity": .string(reading.quantity.rawValue),
            "value": .number(reading.value, decimals: 3), "unit": .string(reading.quantity.unit),
            "critical": .optional(reading.critical) { .number($0, decimals: 3) },
            "pci": .optional(reading.pci) { .string($0.description) },
        ]
    }

    private static func platformJSON(_ position: Int, _ platform: PlatformInfo) -> JSON {
        [
            "name": .string(platform.name), "vendor": .string(platform.vendor),
            "version": .string(platform.version), "profile": .string(platform.profile),
            "device_count": .int(platform.devices.count),
            "duplicate_of": .optional(platform.duplicateOf, JSON.int),
            "problem": .optional(platform.problem, JSON.string),
        ]
    }

    // MARK: - Devices

    private func deviceJSON(_ device: Device) -> JSON {
        let own = readings(of: device)
        let identity: [JSON.Member] = [
            .init("index", .optional(device.index, JSON.int)),
            .init("platform", .string(device.platformName)),
            .init("name", .string(device.info.name)),
            .init("board", .optional(device.info.boardName, JSON.string)),
            .init("type", .string(device.kind.rawValue)),
            .init("vendor", .string(device.info.vendor)),
            .init("driver", .string(device.info.driverVersion)),
            .init("opencl", .string(device.info.version)),
            .init("opencl_c", .string(device.info.languageVersion)),
            .init("pci", .optional(device.pci) { .string($0.description) }),
            .init("numa_node", .optional(device.numaNode, JSON.int)),
            .init("uuid", .optional(device.info.uuid, JSON.string)),
            .init("memory_bytes", .int(device.memoryBytes)),
            .init("verdict", .optional(device.verdict) { .string($0.name) }),
            .init("verdict_reason", .optional(device.verdict?.reason, JSON.string)),
            .init("conformance_hash", .optional(device.verdict?.conformanceHash, JSON.string)),
            .init("unusable", .optional(device.unusable, JSON.string)),
            .init("preferred", .bool(device.isPreferred)),
            .init("same_hardware_as", .array(device.sameHardware.map { devices[$0].reference })),
            .init("sensors", own.isEmpty ? "none" : .array(own.map(Self.readingJSON))),
        ]
        let announced: JSON.Member = .init("announced", Self.announcedJSON(device.info))
        return .object(identity + [.init("limits", Self.limitsJSON(device.info)), announced])
    }

    private static func limitsJSON(_ info: DeviceInfo) -> JSON {
        [
            "compute_units": .int(info.computeUnits), "clock_mhz": .int(info.clockMegahertz),
            "address_bits": .int(info.addressBits),
            "global_memory_bytes": .int(info.memoryBytes),
            "allocation_bytes_max": .int(info.allocationBytesMax),
            "cache_bytes": .int(info.cacheBytes),
            "cache_line_bytes": .int(info.cacheLineBytes),
            "constant_bytes_max": .int(info.constantBytesMax),
            "local_memory_bytes": .int(info.localMemoryBytes),
            "local_memory_is_dedicated": .bool(info.hasDedicatedLocalMemory),
            "work_group_items_max": .int(info.workGroupItemsMax),
            "work_item_sizes_max": .array(info.workItemSizesMax.map(JSON.int)),
            "argument_bytes_max": .int(info.argumentBytesMax),
            "alignment_bits": .int(info.alignmentBits),
            "timer_nanoseconds": .int(info.profilingTimerNanoseconds),
            "host_unified_memory": .bool(info.isHostUnified),
            "sub_devices_max": .int(info.subDevicesMax),
            "partitions": .array(
                info.partitions.map(\.rawValue).sorted().map(JSON.string)),
        ]
    }

    private static func announcedJSON(_ info: DeviceInfo) -> JSON {
        [
            "profile": .string(info.profile),
            "float": .array(info.single.names.map(JSON.string)),
            "double": .array(info.double.names.map(JSON.string)),
            "half": .array(info.half.names.map(JSON.string)),
            "vector_width_float": .int(info.nativeVectorWidths.float),
            "gate_refusals": .array(info.gateRefusals.map(JSON.string)),
            "extensions": .array(info.extensions.map(JSON.string)),
        ]
    }
}

extension Inventory.Device {
    /// Its index, or its name where it has none.
    fileprivate var reference: JSON { index.map(JSON.int) ?? .string(label) }
}
