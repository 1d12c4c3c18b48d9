import Core
import Foundation
import Rendering

/// What `rigor render` says of a frame.
protocol FrameReport {
    /// Its number, where frames were asked for.
    var frame: Int? { get }
    var digest: Hash256? { get }
    var kept: RenderSitting.Kept? { get }
    var json: JSON { get }
    var lines: [String] { get }
}

extension FrameReport {
    /// What documents of frames have beside their own members.
    func addWork(to members: inout [JSON.Member], noise: NoiseTarget?, samplesMean: Double) {
        if let noise {
            members.append(JSON.Member("noise", .number(noise.level, decimals: 6)))
            members.append(JSON.Member("samples_mean", .number(samplesMean, decimals: 2)))
        }
        if let frame { members.insert(JSON.Member("frame", .int(frame)), at: 0) }
        if let kept {
            members.append(JSON.Member("kept", .string(kept.path)))
            members.append(JSON.Member("done", .number(kept.fraction, decimals: 4)))
        }
    }
}

/// What `rigor render` says at its end.
struct RenderReport: FrameReport {
    let device: String
    let parameters: RenderParameters
    var image: String?
    /// Its number, where frames were asked for.
    var frame: Int?
    var digest: Hash256?
    var triangles = 0
    var nanCount = 0
    /// Samples of all pixels that this sitting traced.
    var samplesTraced = 0
    /// Samples a pixel on average; fewer than wanted where tiles were let be.
    var samplesMean = 0.0
    var kept: RenderSitting.Kept?
    var load = 0.0
    var prepare = 0.0
    var compile = 0.0
    var compute = 0.0
    var digestSeconds = 0.0
    var write = 0.0
    /// Launches and seconds on the device; empty where they were not measured.
    var kernels: [String: (launches: Int, seconds: Double)] = [:]

    init(device: String, parameters: RenderParameters) {
        self.device = device
        self.parameters = parameters
    }

    private var samplesPerSecond: Double {
        Double(samplesTraced) / max(prepare + compute + digestSeconds + write, 1e-9)
    }

    var json: JSON {
        var members = self.members
        addWork(to: &members, noise: parameters.noise, samplesMean: samplesMean)
        if !kernels.isEmpty {
            members.append(JSON.Member("kernel_seconds", KernelTimes.json(kernels)))
        }
        return .object(members)
    }

    private var members: [JSON.Member] {
        let document: JSON = [
            "device": .string(device),
            "digest": .optional(digest, JSON.hash),
            "image": .optional(image, JSON.string),
            "width": .int(parameters.width),
            "height": .int(parameters.height),
            "samples": .int(parameters.samples),
            "bounces": .int(parameters.bounces),
            "seed": .string(String(parameters.seed)),
            "triangles": .int(triangles),
            "nan_samples": .int(nanCount),
            "seconds": [
                "load": .seconds(load), "prepare": .seconds(prepare),
                "compile": .seconds(compile), "compute": .seconds(compute),
                "digest": .seconds(digestSeconds), "write": .seconds(write),
            ],
            "samples_per_second": .number(samplesPerSecond, decimals: 1),
        ]
        guard case .object(let members) = document else { return [] }
        return members
    }

    var lines: [String] {
        func text(_ value: Double) -> String { Units.plain(value, 3) }
        var lines = [
            "device   \(device)",
            "digest   \(digest.map(\.description) ?? "none")",
            """
            seconds  load \(text(load)), prepare \(text(prepare)), compile \(text(compile)), \
            compute \(text(compute)), digest \(text(digestSeconds)), write \(text(write))
            """,
            "rate     \(Units.significant(samplesPerSecond / 1e6)) Msamples/s",
        ]
        lines += KernelTimes.lines(kernels)
        if nanCount > 0 { lines.append("NaN      \(nanCount) samples, counted as black") }
        if parameters.noise != nil {
            let mean = Units.plain(samplesMean, 1)
            lines.append("samples  \(mean) a pixel on average, of \(parameters.samples)")
        }
        if let image { lines.insert("picture  \(image)", at: 0) }
        if let kept { lines.append(kept.line) }
        return lines
    }
}
