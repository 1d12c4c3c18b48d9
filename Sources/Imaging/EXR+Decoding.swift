internal import COpenEXR
public import Core

extension EXR {
    /// Compressions that keep every bit, and the smallest share of its size a picture can have:
    /// the others would need a known answer each.
    private static let lossless: Set<UInt32> = [
        EXR_COMPRESSION_NONE.rawValue, EXR_COMPRESSION_RLE.rawValue, EXR_COMPRESSION_ZIPS.rawValue,
        EXR_COMPRESSION_ZIP.rawValue, EXR_COMPRESSION_PIZ.rawValue,
    ]

    /// Decodes R, G and B of a single-part scanline file; other channels are left out.
    ///
    /// - Throws: ``Failure`` when the file is damaged, tiled, deep, multi-part, subsampled, lossy
    ///   (PXR24, B44, DWA), lacks a channel or is beyond `limits`.
    public static func decode(
        _ bytes: Bytes, limits: ImageLimits = EXR.limits
    ) throws(Failure) -> ImageFloat {
        let stream = Stream(bytes)
        var setup = stream.initializer()
        setup.max_image_width = Int32(limits.sideMax)
        setup.max_image_height = Int32(limits.sideMax)
        var context: exr_context_t?
        try check(exr_start_read(&context, "memory", &setup), "header")
        defer { exr_finish(&context) }
        let window = try dataWindow(context, fileBytes: bytes.count, limits)
        let pixels = try readChunks(context, window)
        return withExtendedLifetime(stream) {
            ImageFloat(width: window.width, height: window.height, pixels: pixels)
        }
    }

    private struct Window {
        var firstRow: Int
        var width: Int
        var height: Int
    }

    private static func dataWindow(
        _ context: exr_context_t?, fileBytes: Int, _ limits: ImageLimits
    ) throws(Failure) -> Window {
        var parts: Int32 = 0
        try check(exr_get_count(context, &parts), "parts")
        var storage = EXR_STORAGE_DEEP_TILED
        try check(exr_get_storage(context, 0, &storage), "storage")
        guard parts == 1, storage == EXR_STORAGE_SCANLINE else {
            throw Failure(.unsupported, "EXR: one part of scanlines expected")
        }
        var compression = EXR_COMPRESSION_NONE
        try check(exr_get_compression(context, 0, &compression), "compression")
        guard lossless.contains(compression.rawValue) else {
            throw Failure(
                .unsupported, "EXR: lossy compression: none, RLE, ZIPS, ZIP or PIZ expected")
        }
        var box = exr_attr_box2i_t()
        try check(exr_get_data_window(context, 0, &box), "data window")
        let width = Int(box.max.x) - Int(box.min.x) + 1
        let height = Int(box.max.y) - Int(box.min.y) + 1
        try limits.check(width: width, height: height, kind: "EXR")
        // DEFLATE packs at best 1,032 to 1; a picture has at least 2 bytes a pixel and channel.
        guard width * height * 6 <= fileBytes * 1_032 else {
            throw Failure(
                .malformed, "EXR: \(width)×\(height) pixels cannot be in \(fileBytes) bytes")
        }
        return Window(firstRow: Int(box.min.y), width: width, height: height)
    }

    private static func readChunks(
        _ context: exr_context_t?, _ window: Window
    ) throws(Failure) -> [SIMD3<Float>] {
        var rows: Int32 = 0
        try check(exr_get_scanlines_per_chunk(context, 0, &rows), "chunk size")
        guard (1...256).contains(rows) else { throw Failure(.malformed, "EXR: chunk size \(rows)") }
        let planeCount = window.width * Int(rows)
        let planes = UnsafeMutableBufferPointer<Float>.allocate(capacity: 3 * planeCount)
        planes.initialize(repeating: 0)
        defer { planes.deallocate() }

        var pixels = [SIMD3<Float>](repeating: .zero, count: window.width * window.height)
        var pipeline = exr_decode_pipeline_t()
        defer { exr_decoding_destroy(context, &pipeline) }
        for first in stride(from: 0, to: window.height, by: Int(rows)) {
            let place = "row \(first)"
            var chunk = exr_chunk_info_t()
            try check(
                exr_read_scanline_chunk_info(
                    context, 0, Int32(window.firstRow + first), &chunk), place)
            let count = min(Int(rows), window.height - first)
            guard Int(chunk.width) == window.width, Int(chunk.height) == count,
                Int(chunk.start_y) == window.firstRow + first
            else { throw Failure(.malformed, "EXR: \(place): chunk of another size") }
            if first == 0 {
                try check(exr_decoding_initialize(context, 0, &chunk, &pipeline), place)
            } else {
                try check(exr_decoding_update(context, 0, &chunk, &pipeline), place)
            }
            try aim(&pipeline, planes, planeCount, window.width)
            if first == 0 {
                try check(exr_decoding_choose_default_routines(context, 0, &pipeline), place)
            }
            try check(exr_decoding_run(context, 0, &pipeline), place)
            for index in 0..<count * window.width {
                pixels[first * window.width + index] = SIMD3(
                    planes[index], planes[planeCount + index], planes[2 * planeCount + index])
            }
        }
        return pixels
    }

    /// Points channels R, G and B at their planes; the rest is skipped.
    private static func aim(
        _ pipeline: inout exr_decode_pipeline_t,
        _ planes: UnsafeMutableBufferPointer<Float>, _ planeCount: Int, _ width: Int
    ) throws(Failure) {
        var found: Set<String> = []
        for index in 0..<Int(pipeline.channel_count) {
            let channel = pipeline.channels[index]
            let name = channel.channel_name.map { String(cString: $0) } ?? ""
            guard let lane = ["R", "G", "B"].firstIndex(of: name) else {
                pipeline.channels[index].decode_to_ptr = nil
                continue
            }
            guard channel.x_samples == 1, channel.y_samples == 1,
                channel.data_type != UInt16(EXR_PIXEL_UINT.rawValue)
            else {
                throw Failure(
                    .unsupported, "EXR: channel \(name): full-size half or float expected")
            }
            found.insert(name)
            let start = planes.baseAddress.unsafelyUnwrapped + lane * planeCount
            pipeline.channels[index].decode_to_ptr = UnsafeMutableRawPointer(start)
                .assumingMemoryBound(to: UInt8.self)
            pipeline.channels[index].user_pixel_stride = 4
            pipeline.channels[index].user_line_stride = Int32(width * 4)
            pipeline.channels[index].user_bytes_per_element = 4
            pipeline.channels[index].user_data_type = UInt16(EXR_PIXEL_FLOAT.rawValue)
        }
        guard found.count == 3 else {
            throw Failure(.unsupported, "EXR: channels R, G and B expected")
        }
    }
}
