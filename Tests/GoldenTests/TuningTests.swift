import Compute
import Core
import RigorTestKit
import Testing

/// What a profile may say moves no bit: the micro workloads give the golden roots with the values
/// of every shipped profile, and with the extremes of each value.
@Suite(.serialized) struct TuningTests {
    private func expectGolden(_ tuning: Tuning, on test: TestDevice, _ note: String) throws {
        var options = OpenCLDevice.Options()
        options.tuning = tuning
        let device = try test.open(options)
        #expect(device.tuning == tuning)
        for workload in Workload.all where workload.isMicro {
            let golden = try #require(try Golden.roots()[workload.name])
            let root = try workload.root(on: device)
            #expect(root.description == golden, "\(workload.name), \(note)")
        }
    }

    private static let device: TestDevice? = {
        if let device = TestDevices.exact.first(where: { !$0.isSlow }) { return device }
        TestDevices.skip("no quick and exact implementation is installed")
        return nil
    }()

    @Test(arguments: DeviceProfiles.shipped.profiles)
    func everyShippedProfileKeepsTheBits(_ profile: DeviceProfile) throws {
        guard let device = Self.device else { return }
        var tuning = try device.open().tuning
        for (name, value) in profile.tuning { tuning[name] = value }
        try expectGolden(tuning, on: device, "profile \(profile.name)")
    }

    @Test(arguments: Tuning.Name.allCases)
    func extremesKeepTheBits(_ name: Tuning.Name) throws {
        guard let device = Self.device else { return }
        for value in [name.limits.least, name.limits.greatest] {
            var tuning = try device.open().tuning
            tuning[name] = value
            try expectGolden(tuning, on: device, "\(name.rawValue) \(value)")
        }
    }
}
