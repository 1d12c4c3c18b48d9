import Core
import Files
import Foundation
import Inference
import Testing

@Suite struct FileTests {
    @Test func arraysComeBack() throws {
        let tensors = [
            Tensor([1, -2.5, .nan, 0, 3, 4], shape: [2, 3]), Tensor([7], shape: []),
            Tensor([-1, 1 << 40], type: .int64, shape: [2]),
            Tensor([1, 0, 1], type: .bool, shape: [3, 1]),
            Tensor([-5, 6], type: .int32, shape: [1, 2]), Tensor([255], type: .uint8, shape: [1]),
        ]
        for tensor in tensors {
            let back = try NumPy.decode(NumPy.encode(tensor))
            #expect(back.type == tensor.type && back.shape == tensor.shape)
            #expect(back.bytes == tensor.bytes)
        }
    }

    private func file(_ header: String, _ data: Bytes) -> Bytes {
        Bytes([0x93]) + Bytes("NUMPY".utf8) + [1, 0]
            + UInt16(header.utf8.count).littleEndianBytes + Bytes(header.utf8) + data
    }

    @Test func doublesStayDoubles() throws {
        let bits = (0.1).bitPattern.littleEndianBytes
        let tensor = try NumPy.decode(
            file("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n", bits))
        #expect(tensor.doubles == [0.1])
    }

    /// Fortran's order is NumPy's for transposed arrays: the first axis varies fastest.
    @Test func bothOrdersAreRead() throws {
        let shapes = [[5], [2, 3], [3, 1, 4], [2, 3, 4, 5], [0, 3], [2, 0, 2], [1, 1]]
        for shape in shapes {
            let axes = shape.map { "\($0)," }.joined(separator: " ")
            for (name, size) in [("<i8", 8), ("<u2", 2), ("|u1", 1)] {
                var data = Bytes()
                // What lies there is the place in C order.
                for place in 0..<shape.elementCount {
                    var (rest, index) = (place, 0)
                    var stride = shape.elementCount
                    for axis in shape {
                        stride /= axis
                        index += rest % axis * stride
                        rest /= axis
                    }
                    data += UInt64(index).littleEndianBytes.prefix(size)
                }
                let header = "{'descr': '\(name)', 'fortran_order': True, 'shape': (\(axes)), }\n"
                let tensor = try NumPy.decode(file(header, data))
                #expect(tensor.shape == shape)
                #expect(tensor.integers == (0..<Int64(shape.elementCount)).map { $0 }, "\(shape)")
            }
        }
    }

    /// What an archive's array says of itself is held against the input before it is unpacked.
    @Test func archivesAreCheckedBeforeTheyAreUnpacked() throws {
        var archive = try Archive.npz([
            ("x", Tensor([Float](repeating: 1, count: 300_000), shape: [1000, 300]))
        ])
        // Damage far behind the header is seen by who reads so far.
        archive[archive.count / 2] ^= 1
        let path = NSTemporaryDirectory() + "/rigor-\(UUID().uuidString).npz"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try FileBytes.write(archive, to: path)
        for (shape, piece) in [
            ([nil, 4], "float32 [1000, 300]; "), ([nil, nil, nil], "float32 [1000, 300]; "),
            ([nil, 300], "damaged"),
        ] as [([Int?], String)] {
            let input = Model.Input(name: "x", type: .float32, shape: shape)
            let error = #expect(throws: Failure.self) {
                try InputFiles.read(
                    .member(archive: path, name: "x.npy"), for: input, .init())
            }
            #expect(error?.message.contains(piece) == true, "\(String(describing: error))")
        }
    }

    @Test(arguments: [
        ("{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,), }", "Maybe"),
        ("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", "'>f4'"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "8 expected"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "negative"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 9), }", "too many"),
        ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", ".npy"),
        ("{'descr': '<f4'}", "expected"),
    ])
    func badArraysAreRefused(_ header: String, _ piece: String) {
        let error = #expect(throws: Failure.self) {
            try NumPy.decode(file(header, [0, 0, 0, 0]))
        }
        #expect(error?.message.contains(piece) == true, "\(String(describing: error))")
    }

    /// What is written is read again; what is damaged is refused, whatever it says of itself.
    @Test func archivesComeBack() throws {
        let tensor = Tensor((0..<300).map { Float($0 % 7) }, shape: [3, 100])
        let archive = try Archive.npz([("a", tensor), ("b/c", tensor)])
        let path = NSTemporaryDirectory() + "/rigor-\(UUID().uuidString).npz"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try FileBytes.write(archive, to: path)
        #expect(try Archive.Reader(path).names == ["a.npy", "b/c.npy"])
        #expect(
            try Archive.Reader(path).bytes("b/c.npy", byteCountMax: 1 << 20)
                == NumPy.encode(tensor))
        #expect(throws: Failure.self) {
            try Archive.Reader(path).bytes("a.npy", byteCountMax: 100)
        }
        #expect(throws: Failure.self) {
            try Archive.Reader(path).bytes("c.npy", byteCountMax: 1 << 20)
        }
        let seed = UInt64.random(in: 0...UInt64.max)
        print("archivesComeBack seed \(seed)")
        var generator = SplitMix64(seed: seed)
        for _ in 0..<300 {
            var bytes = archive
            for _ in 0..<4 {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] =
                    UInt8.random(in: 0...255, using: &generator)
            }
            try FileBytes.write(bytes, to: path)
            do {
                let reader = try Archive.Reader(path)
                for name in reader.names {
                    let read = try reader.bytes(name, byteCountMax: 1 << 20)
                    #expect(read == NumPy.encode(tensor), "seed \(seed)")
                }
            } catch {
                continue
            }
        }
    }

    /// Python's own reader opens the archive and finds the same numbers.
    @Test func archivesAreZipFiles() throws {
        let tensor = Tensor([1, 2, 3], shape: [3])
        let archive = try Archive.npz([("a", tensor), ("b/c", tensor)])
        let path = NSTemporaryDirectory() + "/rigor-\(UUID().uuidString).npz"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try FileBytes.write(archive, to: path)
        let python = Process()
        python.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        python.arguments = [
            "python3", "-c",
            """
            import sys, zipfile
            z = zipfile.ZipFile(sys.argv[1])
            assert z.testzip() is None and z.namelist() == ["a.npy", "b/c.npy"], z.namelist()
            assert z.read("a.npy")[-12:] == b"\\0\\0\\x80?\\0\\0\\0@\\0\\0@@"
            """, path,
        ]
        try python.run()
        python.waitUntilExit()
        if python.terminationStatus == 127 {
            print("skip: python3 is not installed")
        } else {
            #expect(python.terminationStatus == 0)
        }
    }

    /// JSON has no numbers that are infinite, or none.
    @Test func scoresThatAreNoNumbersAreJSON() throws {
        let tensor = Tensor([-.infinity, .nan, 0.5, .infinity], shape: [1, 4])
        let best = ClassLabels.best(4, of: tensor, labels: nil)[0]
        let text = JSON.array(best.map(\.json)).text
        let found = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]
        #expect(found?.map { "\($0["score"] ?? "")" } == ["Infinity", "0.5", "-Infinity", "NaN"])
    }

    @Test func bestClasses() {
        let tensor = Tensor([0.1, 0.5, 0.5, .nan], shape: [1, 4])
        let best = ClassLabels.best(4, of: tensor, labels: ["a", "b", "c"])[0]
        #expect(best.map(\.index) == [1, 2, 0, 3])
        #expect(best.map(\.label) == ["b", "c", "a", "3"])
    }

    /// Scores of every type are ranked as what they are.
    @Test func bestOfEveryType() {
        func best(_ tensor: Tensor) -> [String] {
            ClassLabels.best(3, of: tensor, labels: nil)[0].map { "\($0.index) \($0.score)" }
        }
        let doubles = Tensor(doubles: [1, 1 + 0x1p-52, .nan, -0.5], shape: [1, 4])
        #expect(best(doubles) == ["1 1.0000000000000002", "0 1.0", "3 -0.5"])
        let top = Int64(1) << 60
        let wide = Tensor([top, top + 2, top + 1], type: .int64, shape: [1, 3])
        #expect(best(wide) == ["1 \(top + 2)", "2 \(top + 1)", "0 \(top)"])
        let unsigned = Tensor([1, -1, 2], type: .uint64, shape: [1, 3])
        #expect(best(unsigned) == ["1 \(UInt64.max)", "2 2", "0 1"])
        #expect(best(Tensor([0, 1], type: .bool, shape: [1, 2])) == ["1 1", "0 0"])
    }

    /// What NumPy has no type for is read as it is written.
    @Test(arguments: ElementType.allCases)
    func arraysComeBackAsTheyWereWritten(_ type: ElementType) throws {
        let values = [1.5, -2, 0.25, 3, 0, 1].map { Float($0) }
        let tensor =
            type == .double
            ? Tensor(doubles: values.map(Double.init), shape: [6])
            : type.isFloating
                ? Tensor(values, rounding: type, shape: [6])
                : Tensor([1, 2, 0, 3, -1, 1], type: type, shape: [6])
        let plain = type == .bool ? Tensor([1, 0, 0, 1], type: .bool, shape: [4]) : tensor
        let path = NSTemporaryDirectory() + "/rigor-\(UUID().uuidString).npy"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try FileBytes.write(NumPy.encode(plain), to: path)
        let read = try InputFiles.read(
            .file(path), for: .init(name: "x", type: type, shape: [nil]), .init())
        // A type without zero has NaN for it.
        #expect(read.type == type && read.shape == plain.shape && read.bytes == plain.bytes)
    }
}
