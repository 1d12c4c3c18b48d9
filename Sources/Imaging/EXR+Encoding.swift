internal import COpenEXR
public import Core

extension EXR {
    /// Encodes linear RGB as 32-bit float channels, ZIP-compressed: every bit is kept.
    public static func encode(_ image: ImageFloat) throws(Failure) -> Bytes {
        let stream = Stream(byteCountMax: image.pixels.count * 24 + (1 << 20))
        var setup = stream.initializer()
        var context: exr_context_t?
        try check(
            exr_start_write(&context, "memory", EXR_WRITE_FILE_DIRECTLY, &setup), "starting")
        defer { exr_finish(&context) }
        try writeHeader(context, image)
        try writeChunks(context, image)
        // The chunk table is written on closing.
        try check(exr_finish(&context), "finishing")
        return withExtendedLifetime(stream) { stream.bytes }
    }

    private static func writeHeader(_ context: exr_context_t?, _ image: ImageFloat) throws(Failure)
    {
        var part: Int32 = 0
        try check(exr_add_part(context, "", EXR_STORAGE_SCANLINE, &part), "adding the part")
        try check(
            exr_initialize_required_attr_simple(
                context, part, Int32(image.width), Int32(image.height), EXR_COMPRESSION_ZIP),
            "writing attributes")
        for name in ["B", "G", "R"] {
            try check(
                exr_add_channel(
                    context, part, name, EXR_PIXEL_FLOAT, EXR_PERCEPTUALLY_LINEAR, 1, 1),
                "adding channel \(name)")
        }
        try check(exr_write_header(context), "writing the header")
    }

    private static func writeChunks(_ context: exr_context_t?, _ image: ImageFloat) throws(Failure)
    {
        var rows: Int32 = 0
        try check(exr_get_scanlines_per_chunk(context, 0, &rows), "reading the chunk size")
        let planes = (0..<3).map { lane in image.pixels.map { $0[lane] } }
        var pipeline = exr_encode_pipeline_t()
        defer { exr_encoding_destroy(context, &pipeline) }
        for y in stride(from: 0, to: Int32(image.height), by: Int(rows)) {
            var chunk = exr_chunk_info_t()
            try check(exr_write_scanline_chunk_info(context, 0, y, &chunk), "row \(y)")
            if y == 0 {
                try check(exr_encoding_initialize(context, 0, &chunk, &pipeline), "row 0")
            } else {
                try check(exr_encoding_update(context, 0, &chunk, &pipeline), "row \(y)")
            }
            let status = encode(context, &pipeline, planes, from: Int(y), width: image.width)
            try check(status, "row \(y)")
        }
    }

    /// Points the pipeline's channels, which lie in order of name, at rows of the planes and runs
    /// it.
    private static func encode(
        _ context: exr_context_t?, _ pipeline: inout exr_encode_pipeline_t, _ planes: [[Float]],
        from y: Int, width: Int
    ) -> Int32 {
        planes[0].withUnsafeBytes { red in
            planes[1].withUnsafeBytes { green in
                planes[2].withUnsafeBytes { blue in
                    for (channel, plane) in [blue, green, red].enumerated() {
                        let start = plane.baseAddress.unsafelyUnwrapped + y * width * 4
                        pipeline.channels[channel].encode_from_ptr =
                            start.assumingMemoryBound(to: UInt8.self)
                        pipeline.channels[channel].user_pixel_stride = 4
                        pipeline.channels[channel].user_line_stride = Int32(width * 4)
                        pipeline.channels[channel].user_bytes_per_element = 4
                        pipeline.channels[channel].user_data_type =
                            UInt16(EXR_PIXEL_FLOAT.rawValue)
                    }
                    if y == 0 {
                        let status = exr_encoding_choose_default_routines(context, 0, &pipeline)
                        if status != EXR_ERR_SUCCESS.rawValue { return status }
                    }
                    return exr_encoding_run(context, 0, &pipeline)
                }
            }
        }
    }
}
