import Compute
import Core
import Foundation
import Inference
import Rendering
import RigorTestKit
import Testing
import Toy
import Training

extension Workload {
    static let all: [Workload] = [
        Workload(
            name: "hash/micro", app: HashApp(),
            parameters: ["chunk_bytes": .int(4096), "rounds": .int(2)],
            inputs: ["Examples/digits/digit-0.png"], isMicro: true),
        digits("infer/micro", ["digit-0.png"], isMicro: true),
        digits(
            "infer/digits", [0, 1, 2, 3, 4, 5, 7, 9].map { "digit-\($0).png" }, isMicro: false),
        scene("render/micro", width: 16, height: 9, samples: 1, bounces: 2, isMicro: true),
        scene("render/small", width: 96, height: 54, samples: 4, bounces: 4, isMicro: false),
        training("train/digits"),
    ]

    static func digits(_ name: String, _ pictures: [String], isMicro: Bool) -> Workload {
        Workload(
            name: name, app: InferApp(),
            parameters: [
                "model": .string("digits.onnx"),
                "input:image": .string(pictures.joined(separator: "\n")),
            ],
            inputs: (["digits.onnx"] + pictures).map { "Examples/digits/\($0)" }, isMicro: isMicro,
            part: TaskSpec.Part(items: 0..<pictures.count))
    }

    static func training(_ name: String) -> Workload {
        var options = TrainingOptions()
        options.scale = "0.0625"
        options.epochs = 2
        options.batch = 128
        options.schedule = .cosine
        var parameters = options.parameters
        parameters["preset"] = .string(Preset.cnn.rawValue)
        parameters["data"] = .string("digits.npz")
        return Workload(
            name: name, app: TrainApp(), parameters: parameters,
            inputs: ["Examples/digits/digits.npz"], isMicro: false)
    }

    static func scene(
        _ name: String, width: Int, height: Int, samples: Int, bounces: Int, isMicro: Bool
    ) -> Workload {
        Workload(
            name: name, app: RenderApp(),
            parameters: [
                "scene": .string("demo.glb"), "width": .int(width), "height": .int(height),
                "samples": .int(samples), "bounces": .int(bounces), "seed": .string("0"),
            ],
            inputs: ["Examples/scene/demo.glb"], isMicro: isMicro)
    }
}

/// The same task gives the same bits: today, on every implementation, as when it was recorded.
@Suite(.serialized) struct GoldenTests {
    @Test(arguments: Workload.all)
    func everyImplementationGivesTheGoldenRoot(_ workload: Workload) throws {
        let golden = try Golden.roots()[workload.name] ?? "nothing recorded"
        for device in TestDevices.all where workload.isMicro || device.isFull {
            let root = try workload.root(on: device.open())
            #expect(root.description == golden, "\(workload.name) on \(device.label)")
        }
    }

    @Test func oneComputeUnitGivesTheGoldenRoot() throws {
        guard let device = TestDevices.any else { return }
        for workload in Workload.all {
            let golden = try #require(try Golden.roots()[workload.name])
            guard let part = try device.open(computeUnits: 1).first else { continue }
            #expect(try workload.root(on: part).description == golden)
        }
    }

    /// With division and root of their own, where a device announces them correctly rounded.
    @Test(arguments: TestDevices.exact.filter { !$0.isSlow })
    func nativeOperationsGiveTheGoldenRoot(_ device: TestDevice) throws {
        var options = OpenCLDevice.Options()
        options.native = [.divide, .squareRoot]
        for workload in Workload.all {
            let golden = try #require(try Golden.roots()[workload.name])
            #expect(
                try workload.root(on: device.open(options)).description == golden,
                "\(workload.name) on \(device.label)")
        }
    }

    @Test func everyRecordedRootIsTested() throws {
        #expect(try Set(Golden.roots().keys) == Set(Workload.all.map(\.name)))
    }

    /// Wrong bits from the device, every fma rounded twice, one constant off by one ulp: each is
    /// found.
    @Test(arguments: [
        .flipFromRead(1, byte: 9),
        mutation("FP_CONTRACT OFF", "FP_CONTRACT OFF\n#define fma(a, b, c) ((a) * (b) + (c))"),
        mutation("0x1.010102p-8f", "0x1.010104p-8f"),
    ])
    func aBrokenRuleIsAnotherRoot(_ flaw: FlakyDevice.Flaw) throws {
        guard let device = TestDevices.exact.first(where: { !$0.isSlow }) else {
            return TestDevices.skip("no exact implementation is installed")
        }
        let workload = try #require(Workload.all.first { $0.name == "render/small" })
        let golden = try #require(try Golden.roots()[workload.name])
        let flaky = FlakyDevice(try device.open(), [flaw])
        #expect(try workload.root(on: flaky).description != golden)
    }

    /// The kernels leave a compiler nothing to contract: allowed or not, the bits are the same.
    /// (That the switch itself is noticed, the tests of the exact functions show.)
    @Test func contractionFindsNothing() throws {
        guard let device = TestDevices.exact.first(where: { !$0.isSlow }) else {
            return TestDevices.skip("no exact implementation is installed")
        }
        let flaky = FlakyDevice(
            try device.open(), [Self.mutation("FP_CONTRACT OFF", "FP_CONTRACT ON")])
        for workload in Workload.all {
            let golden = try #require(try Golden.roots()[workload.name])
            #expect(try workload.root(on: flaky).description == golden, "\(workload.name)")
        }
    }

    /// Every program with `text` replaced.
    private static func mutation(_ text: String, _ other: String) -> FlakyDevice.Flaw {
        .rewrite { source in
            guard let own = try? source.text() else { return source }
            return ProgramSource(
                source.name, customText: own.replacing(text, with: other),
                defines: source.defines)
        }
    }
}

extension TestDevice {
    /// Fast, and keeps subnormals: takes workloads of any content.
    var isFull: Bool { !isSlow && verdict == .exact }
}
