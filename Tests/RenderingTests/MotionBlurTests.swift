import Compute
import Core
import Imaging
import Rendering
import RigorTestKit
import Testing

/// A shutter that stays open: what moves is where it was at each step, for its share of the time.
@Suite struct MotionBlurTests {
    /// At 1 s, ten frames a second, half a frame long.
    private func moment(_ shutter: Shutter?) -> SceneMoment {
        SceneMoment(clock: FrameClock(start: "1", fps: "10"), shutter: shutter)
    }

    /// A shining square of 0.5 that passes x = 0 at 1 s, by 20 units a second.
    private func passing(_ options: ImportOptions, speed: Float = 20) -> Scene {
        var maker = SceneMaker()
        let lamp = maker.material([0, 0, 0], emissive: .one)
        let x = Float((options.seconds ?? 1) - 1) * speed
        maker.quad(
            [x - 0.25, -2, 0], [x + 0.25, -2, 0], [x + 0.25, 2, 0], [x - 0.25, 2, 0], lamp)
        maker.camera(at: [0, 0, 3], halfHeight: 1)
        maker.scene.cameras[0].isOrthographic = true
        return maker.scene
    }

    private func blob(
        _ parameters: RenderParameters, _ shutter: Shutter?,
        _ scene: (ImportOptions) -> Scene
    ) throws -> RenderBlob {
        let moment = moment(shutter)
        return try moment.blob(of: scene(moment.options(frame: 0)), parameters, frame: 0) {
            options throws(Failure) in scene(options)
        }
    }

    private func render(
        _ blob: RenderBlob, samples: Range<Int>, on device: any ComputeDevice
    ) throws -> [TileSums] {
        let run = try RenderRun(blob, on: device, clock: MonotonicClock())
        let grid = RenderParameters(width: blob.width, height: blob.height)
        var tiles: [TileSums] = []
        try run.render(
            tiles: 0..<grid.tileCount, samples: samples,
            advance: { (_: Double) throws(Failure) in },
            finish: { (tile: TileSums) throws(Failure) in tiles.append(tile) })
        return tiles
    }

    private let parameters = RenderParameters(width: 64, height: 64, samples: 64, bounces: 0)
    private let half = Shutter(fraction: "0.5", steps: 8)

    /// The square crosses one unit while the shutter is open: a pixel is covered for as long as the
    /// square takes over it, half the time in the middle, falling to none at three quarters.
    @Test func coverageIsTheTimeThatTheSquareTakes() throws {
        guard let device = try TestDevices.any?.open() else { return }
        let blob = try blob(parameters, half) { passing($0) }
        let tiles = try render(blob, samples: 0..<64, on: device)
        let pixels = try Picture(tiles, width: 64, height: 64).image.pixels
        var columns = [Double](repeating: 0, count: 64)
        for y in 16..<48 {
            for x in 0..<64 { columns[x] += Double(pixels[y * 64 + x].x) / 32 }
        }
        var sum = 0.0
        for x in 0..<64 {
            let place = ((Double(x) + 0.5) / 32 - 1).magnitude
            let covered = min(max(0.75 - place, 0), 0.5)
            #expect(
                (columns[x] - covered).magnitude < 0.08, "column \(x): \(columns[x]), \(covered)")
            sum += columns[x] / 32
        }
        // Nothing shines more or less for its moving.
        #expect((sum - 0.5).magnitude < 0.01, "\(sum)")
    }

    /// Steps are in the samples' numbers, so that parts of samples add up, wherever they are cut.
    @Test(arguments: [1, 8, 23, 63]) func partsAddUp(_ cut: Int) throws {
        guard let device = try TestDevices.any?.open() else { return }
        let blob = try blob(parameters, half) { passing($0) }
        let whole = try render(blob, samples: 0..<64, on: device)
        var parts = try render(blob, samples: 0..<cut, on: device)
        for (place, tile) in try render(blob, samples: cut..<64, on: device).enumerated() {
            try parts[place].add(tile)
        }
        #expect(root(parts) == root(whole))
    }

    /// A scene that stands still has the bits that it has without a shutter, with a camera of its
    /// own and with one that frames it.
    @Test func whatStandsStillStaysSharp() throws {
        guard let device = try TestDevices.any?.open() else { return }
        for camera in [CameraChoice.first, .automatic] {
            var parameters = RenderParameters(width: 20, height: 12, samples: 5, bounces: 2)
            parameters.camera = camera
            let sharp = try blob(parameters, nil) { _ in SceneMaker.room }
            #expect(sharp.bytes == (try RenderBlob(SceneMaker.room, parameters).bytes))
            let open = try blob(parameters, Shutter(fraction: "1", steps: 3)) { _ in
                SceneMaker.room
            }
            #expect(open.stepCount == 3)
            let roots = try [sharp, open].map { root(try render($0, samples: 0..<5, on: device)) }
            #expect(roots[0] == roots[1])
        }
    }

    /// A framed scene's camera does not follow what moves.
    @Test func theFrameStandsStill() throws {
        var framed = parameters
        framed.camera = .automatic
        let blob = try blob(framed, half) { passing($0) }
        let places = blob.steps.map { step in
            (0..<3).map { step.words[BlobLayout.Word.camera + $0] }
        }
        #expect(Set(places).count == 1)
    }

    @Test func everyStepIsTheReferences() throws {
        guard let device = try TestDevices.any?.open() else { return }
        let parameters = RenderParameters(width: 14, height: 10, samples: 6, bounces: 2)
        let blob = try blob(parameters, Shutter(fraction: "1", steps: 4)) { options in
            var scene = SceneMaker.room
            let x = Float((options.seconds ?? 1) - 1)
            scene.cameras[0].position.x += x * 4
            scene.lights[0].position.y -= x * 2
            return scene
        }
        let tile = try render(blob, samples: 0..<6, on: device)[0]
        let reference = ReferenceTracer(blob)
        #expect(tile == reference.tile(0, samples: 0..<6))
        // Each sample has the step that it shall have, none of them another's light.
        #expect((0..<6).map(blob.step(ofSample:)) == [0, 0, 1, 2, 2, 3])
        for step in 0..<4 {
            for sample in 0..<6 where blob.step(ofSample: sample) == step {
                #expect(sample < blob.samplesEnd(ofStep: step))
                #expect(step == 0 || sample >= blob.samplesEnd(ofStep: step - 1))
            }
        }
    }

    /// A sphere of many lamps that loses them on its way: one kind of program for all steps.
    @Test func lightsMayGoOut() throws {
        guard let device = try TestDevices.any?.open() else { return }
        let parameters = RenderParameters(width: 10, height: 8, samples: 4, bounces: 1)
        let blob = try blob(parameters, Shutter(fraction: "1", steps: 2)) { options in
            var scene = SceneMaker.room
            let isEarly = (options.seconds ?? 1) < 1
            for place in 0..<(isEarly ? 100 : 10) {
                var light = Light(kind: .point)
                light.position = [Float(place) * 0.01, 0.5, 0]
                light.intensity = .one * 0.01
                scene.lights.append(light)
            }
            return scene
        }
        let tile = try render(blob, samples: 0..<4, on: device)[0]
        #expect(tile == ReferenceTracer(blob).tile(0, samples: 0..<4))
    }

    // MARK: - Bytes and words

    @Test func stepsGoThroughBytes() throws {
        let blob = try blob(parameters, half) { passing($0) }
        let bytes = blob.bytes
        let read = try RenderBlob(bytes: bytes)
        #expect(read.stepCount == 8)
        #expect(read.bytes == bytes)
        let one = 4 * blob.words.count
        // A step that is cut off, one of another size, and samples that are none.
        #expect(throws: Failure.self) { _ = try RenderBlob(bytes: Bytes(bytes.dropLast(64))) }
        for (word, value) in [
            (one / 4 + BlobLayout.Word.height, 63), (BlobLayout.Word.stepSamples, 7),
            (BlobLayout.Word.stepSamples, 1 << 17), (one / 4 + BlobLayout.Word.wordCount, 3),
        ] as [(Int, UInt32)] {
            var wrong = bytes
            wrong.replaceSubrange(4 * word..<4 * word + 4, with: value.littleEndianBytes)
            #expect(throws: Failure.self, "\(word)") { _ = try RenderBlob(bytes: wrong) }
        }
        let many = Bytes((0..<65).flatMap { _ in bytes.prefix(one) })
        #expect(throws: Failure.self) { _ = try RenderBlob(bytes: many) }
    }

    /// Steps are in memory together: too many are refused before anything is built.
    @Test func refusesWhatDoesNotFit() throws {
        let blob = try blob(parameters, half) { passing($0) }
        let step = 4 * blob.words.count
        func refusal(_ memoryBytes: Int) throws -> String? {
            let device = FakeComputeDevice(
                memoryBytes: memoryBytes, allocationBytesMax: step, kernels: [:])
            do throws(Failure) {
                _ = try RenderRun(blob, on: device, clock: MonotonicClock())
                return nil
            } catch {
                return error.message
            }
        }
        #expect(try refusal(8 * step)?.contains("(the scene \(8 * step) at 8 moments") == true)
        #expect(try refusal(64 * step + (1 << 20))?.contains("needs") != true)
    }

    @Test func aTaskCarriesItsShutter() throws {
        var spec = TaskSpec(
            app: "render", appVersion: "0", parameters: [:], inputs: [:], parts: [.init()])
        spec.parameters = [
            "start": .string("1"), "fps": .string("24"), "shutter": .string("0.5"),
            "shutter_steps": .int(4),
        ]
        let moment = try SceneMoment(spec)
        #expect(moment.shutter == Shutter(fraction: "0.5", steps: 4))
        #expect(moment.clock == FrameClock(start: "1", fps: "24"))
        spec.parameters["shutter_steps"] = nil
        #expect(throws: Failure.self) { _ = try SceneMoment(spec) }
    }

    @Test func refusesWhatCannotBe() throws {
        func failure(
            _ shutter: Shutter, _ clock: FrameClock? = FrameClock(start: "1", fps: "10"),
            _ change: (inout RenderParameters) -> Void = { _ in }
        ) throws -> String {
            var parameters = parameters
            change(&parameters)
            let moment = SceneMoment(clock: clock, shutter: shutter)
            let failure = #expect(throws: Failure.self) {
                _ = try moment.blob(
                    of: passing(ImportOptions()), parameters, frame: 0
                ) { options throws(Failure) in passing(options) }
            }
            return failure?.message ?? ""
        }
        #expect(try failure(Shutter(fraction: "0")).contains("shutter"))
        #expect(try failure(Shutter(fraction: "nan")).contains("shutter"))
        #expect(try failure(Shutter(fraction: "1.5")).contains("shutter"))
        #expect(try failure(Shutter(fraction: "1", steps: 1)).contains("shutter_steps"))
        #expect(try failure(Shutter(fraction: "1", steps: 65)).contains("shutter_steps"))
        #expect(try failure(half, nil).contains("fps"))
        #expect(try failure(half, FrameClock(start: "1")).contains("fps"))
        #expect(try failure(half) { $0.samples = 7 }.contains("samples"))
        #expect(try failure(half) { $0.noise = NoiseTarget(level: 0.1) }.contains("noise"))
    }
}
