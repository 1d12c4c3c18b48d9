public import Compute
public import Core
internal import Files
internal import Foundation

/// A model with inputs and the outputs that it must give, in the folders of onnx's back-end suite:
///
///     model.onnx
///     tolerance.json                          {"rtol": 0.001, "atol": 1e-07}, where it has its own
///     test_data_set_0/input_0.pb, output_0.pb, …
public struct ConformanceCase: Hashable, Sendable {
    /// Where it lies below the folder that was searched.
    public let name: String
    private let folder: String
    private let dataSets: [String]

    private static let fileBytesMax = 1 << 31 - 1

    /// All cases in a folder and below it, sorted by name.
    ///
    /// - Throws: ``Failure`` when there is none.
    public static func all(below folder: String) throws(Failure) -> [ConformanceCase] {
        let files = FileManager.default
        let paths = files.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        var cases: [ConformanceCase] = []
        for path in paths where (path as NSString).lastPathComponent == "model.onnx" {
            let below = (path as NSString).deletingLastPathComponent
            let folder = below.isEmpty ? folder : "\(folder)/\(below)"
            let entries = (try? files.contentsOfDirectory(atPath: folder)) ?? []
            let sets = inOrder(entries, "test_data_set_", "")
            guard !sets.isEmpty else { continue }
            let own = URL(fileURLWithPath: folder).standardizedFileURL.lastPathComponent
            cases.append(.init(name: below.isEmpty ? own : below, folder: folder, dataSets: sets))
        }
        guard !cases.isEmpty else {
            throw Failure(
                .io,
                "\(folder): no case in it; folders with model.onnx and test_data_set_0 expected")
        }
        return cases.sorted { $0.name < $1.name }
    }

    /// Entries named `prefix`, a number, `suffix`, by their numbers.
    private static func inOrder(_ entries: [String], _ prefix: String, _ suffix: String) -> [String]
    {
        let numbered = entries.compactMap { entry -> (Int, String)? in
            guard entry.hasPrefix(prefix), entry.hasSuffix(suffix) else { return nil }
            let number = entry.dropFirst(prefix.count).dropLast(suffix.count)
            return Int(number).map { ($0, entry) }
        }
        return numbered.sorted { $0.0 < $1.0 }.map(\.1)
    }

    // MARK: Running

    /// How a case ended.
    public enum Verdict: Hashable, Sendable {
        case passed
        /// As passed, but for values of which every implementation draws others.
        case drawn
        /// What this version does not compute, by name.
        case refused(String)
        case failed(String)
        /// The case itself is not whole: what it holds cannot be read.
        case broken(String)
        /// As failed; what comes after it would only say that there is no device any more.
        case deviceFailed(Failure)

        /// `passed`, `refused`, `failed` or `broken`.
        public var name: String {
            switch self {
            case .passed, .drawn: "passed"
            case .refused: "refused"
            case .failed, .deviceFailed: "failed"
            case .broken: "broken"
            }
        }

        /// Why it did not pass, or what was not compared.
        public var reason: String? {
            switch self {
            case .passed: nil
            case .drawn: "random numbers, of which types and shapes were compared"
            case .refused(let reason), .failed(let reason), .broken(let reason): reason
            case .deviceFailed(let failure): failure.message
            }
        }
    }

    /// Loads the model, runs it on each set of inputs, and compares.
    public func verdict(on device: any ComputeDevice) -> Verdict {
        do throws(Failure) {
            let (difference, isDrawn) = try difference(on: device)
            return difference.map(Verdict.failed) ?? (isDrawn ? .drawn : .passed)
        } catch {
            switch error.code {
            case .unsupported, .limit, .memory: return .refused(error.message)
            case .device, .timeout: return .deviceFailed(error)
            case .brokenCase: return .broken(error.message)
            default: return .failed(error.message)
            }
        }
    }

    private func difference(
        on device: any ComputeDevice
    ) throws(Failure) -> (difference: String?, isDrawn: Bool) {
        let (model, ports) = try Self.whole { () throws(Failure) in
            let data = try FileBytes.read(
                "\(folder)/model.onnx", byteCountMax: ModelLoader.byteCountMax,
                named: "model.onnx")
            return (try ModelLoader.load(data), try GraphPorts(data))
        }
        var comparison = try tolerance()
        var isDrawn = false
        for set in dataSets {
            let inputs = try values("input", for: ports.inputs, in: set)
            let session = ModelSession(model, on: device)
            let outputs = try session.run(inputs)
            isDrawn = isDrawn || session.hasDrawn
            comparison.isDrawn = session.hasDrawn
            comparison.drawsZeros = model.draws && model.nodes.allSatisfy(\.drawsZeros)
            let expected: [ModelValue]
            do throws(Failure) {
                expected = try values("output", for: ports.outputs, in: set)
            } catch {
                // The model ran: nothing may pass as refused because it cannot be compared.
                throw error.code == .brokenCase ? error : Failure(.malformed, error.message)
            }
            let difference = comparison.difference(
                of: outputs, from: expected, names: ports.outputs.map(\.name))
            if let difference {
                return (dataSets.count == 1 ? difference : "\(set): \(difference)", isDrawn)
            }
        }
        return (nil, isDrawn)
    }

    private func values(
        _ name: String, for ports: [GraphPorts.Port], in set: String
    ) throws(Failure) -> [ModelValue] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(set)"))
        let files = Self.inOrder(entries ?? [], "\(name)_", ".pb")
        guard files.count == ports.count else {
            throw Failure(
                .brokenCase,
                "\(set): \(files.count) files \(name)_N.pb; \(ports.count) expected by the model")
        }
        var values: [ModelValue] = []
        for (file, port) in zip(files, ports) {
            let place = "\(set)/\(file)"
            values.append(
                try Self.whole { () throws(Failure) in
                    let data = try FileBytes.read(
                        "\(folder)/\(place)", byteCountMax: Self.fileBytesMax, named: place)
                    return try ModelLoader.value(data, for: port, place)
                })
        }
        return values
    }

    /// What a file of the case holds; a case whose files cannot be read is broken.
    private static func whole<T>(_ read: () throws(Failure) -> T) throws(Failure) -> T {
        do throws(Failure) { return try read() } catch {
            let isBroken = error.code == .malformed || error.code == .io
            throw isBroken ? Failure(.brokenCase, error.message) : error
        }
    }

    private func tolerance() throws(Failure) -> Comparison {
        struct File: Decodable {
            var rtol: Double
            var atol: Double
        }
        var comparison = Comparison()
        let path = "\(folder)/tolerance.json"
        guard FileManager.default.fileExists(atPath: path) else { return comparison }
        let data = try FileBytes.read(path, byteCountMax: 1 << 10, named: "tolerance.json")
        guard let file = try? JSONDecoder().decode(File.self, from: data), file.rtol >= 0,
            file.atol >= 0
        else {
            throw Failure(.brokenCase, "tolerance.json: numbers rtol and atol, from 0, expected")
        }
        comparison.relative = file.rtol
        comparison.absolute = file.atol
        return comparison
    }
}

extension Failure.Code {
    /// Files of a case that cannot be read.
    fileprivate static let brokenCase = Failure.Code(rawValue: "broken_case")
}
