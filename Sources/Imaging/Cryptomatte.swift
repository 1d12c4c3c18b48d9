internal import Core

/// Mattes of things by their names, as compositors read them: Cryptomatte's published
/// specification, version 1.2 (Friedman and Jones, https://github.com/Psyop/Cryptomatte).
///
/// A thing's identifier is MurmurHash3 (32 bits, seed 0) of its name. Layers `…00` to `…02` hold
/// each pixel's two, four and six foremost identifiers with the part of the pixel that each covers.
public enum Cryptomatte {
    /// Identifiers that a pixel keeps, those that cover most of it.
    public static let ranks = 6

    /// The identifier of a name, as the number that channels hold: where its exponent would make it
    /// no normal number, the exponent's last bit is turned.
    public static func identifier(_ name: String) -> Float {
        Float(bitPattern: bits(name))
    }

    static func bits(_ name: String) -> UInt32 {
        let hash = murmur(Array(name.utf8))
        let exponent = hash >> 23 & 255
        return exponent == 0 || exponent == 255 ? hash ^ 1 << 23 : hash
    }

    /// What a header says of a set of mattes.
    public static func attributes(_ set: String, names: [String]) -> [String: String] {
        let key = "cryptomatte/\(hexadecimal(murmur(Array(set.utf8))).prefix(7))"
        let entries = Set(names).sorted().map { name in
            "\(JSON.string(name).text.dropLast()):\"\(hexadecimal(bits(name)))\""
        }
        return [
            "\(key)/name": set, "\(key)/hash": "MurmurHash3_32",
            "\(key)/conversion": "uint32_to_float32",
            "\(key)/manifest": "{\(entries.joined(separator: ","))}",
        ]
    }

    /// The channels of a set: a plane of identifiers and a plane of coverages for each rank.
    public static func channels(
        _ set: String, identifiers: [[Float]], coverages: [[Float]]
    ) -> [EXR.Channel] {
        var channels: [EXR.Channel] = []
        for rank in identifiers.indices {
            let layer = "\(set)0\(rank / 2)"
            let names = rank % 2 == 0 ? ["R", "G"] : ["B", "A"]
            channels.append(EXR.Channel("\(layer).\(names[0])", identifiers[rank]))
            channels.append(EXR.Channel("\(layer).\(names[1])", coverages[rank]))
        }
        return channels
    }

    private static func hexadecimal(_ value: UInt32) -> String { value.bigEndianBytes.hex }

    /// MurmurHash3_x86_32 (Appleby), seed 0.
    static func murmur(_ bytes: [UInt8]) -> UInt32 {
        func rotated(_ x: UInt32, _ count: UInt32) -> UInt32 { x << count | x >> (32 - count) }
        func mixed(_ k: UInt32) -> UInt32 { rotated(k &* 0xcc9e_2d51, 15) &* 0x1b87_3593 }
        var hash: UInt32 = 0
        let whole = bytes.count / 4 * 4
        for start in stride(from: 0, to: whole, by: 4) {
            let word = (0..<4).reduce(0 as UInt32) { $0 | UInt32(bytes[start + $1]) << (8 * $1) }
            hash = rotated(hash ^ mixed(word), 13) &* 5 &+ 0xe654_6b64
        }
        let tail = bytes[whole...].enumerated().reduce(0 as UInt32) {
            $0 | UInt32($1.element) << (8 * $1.offset)
        }
        if whole < bytes.count { hash ^= mixed(tail) }
        hash ^= UInt32(truncatingIfNeeded: bytes.count)
        hash = (hash ^ hash >> 16) &* 0x85eb_ca6b
        hash = (hash ^ hash >> 13) &* 0xc2b2_ae35
        return hash ^ hash >> 16
    }
}
