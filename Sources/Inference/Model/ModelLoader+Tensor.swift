internal import Core
internal import Foundation
internal import SwiftProtobuf

extension ModelLoader {
    static func elementType(_ code: Int32) -> ElementType? {
        UInt8(exactly: code).flatMap(ElementType.init)
    }

    /// As messages name an element type that is none of ours.
    static func typeName(_ code: Int32) -> String {
        switch code {
        case 0: "undefined"
        case 8: "string"
        case 14: "complex64"
        case 15: "complex128"
        default: elementType(code)?.name ?? "\(code)"
        }
    }

    static func checked(_ shape: [Int], _ place: String) throws(Failure) -> [Int] {
        do throws(Failure) {
            return try Shape.checked(shape)
        } catch {
            throw error.at(place)
        }
    }

    /// A constant, with as many elements as its shape says.
    ///
    /// - Parameter files: where data outside the model is; nil where there may be none.
    static func tensor(
        _ message: Onnx_TensorProto, _ place: String, _ files: ExternalFiles?
    ) throws(Failure) -> Tensor {
        guard !message.hasSegment else {
            throw Failure(.unsupported, "\(place): a segment; a whole tensor expected")
        }
        guard message.dataType != 0 else {
            throw Failure(.malformed, "\(place): an element type expected")
        }
        guard let type = elementType(message.dataType) else {
            throw Failure(
                .unsupported,
                "\(place): element type \(typeName(message.dataType)); numbers or bool expected")
        }
        let shape = try checked(message.dims.map(Int.init), place)
        let count = shape.elementCount
        if message.dataLocation == .external || !message.externalData.isEmpty {
            guard let files else {
                throw Failure(.unsupported, "\(place): data in another file; none is at hand here")
            }
            let byteCount = (count * type.bitCount + 7) / 8
            let data: Data
            do throws(Failure) {
                data = try files.bytes(of: message, byteCount: byteCount)
            } catch {
                throw error.at(place)
            }
            return data.withUnsafeBytes { tensor(type, shape, packed: $0) }
        }
        if !message.rawData.isEmpty || count == 0 {
            let expected = (count * type.bitCount + 7) / 8
            guard message.rawData.count == expected else {
                throw Failure(
                    .malformed,
                    "\(place): \(message.rawData.count) bytes of data; \(expected) expected for "
                        + "\(type.name) \(shape.text)")
            }
            return message.rawData.withUnsafeBytes { tensor(type, shape, packed: $0) }
        }
        return try typed(message, type, shape, place)
    }

    /// Elements as ONNX's raw data hold them: those of less than a byte lie several in one, the
    /// first in its lowest bits.
    private static func tensor(
        _ type: ElementType, _ shape: [Int], packed bytes: UnsafeRawBufferPointer
    ) -> Tensor {
        let bits = type.bitCount
        guard bits < 8 else { return Tensor(type: type, shape: shape, bytes: bytes) }
        let each = 8 / bits
        let unpacked = (0..<shape.elementCount).map {
            bytes[$0 / each] >> UInt8($0 % each * bits) & (1 << UInt8(bits) - 1)
        }
        return unpacked.withUnsafeBytes { Tensor(type: type, shape: shape, bytes: $0) }
    }

    /// Elements from the field that their type has.
    private static func typed(
        _ message: Onnx_TensorProto, _ type: ElementType, _ shape: [Int], _ place: String
    ) throws(Failure) -> Tensor {
        let count = shape.elementCount
        func check(_ found: Int, _ expected: Int) throws(Failure) {
            guard found == expected else {
                throw Failure(
                    .malformed,
                    "\(place): \(found) elements; \(expected) expected for \(type.name) "
                        + "\(shape.text)")
            }
        }
        switch type {
        case .float32:
            try check(message.floatData.count, count)
            return Tensor(message.floatData, shape: shape)
        case .double:
            try check(message.doubleData.count, count)
            return Tensor(doubles: message.doubleData, shape: shape)
        case .int64:
            try check(message.int64Data.count, count)
            return Tensor(message.int64Data, type: type, shape: shape)
        case .uint32, .uint64:
            try check(message.uint64Data.count, count)
            return Tensor(
                message.uint64Data.map { Int64(bitPattern: $0) }, type: type, shape: shape)
        default: break
        }
        if type.bitCount < 8 {
            let bytes = message.int32Data.map { UInt8(truncatingIfNeeded: $0) }
            try check(bytes.count, (count * type.bitCount + 7) / 8)
            return bytes.withUnsafeBytes { tensor(type, shape, packed: $0) }
        }
        try check(message.int32Data.count, count)
        guard type.isFloat else {
            return Tensor(message.int32Data.map(Int64.init), type: type, shape: shape)
        }
        let values = message.int32Data.map {
            NarrowFloat.value(UInt32(bitPattern: $0), type)
        }
        return Tensor(values, shape: shape, as: type)
    }

    /// A tensor of which only the elements that are not zero are stored, made dense.
    static func dense(
        _ message: Onnx_SparseTensorProto, _ place: String, _ files: ExternalFiles?
    ) throws(Failure) -> Tensor {
        let values = try tensor(message.values, place, files)
        let shape = try checked(message.dims.map(Int.init), place)
        let indices = try tensor(message.indices, place, files)
        guard let places = indices.integers, let first = places.first.map({ _ in places }),
            shape.elementCount <= Lowering.foldedElementsMax
        else {
            throw Failure(.malformed, "\(place): indices of int64 and a modest shape expected")
        }
        let strides = shape.strides
        let rank = indices.shape.count == 2 ? shape.count : 1
        guard first.count == values.count * rank, values.shape.count == 1 else {
            throw Failure(.malformed, "\(place): an index for each value expected")
        }
        var positions: [Int] = []
        for value in 0..<values.count {
            var position = 0
            for axis in 0..<rank {
                let index = Int(first[value * rank + axis])
                guard index >= 0, index < (rank == 1 ? shape.elementCount : shape[axis]) else {
                    throw Failure(.malformed, "\(place): an index outside \(shape.text)")
                }
                position += index * (rank == 1 ? 1 : strides[axis])
            }
            positions.append(position)
        }
        let size = values.type.byteCount
        var bytes = Bytes(repeating: 0, count: shape.elementCount * size)
        let packed = values.bytes
        for (value, position) in positions.enumerated() {
            for byte in 0..<size { bytes[position * size + byte] = packed[value * size + byte] }
        }
        return bytes.withUnsafeBytes { Tensor(type: values.type, shape: shape, bytes: $0) }
    }
}
