import Core
import Files
import Foundation
import HostProtocol
import Rendering

/// The files beside a picture or a part that keep what is done of it: `shop.png.rigor`, and where
/// that is somebody else's, `shop.png.rigor.1` and so on. None of them is ever written over by a
/// render that did not begin it or go on with it.
struct FrameKeeper {
    /// The file that it is kept beside.
    private let output: String
    private let origin: KeptFrame.Origin

    /// - Parameters:
    ///   - output: the path of the picture or part.
    ///   - piece: what of the frame is rendered; nil for all.
    init(
        beside output: String, blob: RenderBlob, noise: NoiseTarget?, piece: RenderPiece?
    ) throws(Failure) {
        self.output = output
        origin = KeptFrame.Origin(
            program: try Executable.current(), blob: blob, noise: noise, piece: piece)
    }

    private static func path(beside output: String, _ number: Int) -> String {
        output + ".rigor" + (number == 0 ? "" : ".\(number)")
    }

    /// What is kept beside `output`, by whatever render.
    static func files(beside output: String) -> [String] {
        let place = URL(fileURLWithPath: path(beside: output, 0))
        let folder = place.deletingLastPathComponent().path
        let prefix = place.lastPathComponent
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let numbers = names.compactMap { name -> Int? in
            guard name.hasPrefix(prefix) else { return nil }
            let rest = name.dropFirst(prefix.count)
            if rest.isEmpty { return 0 }
            guard rest.first == ".", let number = Int(rest.dropFirst()), number > 0,
                rest == ".\(number)"
            else { return nil }
            return number
        }
        return numbers.sorted().map { path(beside: output, $0) }
    }

    /// Where a render that begins is kept: a name that nothing is kept under.
    static func freePath(beside output: String) -> String {
        let taken = Set(files(beside: output))
        let number = (0...taken.count).first { !taken.contains(path(beside: output, $0)) }
        return path(beside: output, number ?? taken.count)
    }

    /// The most that a kept frame can take: sums and headers of the largest frame.
    private static let byteCountMax = RenderParameters.pixelsMax * 64

    /// What this render has kept in `file`.
    ///
    /// - Throws: ``Failure`` where it is another's, or has more than `samples` samples a pixel.
    func load(_ file: String, samples: Int) throws(Failure) -> PartialFrame {
        let bytes = try FileBytes.read(file, byteCountMax: Self.byteCountMax)
        let frame: PartialFrame
        do { frame = try KeptFrame(bytes, expecting: origin).frame } catch { throw error.at(file) }
        let most = frame.tiles.map(\.sampleCount).max() ?? 0
        guard most <= samples else {
            throw Failure(
                .refused,
                "\(file): has \(most) samples a pixel already: \(most) or more expected")
        }
        return frame
    }

    /// What this render has kept in whichever file is the furthest.
    ///
    /// - Throws: ``Failure`` of the first file, where it has kept nothing.
    func loadFurthest(samples: Int) throws(Failure) -> Found {
        var found: Found?
        var reason: Failure?
        for file in Self.files(beside: output) {
            let identity = FileBytes.Identity(of: file)
            do throws(Failure) {
                let frame = try load(file, samples: samples)
                if found.map({ $0.frame.sampleCount < frame.sampleCount }) ?? true {
                    found = Found(path: file, identity: identity, frame: frame)
                }
            } catch {
                reason = reason ?? error
            }
        }
        if let found { return found }
        throw reason ?? Failure(.missing, "\(output).rigor: no such file")
    }

    /// What was kept, where, and as which file.
    struct Found {
        let path: String
        let identity: FileBytes.Identity?
        let frame: PartialFrame
    }

    /// Keeps a frame in place of what this render has kept at `path`, `former`: nil for nothing.
    ///
    /// - Returns: the new file; nil where somebody else's is there by now, which stays.
    func save(
        _ frame: PartialFrame, to path: String, inPlaceOf former: FileBytes.Identity?
    ) throws(Failure) -> FileBytes.Identity? {
        try FileBytes.exchange(path, former, with: KeptFrame(frame, origin: origin).pieces)
    }
}
