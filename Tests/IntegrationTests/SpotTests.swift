import Foundation
import Testing

/// What was settled is computed again in part, and what was not settled is found out.
@Suite(.serialized) struct SpotTests {
    @Test func spotsOfEveryApp() throws {
        let home = try Demo.newHome()
        defer { try? FileManager.default.removeItem(atPath: home) }
        let demo = Demo(
            home: home,
            jobs: [
                "--apps", "hash,render,infer", "--hash-rounds", "10", "--size", "70x40", "--spp",
                "2",
            ])
        try demo.finish(try demo.start())
        let tasks = try #require(try demo.document()["tasks"] as? [[String: Any]])
        let receipts = try #require(try demo.document()["receipts"] as? [String])
        for task in tasks {
            let id = try #require(task["taskid"] as? String).dropFirst(2).prefix(16)
            let receipt = try #require(receipts.first { $0.contains(id) }, "\(receipts)")
            let ended = try Demo.run(["verify", receipt, "--spot", "2", "--json"])
            #expect(ended.code == 0, "\(ended.said)")
            let spot = try spot(ended.out)
            #expect(spot["matches"] as? Bool == true)
            #expect(try names(spot).count == 3)
            // The same seed draws the same.
            let seed = try #require(spot["seed"] as? String)
            #expect(ended.said.contains("--seed \(seed)"))
            let again = try Demo.run(
                ["verify", receipt, "--spot", "2", "--seed", seed, "--json"])
            #expect(try names(try self.spot(again.out)) == names(spot))
            if task["app"] as? String == "render" { try expectLiesFound(receipt, home) }
        }
    }

    /// Leaves with one bit changed, inputs that are others, a pool that is not there.
    private func expectLiesFound(_ receipt: String, _ home: String) throws {
        let artifacts = "\(home)/market/pool/artifacts"
        let files = FileManager.default
        let names = try #require(files.enumerator(atPath: artifacts)?.allObjects as? [String])
        let leaves = try #require(
            names.map { "\(artifacts)/\($0)" }.first { path in
                guard let data = files.contents(atPath: path) else { return false }
                return data.starts(with: Data("RIGORLV1".utf8))
                    && data.range(
                        of: Data("tile/".utf8)) != nil
            })
        var data = try Data(contentsOf: URL(fileURLWithPath: leaves))
        // The lowest byte of its last sum: one that samples could have.
        data[data.count - 8] ^= 1
        let changed = "\(home)/changed"
        try data.write(to: URL(fileURLWithPath: changed))
        let all = ["verify", receipt, "--spot", "1000"]
        let lie = try Demo.run(all + ["--leaves", changed])
        #expect(lie.code == 1)
        #expect(lie.said.contains("tile/5: tile/5: other bytes than were settled"), "\(lie.said)")
        #expect(!lie.said.contains("tile/4"), "\(lie.said)")
        #expect(lie.said.contains("leaves: root"), "\(lie.said)")
        let dispute = try Demo.run(["dispute", receipt, changed, "--json"])
        #expect(dispute.code == 1)
        #expect(String(decoding: dispute.out, as: UTF8.self).contains("\"leaf\": \"tile/5\""))

        let inputs = "\(home)/inputs"
        try files.createDirectory(atPath: inputs, withIntermediateDirectories: true)
        let scene = "\(inputs)/demo.glb"
        try Data("glTF".utf8).write(to: URL(fileURLWithPath: scene))
        let other = try Demo.run(all + ["--inputs", inputs])
        #expect(other.code == 1 && other.said.contains("demo.glb"), "\(other.said)")
        try files.removeItem(atPath: scene)
        try files.copyItem(atPath: "Examples/scene/demo.glb", toPath: scene)
        #expect(try Demo.run(all + ["--inputs", inputs]).code == 0)
        let none = try Demo.run(all + ["--pool", "\(home)/none"])
        #expect(none.code == 1 && none.said.contains("no such folder"), "\(none.said)")
        #expect(try Demo.run(["verify", receipt, "--seed", "3"]).code == 64)
    }

    private func spot(_ document: Data) throws -> [String: Any] {
        let fields = try #require(
            try JSONSerialization.jsonObject(with: document) as? [String: Any])
        return try #require(fields["spot"] as? [String: Any])
    }

    private func names(_ spot: [String: Any]) throws -> [String] {
        try #require(spot["checks"] as? [[String: Any]]).compactMap { $0["name"] as? String }
    }
}
