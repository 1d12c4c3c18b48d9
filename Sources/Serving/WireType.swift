internal import Core
internal import Inference

/// Element types by the names that the protocol gives them.
enum WireType {
    private static let names: [(String, ElementType)] = [
        ("BOOL", .bool), ("UINT8", .uint8), ("UINT16", .uint16), ("UINT32", .uint32),
        ("UINT64", .uint64), ("INT8", .int8), ("INT16", .int16), ("INT32", .int32),
        ("INT64", .int64), ("FP16", .float16), ("FP32", .float32), ("FP64", .double),
        ("BF16", .bfloat16),
    ]

    /// Nil for those that the protocol has no name for.
    static func name(_ type: ElementType) -> String? {
        names.first { $0.1 == type }?.0
    }

    /// - Throws: ``Failure`` for a name that is none, or of what no model here takes.
    static func type(_ name: String) throws(Failure) -> ElementType {
        if let known = names.first(where: { $0.0 == name }) { return known.1 }
        guard name != "BYTES" else {
            throw Failure(.unsupported, "datatype BYTES is not supported; numbers or BOOL expected")
        }
        let all = names.map(\.0).joined(separator: ", ")
        throw Failure(.malformed, "datatype \"\(name.printable)\"; one of \(all) expected")
    }
}
