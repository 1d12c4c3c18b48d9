// What a check could not look at: a word or two on why, or nil where it looked.

extension Doctor {
    static func noDriver(_ facts: Facts) -> String? { facts.hasDriver ? nil : "no driver" }

    static func noDevice(_ facts: Facts) -> String? {
        facts.hasDevice ? nil : noDriver(facts) ?? "no device"
    }

    static func noNode(_ facts: Facts) -> String? { facts.nodes.isEmpty ? "no GPU in /dev" : nil }

    static func noGraphics(_ facts: Facts) -> String? {
        graphicsCards(facts).isEmpty ? "no graphics card" : nil
    }

    static func noMemoryInfo(_ facts: Facts) -> String? {
        facts.inventory.memory == nil ? "no /proc/meminfo" : nil
    }

    static func noFreeSpace(_ facts: Facts) -> String? {
        facts.home.freeBytes == nil ? "free space not told" : nil
    }

    static func noTimeService(_ facts: Facts) -> String? {
        facts.clock.isSynchronized == nil ? "kernel does not tell" : nil
    }

    static func noSensor(_ facts: Facts) -> String? {
        let sensors = facts.inventory.readings.filter { $0.quantity == .temperature }
        guard !sensors.isEmpty else { return "no sensor" }
        let isJudged = sensors.contains { ($0.critical ?? 0) > 0 }
        return isJudged ? nil : "sensors without critical temperature"
    }

    static func noFrequency(_ facts: Facts) -> String? {
        facts.frequency == nil ? "no cpufreq" : nil
    }
}

extension Facts {
    /// Whether any driver could be asked for devices.
    var hasDriver: Bool {
        let missing = inventory.faults.filter(\.isLibraryMissing).map(\.driver)
        return !inventory.platforms.isEmpty || drivers.contains { !missing.contains($0) }
    }

    /// Whether any device can be opened.
    var hasDevice: Bool { inventory.devices.contains { $0.index != nil } }
}
