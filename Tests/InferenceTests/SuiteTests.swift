import Compute
import Core
import Inference
import RigorTestKit
import Testing

/// Small cases of onnx's own suite, one or two an operator; `make onnx-report` runs all.
@Suite struct SuiteTests {
    struct Case {
        var model: Model
        var inputs: [ModelValue]
        var expected: [ModelValue]

        init(_ name: String) throws {
            model = try ModelLoader.load(path: Fixtures.path("suite", name))
            let constants = model.constants
            inputs = model.inputs.compactMap { constants["test:input:\($0.name)"] }
                .map(ModelValue.tensor)
            expected = model.outputs.compactMap { constants["test:output:\($0)"] }
                .map(ModelValue.tensor)
        }
    }

    @Test(arguments: TestDevices.quick)
    func agreesWithTheSuite(_ test: TestDevice) throws {
        let device = try test.open()
        var passed = 0
        for name in Fixtures.names("suite") {
            do {
                let item = try Case(name)
                for isNarrow in device.forms {
                    let session = ModelSession(item.model, on: device, isNarrow: isNarrow)
                    let found = try session.run(item.inputs)
                    let difference = Comparison().difference(
                        of: found, from: item.expected, names: item.model.outputs)
                    #expect(difference == nil, "\(name) on \(test): \(difference ?? "")")
                    // What was planned once gives the same bits again.
                    #expect(try session.run(item.inputs) == found, "\(name) on \(test)")
                }
                passed += 1
            } catch let failure as Failure {
                let isRefused = [.unsupported, .limit].contains(failure.code)
                #expect(isRefused, "\(name) on \(test): \(failure)")
            }
        }
        #expect(passed > 200)
    }

    /// Every implementation gives the bits of the first.
    @Test func devicesAgree() throws {
        let devices = TestDevices.exact.filter { !$0.isSlow }
        guard devices.count > 1 else { return }
        let opened = try devices.map { try $0.open() }
        for name in Fixtures.names("suite") {
            guard let item = try? Case(name) else { continue }
            let results = opened.map { device -> [ModelValue]? in
                try? ModelSession(item.model, on: device).run(item.inputs)
            }
            for (test, result) in zip(devices, results) {
                #expect(result == results[0], "\(name) on \(test)")
            }
        }
    }
}
