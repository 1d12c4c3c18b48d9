import Core
import Files
import Foundation
import HostProtocol
import Rendering

/// The file beside a picture that keeps what is done of it.
struct FrameKeeper {
    let path: String
    let origin: KeptFrame.Origin

    /// - Parameter picture: the path of the picture.
    init(picture: String, blob: RenderBlob, noise: NoiseTarget?) throws(Failure) {
        path = Self.path(picture: picture)
        origin = KeptFrame.Origin(
            program: try Executable.current(), blob: blob, noise: noise)
    }

    static func path(picture: String) -> String { picture + ".rigor" }

    /// The most that a kept frame can take: sums and headers of the largest frame.
    private static let byteCountMax = RenderParameters.pixelsMax * 64

    /// What was kept.
    func load(samples: Int) throws(Failure) -> PartialFrame {
        guard FileManager.default.fileExists(atPath: path) else {
            throw Failure(.missing, "\(path): no such file: there is no render to go on with")
        }
        let bytes = try FileBytes.read(path, byteCountMax: Self.byteCountMax)
        let frame: PartialFrame
        do { frame = try KeptFrame(bytes, expecting: origin).frame } catch { throw error.at(path) }
        let most = frame.tiles.map(\.sampleCount).max() ?? 0
        guard most <= samples else {
            throw Failure(
                .refused,
                "\(path): has \(most) samples a pixel already: --spp \(most) or more expected")
        }
        return frame
    }

    func save(_ frame: PartialFrame) throws(Failure) {
        try FileBytes.replace(path, with: KeptFrame(frame, origin: origin).pieces, isFlushed: true)
    }

    /// Removes what the whole picture has made useless.
    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
