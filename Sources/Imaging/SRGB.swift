internal import Exact

/// The sRGB transfer curve (IEC 61966-2-1) by tables, so the bits are fixed.
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

    /// The curve itself, by ``Exact``'s power, for a value from 0 to 1.
    public static func encoded(_ linear: Float) -> Float {
        guard linear > 0.0031308 else { return 12.92 * linear }
        return (-0.055 as Float).addingProduct(1.055, Exact.pow(linear, 1 / 2.4))
    }
}
