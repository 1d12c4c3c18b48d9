/// What a tensor's elements are. Raw values are ONNX's (`TensorProto.DataType`).
public enum ElementType: UInt8, Hashable, Sendable, CaseIterable {
    case float32 = 1
    case uint8 = 2
    case int8 = 3
    case uint16 = 4
    case int16 = 5
    case int32 = 6
    case int64 = 7
    case bool = 9
    case float16 = 10
    case double = 11
    case uint32 = 12
    case uint64 = 13
    case bfloat16 = 16
    case float8e4m3fn = 17
    case float8e4m3fnuz = 18
    case float8e5m2 = 19
    case float8e5m2fnuz = 20
    case uint4 = 21
    case int4 = 22
    case float4e2m1 = 23
    case float8e8m0 = 24
    case uint2 = 25
    case int2 = 26

    /// Of one element in memory, in `.npy` files and in leaves. Elements of less than a byte take
    /// one there.
    public var byteCount: Int {
        switch self {
        case .double, .int64, .uint64: 8
        case .float32, .int32, .uint32: 4
        case .float16, .bfloat16, .int16, .uint16: 2
        default: 1
        }
    }

    /// Bits of one element in ONNX's raw data.
    var bitCount: Int {
        switch self {
        case .uint4, .int4, .float4e2m1: 4
        case .uint2, .int2: 2
        default: byteCount * 8
        }
    }

    /// As people and messages name it.
    public var name: String { "\(self)" }

    /// Numbers with a fraction, of any width.
    public var isFloating: Bool { isFloat || self == .double }

    /// Held on the host as `Float`, which has all their values.
    var isFloat: Bool {
        switch self {
        case .float32: true
        default: isNarrowFloat
        }
    }

    /// Stored narrow; each operator computes in float32 and rounds its result once.
    var isNarrowFloat: Bool {
        switch self {
        case .float16, .bfloat16, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz,
            .float4e2m1, .float8e8m0:
            true
        default: false
        }
    }

    /// Integers, and booleans among them.
    public var isInteger: Bool { !isFloating }

    /// Held on the host as bytes.
    var isNarrowInteger: Bool { isInteger && byteCount < 8 }

    var isSigned: Bool {
        switch self {
        case .int8, .int16, .int32, .int64, .int4, .int2: true
        default: isFloating
        }
    }

    /// Types that only the host computes with: values of these are always known to a plan.
    var isHostOnly: Bool {
        switch self {
        case .float32, .float16, .bfloat16, .bool, .uint8, .int8, .uint16, .int16, .int32, .uint32,
            .int64, .uint64:
            false
        default: true
        }
    }

    /// The OpenCL C type of its elements in device memory.
    var kernelType: String {
        switch self {
        case .float32: "float"
        case .double: "double"
        case .int8: "char"
        case .int16: "short"
        case .int32: "int"
        case .int64: "long"
        case .uint16, .float16, .bfloat16: "ushort"
        case .uint32: "uint"
        case .uint64: "ulong"
        default: "uchar"
        }
    }

    /// The OpenCL C type to move its elements with: equal sizes share one program.
    var moveType: String {
        switch byteCount {
        case 1: "uchar"
        case 2: "ushort"
        case 4: "uint"
        default: "ulong"
        }
    }

    /// The nearest value of an integer type, by wrapping: what a two's complement register of its
    /// width holds. Values of `uint64` are held as the bits of an `Int64`.
    func wrapped(_ value: Int64) -> Int64 {
        switch self {
        case .int8: Int64(Int8(truncatingIfNeeded: value))
        case .int16: Int64(Int16(truncatingIfNeeded: value))
        case .int32: Int64(Int32(truncatingIfNeeded: value))
        case .uint8, .bool: Int64(UInt8(truncatingIfNeeded: value))
        case .uint16: Int64(UInt16(truncatingIfNeeded: value))
        case .uint32: Int64(UInt32(truncatingIfNeeded: value))
        case .uint4: value & 15
        case .int4: (value & 15) ^ 8 &- 8
        case .uint2: value & 3
        case .int2: (value & 3) ^ 2 &- 2
        default: value
        }
    }

    /// Least and greatest value of an integer type; of `uint64` the greatest as its bits.
    var limits: (low: Int64, high: Int64) {
        switch self {
        case .bool: (0, 1)
        case .int64: (.min, .max)
        case .uint64: (0, -1)
        default:
            isSigned
                ? (-1 << (bitCount - 1), 1 << (bitCount - 1) - 1) : (0, 1 << bitCount - 1)
        }
    }
}
