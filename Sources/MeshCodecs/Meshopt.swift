internal import CMeshopt
public import Core

/// Buffers compressed as EXT_meshopt_compression says, through the meshoptimizer library, which
/// gives integers; the filters behind it are written here, for the library's own use whatever
/// vector instructions it was built for.
public enum Meshopt {
    public enum Mode: String, Sendable {
        case attributes = "ATTRIBUTES"
        case triangles = "TRIANGLES"
        case indices = "INDICES"
    }

    public enum Filter: String, Sendable {
        case none = "NONE"
        case octahedral = "OCTAHEDRAL"
        case quaternion = "QUATERNION"
        case exponential = "EXPONENTIAL"
    }

    /// Decodes `count` elements of `stride` bytes.
    ///
    /// - Throws: ``Failure`` (malformed) where the bytes are damaged or the shape is not one that
    ///   the mode and the filter have.
    public static func decode(
        _ bytes: Bytes, count: Int, stride: Int, mode: Mode, filter: Filter
    ) throws(Failure) -> Bytes {
        try checkShape(count, stride, mode, filter)
        // What the densest stream holds: sixteen bytes of a kind in two bits, three corners in a
        // byte, one index in a byte. Memory is asked for behind this line alone.
        let countMax: Int =
            switch mode {
            case .attributes: bytes.count * 64 / stride
            case .triangles: bytes.count * 3
            case .indices: bytes.count
            }
        guard count <= countMax else {
            throw Failure(
                .malformed, "meshopt: \(count) elements cannot be in \(bytes.count) bytes")
        }
        var decoded = Bytes(repeating: 0, count: count * stride)
        let status =
            switch mode {
            case .attributes:
                meshopt_decodeVertexBuffer(&decoded, count, stride, bytes, bytes.count)
            case .triangles:
                meshopt_decodeIndexBuffer(&decoded, count, stride, bytes, bytes.count)
            case .indices:
                meshopt_decodeIndexSequence(&decoded, count, stride, bytes, bytes.count)
            }
        guard status == 0 else { throw Failure(.malformed, "meshopt: damaged (\(status))") }
        switch filter {
        case .none: break
        case .octahedral:
            if stride == 4 { octahedral8(&decoded) } else { octahedral16(&decoded) }
        case .quaternion: quaternion(&decoded)
        case .exponential: exponential(&decoded)
        }
        return decoded
    }

    private static func checkShape(
        _ count: Int, _ stride: Int, _ mode: Mode, _ filter: Filter
    ) throws(Failure) {
        let strides: [Int] =
            switch (mode, filter) {
            case (.attributes, .none), (.attributes, .exponential):
                Array(Swift.stride(from: 4, through: 256, by: 4))
            case (.attributes, .octahedral): [4, 8]
            case (.attributes, .quaternion): [8]
            case (_, .none): [2, 4]
            default: []
            }
        guard strides.contains(stride) else {
            throw Failure(
                .malformed,
                "meshopt: \(mode.rawValue) of \(stride) bytes with filter \(filter.rawValue)")
        }
        guard count >= 1, mode != .triangles || count % 3 == 0 else {
            throw Failure(.malformed, "meshopt: \(count) elements in \(mode.rawValue)")
        }
    }
}

// MARK: - Filters

extension Meshopt {
    /// Rounded to the nearest whole number, halves away from zero, and kept within 16 bits.
    private static func rounded(_ value: Double) -> Int {
        Int(max(-32_768, min(32_767, value < 0 ? value - 0.5 : value + 0.5)))
    }

    /// x and y on the octahedron, where `one` is 1, as a unit vector times `scale`.
    private static func unit(
        _ x: Int, _ y: Int, one: Int, scale: Double
    ) -> (x: Int, y: Int, z: Int) {
        var (x, y) = (Double(x), Double(y))
        let z = (Double(one) - x.magnitude) - y.magnitude
        let fold = min(z, 0)
        x += x < 0 ? -fold : fold
        y += y < 0 ? -fold : fold
        let length = ((x * x + y * y) + z * z).squareRoot()
        guard length > 0 else { return (0, 0, 0) }
        let factor = scale / length
        return (rounded(x * factor), rounded(y * factor), rounded(z * factor))
    }

    private static func octahedral8(_ bytes: inout Bytes) {
        func signed(_ at: Int) -> Int { Int(Int8(bitPattern: bytes[at])) }
        for at in stride(from: 0, to: bytes.count, by: 4) {
            let vector = unit(signed(at), signed(at + 1), one: signed(at + 2), scale: 127)
            bytes[at] = UInt8(truncatingIfNeeded: vector.x)
            bytes[at + 1] = UInt8(truncatingIfNeeded: vector.y)
            bytes[at + 2] = UInt8(truncatingIfNeeded: vector.z)
        }
    }

    private static func word(_ bytes: Bytes, _ at: Int) -> Int {
        Int(Int16(bitPattern: UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8))
    }

    private static func store(_ value: Int, _ bytes: inout Bytes, _ at: Int) {
        let bits = UInt16(truncatingIfNeeded: value)
        bytes[at] = UInt8(bits & 255)
        bytes[at + 1] = UInt8(bits >> 8)
    }

    private static func octahedral16(_ bytes: inout Bytes) {
        for at in stride(from: 0, to: bytes.count, by: 8) {
            let vector = unit(
                word(bytes, at), word(bytes, at + 2), one: word(bytes, at + 4), scale: 32_767)
            store(vector.x, &bytes, at)
            store(vector.y, &bytes, at + 2)
            store(vector.z, &bytes, at + 4)
        }
    }

    /// Three components of a unit quaternion, and which one is left out in the last one's low bits;
    /// the last one's high bits are what 1 ÷ √2 is encoded as.
    private static func quaternion(_ bytes: inout Bytes) {
        let half = 0.5.squareRoot()
        for at in stride(from: 0, to: bytes.count, by: 8) {
            let last = word(bytes, at + 6)
            let step = half / Double(last | 3)
            let x = Double(word(bytes, at)) * step
            let y = Double(word(bytes, at + 2)) * step
            let z = Double(word(bytes, at + 4)) * step
            let w = max(((1 - x * x) - y * y) - z * z, 0).squareRoot()
            for (offset, value) in [w, x, y, z].enumerated() {
                store(rounded(value * 32_767), &bytes, at + 2 * ((last + offset) & 3))
            }
        }
    }

    /// A signed 24-bit integer times two to a signed 8-bit power.
    private static func exponential(_ bytes: inout Bytes) {
        for at in stride(from: 0, to: bytes.count, by: 4) {
            let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) }
            let whole = Int32(bitPattern: bits << 8) >> 8
            let power = Int32(bitPattern: bits) >> 24
            let value = Float(
                Double(whole) * Double(sign: .plus, exponent: Int(power), significand: 1))
            bytes.replaceSubrange(at..<at + 4, with: value.bitPattern.littleEndianBytes)
        }
    }
}
