internal import COpenEXR
public import Core
internal import Exact

extension EXR {
    /// A channel of a file: a number for each pixel, row by row from the top.
    public struct Channel: Sendable {
        /// `R`, or with its layer in front, `albedo.R`.
        public var name: String
        public var values: [Float]
        /// Whether it is kept as binary16, rounded to nearest even; else as binary32.
        public var isHalf: Bool

        public init(_ name: String, _ values: [Float], isHalf: Bool = false) {
            self.name = name
            self.values = values
            self.isHalf = isHalf
        }
    }

    /// Encodes linear RGB, ZIP-compressed: of binary32, every bit is kept.
    public static func encode(_ image: ImageFloat, isHalf: Bool = false) throws(Failure) -> Bytes {
        try encode(
            width: image.width, height: image.height, channels: channels(image, isHalf: isHalf))
    }

    /// A picture's channels `R`, `G` and `B`.
    public static func channels(_ image: ImageFloat, isHalf: Bool = false) -> [Channel] {
        zip(["R", "G", "B"], 0..<3).map { name, lane in
            Channel(name, image.pixels.map { $0[lane] }, isHalf: isHalf)
        }
    }

    /// Encodes channels into one scanline part, ZIP-compressed.
    ///
    /// - Parameter attributes: text for the header, by name.
    public static func encode(
        width: Int, height: Int, channels: [Channel], attributes: [String: String] = [:]
    ) throws(Failure) -> Bytes {
        precondition(channels.allSatisfy { $0.values.count == width * height }, "one a pixel")
        // A file's channels lie in the order of their names.
        let sorted = channels.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let planes = Planes(sorted, width: width)
        let texts = attributes.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        let stream = Stream(byteCountMax: 2 * planes.bytes.count + texts + (1 << 20))
        var setup = stream.initializer()
        var context: exr_context_t?
        try check(
            exr_start_write(&context, "memory", EXR_WRITE_FILE_DIRECTLY, &setup), "starting")
        defer { exr_finish(&context) }
        try writeHeader(context, width, height, sorted, attributes)
        try writeChunks(context, planes, height: height)
        // The chunk table is written on closing.
        try check(exr_finish(&context), "finishing")
        return withExtendedLifetime(stream) { stream.bytes }
    }

    /// Channels as the file holds them, one after the other.
    private struct Planes {
        let width: Int
        let kinds: [exr_pixel_type_t]
        let starts: [Int]
        let bytes: Bytes

        init(_ channels: [Channel], width: Int) {
            self.width = width
            var kinds: [exr_pixel_type_t] = []
            var starts: [Int] = []
            var bytes = Bytes()
            bytes.reserveCapacity(channels.reduce(0) { $0 + $1.values.count * ($1.isHalf ? 2 : 4) })
            for channel in channels {
                kinds.append(channel.isHalf ? EXR_PIXEL_HALF : EXR_PIXEL_FLOAT)
                starts.append(bytes.count)
                if channel.isHalf {
                    let halves = channel.values.map(EXR.half)
                    halves.withUnsafeBytes { bytes.append(contentsOf: $0) }
                } else {
                    channel.values.withUnsafeBytes { bytes.append(contentsOf: $0) }
                }
            }
            self.kinds = kinds
            self.starts = starts
            self.bytes = bytes
        }

        func sizeBytes(_ channel: Int) -> Int { kinds[channel] == EXR_PIXEL_HALF ? 2 : 4 }
    }

    /// The nearest binary16, ties to even. What is beyond the largest becomes the largest: infinity
    /// spreads through a compositor's filters.
    static func half(_ value: Float) -> UInt16 {
        let most: Float = 65504
        return Exact.half(from: value > most ? most : (value < -most ? -most : value))
    }

    private static func writeHeader(
        _ context: exr_context_t?, _ width: Int, _ height: Int, _ channels: [Channel],
        _ attributes: [String: String]
    ) throws(Failure) {
        var part: Int32 = 0
        try check(exr_add_part(context, "", EXR_STORAGE_SCANLINE, &part), "adding the part")
        try check(
            exr_initialize_required_attr_simple(
                context, part, Int32(width), Int32(height), EXR_COMPRESSION_ZIP),
            "writing attributes")
        for channel in channels {
            try check(
                exr_add_channel(
                    context, part, channel.name, channel.isHalf ? EXR_PIXEL_HALF : EXR_PIXEL_FLOAT,
                    EXR_PERCEPTUALLY_LINEAR, 1, 1),
                "adding channel \(channel.name)")
        }
        for (name, text) in attributes.sorted(by: { $0.key < $1.key }) {
            try check(exr_attr_set_string(context, part, name, text), "writing \(name)")
        }
        try check(exr_write_header(context), "writing the header")
    }

    private static func writeChunks(
        _ context: exr_context_t?, _ planes: Planes, height: Int
    ) throws(Failure) {
        var rows: Int32 = 0
        try check(exr_get_scanlines_per_chunk(context, 0, &rows), "reading the chunk size")
        var pipeline = exr_encode_pipeline_t()
        defer { exr_encoding_destroy(context, &pipeline) }
        for y in stride(from: 0, to: Int32(height), by: Int(rows)) {
            var chunk = exr_chunk_info_t()
            try check(exr_write_scanline_chunk_info(context, 0, y, &chunk), "row \(y)")
            if y == 0 {
                try check(exr_encoding_initialize(context, 0, &chunk, &pipeline), "row 0")
            } else {
                try check(exr_encoding_update(context, 0, &chunk, &pipeline), "row \(y)")
            }
            try check(encode(context, &pipeline, planes, from: Int(y)), "row \(y)")
        }
    }

    /// Points the pipeline's channels at rows of the planes and runs it.
    private static func encode(
        _ context: exr_context_t?, _ pipeline: inout exr_encode_pipeline_t, _ planes: Planes,
        from y: Int
    ) -> Int32 {
        planes.bytes.withUnsafeBytes { bytes in
            for channel in planes.kinds.indices {
                let size = planes.sizeBytes(channel)
                let start =
                    bytes.baseAddress.unsafelyUnwrapped + planes.starts[channel]
                    + y * planes.width * size
                pipeline.channels[channel].encode_from_ptr =
                    start.assumingMemoryBound(to: UInt8.self)
                pipeline.channels[channel].user_pixel_stride = Int32(size)
                pipeline.channels[channel].user_line_stride = Int32(planes.width * size)
                pipeline.channels[channel].user_bytes_per_element = Int16(size)
                pipeline.channels[channel].user_data_type =
                    UInt16(planes.kinds[channel].rawValue)
            }
            if y == 0 {
                let status = exr_encoding_choose_default_routines(context, 0, &pipeline)
                if status != EXR_ERR_SUCCESS.rawValue { return status }
            }
            return exr_encoding_run(context, 0, &pipeline)
        }
    }
}
