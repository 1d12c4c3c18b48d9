import Compute
import Core
import Testing

@Suite struct SelectorTests {
    private static func device(
        _ platform: String, _ name: String, _ kind: DeviceDescription.Kind, isWide: Bool = false
    ) -> DeviceDescription {
        DeviceDescription(
            platform: platform, name: name, driverVersion: "1", platformVersion: "1", kind: kind,
            computeUnits: 1, memoryBytes: 1, allocationBytesMax: 1, localMemoryBytes: 1,
            workGroupItemsMax: 1, prefersWideVectors: isWide)
    }

    private let devices = [
        device("Oclgrind", "Simulator", .other), device("rusticl", "llvmpipe", .cpu),
        device("Portable Computing Language", "EPYC", .cpu, isWide: true),
        device("NVIDIA CUDA", "GeForce RTX 3080", .gpu),
        device("NVIDIA CUDA", "GeForce RTX 3080", .gpu),
    ]

    @Test(
        arguments: [
            (nil, [3]), ("all", [0, 1, 2, 3, 4]), ("cpu", [1, 2]), ("gpu", [3, 4]),
            ("GPU", [3, 4]),
            ("2", [2]), ("rtx", [3, 4]), ("portable", [2]), ("4,0", [0, 4]), ("cpu, 3", [1, 2, 3]),
        ] as [(String?, [Int])])
    func selects(_ text: String?, _ expected: [Int]) throws {
        #expect(try DeviceSelector(text).select(from: devices) == expected)
    }

    @Test(arguments: ["5", "-1", "Radeon", "gpu,Radeon"])
    func namesWhatThereIs(_ text: String) {
        let failure = #expect(throws: Failure.self) {
            try DeviceSelector(text).select(from: devices)
        }
        #expect(failure?.code == .missing)
        #expect(failure?.message.contains("2 = Portable Computing Language: EPYC") == true)
    }

    @Test func aWideProcessorComesBeforeANarrowOneAndASimulator() throws {
        #expect(try DeviceSelector.best.select(from: Array(devices.prefix(3))) == [2])
        #expect(try DeviceSelector.best.select(from: Array(devices.prefix(2))) == [1])
    }

    @Test func noDeviceSaysWhatToInstall() {
        let failure = #expect(throws: Failure.self) { try DeviceSelector.best.select(from: []) }
        #expect(failure?.message.contains("pocl-opencl-icd") == true)
    }
}
