import Compute
import Core
import Foundation
import OpenCL
import Profiling
import RigorTestKit
import Testing

/// Devices' own division and square root: taken where proven, and nowhere else.
@Suite(.serialized) struct NativeProofTests {
    private let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("rigor-proofs-\(UUID().uuidString)", isDirectory: true)
    private var proofs: NativeProofs { NativeProofs(folder: folder.path) }

    /// One that announces what is to be proven.
    private static let device: TestDevice? = {
        if let found = TestDevices.quick.first(where: { isAnnounced($0) }) { return found }
        TestDevices.skip("no quick device announces correctly rounded division")
        return nil
    }()

    private static func isAnnounced(_ test: TestDevice) -> Bool {
        test.device.info.single.contains(.correctlyRoundedDivideSqrt)
    }

    @Test(arguments: TestDevices.all)
    func onlyWhatIsAnnouncedIsProven(_ test: TestDevice) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let native = try proofs.measure(try test.open())
        #expect(native == (Self.isAnnounced(test) ? [.divide, .squareRoot] : []))
        #expect(proofs.find(for: try test.open().description) == native)
    }

    /// Programs in which the device's own operations are wrong, often or hardly ever.
    @Test(arguments: [
        ("a / b", "a * ex_rcp(b)", OpenCLDevice.NativeOperations.squareRoot),
        // One ulp off for one pair in half a million.
        ("a / b", "as_float(as_uint(a / b) ^ ((as_uint(b) & 0x7fffeu) == 0x1234u))", .squareRoot),
        // Subnormal quotients lost.
        ("a / b", "(fabs(a / b) < 0x1p-126f ? 0.0f : a / b)", .squareRoot),
        ("(sqrt(a)", "(a * ex_rsqrt(a)", .divide),
        // One root of sixteen million.
        ("(sqrt(a)", "(a == 0x1.234568p0f ? 1.0f : sqrt(a)", .divide),
        // Subnormal operands taken for zero.
        ("(sqrt(b)", "(sqrt(b < 0x1p-126f ? 0.0f : b)", .divide),
    ])
    func aDeviceThatLiesIsNotBelieved(
        _ right: String, _ wrong: String, _ left: OpenCLDevice.NativeOperations
    ) throws {
        guard let test = Self.device else { return }
        defer { try? FileManager.default.removeItem(at: folder) }
        let liar = FlakyDevice(
            try test.open(),
            [
                .rewrite { source in
                    guard let text = try? source.text(), text.contains(right) else { return source }
                    var changed = ProgramSource(
                        source.name, customText: text.replacing(right, with: wrong),
                        defines: source.defines)
                    changed.wantsCorrectRounding = source.wantsCorrectRounding
                    return changed
                }
            ])
        #expect(try proofs.measure(liar) == left)
        #expect(proofs.find(for: liar.description) == left)
    }

    @Test func aHungDeviceThrowsAndIsNotProven() throws {
        guard let test = Self.device else { return }
        let hanging = FlakyDevice(try test.open(), [.hangAtLaunch(2)])
        let failure = #expect(throws: Failure.self) { try proofs.measure(hanging) }
        #expect(failure?.code == .timeout)
        #expect(proofs.find(for: hanging.description) == nil)
    }

    @Test func aProofEndsWithItsDevice() throws {
        guard let test = Self.device else { return }
        defer { try? FileManager.default.removeItem(at: folder) }
        let description = try test.open().description
        proofs.keep([.divide], for: description)
        #expect(proofs.find(for: description) == [.divide])
        func find(_ change: (inout DeviceDescription) -> Void) -> OpenCLDevice.NativeOperations? {
            var other = description
            change(&other)
            return proofs.find(for: other)
        }
        #expect(find { $0.driverVersion += ".1" } == nil)
        #expect(find { $0.platformVersion += ".1" } == nil)
        #expect(find { $0.platform += " 2" } == nil)
        #expect(find { $0.name += " Ti" } == nil)
        #expect(find { $0.pciAddress = "0000:41:00.0" } == nil)
        proofs.keep([], for: description)
        #expect(proofs.find(for: description) == [])
    }

    @Test func aDamagedProofIsNone() throws {
        guard let test = Self.device else { return }
        defer { try? FileManager.default.removeItem(at: folder) }
        let description = try test.open().description
        proofs.keep([], for: description)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        let file = folder.appendingPathComponent(try #require(names.first))
        let whole = try Data(contentsOf: file)
        for position in whole.indices {
            var damaged = whole
            damaged[position] ^= 1
            try damaged.write(to: file)
            #expect(proofs.find(for: description) == nil, "byte \(position)")
        }
        try whole.dropLast().write(to: file)
        #expect(proofs.find(for: description) == nil)
    }

    /// The opener measures once, then finds; and does without where nothing is kept.
    @Test func theOpenerTakesWhatIsProven() throws {
        guard let test = Self.device else { return }
        defer { try? FileManager.default.removeItem(at: folder) }
        let kept = DeviceOpener(cacheFolder: folder.path, clock: MonotonicClock())
        let index = try #require(
            kept.catalog.descriptions.firstIndex(of: try test.open().description))
        let selector = DeviceSelector("\(index)")
        #expect(try kept.open(selector).map(\.native) == [[.divide, .squareRoot]])
        // What a certificate finds later is believed at once.
        var certificate = try Certifier(asking: ["add"]).certify(try kept.openBare(index))
        #expect(certificate.native == [])
        kept.keep(certificate, for: index)
        #expect(try kept.open(selector).map(\.native) == [[]])
        certificate.native = [.squareRoot]
        kept.keep(certificate, for: index)
        #expect(try kept.open(selector, computeUnits: 1).allSatisfy { $0.native == .squareRoot })
        let bare = DeviceOpener(cacheFolder: nil, clock: MonotonicClock())
        #expect(try bare.open(selector).map(\.native) == [[]])
    }
}
