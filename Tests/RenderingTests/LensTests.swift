import Compute
import Core
import Foundation
import Imaging
import Rendering
import RigorTestKit
import Testing

/// Depth of field.
@Suite struct LensTests {
    /// A lit half-plane, x > 0, four metres away.
    private static var edge: Scene {
        var maker = SceneMaker()
        let lamp = maker.material([0, 0, 0], emissive: [1, 1, 1])
        maker.quad([0, -50, -4], [50, -50, -4], [50, 50, -4], [0, 50, -4], lamp)
        maker.camera(at: .zero, halfHeight: 0.25)
        return maker.scene
    }

    private static func parameters(_ lens: Lens?) -> RenderParameters {
        RenderParameters(width: 32, height: 32, samples: 64, bounces: 0, lens: lens)
    }

    /// Mean light of each column.
    private func columns(_ lens: Lens?) throws -> [Double]? {
        guard let device = try TestDevices.any?.open() else { return nil }
        let tiles = try renderTiles(Self.edge, Self.parameters(lens), on: device)
        let picture = try Picture(tiles, width: 32, height: 32)
        return (0..<32).map { x in
            (0..<32).reduce(0) { $0 + Double(picture.image.pixels[$1 * 32 + x].x) } / 32
        }
    }

    /// The part of a disc of confusion that an edge leaves: a disc's area beyond a chord.
    private static func beyond(_ t: Double) -> Double {
        if t >= 1 { return 1 }
        if t <= -1 { return 0 }
        return 0.5 + (asin(t) + t * (1 - t * t).squareRoot()) / .pi
    }

    @Test func blurIsADisc() throws {
        let radius = 0.25
        for focus in [2.0, 4, 8] {
            guard let columns = try columns(Lens(.metres(2 * radius), focusDistance: focus)) else {
                return
            }
            let confusion = radius * abs(4 - focus) / focus
            for x in 0..<32 {
                // Averaged over the pixel's width.
                let expected =
                    (0..<100).reduce(0.0) {
                        let place = (Double(x) + (Double($1) + 0.5) / 100 - 16) / 16 * 0.25 * 4
                        let t = confusion == 0 ? (place > 0 ? 1 : -1) : place / confusion
                        return $0 + Self.beyond(t)
                    } / 100
                #expect(abs(columns[x] - expected) < 0.02, "focus \(focus), column \(x)")
            }
        }
    }

    /// Film 36 mm wide, seen at tan 0.25: the focal length is 72 mm.
    @Test func fStops() throws {
        let stop = try columns(Lens(.fStop(0.2), focusDistance: 2))
        let metres = try columns(Lens(.metres(0.36), focusDistance: 2))
        #expect(stop == metres)
    }

    @Test func aPinholeIsAPinhole() throws {
        let closed = RenderParameters(lens: Lens(.metres(0), focusDistance: 3))
        #expect(
            try RenderBlob(SceneMaker.room, closed).bytes.prefix(120)
                == RenderBlob(SceneMaker.room, RenderParameters()).bytes.prefix(120))
        #expect(try columns(Lens(.metres(0), focusDistance: 3)) == columns(nil))
    }

    @Test func sameBitsNarrow() throws {
        guard let device = try TestDevices.any?.open() else { return }
        let parameters = RenderParameters(
            width: 48, height: 40, samples: 2, bounces: 2,
            lens: Lens(.metres(0.3), focusDistance: 3))
        let wide = try renderTiles(SceneMaker.room, parameters, on: device)
        let narrow = try renderTiles(
            SceneMaker.room, parameters, on: device, tuning: .init(isNarrow: true))
        #expect(root(wide) == root(narrow))
    }

    @Test func refusals() throws {
        var scene = Self.edge
        scene.cameras[0].isOrthographic = true
        let lens = Lens(.metres(0.1), focusDistance: 1)
        let failure = #expect(throws: Failure.self) {
            _ = try RenderBlob(scene, Self.parameters(lens))
        }
        #expect(failure?.message.contains("orthographic") == true)
        for wrong in [
            Lens(.metres(-1), focusDistance: 1), Lens(.metres(0.1), focusDistance: 0),
            Lens(.fStop(0), focusDistance: 1), Lens(.metres(.nan), focusDistance: 1),
        ] {
            #expect(throws: Failure.self) { try Self.parameters(wrong).check() }
        }
    }
}
