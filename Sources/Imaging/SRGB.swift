/// The sRGB transfer curve (IEC 61966-2-1) by tables: no power is computed, so the bits are fixed.
public enum SRGB {
    /// Linear value of each 8-bit code.
    public static let linear: [Float] = linearBits.map { Float(bitPattern: $0) }

    private static let thresholds: [Float] = thresholdBits.map { Float(bitPattern: $0) }

    /// The 8-bit code nearest to a linear value, exactly: 0 for NaN and below, 255 from 1 on.
    public static func code(_ linear: Float) -> UInt8 {
        var low = 0
        var high = 255
        while low < high {
            let middle = (low + high) / 2
            if linear >= thresholds[middle] { low = middle + 1 } else { high = middle }
        }
        return UInt8(low)
    }

    /// Three codes for each linear RGB pixel, for a PNG file.
    public static func codes(_ pixels: some Sequence<SIMD3<Float>>) -> [UInt8] {
        var codes: [UInt8] = []
        for pixel in pixels {
            codes.append(code(pixel.x))
            codes.append(code(pixel.y))
            codes.append(code(pixel.z))
        }
        return codes
    }
}
