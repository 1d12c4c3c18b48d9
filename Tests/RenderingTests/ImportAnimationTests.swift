import Core
import Foundation
import Rendering
import Testing

/// Nodes, cameras, lights and weights at a time.
@Suite struct ImportAnimationTests {
    private static let half = 0.5.squareRoot()

    /// The fixture with one animation of node 0.
    static func animated(
        _ path: String, times: [Float], values: [Float], type: String = "VEC3",
        interpolation: String = "LINEAR"
    ) -> GLTFFixture {
        var fixture = GLTFFixture()
        fixture.animate(path, times: times, values: values, type, interpolation)
        return fixture
    }

    private func position(_ fixture: GLTFFixture, _ seconds: Double?) throws -> SIMD3<Float> {
        try fixture.scene(options: ImportOptions(seconds: seconds)).positions[0]
    }

    @Test func withoutATimeNodesRest() throws {
        let fixture = Self.animated("translation", times: [0, 1], values: [5, 0, 0, 7, 0, 0])
        #expect(try position(fixture, nil) == .zero)
        #expect(try position(fixture, 0) == [5, 0, 0])
    }

    @Test func linearStepAndTheEnds() throws {
        var fixture = Self.animated(
            "translation", times: [1, 2, 4], values: [0, 0, 0, 8, 0, 0, 8, 4, 0])
        for (time, expected) in [
            (0.0, SIMD3<Float>(0, 0, 0)), (1, [0, 0, 0]), (1.25, [2, 0, 0]), (2, [8, 0, 0]),
            (3, [8, 2, 0]), (4, [8, 4, 0]), (99, [8, 4, 0]), (-5, [0, 0, 0]),
        ] {
            #expect(try position(fixture, time) == expected, "\(time)")
        }
        fixture.set("animations/0/samplers/0/interpolation", "STEP")
        #expect(try position(fixture, 1.99) == .zero)
        #expect(try position(fixture, 2) == [8, 0, 0])
        // A key on top of another is a jump.
        let jump = Self.animated(
            "translation", times: [0, 1, 1, 2], values: [0, 0, 0, 1, 0, 0, 5, 0, 0, 6, 0, 0])
        #expect(try position(jump, 0.5) == [0.5, 0, 0])
        #expect(try position(jump, 1) == [5, 0, 0])
        #expect(try position(jump, 1.5) == [5.5, 0, 0])
    }

    @Test func cubicSplinesAreHermites() throws {
        // From 0 with slope 3 to 1 with slope -2 over two seconds.
        let fixture = Self.animated(
            "translation", times: [0, 2],
            values: [9, 9, 9, 0, 0, 0, 3, 0, 0, -2, 0, 0, 1, 0, 0, 9, 9, 9],
            interpolation: "CUBICSPLINE")
        for t in [0.0, 0.25, 0.5, 0.75, 1] {
            let (t2, t3) = (t * t, t * t * t)
            let expected = (t3 - 2 * t2 + t) * 2 * 3 + (3 * t2 - 2 * t3) + (t3 - t2) * 2 * -2
            let x = try position(fixture, 2 * t).x
            #expect((Double(x) - expected).magnitude < 1e-6, "\(t)")
        }
    }

    /// Against sine and cosine of the platform's library, which the importer does without.
    @Test func rotationsTakeTheShorterArcAtEvenSpeed() throws {
        let angle = 2.0
        let end = [0, 0, Float(sin(angle / 2)), Float(cos(angle / 2))]
        for sign in [Float(1), -1] {
            let fixture = Self.animated(
                "rotation", times: [0, 1], values: [0, 0, 0, 1] + end.map { sign * $0 },
                type: "VEC4")
            for step in 0...10 {
                let t = Double(step) / 10
                let scene = try fixture.scene(options: ImportOptions(seconds: t))
                let x = SIMD3<Double>(scene.positions[1])
                #expect((x.x - cos(angle * t)).magnitude < 3e-7, "\(t)")
                #expect((x.y - sin(angle * t)).magnitude < 3e-7, "\(t)")
            }
        }
    }

    @Test func rotationsMayBeSmallIntegersAndCubic() throws {
        var fixture = Self.animated(
            "rotation", times: [0, 1], values: [0, 0, 0, 1, 0, 0, 0, 1], type: "VEC4")
        let shorts = fixture.add(
            bytes: [0, 0, 0, 127, 0, 0, 127, 0], "VEC4", component: 5120, count: 2,
            normalized: true)
        fixture.set("animations/0/samplers/0/output", shorts)
        let half = try fixture.scene(options: ImportOptions(seconds: 0.5)).positions[1]
        #expect((half - SIMD3(0, 1, 0)).max().magnitude < 1e-6)
        // A spline through zero keeps the key's rotation.
        let zero = Self.animated(
            "rotation", times: [0, 2],
            values: [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0],
            type: "VEC4", interpolation: "CUBICSPLINE")
        let middle = try zero.scene(options: ImportOptions(seconds: 1)).positions[1]
        #expect(middle == [1, 0, 0])
    }

    @Test func camerasAndLightsFollow() throws {
        var fixture = Self.animated("translation", times: [0, 1], values: [0, 0, 0, 0, 6, 0])
        fixture.set("cameras", [["type": "perspective", "perspective": ["yfov": 1]]])
        fixture.set("extensions", ["KHR_lights_punctual": ["lights": [["type": "point"]]]])
        fixture.set("nodes/0/children", [1])
        fixture.set(
            "nodes/1",
            ["camera": 0, "extensions": ["KHR_lights_punctual": ["light": 0]]] as [String: Any])
        let scene = try fixture.scene(options: ImportOptions(seconds: 0.5))
        #expect(scene.cameras[0].position == [0, 3, 0])
        #expect(scene.lights[0].position == [0, 3, 0])
    }

    @Test func animationsAreChosen() throws {
        var fixture = Self.animated("translation", times: [0], values: [1, 0, 0])
        fixture.animate("translation", times: [0], values: [2, 0, 0], "VEC3", "LINEAR")
        fixture.animate("scale", times: [0], values: [3, 3, 3], "VEC3", "LINEAR")
        fixture.set("animations/1/name", "Walk")
        func scene(_ choice: String) throws -> Scene {
            try fixture.scene(
                options: ImportOptions(seconds: 0, animation: AnimationChoice(argument: choice)))
        }
        let all = try scene("all")
        #expect(all.positions[0] == [1, 0, 0] && all.positions[1] == [4, 0, 0])
        #expect(
            all.warnings == [
                "animation 1 \"Walk\" moves what an earlier animation moves and is left out: "
                    + "choose one with --animation"
            ])
        let walk = try scene("Walk")
        #expect(walk.positions[0] == [2, 0, 0] && walk.positions[1] == [3, 0, 0])
        #expect(walk.warnings.isEmpty)
        #expect(try scene("2").positions[1] == [3, 0, 0])
        for choice in ["Run", "3"] {
            let failure = #expect(throws: Failure.self) { _ = try scene(choice) }
            #expect(
                failure?.message
                    == "s.gltf: animation \"\(choice)\": the file has 0 \"\", 1 \"Walk\", 2 \"\"")
        }
    }

    @Test func channelsWithoutANodeAreLeftOut() throws {
        var fixture = Self.animated("translation", times: [0], values: [1, 0, 0])
        fixture.set("animations/0/channels/0/target/node", nil)
        let scene = try fixture.scene(options: ImportOptions(seconds: 0))
        #expect(scene.positions[0] == .zero)
        #expect(scene.warnings.count == 1)
        let still = try GLTFFixture().scene(options: ImportOptions(seconds: 3))
        #expect(still.warnings == ["the file has no animations: it looks the same at every time"])
    }

    static let breaks: [(path: String, value: any Sendable, message: String)] = [
        ("animations/0/channels/0/target/node", 9, ".channels[0].target.node 9: 0 to 0 expected"),
        ("animations/0/channels/0/sampler", 1, ".channels[0]: sampler 1: 0 to 0 expected"),
        (
            "animations/0/samplers/0/interpolation", "BEZIER",
            ".channels[0]: interpolation: STEP, LINEAR or CUBICSPLINE expected, \"BEZIER\" there"
        ),
        (
            "animations/0/samplers/0/input", 5,
            ".channels[0]: input: accessor 5: SCALAR float expected, VEC3 float there"
        ),
        (
            "animations/0/samplers/0/output", 0,
            ".channels[0]: output: accessor 0: 2 elements expected, 3 there"
        ),
        (
            "animations/0/samplers/0/output", 4,
            ".channels[0]: output: accessor 4: VEC3 float expected, SCALAR float there"
        ),
        (
            "animations/0/channels/0/target/path", "rotation",
            ".channels[0]: output: accessor 5: VEC4 float expected, VEC3 float there"
        ),
        (
            "accessors/4/count", 0,
            ".channels[0]: input: accessors[4].count: 1 to 67108864 expected, 0 there"
        ),
    ]

    @Test(arguments: breaks.indices)
    func oneValueWrong(index: Int) throws {
        let (path, value, expected) = Self.breaks[index]
        var fixture = Self.animated("translation", times: [0, 1], values: [0, 0, 0, 1, 0, 0])
        fixture.set(path, value)
        let message = try fixture.message(options: ImportOptions(seconds: 0))
        #expect(message == "s.gltf: animations[0]" + expected)
    }

    @Test(arguments: [[0, 2, 1], [0, .nan, 1], [0, 1, .infinity], [-1, 0, 1]] as [[Float]])
    func timesThatDoNotGrowAreRefused(_ times: [Float]) throws {
        let fixture = Self.animated(
            "translation", times: times, values: [Float](repeating: 0, count: 9))
        let message = try fixture.message(options: ImportOptions(seconds: 0))
        #expect(message.contains("times from 0 on that do not fall expected, key "))
        // Nobody looks at them where nothing plays.
        #expect(try fixture.scene().triangles.count == 1)
    }

    @Test func otherThingsThatCannotPlay() throws {
        var matrix = Self.animated("translation", times: [0], values: [0, 0, 0])
        matrix.set("nodes/0/matrix", [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])
        #expect(
            try matrix.message(options: ImportOptions(seconds: 0)).hasSuffix(
                "nodes[0].matrix: none expected where an animation moves the node"))
        var twice = Self.animated("translation", times: [0], values: [0, 0, 0])
        let channel: [String: Any] = [
            "sampler": 0, "target": ["node": 0, "path": "translation"] as [String: Any],
        ]
        twice.set("animations/0/channels", [channel, channel])
        #expect(
            try twice.message(options: ImportOptions(seconds: 0)).hasSuffix(
                "animations[0].channels[1]: nodes[0].translation is moved twice"))
        let zero = Self.animated("rotation", times: [0], values: [0, 0, 0, 0], type: "VEC4")
        #expect(
            try zero.message(options: ImportOptions(seconds: 0)).hasSuffix(
                "animations[0].channels[0]: rotation: a unit quaternion expected"))
        let nan = Self.animated("scale", times: [0], values: [1, .nan, 1])
        #expect(
            try nan.message(options: ImportOptions(seconds: 0)).hasSuffix(
                "output: accessor 5: finite numbers expected"))
        var limits = ImportLimits()
        limits.animationValuesMax = 2
        #expect(
            try nan.message(limits: limits, options: ImportOptions(seconds: 0)).contains(
                "more than 2 numbers of animations"))
        #expect(
            try GLTFFixture().message(options: ImportOptions(seconds: .nan))
                == "s.gltf: time: finite seconds expected")
    }
}

extension GLTFFixture {
    /// Appends an animation of one channel, for node 0.
    mutating func animate(
        _ path: String, times: [Float], values: [Float], _ type: String, _ interpolation: String
    ) {
        let input = add(times, "SCALAR")
        let output = add(values, type)
        append(
            "animations",
            [
                "channels": [
                    ["sampler": 0, "target": ["node": 0, "path": path] as [String: Any]]
                ],
                "samplers": [
                    ["input": input, "output": output, "interpolation": interpolation]
                        as [String: Any]
                ],
            ])
    }
}
