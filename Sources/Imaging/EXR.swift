internal import COpenEXR
internal import Core

/// OpenEXR files through OpenEXRCore: one scanline part of float or half channels R, G and B.
public enum EXR {
    /// As for Radiance files: 16 bytes a pixel.
    public static let limits = RadianceHDR.limits

    static func check(_ status: Int32, _ doing: String) throws(Failure) {
        guard status != EXR_ERR_SUCCESS.rawValue else { return }
        let text = exr_get_default_error_message(status).map { String(cString: $0) }
        throw Failure(.malformed, "EXR: \(doing): \(text ?? "error \(status)")")
    }

    /// A file in memory, as OpenEXRCore's callbacks see it.
    final class Stream {
        var bytes: Bytes
        /// Beyond this a writer has gone wrong.
        let byteCountMax: Int

        init(_ bytes: Bytes = [], byteCountMax: Int = .max) {
            self.bytes = bytes
            self.byteCountMax = byteCountMax
        }

        func read(_ buffer: UnsafeMutableRawPointer, _ count: UInt64, _ offset: UInt64) -> Int64 {
            guard offset <= UInt64(bytes.count) else { return -1 }
            let start = Int(offset)
            let length = Int(min(count, UInt64(bytes.count - start)))
            bytes.withUnsafeBytes {
                buffer.copyMemory(from: $0.baseAddress.unsafelyUnwrapped + start, byteCount: length)
            }
            return Int64(length)
        }

        func write(_ buffer: UnsafeRawPointer, _ count: UInt64, _ offset: UInt64) -> Int64 {
            let (end, overflow) = offset.addingReportingOverflow(count)
            guard !overflow, end <= UInt64(byteCountMax) else { return -1 }
            let missing = Int(end) - bytes.count
            if missing > 0 { bytes.append(contentsOf: repeatElement(0, count: missing)) }
            bytes.withUnsafeMutableBytes {
                UnsafeMutableRawBufferPointer(rebasing: $0[Int(offset)..<Int(end)])
                    .copyMemory(from: UnsafeRawBufferPointer(start: buffer, count: Int(count)))
            }
            return Int64(count)
        }

        static func from(_ data: UnsafeMutableRawPointer?) -> Stream? {
            data.map { Unmanaged<Stream>.fromOpaque($0).takeUnretainedValue() }
        }

        /// Callbacks over this stream, which must outlive the context; errors are not printed.
        func initializer() -> exr_context_initializer_t {
            var setup = exr_context_initializer_t()
            setup.size = MemoryLayout<exr_context_initializer_t>.size
            setup.error_handler_fn = { _, _, _ in }
            setup.user_data = Unmanaged.passUnretained(self).toOpaque()
            setup.zip_level = 6
            setup.dwa_quality = -1
            setup.read_fn = { _, data, buffer, count, offset, _ in
                guard let buffer, let stream = Stream.from(data) else { return -1 }
                return stream.read(buffer, count, offset)
            }
            setup.size_fn = { _, data in Int64(Stream.from(data)?.bytes.count ?? -1) }
            setup.write_fn = { _, data, buffer, count, offset, _ in
                guard let buffer, let stream = Stream.from(data) else { return -1 }
                return stream.write(buffer, count, offset)
            }
            return setup
        }
    }
}
