import Compute
import Core
import Foundation
import RigorTestKit
import Testing

@Suite struct ProfileTests {
    private func device(
        _ platform: String, _ kind: DeviceDescription.Kind, name: String = "A 1", width: Int = 1,
        vendor: String = ""
    ) -> DeviceDescription {
        DeviceDescription(
            platform: platform, name: name, driverVersion: "1", platformVersion: "1", kind: kind,
            computeUnits: 1, memoryBytes: 1, allocationBytesMax: 1, localMemoryBytes: 1,
            workGroupItemsMax: 1, prefersWideVectors: false, vendor: vendor,
            floatVectorWidth: width)
    }

    // MARK: Shipped

    @Test func everyFileIsEmbedded() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Profiles").standardizedFileURL
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
        #expect(files.sorted() == DeviceProfiles.shipped.profiles.map(\.name).sorted())
        #expect(files.count >= 6)
    }

    @Test func theDefaultHasEveryValueAndComesFirst() throws {
        let first = try #require(DeviceProfiles.shipped.profiles.first)
        #expect(first.name == "default")
        #expect(Set(first.tuning.keys) == Set(Tuning.Name.allCases))
        #expect(first.match == DeviceProfile.Match())
    }

    @Test func devicesGetWhatSuitsThem() {
        let shipped = DeviceProfiles.shipped
        let processor = shipped.tuning(
            for: device("Portable Computing Language", .cpu, width: 16))
        #expect(processor[.wideVectors] == 1)
        #expect(processor[.renderPathsMax] == 1 << 17)
        #expect(processor[.renderPackets] == 1)
        #expect(shipped.tuning(for: device("rusticl", .cpu, width: 16))[.wideVectors] == 0)
        #expect(shipped.tuning(for: device("Clover", .cpu, width: 8))[.wideVectors] == 0)
        #expect(shipped.tuning(for: device("New", .cpu, width: 8))[.wideVectors] == 1)
        #expect(shipped.tuning(for: device("New", .cpu, width: 4))[.wideVectors] == 0)
        let card = shipped.tuning(for: device("New", .gpu, width: 16))
        #expect(card[.wideVectors] == 0)
        #expect(card[.renderPathsMax] == 1 << 22)
        #expect(card[.renderPackets] == 0)
    }

    @Test(arguments: TestDevices.all)
    func aDeviceOpensWithItsProfile(_ test: TestDevice) throws {
        let opened = try test.open()
        #expect(opened.tuning == DeviceProfiles.shipped.tuning(for: opened.description))
        #expect(opened.description.prefersWideVectors == (opened.tuning[.wideVectors] == 1))
        #expect(opened.description.prefersWideVectors == ["PoCL", "Intel"].contains(test.label))
    }

    // MARK: A user's own

    private func read(_ files: [String: String]) throws -> DeviceProfiles {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("rigor-profiles-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files {
            try Data(text.utf8).write(to: folder.appendingPathComponent(name))
        }
        return try DeviceProfiles.shipped(andThoseIn: folder.path)
    }

    private func profile(_ match: String, _ tuning: String) -> String {
        "{\"format\": 1, \"match\": {\(match)}, \"tuning\": {\(tuning)}}"
    }

    @Test func aUsersProfileComesLast() throws {
        let card = device("New", .gpu, name: "Card 9000 Ti", vendor: "Maker")
        let profiles = try read([
            "a.json": profile("\"name_prefix\": \"Card 9\"", "\"gemm.rows\": 3"),
            "b.json": profile("\"kind\": \"gpu\"", "\"gemm.rows\": 5, \"gemm.columns\": 48"),
            "c.json": profile("\"vendor\": \"Other\"", "\"gemm.rows\": 7"),
            "d.json": profile("\"float_vector_width_min\": 2", "\"gemm.rows\": 8"),
            "notes.txt": "not a profile",
        ])
        let tuning = profiles.tuning(for: card)
        #expect(tuning[.gemmRows] == 3)
        #expect(tuning[.gemmColumns] == 48)
        #expect(tuning[.renderPathsMax] == 1 << 22)
        // A user's general word comes after a shipped special one.
        let own = try read(["a.json": profile("", "\"wide_vectors\": 1")])
        #expect(own.tuning(for: device("rusticl", .cpu))[.wideVectors] == 1)
        let none = try DeviceProfiles.shipped(andThoseIn: "\(NSTemporaryDirectory())no-such")
        #expect(none.tuning(for: card) == DeviceProfiles.shipped.tuning(for: card))
    }

    @Test(arguments: [
        ("", "a JSON object"), ("[]", "a JSON object"), ("{\"format\": 1", "a JSON object"),
        ("{}", "format 1"), ("{\"format\": 2, \"match\": {}, \"tuning\": {}}", "format 1"),
        ("{\"format\": true, \"match\": {}, \"tuning\": {}}", "format: a whole number"),
        ("{\"format\": 1, \"tuning\": {}}", "match: an object"),
        ("{\"format\": 1, \"match\": {}}", "tuning: an object"),
        ("{\"format\": 1, \"match\": {}, \"tuning\": {}, \"tunning\": {}}", "tunning: one of"),
        ("{\"format\": 1, \"match\": {\"kind\": \"tpu\"}, \"tuning\": {}}", "kind: cpu, gpu"),
        ("{\"format\": 1, \"match\": {\"name\": \"x\"}, \"tuning\": {}}", "name: one of"),
        ("{\"format\": 1, \"match\": {\"vendor\": 3}, \"tuning\": {}}", "vendor: text"),
        ("{\"format\": 1, \"match\": {}, \"tuning\": {\"gemm.depth\": 3}}", "gemm.depth: one of"),
        ("{\"format\": 1, \"match\": {}, \"tuning\": {\"gemm.rows\": 0}}", "gemm.rows: 1 to 16"),
        ("{\"format\": 1, \"match\": {}, \"tuning\": {\"gemm.rows\": 1.5}}", "a whole number"),
        ("{\"format\": 1, \"match\": {}, \"tuning\": {\"gemm.rows\": \"8\"}}", "a whole number"),
        ("{\"format\": 1, \"match\": {}, \"tuning\": {\"gemm.columns\": 24}}", "in steps of 16"),
        ("{\"format\": 1, \"match\": {}, \"tuning\": {\"infer.group_items\": 24}}", "8, 16 or 32"),
        ("{\"format\": 1, \"match\": {}, \"tuning\": {}, \"measured\": 3}", "measured: an array"),
        (
            "{\"format\": 1, \"match\": {}, \"tuning\": {}, \"measured\": [{\"device\": \"x\"}]}",
            "device and driver"
        ),
        (
            """
            {"format": 1, "match": {}, "tuning": {}, "measured":
            [{"device": "x", "driver": "1", "figures": {"rays": -1}}]}
            """, "rays: a positive number"
        ),
    ])
    func aBrokenProfileIsNamed(_ text: String, _ expectation: String) throws {
        let failure = #expect(throws: Failure.self) { try read(["mine.json": text]) }
        #expect(failure?.message.contains("profile mine") == true)
        #expect(failure?.message.contains(expectation) == true, "\(failure?.message ?? "")")
    }

    @Test func figuresAreOfTheDevice() throws {
        let profiles = try read([
            "a.json": """
            {"format": 1, "match": {"kind": "gpu"}, "tuning": {}, "measured": [
            {"device": "Card", "driver": "1", "figures": {"gemm_square": 812.5}},
            {"device": "Other", "driver": "1", "figures": {"gemm_square": 1}}]}
            """
        ])
        #expect(
            profiles.figures(for: device("New", .gpu, name: "Card")) == ["gemm_square": 812.5])
        #expect(profiles.figures(for: device("New", .cpu, name: "Card")).isEmpty)
    }
}
