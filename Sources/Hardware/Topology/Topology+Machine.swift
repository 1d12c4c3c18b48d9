import CHwloc

// No pointer or union field is taken for valid: each object is asked for its type first.

extension Topology {
    /// Everything this program wants to know, as values.
    public func machine() -> Machine {
        let root = hwloc_get_root_obj(handle)
        return Machine(
            hostName: info(root, "HostName"), operatingSystem: info(root, "OSName"),
            kernelRelease: info(root, "OSRelease"), architecture: info(root, "Architecture"),
            packages: packages(), numaNodes: numaNodes(), caches: caches(),
            pciDevices: pciDevices())
    }

    private func objects(_ type: hwloc_obj_type_t) -> [hwloc_obj_t] {
        let count = hwloc_get_nbobjs_by_type(handle, type)
        guard count > 0 else { return [] }
        return (0..<UInt32(count)).compactMap { hwloc_get_obj_by_type(handle, type, $0) }
    }

    private func packages() -> [Package] {
        let cores = objects(HWLOC_OBJ_CORE)
        // Synthetic descriptions and some virtual machines have no packages: the machine is one.
        let packages = objects(HWLOC_OBJ_PACKAGE)
        let holders = packages.isEmpty ? [hwloc_get_root_obj(handle)].compactMap { $0 } : packages
        return holders.map { holder in
            let inside = members(holder.pointee.cpuset)
            let own = cores.map { core in
                Core(index: index(core), processors: members(core.pointee.cpuset))
            }.filter { !$0.processors.isEmpty && Set(inside).isSuperset(of: $0.processors) }
            return Package(
                index: index(holder), vendor: info(holder, "CPUVendor"),
                model: info(holder, "CPUModel"), cores: own.isEmpty ? bareCores(inside) : own,
                numaNodes: members(holder.pointee.nodeset))
        }
    }

    /// Where there are processors and no core objects, each processor is a core.
    private func bareCores(_ processors: [Int]) -> [Core] {
        processors.map { Core(index: nil, processors: [$0]) }
    }

    private func numaNodes() -> [NUMANode] {
        objects(HWLOC_OBJ_NUMANODE).map { node in
            let bytes = node.pointee.attr?.pointee.numanode.local_memory ?? 0
            return NUMANode(
                index: index(node) ?? 0, memoryBytes: Int(clamping: bytes),
                processors: members(node.pointee.cpuset))
        }
    }

    private func caches() -> [Cache] {
        let types = [
            HWLOC_OBJ_L1CACHE, HWLOC_OBJ_L1ICACHE, HWLOC_OBJ_L2CACHE, HWLOC_OBJ_L2ICACHE,
            HWLOC_OBJ_L3CACHE, HWLOC_OBJ_L3ICACHE, HWLOC_OBJ_L4CACHE, HWLOC_OBJ_L5CACHE,
        ]
        return types.flatMap { objects($0) }.compactMap { object in
            guard let cache = object.pointee.attr?.pointee.cache else { return nil }
            let kind: Cache.Kind =
                switch cache.type {
                case HWLOC_OBJ_CACHE_DATA: .data
                case HWLOC_OBJ_CACHE_INSTRUCTION: .instruction
                default: .unified
                }
            return Cache(
                level: Int(cache.depth), kind: kind, byteCount: Int(clamping: cache.size),
                lineByteCount: Int(cache.linesize), ways: Int(cache.associativity),
                processors: members(object.pointee.cpuset))
        }
    }

    private func pciDevices() -> [PCIDevice] {
        objects(HWLOC_OBJ_PCI_DEVICE).compactMap { object in
            guard let pci = object.pointee.attr?.pointee.pcidev else { return nil }
            let near = hwloc_get_non_io_ancestor_obj(handle, object)
            return PCIDevice(
                address: PCIAddress(
                    domain: Int(pci.domain), bus: Int(pci.bus), device: Int(pci.dev),
                    function: Int(pci.func)),
                vendorID: Int(pci.vendor_id), deviceID: Int(pci.device_id),
                classID: Int(pci.class_id),
                name: info(object, "PCIDevice") ?? text(object.pointee.name),
                linkGigabytesPerSecond: pci.linkspeed > 0 ? Double(pci.linkspeed) : nil,
                numaNodes: members(near?.pointee.nodeset), osDevices: osDevices(below: object))
        }
        .sorted { $0.address < $1.address }
    }

    private func osDevices(below object: hwloc_obj_t) -> [OSDevice] {
        var found: [OSDevice] = []
        var child = object.pointee.io_first_child
        while let current = child {
            if current.pointee.type == HWLOC_OBJ_OS_DEVICE,
                let name = text(current.pointee.name),
                let type = current.pointee.attr?.pointee.osdev.type
            {
                found.append(OSDevice(name: name, kind: Self.word(for: type)))
            }
            child = current.pointee.next_sibling
        }
        return found
    }

    private static func word(for type: hwloc_obj_osdev_type_t) -> String {
        switch type {
        case HWLOC_OBJ_OSDEV_BLOCK: "block"
        case HWLOC_OBJ_OSDEV_GPU: "gpu"
        case HWLOC_OBJ_OSDEV_NETWORK: "network"
        case HWLOC_OBJ_OSDEV_OPENFABRICS: "openfabrics"
        case HWLOC_OBJ_OSDEV_DMA: "dma"
        case HWLOC_OBJ_OSDEV_COPROC: "coprocessor"
        default: "other"
        }
    }

    // MARK: - C values

    /// The operating system's index; hwloc's "unknown" is all ones.
    private func index(_ object: hwloc_obj_t) -> Int? {
        let index = object.pointee.os_index
        return index == UInt32.max ? nil : Int(index)
    }

    private func members(_ bitmap: hwloc_const_bitmap_t?) -> [Int] {
        // A weight of -1 is an infinite set, which no finished topology has.
        guard let bitmap, hwloc_bitmap_weight(bitmap) > 0 else { return [] }
        var all: [Int] = []
        var next = hwloc_bitmap_next(bitmap, -1)
        while next >= 0 {
            all.append(Int(next))
            next = hwloc_bitmap_next(bitmap, next)
        }
        return all
    }

    private func info(_ object: hwloc_obj_t?, _ key: String) -> String? {
        guard let object, let value = text(hwloc_obj_get_info_by_name(object, key)) else {
            return nil
        }
        let trimmed = value.split(separator: " ").joined(separator: " ")
        return trimmed.isEmpty ? nil : trimmed
    }

    private func text(_ pointer: UnsafePointer<CChar>?) -> String? {
        pointer.map { String(cString: $0) }
    }
}
