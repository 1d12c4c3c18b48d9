internal import Core
internal import MeshCodecs

/// Reads buffers, buffer views and accessors (glTF 2.0 §3.6) with every bound checked.
///
/// All integers of the file are first held to 0 … 2⁴⁰, so that no sum or product of two can
/// overflow.
final class GLTFAccessors {
    let document: GLTFDocument
    let limits: ImportLimits
    private let loadBuffer: (Int) throws(Failure) -> Bytes
    private var buffers: [Int: Bytes] = [:]
    private var unpackedViews: [Int: View] = [:]
    private var unpackedByteCount = 0
    /// Elements of accessors whose bytes come from a compressed mesh, tightly packed.
    var decoded: [Int: Bytes] = [:]
    /// Mesh codecs that reading took.
    var codecsUsed: Set<MeshCodec> = []

    /// - Parameter loadBuffer: gives buffer *i*'s bytes; called once for each one used.
    init(
        _ document: GLTFDocument, limits: ImportLimits,
        loadBuffer: @escaping (Int) throws(Failure) -> Bytes
    ) {
        self.document = document
        self.limits = limits
        self.loadBuffer = loadBuffer
    }

    /// A run of a buffer's bytes.
    struct View {
        var bytes: Bytes
        var range: Range<Int>
        var stride: Int?
    }

    func view(_ index: Int) throws(Failure) -> View {
        if let known = unpackedViews[index] { return known }
        let view = try (document.bufferViews ?? []).element(index, "bufferView")
        let place = "bufferViews[\(index)]"
        if let stride = view.byteStride, !(4...252).contains(stride) {
            throw Failure(.malformed, "\(place).byteStride: 4 to 252 expected, \(stride) there")
        }
        if let packed = view.extensions?.meshopt {
            let bytes: Bytes
            do throws(Failure) { bytes = try unpacked(packed, view) } catch {
                throw error.at("\(place).EXT_meshopt_compression")
            }
            let unpacked = View(bytes: bytes, range: bytes.indices, stride: view.byteStride)
            unpackedViews[index] = unpacked
            return unpacked
        }
        let bytes = try buffer(view.buffer, place)
        let range = try Self.range(view.byteOffset, view.byteLength, of: bytes, place)
        return View(bytes: bytes, range: range, stride: view.byteStride)
    }

    private static func range(
        _ offset: Int?, _ length: Int, of bytes: Bytes, _ place: String
    ) throws(Failure) -> Range<Int> {
        let start = try small(offset ?? 0, "\(place).byteOffset")
        let end = start + (try small(length, "\(place).byteLength"))
        guard end <= bytes.count else {
            throw Failure(
                .malformed, "\(place): bytes \(start)..<\(end) of a buffer of \(bytes.count)")
        }
        return start..<end
    }

    private func unpacked(
        _ packed: GLTFDocument.BufferView.Meshopt, _ view: GLTFDocument.BufferView
    ) throws(Failure) -> Bytes {
        guard let mode = Meshopt.Mode(rawValue: packed.mode) else {
            throw Failure(
                .malformed,
                "mode: ATTRIBUTES, TRIANGLES or INDICES expected, "
                    + "\"\(SceneImporter.printable(packed.mode))\" there")
        }
        guard let filter = Meshopt.Filter(rawValue: packed.filter ?? "NONE") else {
            throw Failure(
                .malformed,
                "filter: NONE, OCTAHEDRAL, QUATERNION or EXPONENTIAL expected, "
                    + "\"\(SceneImporter.printable(packed.filter ?? ""))\" there")
        }
        let bytes = try buffer(packed.buffer, "packed")
        let range = try Self.range(packed.byteOffset, packed.byteLength, of: bytes, "packed")
        let count = try Self.small(packed.count, "count")
        let stride = packed.byteStride
        guard (1...256).contains(stride), count * stride == view.byteLength else {
            throw Failure(
                .malformed, "\(count) elements of \(stride) bytes for a view of \(view.byteLength)")
        }
        unpackedByteCount += count * stride
        guard unpackedByteCount <= limits.decodedBytesMax else {
            throw Failure(.limit, "more than \(limits.decodedBytesMax) bytes unpacked")
        }
        codecsUsed.insert(.meshopt)
        return try Meshopt.decode(
            Bytes(bytes[range]), count: count, stride: stride, mode: mode, filter: filter)
    }

    private func buffer(_ index: Int, _ place: String) throws(Failure) -> Bytes {
        if let bytes = buffers[index] { return bytes }
        let source = try (document.buffers ?? []).element(index, "\(place).buffer")
        let bytes = try loadBuffer(index)
        let length = try Self.small(source.byteLength, "buffers[\(index)].byteLength")
        guard bytes.count >= length else {
            throw Failure(
                .malformed, "buffers[\(index)]: \(length) bytes expected, \(bytes.count) there")
        }
        let used = bytes.count == length ? bytes : Bytes(bytes[..<length])
        buffers[index] = used
        return used
    }

    static func small(_ value: Int, _ place: String) throws(Failure) -> Int {
        guard (0...1 << 40).contains(value) else {
            throw Failure(.malformed, "\(place): \(value) out of range")
        }
        return value
    }
}

// MARK: - Accessors

extension GLTFAccessors {
    /// An accessor's component type and shape.
    struct Format: Hashable, CustomStringConvertible {
        enum Component: Int {
            case int8 = 5120
            case uint8, int16, uint16
            case uint32 = 5125
            case float

            var byteCount: Int {
                switch self {
                case .int8, .uint8: 1
                case .int16, .uint16: 2
                case .uint32, .float: 4
                }
            }
        }

        var component: Component
        var lanes: Int
        var isNormalized: Bool

        /// MAT2 and MAT3 hold nothing that rendering reads.
        static let lanesByType = ["SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16]

        var byteCount: Int { component.byteCount * lanes }

        var description: String {
            (lanes == 1 ? "SCALAR" : lanes == 16 ? "MAT4" : "VEC\(lanes)")
                + (isNormalized ? " normalized " : " ")
                + "\(component)"
        }
    }

    /// What accessor `index` is, without reading it.
    func format(_ index: Int) throws(Failure) -> (format: Format, count: Int) {
        let accessor = try (document.accessors ?? []).element(index, "accessor")
        guard let component = Format.Component(rawValue: accessor.componentType) else {
            throw Failure(
                .malformed, "accessors[\(index)].componentType: \(accessor.componentType) unknown")
        }
        guard let lanes = Format.lanesByType[accessor.type] else {
            throw Failure(
                .malformed, "accessors[\(index)].type: \"\(accessor.type.prefix(20))\" not expected"
            )
        }
        let isFromNothing = accessor.bufferView == nil && decoded[index] == nil
        let limit = isFromNothing ? limits.elementsFromNothingMax : limits.elementsMax
        guard accessor.count >= 1, accessor.count <= limit else {
            throw Failure(
                accessor.count < 1 ? .malformed : .limit,
                "accessors[\(index)].count: 1 to \(limit) expected, \(accessor.count) there")
        }
        let format = Format(
            component: component, lanes: lanes, isNormalized: accessor.normalized ?? false)
        return (format, accessor.count)
    }

    /// Accessor `index` as floats, `lanes` in a row for each element. Normalised integers become
    /// c/255, c/65535, max(c/127, −1), max(c/32767, −1) (§3.6.2.2); others their own value.
    func floats(_ index: Int) throws(Failure) -> [Float] {
        let (format, _) = try format(index)
        return try read(index) { Self.float($0, $1, format) }
    }

    /// Accessor `index` as unsigned integers, for vertex indices.
    func integers(_ index: Int) throws(Failure) -> [UInt32] {
        let (format, _) = try format(index)
        guard format.lanes == 1, !format.isNormalized else {
            throw Failure(.malformed, "accessor \(index): SCALAR expected, \(format) there")
        }
        switch format.component {
        case .uint8, .uint16, .uint32: break
        default:
            throw Failure(
                .malformed, "accessor \(index): unsigned integers expected, \(format) there")
        }
        return try read(index) { Self.integer($0, $1, format.component) }
    }

    /// Checks an accessor's shape and bounds without reading its elements.
    func check(_ index: Int, count expected: Int) throws(Failure) {
        let (format, count) = try format(index)
        guard count == expected else {
            throw Failure(
                .malformed, "accessor \(index): \(expected) elements expected, \(count) there")
        }
        let accessor = (document.accessors ?? [])[index]
        let place = "accessors[\(index)]"
        if let view = accessor.bufferView {
            let offset = try Self.small(accessor.byteOffset ?? 0, "\(place).byteOffset")
            _ = try Self.span(try self.view(view), offset, format, count, place)
        }
        if let sparse = accessor.sparse {
            _ = try view(sparse.indices.bufferView)
            _ = try view(sparse.values.bufferView)
        }
    }

    private func read<T: Numeric>(
        _ index: Int, _ load: (UnsafeRawBufferPointer, Int) -> T
    ) throws(Failure) -> [T] {
        let (format, count) = try format(index)
        let accessor = (document.accessors ?? [])[index]
        var values = [T](repeating: 0, count: count * format.lanes)
        if let view = try elements(of: index) {
            let place = "accessors[\(index)]"
            let isDecoded = decoded[index] != nil
            let offset =
                isDecoded ? 0 : try Self.small(accessor.byteOffset ?? 0, "\(place).byteOffset")
            let span = try Self.span(view, offset, format, count, place)
            view.bytes.withUnsafeBytes { bytes in
                var out = 0
                for element in 0..<count {
                    var at = span.start + element * span.stride
                    for _ in 0..<format.lanes {
                        values[out] = load(bytes, at)
                        out += 1
                        at += format.component.byteCount
                    }
                }
            }
        }
        if let sparse = accessor.sparse {
            try apply(sparse, to: &values, format, "accessors[\(index)].sparse", load)
        }
        return values
    }

    /// Where an accessor's elements lie; nil where all are zero.
    private func elements(of index: Int) throws(Failure) -> View? {
        if let bytes = decoded[index] {
            return View(bytes: bytes, range: bytes.indices, stride: nil)
        }
        guard let view = (document.accessors ?? [])[index].bufferView else { return nil }
        return try self.view(view)
    }

    /// First byte and distance of `count` elements at `offset` in a view, proven to lie inside it.
    private static func span(
        _ view: View, _ offset: Int, _ format: Format, _ count: Int, _ place: String
    ) throws(Failure) -> (start: Int, stride: Int) {
        let stride = view.stride ?? format.byteCount
        guard stride >= format.byteCount else {
            throw Failure(
                .malformed, "\(place): stride \(stride) for elements of \(format.byteCount) bytes")
        }
        let end = offset + stride * (count - 1) + format.byteCount
        guard end <= view.range.count else {
            throw Failure(
                .malformed, "\(place): \(end) bytes expected in its view, \(view.range.count) there"
            )
        }
        return (view.range.lowerBound + offset, stride)
    }

    private func apply<T>(
        _ sparse: GLTFDocument.Accessor.Sparse, to values: inout [T], _ format: Format,
        _ place: String, _ load: (UnsafeRawBufferPointer, Int) -> T
    ) throws(Failure) {
        let elements = values.count / format.lanes
        guard sparse.count >= 1, sparse.count <= elements else {
            throw Failure(
                .malformed, "\(place).count: 1 to \(elements) expected, \(sparse.count) there")
        }
        guard let component = Format.Component(rawValue: sparse.indices.componentType),
            [.uint8, .uint16, .uint32].contains(component)
        else { throw Failure(.malformed, "\(place).indices.componentType: unsigned expected") }
        let indexFormat = Format(component: component, lanes: 1, isNormalized: false)
        let indexView = try view(sparse.indices.bufferView)
        let indexSpan = try Self.span(
            indexView,
            try Self.small(sparse.indices.byteOffset ?? 0, "\(place).indices.byteOffset"),
            indexFormat, sparse.count, "\(place).indices")
        let valueView = try view(sparse.values.bufferView)
        let valueSpan = try Self.span(
            valueView, try Self.small(sparse.values.byteOffset ?? 0, "\(place).values.byteOffset"),
            format, sparse.count, "\(place).values")
        for position in 0..<sparse.count {
            let target = Int(
                indexView.bytes.withUnsafeBytes {
                    Self.integer($0, indexSpan.start + position * indexSpan.stride, component)
                })
            guard target < elements else {
                throw Failure(.malformed, "\(place).indices: \(target) of \(elements) elements")
            }
            valueView.bytes.withUnsafeBytes { bytes in
                for lane in 0..<format.lanes {
                    let at = valueSpan.start + position * valueSpan.stride
                    values[target * format.lanes + lane] = load(
                        bytes, at + lane * format.component.byteCount)
                }
            }
        }
    }

    private static func integer(
        _ bytes: UnsafeRawBufferPointer, _ at: Int, _ component: Format.Component
    ) -> UInt32 {
        switch component {
        case .uint8: UInt32(bytes[at])
        case .uint16:
            UInt32(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt16.self)))
        default: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self))
        }
    }

    private static func float(
        _ bytes: UnsafeRawBufferPointer, _ at: Int, _ format: Format
    ) -> Float {
        let unit = format.isNormalized
        switch format.component {
        case .float: return Float(bitPattern: integer(bytes, at, .uint32))
        case .uint32: return Float(integer(bytes, at, .uint32))
        case .uint8: return unit ? Float(bytes[at]) / 255 : Float(bytes[at])
        case .uint16:
            let value = Float(integer(bytes, at, .uint16))
            return unit ? value / 65535 : value
        case .int8:
            let value = Float(Int8(bitPattern: bytes[at]))
            return unit ? max(value / 127, -1) : value
        case .int16:
            let value = Float(Int16(bitPattern: UInt16(integer(bytes, at, .uint16))))
            return unit ? max(value / 32767, -1) : value
        }
    }
}
