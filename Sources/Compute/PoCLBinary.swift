package import Core

/// What PoCL (3.1) gives as the binary of a program that is compiled and not linked: a few names,
/// and the LLVM bitcode that it takes as a program's binary as well.
///
/// From OpenCL C, PoCL has clang read the whole text in every process to find what its cache has
/// of it: more than half of what building a program takes that it has compiled before. From bitcode
/// it reads nothing but the bitcode. Its own binary of a linked program has the same bitcode, and
/// every kernel compiled for groups of any size, which takes minutes.
package enum PoCLBinary {
    private static let magic = Bytes("poclbin".utf8) + [0]
    /// Of raw LLVM bitcode. LLVM Bitcode File Format, "Magic Numbers".
    private static let bitcodeMagic: Bytes = [0x42, 0x43, 0xC0, 0xDE]
    /// More than the header and the names before the bitcode take.
    private static let headBytesMax = 4096

    /// The bitcode in a binary: all after its magic number, as long as the four bytes before that
    /// say; nil where there is none.
    package static func bitcode(in binary: Bytes) -> Bytes? {
        guard binary.starts(with: magic) else { return nil }
        let head = binary.prefix(headBytesMax)
        let places = head.indices.dropFirst(magic.count + 4).dropLast(bitcodeMagic.count - 1)
        guard let start = places.first(where: { head[$0...].starts(with: bitcodeMagic) })
        else { return nil }
        let count = (0..<4).reduce(0) { $0 | Int(binary[start - 4 + $1]) << (8 * $1) }
        guard count > bitcodeMagic.count, count <= binary.count - start else { return nil }
        return Bytes(binary[start..<start + count])
    }
}
