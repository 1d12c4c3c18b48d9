import Foundation
import Testing

/// `rigor certify` on drivers that do not survive it.
@Suite struct CertifyTests {
    /// A layer between the loader and the driver (cl_layer.h) under which one kernel cannot be made
    /// without the process ending.
    private static let layer = """
        #define CL_TARGET_OPENCL_VERSION 300
        #include <CL/cl_layer.h>
        #include <stdlib.h>
        #include <string.h>

        static struct _cl_icd_dispatch table;
        static const struct _cl_icd_dispatch *driver;

        static cl_kernel create(cl_program program, const char *name, cl_int *status) {
            if (!strcmp(name, "certify_floor")) abort();
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

    /// One question ends the driver's process; the others are asked all the same.
    @Test func aDriverThatCrashesOnAQuestion() throws {
        let run = try CommandLineRun()
        try run.write("layer.c", Self.layer.utf8)
        guard try run.shell("cc -shared -fPIC -o layer.so layer.c").status == 0 else {
            print("skip: no C compiler, or no headers for OpenCL layers")
            return
        }
        let arguments = ["certify", "--json", "--home", run.path("home"), "--device", "0"]
        let right = try run.run(arguments)
        if right.errors.contains("no OpenCL device") {
            print("skip: no OpenCL device")
            return
        }
        let wrong = try run.run(arguments, environment: ["OPENCL_LAYERS": run.path("layer.so")])
        #expect(wrong.status == 0, "\(wrong)")
        let before = try Self.failures(right)
        var after = try Self.failures(wrong)
        guard let floor = after.removeValue(forKey: "floor") else {
            print("skip: the OpenCL loader takes no layers")
            return
        }
        #expect(floor.contains("the driver ended its process"), "\(floor)")
        #expect(floor.contains("killed by signal 6"), "\(floor)")
        #expect(after == before)
        #expect(wrong.output.contains("\"verdict\": \"no\""))
    }

    /// The first device's failed probes, with their reasons.
    private static func failures(_ result: CommandLineRun.Result) throws -> [String: String] {
        let devices = try #require(try result.document()["devices"] as? [[String: Any]])
        let probes = try #require(devices.first?["probes"] as? [[String: Any]])
        #expect(probes.count > 70)
        var failures: [String: String] = [:]
        for probe in probes where probe["passed"] as? Bool == false {
            failures[try #require(probe["name"] as? String)] = probe["reason"] as? String ?? ""
        }
        return failures
    }
}
