import Core
import Foundation
import Inference
import Serving
import Testing

/// Decimals of a request's JSON are rounded once, to the type of their tensor.
@Suite struct NumberTests {
    private func bytes(_ type: String, _ texts: [String]) throws -> Bytes {
        let text =
            "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"\(type)\",\"shape\":[\(texts.count)],"
            + "\"data\":[\(texts.joined(separator: ","))]}]}"
        return try InferRequest(decoding: Bytes(text.utf8)).inputs[0].bytes
    }

    private func read<T: BitwiseCopyable>(
        _ type: String, _ texts: [String], as element: T.Type
    ) throws -> [T] {
        try bytes(type, texts).withUnsafeBytes { Array($0.bindMemory(to: T.self)) }
    }

    /// Numbers of all magnitudes in all forms, as the C library reads them.
    private func texts(_ count: Int) -> [String] {
        var generator = SplitMix64(seed: 11)
        return (0..<count).map { _ in
            let digitCount = Int.random(in: 1...24, using: &generator)
            let digits = (0..<digitCount).map { _ in
                "\(Int.random(in: 0...9, using: &generator))"
            }.joined()
            let sign = Bool.random(using: &generator) ? "-" : ""
            let first = Int.random(in: 0...9, using: &generator)
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: return "\(sign)\(first).\(digits)"
            case 1: return "\(sign)0.\(digits)"
            case 2: return "\(sign)\(first + 1)\(digits)"
            case 3:
                let exponent = Int.random(in: -60...14, using: &generator)
                return "\(sign)\(first).\(digits)e\(exponent)"
            default:
                let bits = UInt32.random(in: 0..<0x7f00_0000, using: &generator)
                return "\(sign)\(Double(Float(bitPattern: bits)))"
            }
        }
    }

    @Test func floatsAreRoundedAsTheCLibraryRoundsThem() throws {
        let texts = texts(20_000)
        let floats = try read("FP32", texts, as: Float.self)
        let doubles = try read("FP64", texts, as: Double.self)
        for (index, text) in texts.enumerated() {
            #expect(floats[index].bitPattern == strtof(text, nil).bitPattern, "\(text)")
            #expect(doubles[index].bitPattern == strtod(text, nil).bitPattern, "\(text)")
        }
    }

    /// Halves between two neighbours, and numbers beside them that differ only behind the digits
    /// that wider types have.
    @Test func halvesAreRoundedOnce() throws {
        let half = "1.000000059604644775390625"
        let floats: [(String, UInt32)] = [
            (half, 0x3f80_0000), (half + "0000000000000000000", 0x3f80_0000),
            (half + "0000000000000000001", 0x3f80_0001), (half + "1", 0x3f80_0001),
            ("1.000000059604644775390624999999999", 0x3f80_0000),
            ("1.00000017881393432617187", 0x3f80_0001), ("16777217", 0x4b80_0000),
            ("16777217.0000000001", 0x4b80_0001), ("9007199791611905", 0x5a00_0001),
            ("340282356779733661637539395458142568447", 0x7f7f_ffff),
            ("7.0064923216240853546186479164495e-46", 0),
            ("7.0064923216240853546186479164496e-46", 0), ("1e-45", 1), ("-0", 0x8000_0000),
            ("-0.000", 0x8000_0000), ("0e99999999999", 0), ("1e-99999999999", 0),
            ("-1e-400", 0x8000_0000),
        ]
        let found = try read("FP32", floats.map(\.0), as: UInt32.self)
        for (value, (text, bits)) in zip(found, floats) {
            // Denormal halves have more digits than are written here: the C library decides.
            let expected = text.hasPrefix("7.006") ? strtof(text, nil).bitPattern : bits
            #expect(value == expected, "\(text)")
        }
        let halves: [(String, String, UInt16)] = [
            ("FP16", "1.00048828125", 0x3c00), ("FP16", "1.00048828125000000001", 0x3c01),
            ("FP16", "1.000488281250000000000000000000000001", 0x3c01),
            ("FP16", "1.0004882812499999999999", 0x3c00), ("FP16", "1.00146484375", 0x3c02),
            ("FP16", "1.001464843749999999999999999", 0x3c01), ("FP16", "65519.999999999", 0x7bff),
            ("FP16", "2.98023223876953125e-8", 0), ("FP16", "2.980232238769531250001e-8", 1),
            ("FP16", "-2.9802322387695312500000000000001e-8", 0x8001),
            ("BF16", "1.00390625", 0x3f80), ("BF16", "1.00390625000000000000001", 0x3f81),
            ("BF16", "1.01171875", 0x3f82), ("BF16", "1.01171874999999999999999999", 0x3f81),
            ("BF16", "1e-40", 1), ("BF16", "-1e-60", 0x8000),
        ]
        for (type, text, bits) in halves {
            #expect(try read(type, [text], as: UInt16.self) == [bits], "\(type) \(text)")
        }
    }

    @Test func numbersBeyondTheTypeAreNamed() {
        for (type, text) in [
            ("FP32", "3.4028235677973367e38"), ("FP32", "1e99999999999"), ("FP64", "1e309"),
            ("FP16", "65520"), ("BF16", "3.4e38"), ("FP32", String(repeating: "9", count: 40)),
        ] {
            let error = #expect(throws: Failure.self) { _ = try bytes(type, ["1", text]) }
            #expect(error?.message.contains("element 1: beyond") == true, "\(error?.message ?? "")")
        }
    }

    @Test func wholeNumbersAreReadToTheirLastDigit() throws {
        let most = ["18446744073709551615", "18446744073709551614", "0", "-0"]
        #expect(try read("UINT64", most, as: UInt64.self) == [.max, .max - 1, 0, 0])
        let least = ["-9223372036854775808", "9223372036854775807", "-1"]
        #expect(try read("INT64", least, as: Int64.self) == [.min, .max, -1])
        for (type, text) in [
            ("INT64", "-9223372036854775809"), ("UINT64", "99999999999999999999"),
            ("UINT64", "-1"), ("INT8", "1.0"), ("INT8", "1e0"), ("UINT8", "256"),
        ] {
            #expect(throws: Failure.self, "\(type) \(text)") { _ = try bytes(type, [text]) }
        }
    }

    @Test func whatIsNoNumberIsRefused() {
        for text in [
            "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x1", "1_0", "--1", "1.e1", "-.5", "00",
            "infinity", "-NaN", "nan", "1 2", "tru", "'1'",
        ] {
            #expect(throws: Failure.self, "\(text)") { _ = try bytes("FP32", [text]) }
        }
    }

    /// What is read from an answer are the bits that were written.
    @Test func answersReadBackAsTheyWere() throws {
        var generator = SplitMix64(seed: 12)
        let values = (0..<5000).map { _ in
            Float(bitPattern: UInt32.random(in: 0..<0x7f80_0000, using: &generator))
        }
        let bytes = values.withUnsafeBytes { Bytes($0) }
        let request = try InferRequest("x", [1], [0])
        let response = InferResponse(
            model: "m", version: "1",
            outputs: [.init(name: "x", type: .float32, shape: [values.count], bytes: bytes)])
        let body = try response.body(for: request).bytes
        let text = String(decoding: body, as: UTF8.self)
            .replacingOccurrences(of: "\"outputs\"", with: "\"inputs\"")
        #expect(try InferRequest(decoding: Bytes(text.utf8)).inputs[0].bytes == bytes)
        // A limit that it just meets, and one that it does not.
        #expect(try response.body(for: request, bytesMax: body.count).bytes == body)
        for bytesMax in [0, 10, body.count / 2, body.count - 1] {
            let error = #expect(throws: Failure.self) {
                _ = try response.body(for: request, bytesMax: bytesMax)
            }
            #expect(error?.code == .limit)
        }
    }
}
