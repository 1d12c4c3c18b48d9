import Hardware
import OpenCL
import Testing

@Suite struct EnumerationTests {
    private let good = DriverEnumeration.Driver(file: "/v/a.icd", library: "liba.so")
    private let bad = DriverEnumeration.Driver(file: "/v/b.icd", library: "libb.so")
    private let alike = DriverEnumeration.Driver(file: "/v/c.icd", library: "liba.so")

    private func platform(_ name: String) -> PlatformInfo {
        var device = DeviceInfo()
        device.name = "device of \(name)"
        return PlatformInfo(name: name, devices: [device])
    }

    @Test func askedOnceWhenAllAnswer() {
        var asked: [DriverEnumeration.Driver?] = []
        let expected = DriverAnswers(platforms: [platform("a"), platform("b")])
        let result = DriverEnumeration.read([good, bad]) { driver in
            asked.append(driver)
            return .answers(expected)
        }
        #expect(asked == [nil])
        #expect(result.answers == expected)
        #expect(result.faults.isEmpty)
    }

    @Test func theDriverAtFaultIsNamedAndTheRestAnswers() {
        let result = DriverEnumeration.read([good, bad, alike]) { driver in
            switch driver {
            case good, alike: .answers(DriverAnswers(platforms: [platform("a")]))
            default: .failed("killed by signal 11 (Segmentation fault)")
            }
        }
        #expect(result.answers.platforms.map(\.name) == ["a", "a"])
        #expect(result.answers.platforms.map(\.duplicateOf) == [nil, 0])
        #expect(result.faults.map(\.driver) == [bad])
        #expect(result.faults.map(\.reason) == ["killed by signal 11 (Segmentation fault)"])
        #expect(result.answers.problem == nil)
    }

    @Test func driversThatFailOnlyTogetherAreSaidSo() {
        let result = DriverEnumeration.read([good, bad]) { driver in
            driver == nil ? .failed("no answer after 20 seconds") : .answers(DriverAnswers())
        }
        #expect(result.faults.isEmpty)
        #expect(result.answers.problem?.contains("no answer after 20 seconds") == true)
    }

    @Test func findsInstalledDrivers() throws {
        let tree = try RecordedTree(
            """
            == etc/OpenCL/vendors/pocl.icd
            libpocl.so.2
            == etc/OpenCL/vendors/readme.txt
            no driver
            == etc/OpenCL/vendors/empty.icd

            == opt/own/intel.icd
              /opt/own/libintelocl.so
            """)
        tree.reading { root in
            #expect(DriverEnumeration.installed(root).map(\.library) == ["libpocl.so.2"])
            let folder = DriverEnumeration.installed(
                root, environment: ["OCL_ICD_VENDORS": "/opt/own"])
            #expect(folder.map(\.file) == ["/opt/own/intel.icd"])
            let file = DriverEnumeration.installed(
                root, environment: ["OCL_ICD_VENDORS": "/opt/own/intel.icd"])
            #expect(file.map(\.library) == ["/opt/own/libintelocl.so"])
            let none = DriverEnumeration.installed(
                root, environment: ["OPENCL_VENDOR_PATH": "/nowhere"])
            #expect(none.isEmpty)
        }
    }
}
