import OpenCL
import RigorTestKit
import Testing

@Suite struct SystemTests {
    @Test func everyInstalledDeviceIsDescribed() {
        for test in TestDevices.all {
            let info = test.device.info
            #expect(!info.name.isEmpty)
            #expect(info.computeUnits >= 1)
            #expect(info.allocationBytesMax > 0)
            #expect(info.gateRefusals == [])
        }
    }
}
