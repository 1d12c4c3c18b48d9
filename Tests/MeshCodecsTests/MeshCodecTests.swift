import Core
import Foundation
import MeshCodecs
import Testing

@Suite struct MeshKnownAnswerTests {
    @Test func everyAnswerIsRight() {
        let answers = MeshKnownAnswers.check()
        #expect(answers.count == 11)
        for answer in answers {
            #expect(answer.isRight, "\(answer.name): \(answer.found?.description ?? "refused")")
        }
        #expect(Set(answers.map(\.codec)) == [.draco, .meshopt])
    }

    @Test func theControlIsWrong() {
        #expect(MeshKnownAnswers.check(isControl: true).allSatisfy { !$0.isRight })
    }
}

@Suite struct MeshCodecTests {
    static func known(_ name: String) throws -> MeshKnownAnswers.KnownFile {
        try #require(MeshKnownAnswers.files.first { $0.name == name })
    }

    /// The file is a grid bent around the y axis, whose shape is known without any decoder.
    @Test(arguments: ["draco edgebreaker", "draco sequential"])
    func dracoGivesTheShapeThatWasEncoded(name: String) throws {
        let mesh = try DracoMesh(decoding: try Self.known(name).bytes)
        #expect(mesh.pointCount == 36 && mesh.corners.count == 150)
        guard case .floats(let positions) = try mesh.values(id: 0, components: 3),
            case .floats(let normals) = try mesh.values(id: 1, components: 3),
            case .floats(let coordinates) = try mesh.values(id: 2, components: 2),
            case .integers(let joints) = try mesh.values(id: 3, components: 4),
            case .floats(let plain) = try mesh.values(id: 4, components: 1)
        else {
            Issue.record("other kinds of values")
            return
        }
        for point in 0..<mesh.pointCount {
            let x = (Double(coordinates[2 * point]) * 5).rounded()
            let y = (Double(coordinates[2 * point + 1]) * 5).rounded()
            let expected = [sin(0.4 * x), 0.3 * y, cos(0.4 * x)]
            for lane in 0..<3 {
                #expect((Double(positions[3 * point + lane]) - expected[lane]).magnitude < 1e-3)
                let normal = lane == 1 ? 0 : expected[lane]
                #expect((Double(normals[3 * point + lane]) - normal).magnitude < 0.02)
                #expect(joints[4 * point + lane] == (Int32(x) * 7 + Int32(y) * 3 + Int32(lane)) % 5)
            }
            #expect((Double(plain[point]) - (0.1 * x - y)).magnitude < 1e-6)
        }
    }

    @Test func dracoRefusesWhatIsNotThere() throws {
        let bytes = try Self.known("draco edgebreaker").bytes
        let mesh = try DracoMesh(decoding: bytes)
        func message(_ body: () throws -> Void) -> String? {
            #expect(throws: Failure.self) { try body() }?.message
        }
        #expect(
            message { _ = try mesh.values(id: 9, components: 3) }
                == "Draco: attribute 9: not there, or not readable")
        #expect(
            message { _ = try mesh.values(id: 2, components: 3) }
                == "Draco: attribute 2: 3 components expected, 2 there")
        #expect(
            message { _ = try DracoMesh(decoding: bytes, pointsMax: 35) }
                == "Draco: 36 points and 50 triangles; at most 35 and 16777216 expected")
        for (at, value, said) in [
            (0, UInt8(1), "a file that begins with DRACO expected"),
            (6, 1, "bitstream 2.1: 2.2 expected"), (7, 0, "a triangle mesh expected"),
            (10, 0x80, "metadata: none expected"),
        ] {
            var other = bytes
            other[at] = value
            #expect(message { _ = try DracoMesh(decoding: other) } == "Draco: \(said)")
        }
        var large = bytes
        large.replaceSubrange(12..<14, with: [0xff, 0xff, 0x7f, 0xff, 0xff, 0x7f])
        #expect(
            message { _ = try DracoMesh(decoding: large) }?.contains("cannot be in") == true)
    }

    /// A damaged file is refused or gives some mesh whose indices hold; nothing worse.
    @Test(arguments: ["draco edgebreaker", "draco sequential"])
    func dracoContainsDamage(name: String) throws {
        let whole = try Self.known(name).bytes
        var refused = 0
        func look(_ bytes: Bytes) throws {
            do throws(Failure) {
                let mesh = try DracoMesh(
                    decoding: bytes, pointsMax: 1 << 16, trianglesMax: 1 << 16)
                #expect(mesh.corners.allSatisfy { $0 < mesh.pointCount })
                for (id, components) in [(0, 3), (1, 3), (3, 4)] {
                    let values = try mesh.values(id: id, components: components)
                    #expect(values.count == mesh.pointCount * components)
                }
            } catch {
                refused += 1
                #expect(!error.message.contains("\n") && error.message.count < 200)
            }
        }
        for count in stride(from: 0, to: whole.count, by: 3) { try look(Bytes(whole[..<count])) }
        for index in whole.indices {
            var damaged = whole
            damaged[index] ^= 1 << (index % 8)
            try look(damaged)
        }
        #expect(refused > whole.count / 3)
    }

    @Test func meshoptContainsDamage() throws {
        for file in MeshKnownAnswers.files {
            guard case .meshopt(let count, let stride, let mode, let filter) = file.kind else {
                continue
            }
            let whole = file.bytes
            func decode(_ bytes: Bytes) throws -> Bytes {
                try Meshopt.decode(bytes, count: count, stride: stride, mode: mode, filter: filter)
            }
            for length in whole.indices {
                #expect(throws: Failure.self) { _ = try decode(Bytes(whole[..<length])) }
                var damaged = whole
                damaged[length] ^= 1 << (length % 8)
                if let decoded = try? decode(damaged) { #expect(decoded.count == count * stride) }
            }
        }
    }

    @Test func meshoptRefusesShapesThatModesDoNotHave() throws {
        func message(
            _ count: Int, _ stride: Int, _ mode: Meshopt.Mode, _ filter: Meshopt.Filter = .none
        ) -> String? {
            #expect(throws: Failure.self) {
                _ = try Meshopt.decode(
                    Bytes(repeating: 0xa0, count: 99), count: count, stride: stride, mode: mode,
                    filter: filter)
            }?.message
        }
        #expect(
            message(1, 6, .attributes) == "meshopt: ATTRIBUTES of 6 bytes with filter NONE")
        #expect(
            message(1, 260, .attributes) == "meshopt: ATTRIBUTES of 260 bytes with filter NONE")
        #expect(
            message(1, 12, .attributes, .octahedral)
                == "meshopt: ATTRIBUTES of 12 bytes with filter OCTAHEDRAL")
        #expect(
            message(3, 4, .triangles, .exponential)
                == "meshopt: TRIANGLES of 4 bytes with filter EXPONENTIAL")
        #expect(message(4, 4, .triangles) == "meshopt: 4 elements in TRIANGLES")
        #expect(message(0, 4, .indices) == "meshopt: 0 elements in INDICES")
        #expect(message(1 << 40, 4, .attributes)?.contains("cannot be in 99 bytes") == true)
        #expect(message(300, 4, .triangles)?.contains("cannot be in 99 bytes") == true)
        #expect(message(9, 4, .triangles)?.hasPrefix("meshopt: damaged") == true)
    }

    /// Numbers where a quotient would be infinite or leave its sixteen bits.
    @Test func filtersHoldOnAnyIntegers() throws {
        let plain = try Self.known("meshopt attributes")
        for filter in [Meshopt.Filter.octahedral, .quaternion, .exponential] {
            let decoded = try Meshopt.decode(
                plain.bytes, count: 400, stride: 8, mode: .attributes, filter: filter)
            #expect(decoded.count == 3_200)
        }
    }
}
