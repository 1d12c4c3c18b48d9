internal import CNettle
public import Core

/// Keccak-256 with the original padding, as Ethereum uses it; SHA-3's padding differs.
///
/// The permutation is nettle's. Source: the Keccak reference, version 3.0, rate 1088, padding 0x01.
public enum Keccak256 {
    private static let rateBytes = 136

    public static func hash(_ bytes: some Collection<UInt8>) -> Hash256 {
        var state = sha3_state()
        var out = Bytes(repeating: 0, count: Hash256.byteCount)
        withUnsafeMutableBytes(of: &state) { lanes in
            var position = 0
            for byte in bytes {
                lanes[position] ^= byte
                position += 1
                if position == rateBytes {
                    permute(lanes)
                    position = 0
                }
            }
            lanes[position] ^= 0x01
            lanes[rateBytes - 1] ^= 0x80
            permute(lanes)
            out.withUnsafeMutableBytes { $0.copyMemory(from: .init(rebasing: lanes[..<32])) }
        }
        guard let hash = Hash256(out) else { preconditionFailure("32 bytes") }
        return hash
    }

    private static func permute(_ lanes: UnsafeMutableRawBufferPointer) {
        nettle_sha3_permute(lanes.baseAddress?.assumingMemoryBound(to: sha3_state.self))
    }
}
