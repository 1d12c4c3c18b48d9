// Is the machine around the devices fit for work?

extension Doctor {
    /// Below this neither app's smallest job fits beside the agent.
    static let memoryBytesMin = 2 * gibibyte
    /// Below this, large scenes and models are refused.
    static let memoryBytesGood = 4 * gibibyte
    static let diskBytesMin = gibibyte
    static let diskBytesGood = 10 * gibibyte
    /// How near its critical temperature a part may be.
    static let temperatureMargin = 5.0
    /// 2026-01-01: a clock before this program was written is wrong.
    static let nowSecondsMin = 1_767_225_600

    static func memory(_ facts: Facts) -> [Finding] {
        guard let memory = facts.inventory.memory else { return [] }
        var findings: [Finding] = []
        let isLimited = memory.usableBytes < memory.totalBytes
        let source =
            isLimited
            ? "a control group limits memory to \(gibibytes(memory.usableBytes)) of "
                + gibibytes(memory.totalBytes)
            : "the machine has \(gibibytes(memory.totalBytes)) of memory"
        if memory.usableBytes < memoryBytesGood {
            let isTooLittle = memory.usableBytes < memoryBytesMin
            let wanted = gibibytes(isTooLittle ? memoryBytesMin : memoryBytesGood)
            findings.append(
                Finding(
                    "memory", isTooLittle ? .blocks : .hinders,
                    "\(source), expected at least \(wanted)",
                    remedy: isLimited
                        ? "systemd-run --user --scope -p MemoryMax=infinity rigor" : nil))
        } else if isLimited {
            findings.append(Finding("memory", .note, source))
        }
        if memory.swapTotalBytes > 0, memory.swapFreeBytes < memory.swapTotalBytes / 10 {
            findings.append(
                Finding("memory", .hinders, "swap is full: something else needs the memory"))
        }
        return findings
    }

    static func processors(_ facts: Facts) -> [Finding] {
        guard let quota = facts.inventory.limits.processorsMax else { return [] }
        let hundredths = Int((quota * 100).rounded())
        let tail = hundredths % 100 < 10 ? "0\(hundredths % 100)" : "\(hundredths % 100)"
        let text =
            "a control group allows \(hundredths / 100).\(tail) of "
            + "\(facts.inventory.machine.processorCount) processors"
        return [Finding("processors", quota < 1 ? .hinders : .note, text)]
    }

    static func disk(_ facts: Facts) -> [Finding] {
        let home = facts.home
        guard home.isWritable else {
            return [
                Finding(
                    "disk", .blocks, "\(home.path): cannot be written by \(facts.userName)",
                    remedy: "sudo install -d -o \(facts.userName) \(home.path)")
            ]
        }
        guard let free = home.freeBytes, free < diskBytesGood else { return [] }
        let isTooLittle = free < diskBytesMin
        return [
            Finding(
                "disk", isTooLittle ? .blocks : .hinders,
                "\(home.path): \(gibibytes(free)) free, expected at least "
                    + gibibytes(isTooLittle ? diskBytesMin : diskBytesGood),
                remedy: "export RIGOR_HOME=DIR  # a folder on a larger disk")
        ]
    }

    static func clock(_ facts: Facts) -> [Finding] {
        if facts.clock.nowSeconds < nowSecondsMin {
            return [
                Finding(
                    "clock", .blocks,
                    "the clock says a time before 2026: every deadline would be wrong",
                    remedy: "sudo timedatectl set-ntp true")
            ]
        }
        guard facts.clock.isSynchronized == false else { return [] }
        return [
            Finding(
                "clock", .hinders,
                "no time service keeps the clock: a drifting one misses deadlines",
                remedy: "sudo apt-get install systemd-timesyncd && sudo timedatectl set-ntp true")
        ]
    }

    static func temperature(_ facts: Facts) -> [Finding] {
        facts.inventory.readings.compactMap { reading in
            guard reading.quantity == .temperature, let critical = reading.critical, critical > 0,
                reading.value >= critical - temperatureMargin
            else { return nil }
            let label = reading.label.isEmpty ? "" : " \(reading.label)"
            return Finding(
                "temperature", .hinders,
                "\(reading.device)\(label) is at \(Int(reading.value.rounded())) °C, "
                    + "critical is \(Int(critical.rounded())) °C: it will slow down or stop")
        }
    }

    static func frequency(_ facts: Facts) -> [Finding] {
        // The drivers that scale by themselves use the same word for a mode that is not slow.
        let selfScaling = ["intel_pstate", "amd-pstate-epp", "amd_pstate_epp"]
        guard let frequency = facts.frequency, frequency.governor == "powersave",
            !selfScaling.contains(frequency.driver)
        else { return [] }
        return [
            Finding(
                "frequency", .hinders,
                "processors are held at their lowest frequency (governor powersave)",
                remedy: "sudo apt-get install linux-cpupower && "
                    + "sudo cpupower frequency-set -g schedutil")
        ]
    }
}
