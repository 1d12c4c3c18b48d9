internal import Core
internal import Inference

/// Tensors' elements as JSON.
enum TensorText {
    /// Reads `data`. Decimals are read as FP64 and rounded to the type.
    ///
    /// - Parameter span: where the array lies.
    /// - Throws: ``Failure`` naming the element that is none of the type.
    static func bytes(
        _ body: Bytes, _ span: Range<Int>, _ type: ElementType, _ shape: [Int]
    ) throws(Failure) -> Bytes {
        let expected = shape.elementCount
        // Each takes a byte at least: no need to read on where they cannot be there.
        guard expected <= span.count else {
            throw Failure(.malformed, "data: \(expected) elements expected by the shape")
        }
        var reader = JSONReader(body, span)
        var count = 0
        func check(_ isOne: Bool) throws(Failure) {
            guard isOne else {
                throw Failure(
                    .malformed,
                    "data: element \(count): \(WireType.name(type) ?? type.name) expected")
            }
            count += 1
            guard count <= expected else {
                throw Failure(
                    .malformed, "data: more than the \(expected) elements of the shape")
            }
        }
        let tensor: Tensor
        if type.isFloating {
            var values: [Double] = []
            try reader.elements { (scalar) throws(Failure) in
                let value = Self.real(scalar)
                try check(value != nil)
                values.append(value ?? 0)
            }
            try checkCount(values.count, expected)
            tensor = try rounded(values, type, shape)
        } else {
            let limits = Self.limits(type)
            var values: [Int64] = []
            try reader.elements { (scalar) throws(Failure) in
                let value = Self.whole(scalar, type, limits)
                try check(value != nil)
                values.append(value ?? 0)
            }
            try checkCount(values.count, expected)
            tensor = Tensor(values, type: type, shape: shape)
        }
        return tensor.bytes
    }

    private static func checkCount(_ count: Int, _ expected: Int) throws(Failure) {
        guard count == expected else {
            throw Failure(
                .malformed, "data: \(count) elements; \(expected) expected by the shape")
        }
    }

    private static func real(_ scalar: JSONReader.Scalar) -> Double? {
        switch scalar {
        case .int(let value): Double(value)
        case .unsigned(let value): Double(value)
        case .number(let value): value
        case .bool, .string: nil
        }
    }

    private static func rounded(
        _ values: [Double], _ type: ElementType, _ shape: [Int]
    ) throws(Failure) -> Tensor {
        if type == .double { return Tensor(doubles: values, shape: shape) }
        let tensor = Tensor(values.map { Float($0) }, rounding: type, shape: shape)
        for (index, (value, float)) in zip(values, tensor.floats ?? []).enumerated()
        where value.isFinite && !float.isFinite {
            let name = WireType.name(type) ?? type.name
            throw Failure(.malformed, "data: element \(index): beyond what \(name) holds")
        }
        return tensor
    }

    /// Least and greatest value; the greatest of UINT64 is beyond these.
    private static func limits(_ type: ElementType) -> ClosedRange<Int64> {
        switch type {
        case .bool: 0...1
        case .uint8: 0...255
        case .uint16: 0...65_535
        case .uint32: 0...4_294_967_295
        case .uint64: 0...Int64.max
        case .int8: -128...127
        case .int16: -32_768...32_767
        case .int32: -2_147_483_648...2_147_483_647
        default: Int64.min...Int64.max
        }
    }

    private static func whole(
        _ scalar: JSONReader.Scalar, _ type: ElementType, _ limits: ClosedRange<Int64>
    ) -> Int64? {
        switch scalar {
        case .int(let value): limits.contains(value) ? value : nil
        case .unsigned(let value): type == .uint64 ? Int64(bitPattern: value) : nil
        case .bool(let value): type == .bool ? (value ? 1 : 0) : nil
        // The one whole number that is read as a float.
        case .number(let value): value == 0 && value.sign == .minus ? 0 : nil
        case .string: nil
        }
    }

    /// Elements for `data`: floats by the fewest digits that give their bits, NaN and infinities as
    /// Python writes them.
    static func json(_ tensor: Tensor) -> JSON {
        func text(_ value: some BinaryFloatingPoint & LosslessStringConvertible) -> JSON {
            if value.isNaN { return .decimal("NaN") }
            if value.isInfinite { return .decimal(value < 0 ? "-Infinity" : "Infinity") }
            return .decimal(value.description)
        }
        switch tensor.elements {
        case .floats(let values): return .array(values.map(text))
        case .doubles(let values): return .array(values.map(text))
        case .integers(let values):
            switch tensor.type {
            case .bool: return .array(values.map { .bool($0 != 0) })
            case .uint64:
                return .array(values.map { .decimal("\(UInt64(bitPattern: $0))") })
            default: return .array(values.map { .int(Int($0)) })
            }
        }
    }
}
