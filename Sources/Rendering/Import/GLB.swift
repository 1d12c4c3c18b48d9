internal import Core

/// The binary container (glTF 2.0 §4): a JSON chunk and at most one binary chunk.
struct GLB {
    let json: Bytes
    let binary: Bytes?

    static func isGLB(_ bytes: Bytes) -> Bool { bytes.starts(with: Array("glTF".utf8)) }

    /// - Throws: ``Failure`` when lengths contradict each other or the first chunk is not JSON.
    init(_ bytes: Bytes) throws(Failure) {
        func word(_ offset: Int) -> Int {
            (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
        }
        guard bytes.count >= 12 else {
            throw Failure(.malformed, "GLB: a 12-byte header expected, \(bytes.count) bytes there")
        }
        guard word(4) == 2 else {
            throw Failure(.unsupported, "GLB: version \(word(4)): version 2 expected")
        }
        let length = word(8)
        guard length <= bytes.count, length >= 12 else {
            throw Failure(.malformed, "GLB: length \(length), but \(bytes.count) bytes there")
        }
        var json: Bytes?
        var binary: Bytes?
        var offset = 12
        var index = 0
        while length - offset >= 8 {
            let count = word(offset)
            guard count <= length - offset - 8 else {
                throw Failure(
                    .malformed,
                    "GLB: chunk \(index) of \(count) bytes: \(length - offset - 8) left")
            }
            let chunk = offset + 8..<offset + 8 + count
            switch word(offset + 4) {
            case 0x4e4f_534a where index == 0: json = Bytes(bytes[chunk])
            case 0x004e_4942 where index == 1: binary = Bytes(bytes[chunk])
            default: break
            }
            offset = chunk.upperBound
            index += 1
        }
        guard let json else { throw Failure(.malformed, "GLB: first chunk: JSON expected") }
        self.json = json
        self.binary = binary
    }
}
