internal import Core

/// Reads buffers, buffer views and accessors (glTF 2.0 §3.6) with every bound checked.
///
/// All integers of the file are first held to 0 … 2⁴⁰, so that no sum or product of two can
/// overflow.
final class GLTFAccessors {
    let document: GLTFDocument
    let limits: ImportLimits
    private let loadBuffer: (Int) throws(Failure) -> Bytes
    private var buffers: [Int: Bytes] = [:]

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
        let view = try (document.bufferViews ?? []).element(index, "bufferView")
        let place = "bufferViews[\(index)]"
        let bytes = try buffer(view.buffer, place)
        let start = try Self.small(view.byteOffset ?? 0, "\(place).byteOffset")
        let length = try Self.small(view.byteLength, "\(place).byteLength")
        guard start + length <= bytes.count else {
            throw Failure(
                .malformed,
                "\(place): bytes \(start)..<\(start + length) of a buffer of \(bytes.count)")
        }
        if let stride = view.byteStride, !(4...252).contains(stride) {
            throw Failure(.malformed, "\(place).byteStride: 4 to 252 expected, \(stride) there")
        }
        return View(bytes: bytes, range: start..<start + length, stride: view.byteStride)
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

        static let lanesByType = ["SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4]

        var byteCount: Int { component.byteCount * lanes }

        var description: String {
            (lanes == 1 ? "SCALAR" : "VEC\(lanes)") + (isNormalized ? " normalized " : " ")
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
        let limit =
            accessor.bufferView == nil ? limits.elementsFromNothingMax : limits.elementsMax
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

    private func read<T: Numeric>(
        _ index: Int, _ load: (UnsafeRawBufferPointer, Int) -> T
    ) throws(Failure) -> [T] {
        let (format, count) = try format(index)
        let accessor = (document.accessors ?? [])[index]
        var values = [T](repeating: 0, count: count * format.lanes)
        if let viewIndex = accessor.bufferView {
            let place = "accessors[\(index)]"
            let view = try view(viewIndex)
            let offset = try Self.small(accessor.byteOffset ?? 0, "\(place).byteOffset")
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
