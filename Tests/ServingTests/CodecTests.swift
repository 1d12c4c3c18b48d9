import Core
import Foundation
import Inference
import Serving
import Testing

@Suite struct CodecTests {
    private func request(_ text: String, _ tail: Bytes = []) throws -> InferRequest {
        let header = Bytes(text.utf8)
        return try InferRequest(
            decoding: header + tail, headerCount: tail.isEmpty ? nil : header.count)
    }

    private func input(_ type: String, _ shape: String, _ data: String) -> String {
        "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"\(type)\",\"shape\":\(shape),"
            + "\"data\":\(data)}]}"
    }

    static let types: [(String, ElementType, String)] = [
        ("BOOL", .bool, "[true,false]"), ("UINT8", .uint8, "[0,255]"),
        ("UINT16", .uint16, "[0,65535]"), ("UINT32", .uint32, "[0,4294967295]"),
        ("UINT64", .uint64, "[0,18446744073709551615]"), ("INT8", .int8, "[-128,127]"),
        ("INT16", .int16, "[-32768,32767]"), ("INT32", .int32, "[-2147483648,2147483647]"),
        ("INT64", .int64, "[-9223372036854775808,9223372036854775807]"),
        ("FP16", .float16, "[-0.0,65504.0]"), ("FP32", .float32, "[1e-45,3.4028235e+38]"),
        ("FP64", .double, "[5e-324,-1.7976931348623157e+308]"),
        ("BF16", .bfloat16, "[1.0,-3.3895314e+38]"),
    ]

    /// Least and greatest values come through JSON and through bytes as they went in.
    @Test(arguments: types)
    func everyTypeComesBack(_ name: String, _ type: ElementType, _ data: String) throws {
        let read = try request(input(name, "[1,2]", data))
        #expect(read.inputs[0].type == type && read.inputs[0].shape == [1, 2])
        let bytes = read.inputs[0].bytes
        #expect(bytes.count == 2 * type.byteCount)
        let output = InferResponse.Output(name: "x", type: type, shape: [1, 2], bytes: bytes)
        let response = InferResponse(model: "m", version: "1", outputs: [output])
        let body = try response.body(for: read)
        #expect(body.headerCount == nil)
        // What went out is a request's input again.
        let text = String(decoding: body.bytes, as: UTF8.self)
            .replacingOccurrences(of: "\"outputs\"", with: "\"inputs\"")
        #expect(try request(text).inputs == read.inputs, "\(text)")

        let binary =
            "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"\(name)\",\"shape\":[1,2],"
            + "\"parameters\":{\"binary_data_size\":\(bytes.count)}}],"
            + "\"outputs\":[{\"name\":\"x\",\"parameters\":{\"binary_data\":true}}]}"
        let second = try request(binary, bytes)
        #expect(second.inputs == read.inputs)
        let answer = try response.body(for: second)
        let count = try #require(answer.headerCount)
        #expect(Bytes(answer.bytes[count...]) == bytes)
    }

    @Test func numbersThatJSONHasNot() throws {
        let read = try request(input("FP32", "[4]", "[NaN, Infinity, -Infinity, -0]"))
        let values = read.inputs[0].bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        #expect(values[0].isNaN && values[1] == .infinity && values[2] == -.infinity)
        #expect(values[3].bitPattern == 0x8000_0000)
        let output = InferResponse.Output(
            name: "x", type: .float32, shape: [4], bytes: read.inputs[0].bytes)
        let body = try InferResponse(model: "m", version: "1", outputs: [output]).body(for: read)
        let text = String(decoding: body.bytes, as: UTF8.self)
        #expect(text.contains("\"data\":[NaN,Infinity,-Infinity,-0.0]"), "\(text)")
    }

    @Test func nestedDataIsFlattened() throws {
        let nested = try request(input("INT32", "[2,2]", "[[1, 2],\n[3, 4]]"))
        let flat = try request(input("INT32", "[2,2]", "[1,2,3,4]"))
        #expect(nested.inputs == flat.inputs)
        #expect(try request(input("FP32", "[0]", "[]")).inputs[0].bytes.isEmpty)
        let deep = try request(input("INT8", "[2,1,3]", "[[[1,2,3]],[[4,5,6]]]"))
        #expect(deep.inputs[0].bytes == [1, 2, 3, 4, 5, 6])
        for (shape, data) in [
            ("[2,0]", "[[],[]]"), ("[2,0]", "[]"), ("[0,2]", "[]"), ("[1,1,0]", "[[[]]]"),
        ] {
            #expect(try request(input("FP32", shape, data)).inputs[0].bytes.isEmpty)
        }
        #expect(try request(input("UINT8", "[]", "[7]")).inputs[0].bytes == [7])
    }

    @Test func datatypeMayFollowTheData() throws {
        let text =
            "{\"inputs\":[{\"data\":[7],\"shape\":[1],\"name\":\"é\\u00e9\\ud83d\\ude00\","
            + "\"datatype\":\"UINT8\"}],\"id\":\"a\\\"b\"}"
        let read = try request(text)
        #expect(read.inputs[0].name == "éé😀" && read.inputs[0].bytes == [7])
        #expect(read.id == "a\"b")
    }

    static let bad: [(String, String)] = [
        ("", "byte 0"), ("[]", "an object"), ("{", "a name in quotes"), ("{}x", "the end"),
        ("{\"id\":1}", "text expected"), ("{\"a\":1,\"a\":2}", "given twice"),
        ("{\"inputs\":{}}", "an array"), ("{\"inputs\":[{}]}", "without a name"),
        ("{\"inputs\":[{\"name\":\"x\"}]}", "datatype"),
        ("{\"parameters\":{\"sequence_id\":7}}", "sequence_id"),
        ("{\"parameters\":{\"binary_data_output\":7}}", "true or false"),
        (
            "{\"outputs\":[{\"name\":\"y\",\"parameters\":{\"classification\":3}}]}",
            "classification"
        ),
        ("{\"outputs\":[{\"name\":\"y\"},{\"name\":\"y\"}]}", "twice"),
        ("{\"id\":\"\\ud800\"}", "surrogate"), ("{\"id\":\"\u{1}\"}", "control character"),
        ("{\"id\":tru}", "a value"), ("{\"id\":01}", "leading zeros"), ("{\"id\":1.}", "a digit"),
        ("{\"id\":1e999}", "FP64"), (String(repeating: "[", count: 100), "deeper"),
        ("{\"id\":" + String(repeating: "[", count: 100), "deeper"),
        ("{\"data\":" + String(repeating: "[", count: 100), "deeper"),
        ("{\"id\":[" + String(repeating: "1,", count: 30_000) + "1]}", "more than"),
    ]

    static let badInputs: [(String, String, String, String)] = [
        ("FP8", "[1]", "[1]", "datatype \"FP8\""), ("BYTES", "[1]", "[\"a\"]", "BYTES"),
        ("FP32", "[2]", "[1]", "2 expected"), ("FP32", "[1]", "[1,2]", "more than"),
        ("FP32", "[1]", "[\"1\"]", "FP32 expected"), ("FP32", "[1]", "[true]", "FP32 expected"),
        ("FP32", "[1]", "[1e39]", "beyond"), ("FP16", "[1]", "[70000]", "beyond"),
        ("INT8", "[1]", "[128]", "INT8 expected"), ("UINT8", "[1]", "[-1]", "UINT8 expected"),
        ("INT32", "[1]", "[1.5]", "INT32"), ("INT64", "[1]", "[9223372036854775808]", "INT64"),
        ("UINT64", "[1]", "[18446744073709551616]", "UINT64"), ("BOOL", "[1]", "[2]", "BOOL"),
        ("INT32", "[1]", "[NaN]", "INT32"), ("FP32", "[-1]", "[1]", "shape"),
        ("FP32", "[1.5]", "[1]", "shape"), ("FP32", "7", "[1]", "shape"),
        ("FP32", "[65536,65536]", "[1]", "elements"),
        ("FP32", "[9223372036854775807,9]", "[1]", "elements"),
        ("FP32", "[1,1,1,1,1,1,1,1,1]", "[1]", "axes"), ("FP32", "[1]", "1", "data"),
        ("FP32", "[2]", "[1,]", "a value"), ("FP32", "[2]", "[1 2]", "\",\" or \"]\""),
        ("FP32", "[1]", "[[1]", "\",\" or \"]\""), ("FP32", "[1]", "[,1]", "a value"),
        ("FP32", "[1]", "[null]", "a value"),
        ("FP32", "[3]", "[[1,2],[3]]", "data[0]: an array; an element expected"),
        ("FP32", "[1,3]", "[[1,2],[3]]", "data[0]: 2 entries; 3 expected"),
        ("FP32", "[2,2]", "[[1,2],[3]]", "data[1]: 1 entries; 2 expected"),
        ("FP32", "[2,2]", "[[1,2],[3,4,5]]", "data[1]: 3 entries; 2 expected"),
        ("FP32", "[2,2]", "[[1,2,3,4]]", "data[0]: 4 entries; 2 expected"),
        ("FP32", "[2,2]", "[[1,2],[3,4],[5,6]]", "data: 3 entries; 2 expected"),
        ("FP32", "[2,2]", "[[1,2],3,4]", "data[1]: an element; an array of 2 expected"),
        ("FP32", "[2,2]", "[1,[2,3],4]", "data[0]: an element; an array of 2 expected"),
        ("FP32", "[2]", "[1,[2]]", "data[1]: an array; an element expected"),
        ("FP32", "[1,1]", "[[1],[2],[\"]]]]\"]]", "data: "),
        ("FP32", "[2,2]", "[[[1,2],[3,4]]]", "data[0][0]: an array; an element expected"),
        ("FP32", "[2,2,2]", "[[1,2],[3,4],[5,6],[7,8]]", "data[0][0]: an element; an array of 2"),
        ("FP32", "[1,2,2]", "[[[1,2],[3]]]", "data[0][1]: 1 entries; 2 expected"),
        ("FP32", "[2,0]", "[[],[],[]]", "data: 3 entries; 2 expected"),
        ("FP32", "[]", "[[1]]", "data[0]: an array; an element expected"),
    ]

    private func expectRefusal(_ piece: String, _ read: () throws -> InferRequest) {
        let error = #expect(throws: Failure.self) { _ = try read() }
        let line = error?.message ?? ""
        #expect(line.contains(piece), "\(line): \(piece)")
        #expect(!line.contains("\n") && line.count < 400, "\(line)")
    }

    @Test func everyBadRequestIsOneLine() {
        for (text, piece) in Self.bad { expectRefusal(piece) { try request(text) } }
        for (type, shape, data, piece) in Self.badInputs {
            expectRefusal(piece) { try request(input(type, shape, data)) }
        }
    }

    @Test func everyBadSizeIsOneLine() {
        func text(_ size: String, _ type: String = "FP32") -> String {
            "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"\(type)\",\"shape\":[2],"
                + "\"parameters\":{\"binary_data_size\":\(size)}}]}"
        }
        let eight = Bytes(repeating: 0, count: 8)
        expectRefusal("8 expected") { try request(text("7"), eight) }
        expectRefusal("whole number") { try request(text("\"8\""), eight) }
        expectRefusal("are left") { try request(text("8"), Bytes(eight.dropLast())) }
        expectRefusal("expected by the inputs") { try request(text("8"), eight + [0]) }
        expectRefusal("0 or 1") { try request(text("2", "BOOL"), [0, 2]) }
        expectRefusal("Inference-Header-Content-Length") {
            try InferRequest(decoding: eight, headerCount: 9)
        }
        expectRefusal("Inference-Header-Content-Length") {
            try InferRequest(decoding: eight, headerCount: -1)
        }
        expectRefusal("not both") {
            try request(
                "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[2],\"data\":[1,2],"
                    + "\"parameters\":{\"binary_data_size\":8}}]}", eight)
        }
    }
}
