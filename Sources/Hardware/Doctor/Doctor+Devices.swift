internal import OpenCL

// Is there a driver, and does it show devices?

extension Doctor {
    /// PCI vendors whose GPUs have OpenCL drivers, and what to install for them on Debian.
    private struct Vendor {
        let name: String
        let install: String
        /// The value of `RUSTICL_ENABLE` under which Mesa drives it.
        let mesaDriver: String
    }

    private static let vendors: [Int: Vendor] = [
        0x10de: Vendor(
            name: "NVIDIA", install: "sudo apt-get install nvidia-opencl-icd",
            mesaDriver: "nouveau"),
        0x1002: Vendor(
            name: "AMD", install: "sudo apt-get install mesa-opencl-icd",
            mesaDriver: "radeonsi"),
        0x8086: Vendor(
            name: "Intel", install: "sudo apt-get install intel-opencl-icd", mesaDriver: "iris"),
    ]

    static func drivers(_ facts: Facts) -> [Finding] {
        let missing = facts.inventory.faults.filter(\.isLibraryMissing).map { fault in
            Finding(
                "drivers", facts.hasDevice ? .hinders : .blocks,
                "\(fault.driver.file) names the library \(fault.driver.library), "
                    + "which is not there",
                remedy: reinstall(fault.driver.file))
        }
        guard facts.drivers.isEmpty, !facts.hasDriver else { return missing }
        let place = facts.vendorPlace
        return [
            Finding(
                "drivers", .blocks,
                "no OpenCL driver is installed: "
                    + (place.hasSuffix(".icd")
                        ? "\(place) names no library" : "no .icd file in \(place)"),
                remedy: otherDriver(facts))
        ]
    }

    /// Packages keep their `.icd` files in the usual folder; elsewhere somebody wrote them by hand.
    private static func reinstall(_ file: String) -> String {
        let setAside = "sudo mv \(file) \(file).off"
        guard file.hasPrefix(DriverEnumeration.vendorFolder + "/") else { return setAside }
        return "sudo apt-get install --reinstall $(dpkg -S \(file) | cut -d: -f1)"
            + "  # or, of no package: \(setAside)"
    }

    /// A package is of no use while the environment keeps the loader from its folder.
    private static func otherDriver(_ facts: Facts) -> String {
        facts.vendorPlace == DriverEnumeration.vendorFolder
            ? processorDriver
            : "unset OCL_ICD_VENDORS OPENCL_VENDOR_PATH"
                + "  # back to \(DriverEnumeration.vendorFolder)"
    }

    static func driverFaults(_ facts: Facts) -> [Finding] {
        let failed = facts.inventory.faults.filter { !$0.isLibraryMissing }
        let faults = failed.map { fault in
            Finding(
                "driver_faults", facts.hasDevice ? .hinders : .blocks,
                "the driver \(fault.driver.library) (\(fault.driver.file)) fails when asked for "
                    + "its devices: \(fault.reason)",
                remedy: "sudo mv \(fault.driver.file) \(fault.driver.file).off")
        }
        guard let problem = facts.inventory.problem else { return faults }
        return faults + [
            Finding("driver_faults", facts.hasDevice ? .hinders : .blocks, problem)
        ]
    }

    static func permissions(_ facts: Facts) -> [Finding] {
        let closed = facts.nodes.filter { !$0.isAccessible }
        let groups = Set(closed.map(\.group)).sorted()
        return groups.map { group in
            let paths = closed.filter { $0.group == group }.map(\.path).joined(separator: ", ")
            let severity: Finding.Severity =
                facts.inventory.devices.contains { $0.kind == .gpu } ? .hinders : .blocks
            guard !group.isEmpty, group != "root" else {
                return Finding(
                    "permissions", severity,
                    "\(facts.userName) may not open \(paths), and no group could let them",
                    remedy: "sudo apt-get install --reinstall udev && sudo udevadm trigger")
            }
            return Finding(
                "permissions", severity,
                "\(facts.userName) may not open \(paths): not in the group \(group)",
                remedy: "sudo usermod -aG \(group) \(facts.userName)  # then log in again")
        }
    }

    /// Graphics cards for which there are OpenCL drivers.
    static func graphicsCards(_ facts: Facts) -> [PCIDevice] {
        facts.inventory.machine.pciDevices.filter {
            $0.isGraphics && vendors[$0.vendorID] != nil
        }
    }

    /// Graphics cards that no driver shows as an OpenCL device.
    static func graphics(_ facts: Facts) -> [Finding] {
        let cards = graphicsCards(facts).filter { card in
            !facts.inventory.devices.contains { $0.pci == card.address }
        }
        // Without PCI addresses from the driver, count: as many GPUs of a vendor as cards is fine.
        let placeless = Dictionary(
            grouping: facts.inventory.devices.filter { $0.kind == .gpu && $0.pci == nil },
            by: \.info.vendorID)
        return cards.compactMap { card in
            guard let vendor = vendors[card.vendorID], placeless[card.vendorID] == nil else {
                return nil
            }
            let rusticl = facts.inventory.platforms.contains {
                $0.name == "rusticl" && $0.devices.isEmpty
            }
            let isHidden =
                rusticl && !(facts.rusticlEnable ?? "").contains(vendor.mesaDriver)
                && vendor.name != "NVIDIA"
            return Finding(
                "graphics", .hinders,
                "the \(vendor.name) graphics device at \(card.address) is no OpenCL device"
                    + (isHidden ? ": rusticl is installed but not told to drive it" : ""),
                remedy: isHidden
                    ? "export RUSTICL_ENABLE=\(vendor.mesaDriver)" : vendor.install)
        }
    }

    static func devices(_ facts: Facts) -> [Finding] {
        let inventory = facts.inventory
        var findings: [Finding] = []
        if facts.hasDriver, !facts.hasDevice {
            let names = inventory.platforms.map(\.name).joined(separator: ", ")
            findings.append(
                Finding(
                    "devices", .blocks,
                    "no OpenCL device can be opened"
                        + (names.isEmpty ? "" : "; these platforms are empty: \(names)"),
                    remedy: otherDriver(facts)))
        }
        for device in inventory.devices {
            if let reason = device.unusable, !reason.hasSuffix("listed twice") {
                findings.append(Finding("devices", .hinders, "\(device.label): \(reason)"))
            }
            for reason in device.info.gateRefusals where device.index != nil {
                findings.append(
                    Finding("devices", .hinders, "\(device.label) cannot be exact: \(reason)"))
            }
        }
        let doubled = inventory.platforms.filter { $0.duplicateOf != nil }.map(\.name)
        if !doubled.isEmpty {
            findings.append(
                Finding(
                    "devices", .note,
                    "listed twice in \(facts.vendorPlace): \(doubled.joined(separator: ", "))"))
        }
        return findings
    }

    static func certificate(_ facts: Facts) -> [Finding] {
        let devices = facts.inventory.devices.filter { $0.index != nil }
        guard !devices.isEmpty else { return [] }
        var findings: [Finding] = []
        let certified = devices.filter { $0.verdict != nil }
        if !certified.contains(where: { $0.verdict?.maySettle == true }) {
            let isTried = certified.count == devices.count
            findings.append(
                Finding(
                    "certificate", .blocks,
                    isTried
                        ? "no device is exact, so none may settle by hash"
                        : "no device is certified as exact yet",
                    remedy: isTried ? nextTry(facts) : "rigor certify --device all"))
        }
        for device in certified where device.verdict?.maySettle == false {
            let reason = device.verdict?.reason.map { ": \($0)" } ?? ""
            findings.append(
                Finding(
                    "certificate", .hinders,
                    "\(device.label) runs locally only, its verdict is "
                        + "\(device.verdict?.name ?? "no")\(reason)",
                    remedy: device.index.flatMap {
                        device.verdict?.name == "no"
                            ? "rigor certify --device \($0)\(askedAgain)" : nil
                    }))
        }
        return findings
    }

    private static let askedAgain = "  # asks it again"

    /// Where no device is exact: the processor's driver, unless that is the one that failed.
    private static func nextTry(_ facts: Facts) -> String {
        let hasProcessorDriver = facts.inventory.platforms.contains {
            $0.name == processorPlatform
        }
        return hasProcessorDriver
            ? "rigor certify --device all\(askedAgain)" : otherDriver(facts)
    }
}
