import Foundation
import Testing

/// The demo's certificates are those of `rigor certify`, `rigor probe` and `rigor doctor`.
@Suite(.serialized) struct CertificateTests {
    @Test func aDemoCertifiesForAll() throws {
        let home = try Demo.newHome()
        defer { try? FileManager.default.removeItem(atPath: home) }
        let demo = Demo(home: home, jobs: ["--apps", "hash", "--hash-rounds", "1"])
        try demo.finish(try demo.start())
        _ = try demo.check()
        let probed = try Demo.run(["probe", "--home", home, "--json"]).out
        let document = try JSONSerialization.jsonObject(with: probed) as? [String: Any]
        let devices = try #require(document?["devices"] as? [[String: Any]])
        let exact = devices.first { $0["verdict"] as? String == "exact" }
        let index = try #require(exact?["index"] as? Int)

        // And the other way round: what was certified is not examined again.
        #expect(try Demo.run(["certify", "--home", home, "--device", "\(index)"]).code == 0)
        let before = try written(home)
        try demo.finish(try demo.start())
        #expect(try written(home) == before)
    }

    /// Each certificate's file, with the time of its last change.
    private func written(_ home: String) throws -> [String: Date] {
        let folder = "\(home)/certificates"
        var dates: [String: Date] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            #expect(name.hasSuffix(".certificate"))
            let attributes = try FileManager.default.attributesOfItem(
                atPath: "\(folder)/\(name)")
            dates[name] = attributes[.modificationDate] as? Date
        }
        return dates
    }
}
