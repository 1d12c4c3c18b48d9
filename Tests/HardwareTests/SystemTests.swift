import Hardware
import Testing

@Suite struct SystemTests {
    @Test func tightestGroupOnTheWayUpCounts() throws {
        let tree = try RecordedTree(named: "mining-rig")
        let limits = tree.reading { ControlGroup(reading: $0) }
        #expect(limits.memoryBytesMax == 6 << 30)
        #expect(limits.processorsMax == 3.5)
        let read = tree.reading { MemoryInfo(reading: $0, limits: limits) }
        let memory = try #require(read)
        #expect(memory.totalBytes == 8_048_432 * 1024)
        #expect(memory.availableBytes == 6_100_200 * 1024)
        #expect(memory.swapTotalBytes == 2_097_148 * 1024)
        #expect(memory.usableBytes == 6 << 30)
    }

    /// The path of the group is the host's; the container's own mount has no such folder.
    @Test func containerOfVersionOne() throws {
        let tree = try RecordedTree(named: "container-v1")
        let limits = tree.reading { ControlGroup(reading: $0) }
        #expect(limits.memoryBytesMax == 4 << 30)
        #expect(limits.processorsMax == 1.5)
    }

    @Test(arguments: ["9223372036854771712", "max", "-1", "", "99999999999999999999"])
    func whatIsNoLimit(_ value: String) throws {
        let tree = try RecordedTree(
            """
            == proc/self/cgroup
            6:memory:/
            == sys/fs/cgroup/memory/memory.limit_in_bytes
            \(value)
            """)
        let limits = tree.reading { ControlGroup(reading: $0) }
        #expect(limits.memoryBytesMax == nil)
    }

    /// Version 2 beside version 1, as older distributions mount them.
    @Test func hybridHierarchy() throws {
        let tree = try RecordedTree(
            """
            == proc/self/cgroup
            1:name=systemd:/
            0::/a
            == sys/fs/cgroup/unified/cgroup.procs
            1
            == sys/fs/cgroup/unified/a/memory.max
            1073741824
            """)
        let limits = tree.reading { ControlGroup(reading: $0) }
        #expect(limits.memoryBytesMax == 1 << 30)
    }

    @Test func nothingToRead() throws {
        let tree = try RecordedTree("")
        tree.reading { root in
            #expect(ControlGroup(reading: root) == ControlGroup())
            #expect(MemoryInfo(reading: root, limits: ControlGroup()) == nil)
            #expect(root.list("sys/class/hwmon").isEmpty)
            #expect(root.line("proc/meminfo") == nil)
        }
    }

    @Test func damagedMemoryFileIsNoFigure() throws {
        let tree = try RecordedTree("== proc/meminfo\nMemTotal: 99999999999999999999 kB\nMem")
        let memory = tree.reading { MemoryInfo(reading: $0, limits: ControlGroup()) }
        #expect(memory == nil)
    }

    @Test func thisMachineHasMemory() throws {
        let limits = ControlGroup(reading: .machine)
        let memory = try #require(MemoryInfo(reading: .machine, limits: limits))
        #expect(memory.usableBytes > 1 << 20)
        #expect(memory.availableBytes <= memory.totalBytes)
    }
}
