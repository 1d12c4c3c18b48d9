internal import CDracoShims
public import Core

/// Meshes compressed by Draco, through Google's library.
///
/// The library gives integers: connectivity, and attributes as they were quantised. How those
/// become floats is written here, in a fixed order of operations, so that no build of the library
/// and no processor has a say in it.
public final class DracoMesh {
    /// An attribute as glTF wants it.
    public enum Values: Hashable, Sendable {
        case integers([Int32])
        case floats([Float])

        public var count: Int {
            switch self {
            case .integers(let values): values.count
            case .floats(let values): values.count
            }
        }
    }

    public let pointCount: Int
    /// Three points a triangle.
    public let corners: [UInt32]
    private let mesh: OpaquePointer

    /// - Throws: ``Failure`` when the bytes are not a triangle mesh in Draco's bitstream 2.2, or
    ///   hold more than the limits say.
    public init(
        decoding bytes: Bytes, pointsMax: Int = 1 << 24, trianglesMax: Int = 1 << 24
    ) throws(Failure) {
        try DracoHeader(bytes).check(bytes.count, pointsMax: pointsMax, trianglesMax: trianglesMax)
        var message = [CChar](repeating: 0, count: Int(RIGOR_DRACO_MESSAGE_BYTES))
        var mesh: OpaquePointer?
        var points: UInt32 = 0
        var faces: UInt32 = 0
        guard rigor_draco_decode(bytes, bytes.count, &mesh, &points, &faces, &message) == 0,
            let mesh
        else {
            let text = String(
                decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            throw Failure(.malformed, "Draco: \(text.isEmpty ? "damaged" : text)")
        }
        guard points <= pointsMax, faces <= trianglesMax else {
            rigor_draco_free(mesh)
            throw Failure(.limit, "Draco: \(points) points and \(faces) triangles")
        }
        self.mesh = mesh
        pointCount = Int(points)
        var corners = [UInt32](repeating: 0, count: 3 * Int(faces))
        rigor_draco_corners(mesh, &corners)
        self.corners = corners
    }

    deinit { rigor_draco_free(mesh) }

    /// The attribute of that unique id, `components` values for each point.
    ///
    /// - Throws: ``Failure`` (malformed) where there is none of that shape.
    public func values(id: Int, components: Int) throws(Failure) -> Values {
        var attribute = rigor_draco_attribute()
        guard let number = UInt32(exactly: id),
            rigor_draco_describe(mesh, number, &attribute) == 0
        else { throw Failure(.malformed, "Draco: attribute \(id): not there, or not readable") }
        let isOctahedral = Int(attribute.transform) == RIGOR_DRACO_OCTAHEDRAL
        let stored = Int(attribute.components)
        guard (isOctahedral ? 3 : stored) == components else {
            throw Failure(
                .malformed,
                "Draco: attribute \(id): \(components) components expected, \(stored) there")
        }
        var values = [Int32](repeating: 0, count: pointCount * stored)
        guard rigor_draco_values(mesh, number, &values) == 0 else {
            throw Failure(.malformed, "Draco: attribute \(id): values out of range")
        }
        let bits = Int(attribute.quantization_bits)
        switch Int(attribute.transform) {
        case RIGOR_DRACO_PLAIN:
            return attribute.is_float == 0
                ? .integers(values)
                : .floats(values.map { Float(bitPattern: UInt32(bitPattern: $0)) })
        case RIGOR_DRACO_QUANTIZED:
            guard (1...30).contains(bits) else { throw Self.badBits(id, bits) }
            let lowest = attribute.minimum
            let minimum = [lowest.0, lowest.1, lowest.2, lowest.3]
            let step = attribute.range / Float((1 << bits) - 1)
            return .floats(
                values.enumerated().map { Float($0.element) * step + minimum[$0.offset % stored] })
        default:
            guard (2...30).contains(bits) else { throw Self.badBits(id, bits) }
            return .floats(Self.unitVectors(values, bits: bits))
        }
    }

    private static func badBits(_ id: Int, _ bits: Int) -> Failure {
        Failure(.malformed, "Draco: attribute \(id): quantised to \(bits) bits")
    }

    /// Draco's octahedral map, in doubles: coordinates run from 0 to 2^bits − 2 over −1 … 1.
    private static func unitVectors(_ values: [Int32], bits: Int) -> [Float] {
        let scale = 2 / Double((1 << bits) - 2)
        var floats: [Float] = []
        floats.reserveCapacity(values.count / 2 * 3)
        for pair in stride(from: 0, to: values.count, by: 2) {
            var y = Double(values[pair]) * scale - 1
            var z = Double(values[pair + 1]) * scale - 1
            let x = (1 - y.magnitude) - z.magnitude
            let fold = max(-x, 0)
            y += y < 0 ? fold : -fold
            z += z < 0 ? fold : -fold
            let length = ((x * x + y * y) + z * z).squareRoot()
            floats += [Float(x / length), Float(y / length), Float(z / length)]
        }
        return floats
    }
}

/// What a file says of its size, read before the library asks for memory.
struct DracoHeader {
    private let triangleCount: Int
    private let vertexCount: Int

    /// A byte holds the connectivity of some hundred triangles at best.
    private static let elementsPerByteMax = 2_048

    init(_ bytes: Bytes) throws(Failure) {
        guard bytes.count > 12, bytes.starts(with: Array("DRACO".utf8)) else {
            throw Failure(.malformed, "Draco: a file that begins with DRACO expected")
        }
        guard bytes[5] == 2, bytes[6] == 2 else {
            throw Failure(
                .unsupported, "Draco: bitstream \(bytes[5]).\(bytes[6]): 2.2 expected")
        }
        guard bytes[7] == 1, bytes[8] <= 1 else {
            throw Failure(.unsupported, "Draco: a triangle mesh expected")
        }
        guard bytes[10] & 0x80 == 0 else {
            throw Failure(.unsupported, "Draco: metadata: none expected")
        }
        // Edgebreaker: the kind of traversal, vertices, triangles. Sequential: triangles, points.
        let isEdgebreaker = bytes[8] == 1
        var at = isEdgebreaker ? 12 : 11
        let first = try Self.number(bytes, &at)
        let second = try Self.number(bytes, &at)
        triangleCount = isEdgebreaker ? second : first
        vertexCount = isEdgebreaker ? first : second
    }

    func check(_ byteCount: Int, pointsMax: Int, trianglesMax: Int) throws(Failure) {
        guard triangleCount <= trianglesMax, vertexCount <= pointsMax else {
            throw Failure(
                .limit,
                "Draco: \(vertexCount) points and \(triangleCount) triangles; at most "
                    + "\(pointsMax) and \(trianglesMax) expected")
        }
        guard max(triangleCount, vertexCount) <= byteCount * Self.elementsPerByteMax else {
            throw Failure(
                .malformed,
                "Draco: \(vertexCount) points and \(triangleCount) triangles cannot be "
                    + "in \(byteCount) bytes")
        }
    }

    /// Seven bits a byte, the lowest first, the highest bit set where more follow.
    private static func number(_ bytes: Bytes, _ at: inout Int) throws(Failure) -> Int {
        var value = 0
        for shift in stride(from: 0, to: 35, by: 7) {
            guard at < bytes.count else { break }
            value |= Int(bytes[at] & 0x7f) << shift
            at += 1
            if bytes[at - 1] & 0x80 == 0 { return value }
        }
        throw Failure(.malformed, "Draco: the header ends too early")
    }
}
