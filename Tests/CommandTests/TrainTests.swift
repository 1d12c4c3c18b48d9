import Foundation
import Testing

/// Training that is interrupted, and gone on with.
@Suite struct TrainTests {
    private static let training = [
        "train", "--example", "digits", "--epochs", "3", "--batch", "64", "--json",
    ]

    private func hasDevice(_ run: CommandLineRun) throws -> Bool {
        let probe = try run.run(
            ["train", "--preset", "mlp", "--epochs", "1", "--json", "--data"]
                + [try CommandLineRun.example("digits/digits.npz")])
        if probe.status != 0 { print("skip: \(probe.line)") }
        return probe.status == 0
    }

    /// Ends by signal at moments of all kinds, and still comes to the bits of an undisturbed run.
    @Test(arguments: [("INT", "0.2"), ("KILL", "0"), ("KILL", "0.05")])
    func anyEndCanBeGoneOnFrom(signal: String, seconds: String) throws {
        let run = try CommandLineRun()
        guard try hasDevice(run) else { return }
        let undisturbed = try run.run(Self.training).document()
        let line = """
            # With job control, what runs in the background is not made deaf to ctrl-C.
            set -m; "$RIGOR" "$@" & pid=$!
            sleep "$PAUSE"; kill -$SIGNAL $pid; wait $pid
            """
        let more = [
            "--checkpoint", run.path("digits.ckpt"), "--checkpoint-seconds", seconds, "--resume",
        ]
        var ends = 0
        for attempt in 0..<40 {
            let result = try run.shell(
                line, Self.training + more,
                environment: ["SIGNAL": signal, "PAUSE": "\(0.4 + 0.1 * Double(attempt))"])
            if result.status == 0 {
                let document = try result.document()
                #expect(document["digest"] as? String == undisturbed["digest"] as? String)
                #expect(ends > 0)
                print("whole after \(ends) ends by \(signal)")
                return
            }
            ends += 1
            // Kept, or ended by the signal itself.
            let own = 128 + (signal == "KILL" ? 9 : 2)
            #expect(result.status == 75 || result.status == Int32(own), "\(result.errors)")
        }
        Issue.record("never came to its end")
    }

    @Test func refusals() throws {
        let run = try CommandLineRun()
        guard try hasDevice(run) else { return }
        let file = run.path("digits.ckpt")
        func fails(_ more: [String], _ status: Int32, _ piece: String) throws {
            let result = try run.run(Self.training + more)
            #expect(result.status == status && result.errors.contains(piece), "\(result.errors)")
        }
        try run.write("digits.ckpt", Array("something else".utf8))
        try fails(["--checkpoint", file], 1, "is there already: --resume goes on from it")
        try fails(["--checkpoint", file, "--resume"], 1, "no checkpoint of training")
        try run.write("digits.ckpt", Array("RIGORCK1 and more".utf8))
        try fails(["--checkpoint", file, "--resume"], 1, "a damaged checkpoint")
        try fails(["--resume"], 64, "--resume goes on from --checkpoint")
        try fails(["--preset", "mlp"], 64, "one of a model, --preset and --example expected")
        try fails(["--rate", "fast"], 64, "a number from 0 to 1000 expected")
    }

    /// The trained model, run by `rigor infer`.
    @Test func trainedModelsRun() throws {
        let run = try CommandLineRun()
        guard try hasDevice(run) else { return }
        let model = run.path("trained.onnx")
        let trained = try run.run(Self.training + ["-o", model])
        #expect(trained.status == 0, "\(trained.errors)")
        #expect(try trained.document()["tested"] as? Int == 359)
        let accuracy = try #require(try trained.document()["accuracy"] as? Double)
        #expect(accuracy > 0.9)
        let picture = try CommandLineRun.example("digits/digit-7.png")
        let answer = try run.run([
            "infer", model, "--input", "image=\(picture)", "--top", "1", "--json",
        ])
        #expect(answer.status == 0, "\(answer.errors)")
    }
}
