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

    @Test func findsWhereTheLoaderLooks() throws {
        let tree = try RecordedTree(
            """
            == etc/OpenCL/vendors/pocl.icd
            libpocl.so.2
            """)
        tree.reading { root in
            func place(_ environment: [String: String]) -> String {
                DriverEnumeration.vendorPlace(root, environment: environment)
            }
            #expect(place([:]) == "/etc/OpenCL/vendors")
            #expect(place(["OCL_ICD_VENDORS": ""]) == "/etc/OpenCL/vendors")
            #expect(place(["OPENCL_VENDOR_PATH": "/opt/own/"]) == "/opt/own")
            #expect(place(["OCL_ICD_VENDORS": "/opt/own/a.icd"]) == "/opt/own/a.icd")
            #expect(place(["OCL_ICD_VENDORS": "pocl.icd"]) == "/etc/OpenCL/vendors/pocl.icd")
            #expect(place(["OCL_ICD_VENDORS": "own"]).hasPrefix("/"))
        }
    }

    @Test func findsLibrariesWithoutLoadingThem() throws {
        let tree = try RecordedTree(
            """
            == usr/lib/x86_64-linux-gnu/libdebian.so.1
            == usr/lib64/libfedora.so.1
            == opt/own/libown.so
            == opt/cached/libcached.so
            == etc/ld.so.cache
            glibc-ld.so.cache1.1\0/opt/cached/libcached.so\0/opt/gone/libgone.so\0
            == usr/lib/libdangling.so -> libtarget.so
            """)
        tree.reading { root in
            func missing(_ library: String, _ environment: [String: String] = [:]) -> Bool {
                let driver = DriverEnumeration.Driver(file: "/v/a.icd", library: library)
                let faults = DriverEnumeration.missingLibraries(
                    [driver], root, environment: environment)
                return faults.map(\.driver) == [driver] && faults[0].isLibraryMissing
            }
            for library in [
                "libdebian.so.1", "libfedora.so.1", "libcached.so", "/opt/own/libown.so",
            ] { #expect(!missing(library), "\(library)") }
            for library in [
                "/nonexistent/lib.so", "libown.so", "libgone.so", "libdangling.so", "cached.so",
            ] { #expect(missing(library), "\(library)") }
            #expect(!missing("libown.so", ["LD_LIBRARY_PATH": "/nowhere:/opt/own"]))
        }
    }
}
