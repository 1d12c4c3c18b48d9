import Core
import Imaging
import Testing

@Suite struct JPEGTests {
    static func known(_ name: String) throws -> Bytes {
        try #require(ImagingKnownAnswers.files.first { $0.name == name }).bytes
    }

    /// Index of the first byte of a marker's segment, after its length.
    static func segment(_ marker: UInt8, in bytes: Bytes) throws -> Int {
        let index = bytes.indices.dropLast().first { bytes[$0] == 0xff && bytes[$0 + 1] == marker }
        return try #require(index) + 4
    }

    @Test(arguments: ["jpeg 4:2:0", "jpeg 4:2:0 progressive", "jpeg grey"])
    func everyTruncationFails(name: String) throws {
        let whole = try Self.known(name)
        for count in whole.indices {
            #expect(throws: Failure.self, "\(count) bytes") {
                _ = try JPEG.decode(Bytes(whole[..<count]))
            }
        }
    }

    /// Damage either is seen or gives some picture of the same size; nothing worse.
    @Test func bitFlipsAreContained() throws {
        var refused = 0
        let whole = try Self.known("jpeg 4:2:0 progressive")
        for index in whole.indices {
            for bit in 0..<8 {
                var damaged = whole
                damaged[index] ^= 1 << bit
                do throws(Failure) {
                    _ = try JPEG.decode(
                        damaged, limits: ImageLimits(sideMax: 512, pixelsMax: 1 << 16))
                } catch {
                    refused += 1
                    #expect(!error.message.contains("\n") && error.message.count < 200)
                }
            }
        }
        #expect(refused > whole.count)
    }

    @Test func sizesAreCheckedBeforeDecoding() throws {
        var bytes = try Self.known("jpeg 4:4:4")
        let frame = try Self.segment(0xc0, in: bytes)
        bytes.replaceSubrange(frame + 1..<frame + 5, with: [0x7f, 0xff, 0x7f, 0xff])
        #expect(throws: Failure(.limit, "JPEG: 32767×32767 pixels: at most 16384 a side expected"))
        {
            _ = try JPEG.decode(bytes)
        }
        bytes.replaceSubrange(frame + 1..<frame + 5, with: [0x1f, 0xff, 0x1f, 0xff])
        let error = #expect(throws: Failure.self) { _ = try JPEG.decode(bytes) }
        #expect(error?.message.contains("cannot be in") == true)
    }

    @Test func unusualSamplesAreRefusedByName() throws {
        let bytes = try Self.known("jpeg 4:4:4")
        let frame = try Self.segment(0xc0, in: bytes)
        var twelve = bytes
        twelve[frame] = 12
        #expect(throws: Failure.self) { _ = try JPEG.decode(twelve) }
        var arithmetic = bytes
        arithmetic[frame - 3] = 0xc9
        #expect(throws: Failure(.unsupported, "JPEG: arithmetic coding: Huffman coding expected")) {
            _ = try JPEG.decode(arithmetic)
        }
    }

    /// Scans without end cost a pass over the picture each.
    @Test func endlessScansAreRefused() throws {
        let whole = try Self.known("jpeg 4:2:0 progressive")
        let scans = whole.indices.dropLast().filter { whole[$0] == 0xff && whole[$0 + 1] == 0xda }
        let last = try #require(scans.last)
        let tables = whole[..<last].indices.dropLast().last {
            whole[$0] == 0xff && whole[$0 + 1] == 0xc4
        }
        let start = try #require(tables)
        // The last scan again and again: refining the same coefficients is only warned of.
        let scan = whole[start..<whole.count - 2]
        var bytes = Bytes(whole[..<start])
        for _ in 0..<200 { bytes += scan }
        bytes += [0xff, 0xd9]
        #expect(throws: Failure.self) { _ = try JPEG.decode(bytes) }
    }
}
