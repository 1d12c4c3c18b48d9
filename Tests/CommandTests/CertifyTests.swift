import Foundation
import Testing

/// `rigor certify` on drivers that do not survive it.
@Suite struct CertifyTests {
    /// A layer between the loader and the driver (cl_layer.h) under which one kernel cannot be made
    /// as it should: by the value of `OPENCL_TEST_FAULT`, the process ends each time; it is killed
    /// from outside once, for which a file is the mark; or the host's words are garbled.
    private static let layer = """
        #define CL_TARGET_OPENCL_VERSION 300
        #include <CL/cl_layer.h>
        #include <fcntl.h>
        #include <signal.h>
        #include <stdlib.h>
        #include <string.h>
        #include <unistd.h>

        static struct _cl_icd_dispatch table;
        static const struct _cl_icd_dispatch *driver;

        static void fail(const char *fault) {
            if (!strcmp(fault, "ends")) abort();
            if (!strcmp(fault, "garbles")) {
                /* The first descriptor that a host opens is its end of the conversation. */
                if (write(3, "\\0\\0\\0", 4) == 4) sleep(1);
            } else if (open(fault, O_CREAT | O_EXCL, 0600) >= 0) {
                kill(getpid(), SIGKILL);
            }
        }

        static cl_kernel create(cl_program program, const char *name, cl_int *status) {
            if (!strcmp(name, "certify_floor")) fail(getenv("OPENCL_TEST_FAULT"));
            return driver->clCreateKernel(program, name, status);
        }

        cl_int clGetLayerInfo(cl_layer_info name, size_t size, void *value, size_t *size_out) {
            const cl_layer_api_version version = CL_LAYER_API_VERSION_100;
            if (name != CL_LAYER_API_VERSION) return CL_INVALID_VALUE;
            if (value && size >= sizeof version) memcpy(value, &version, sizeof version);
            if (size_out) *size_out = sizeof version;
            return CL_SUCCESS;
        }

        cl_int clInitLayer(cl_uint count, const struct _cl_icd_dispatch *next, cl_uint *count_out,
                           const struct _cl_icd_dispatch **table_out) {
            const cl_uint own = sizeof table / sizeof(void *);
            if (count < own) return CL_INVALID_VALUE;
            driver = next;
            memcpy(&table, next, sizeof table);
            table.clCreateKernel = create;
            *table_out = &table;
            *count_out = own;
            return CL_SUCCESS;
        }
        """

    /// A machine whose first device is certified, and a layer to fail it with.
    private struct Machine {
        let run: CommandLineRun
        /// What `rigor certify` said without the layer, and the first device in it.
        let right: CommandLineRun.Result
        let certified: [String: Any]

        /// nil, and a line that says so, where there is nothing to test with.
        init?() throws {
            run = try CommandLineRun()
            try run.write("layer.c", CertifyTests.layer.utf8)
            guard try run.shell("cc -shared -fPIC -o layer.so layer.c").status == 0 else {
                print("skip: no C compiler, or no headers for OpenCL layers")
                return nil
            }
            right = try run.run(Self.arguments)
            if right.errors.contains("no OpenCL device") {
                print("skip: no OpenCL device")
                return nil
            }
            certified = try Self.device(right)
            let mark = try certify(fault: "mark").0
            guard FileManager.default.fileExists(atPath: run.path("mark")) else {
                print("skip: the OpenCL loader takes no layers")
                return nil
            }
            try FileManager.default.removeItem(atPath: run.path("mark"))
            #expect(mark.output.contains("conformance_hash"), "\(mark)")
        }

        private static let arguments = ["certify", "--json", "--device", "0"]

        /// Certifies under the layer; the first device's document.
        func certify(fault: String) throws -> (CommandLineRun.Result, [String: Any]) {
            let result = try run.run(
                Self.arguments,
                environment: [
                    "OPENCL_LAYERS": run.path("layer.so"),
                    "OPENCL_TEST_FAULT": fault == "mark" ? run.path(fault) : fault,
                ])
            return (result, try Self.device(result))
        }

        private static func device(_ result: CommandLineRun.Result) throws -> [String: Any] {
            let devices = try #require(try result.document()["devices"] as? [[String: Any]])
            return try #require(devices.first)
        }

        /// What `rigor probe` says of the first device.
        func verdict() throws -> String? {
            let probed = try run.run(["probe", "--json"]).document()
            let devices = try #require(probed["devices"] as? [[String: Any]])
            return try #require(devices.first { $0["index"] as? Int == 0 })["verdict"] as? String
        }
    }

    /// One question ends the driver's process each time; the others are asked all the same.
    @Test func aDriverThatCrashesOnAQuestion() throws {
        guard let machine = try Machine() else { return }
        let (result, document) = try machine.certify(fault: "ends")
        #expect(result.status == 0, "\(result)")
        #expect(document["verdict"] as? String == "no")
        let before = try Self.failures(machine.certified)
        var after = try Self.failures(document)
        let last = after.removeValue(forKey: "floor")
        let floor = try #require(last)
        #expect(floor.contains("the driver ended its process"), "\(floor)")
        #expect(floor.contains("killed by signal 6"), "\(floor)")
        #expect(after == before)
        #expect(try machine.verdict() == "no")

        // Whoever would earn with the device asks it again.
        guard machine.certified["verdict"] as? String == "exact" else { return }
        let demo = try machine.run.run(["demo", "--apps", "hash", "--hash-rounds", "1", "--json"])
        #expect(demo.status == 0, "\(demo.errors)")
        #expect(try machine.verdict() == "exact")
    }

    /// A process that is killed from outside says nothing of its driver: the question is asked
    /// again.
    @Test func anExaminerThatIsKilledOnce() throws {
        guard let machine = try Machine() else { return }
        let (result, _) = try machine.certify(fault: "mark")
        #expect(result.status == 0, "\(result)")
        #expect(FileManager.default.fileExists(atPath: machine.run.path("mark")))
        #expect(result.output == machine.right.output)
    }

    /// Where the examination itself fails, what was certified before holds no more.
    @Test func anExaminationThatFails() throws {
        guard let machine = try Machine() else { return }
        #expect(try machine.verdict() == machine.certified["verdict"] as? String)
        let (result, document) = try machine.certify(fault: "garbles")
        #expect(result.status == 1, "\(result)")
        #expect(document["verdict"] as? String == "no")
        #expect(document.keys.sorted() == machine.certified.keys.sorted())
        for key in ["device", "driver", "platform_version", "battery"] {
            #expect(document[key] as? String == machine.certified[key] as? String, "\(key)")
        }
        for key in ["conformance_hash", "native_divide", "native_sqrt", "probes"] {
            #expect(document[key] is NSNull, "\(key)")
        }
        #expect(try machine.verdict() == nil)
    }

    /// The device's failed probes, with their reasons.
    private static func failures(_ device: [String: Any]) throws -> [String: String] {
        let probes = try #require(device["probes"] as? [[String: Any]])
        #expect(probes.count > 70)
        var failures: [String: String] = [:]
        for probe in probes where probe["passed"] as? Bool == false {
            failures[try #require(probe["name"] as? String)] = probe["reason"] as? String ?? ""
        }
        return failures
    }
}
