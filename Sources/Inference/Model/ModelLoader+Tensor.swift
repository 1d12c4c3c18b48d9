internal import Core
internal import Foundation
internal import SwiftProtobuf

extension ModelLoader {
    static func elementType(_ code: Int32) -> ElementType? {
        UInt8(exactly: code).flatMap(ElementType.init)
    }

    static func checked(_ shape: [Int], _ place: String) throws(Failure) -> [Int] {
        do throws(Failure) {
            return try Shape.checked(shape)
        } catch {
            throw error.at(place)
        }
    }

    /// A constant, with as many elements as its shape says.
    static func tensor(
        _ message: Onnx_TensorProto, _ place: String
    ) throws(Failure) -> Tensor {
        guard message.dataLocation != .external, message.externalData.isEmpty else {
            throw Failure(
                .unsupported, "\(place): data in another file; data in the model itself expected")
        }
        guard !message.hasSegment else {
            throw Failure(.unsupported, "\(place): a segment; a whole tensor expected")
        }
        guard let type = elementType(message.dataType) else {
            throw Failure(
                .unsupported,
                "\(place): element type \(message.dataType); float32, uint8, int32, int64 or bool "
                    + "expected")
        }
        let shape = try checked(message.dims.map(Int.init), place)
        let count = shape.elementCount
        if !message.rawData.isEmpty || count == 0 {
            guard message.rawData.count == count * type.byteCount else {
                throw Failure(
                    .malformed,
                    "\(place): \(message.rawData.count) bytes of data; "
                        + "\(count * type.byteCount) expected for \(type.name) \(shape.text)")
            }
            return message.rawData.withUnsafeBytes { Tensor(type: type, shape: shape, bytes: $0) }
        }
        switch type {
        case .float32:
            try checkCount(message.floatData.count, count, shape, place)
            return Tensor(message.floatData, shape: shape)
        case .int64:
            try checkCount(message.int64Data.count, count, shape, place)
            return Tensor(message.int64Data, type: type, shape: shape)
        default:
            try checkCount(message.int32Data.count, count, shape, place)
            return Tensor(message.int32Data.map(Int64.init), type: type, shape: shape)
        }
    }

    private static func checkCount(
        _ found: Int, _ expected: Int, _ shape: [Int], _ place: String
    ) throws(Failure) {
        guard found == expected else {
            throw Failure(
                .malformed,
                "\(place): \(found) elements; \(expected) expected for shape \(shape.text)")
        }
    }
}
