/// An axis-aligned box; the fourth lane is unused.
struct Box {
    var low: SIMD4<Float>
    var high: SIMD4<Float>

    static let empty = Box(
        low: .init(repeating: .infinity), high: .init(repeating: -.infinity))

    @inline(__always)
    mutating func unite(_ other: Box) {
        low = low.replacing(with: other.low, where: other.low .< low)
        high = high.replacing(with: other.high, where: other.high .> high)
    }

    @inline(__always)
    mutating func unite(_ point: SIMD4<Float>) {
        low = low.replacing(with: point, where: point .< low)
        high = high.replacing(with: point, where: point .> high)
    }

    /// The largest magnitude of a coordinate.
    var reach: Float {
        var reach: Float = 0
        for axis in 0..<3 { reach = max(reach, low[axis].magnitude, high[axis].magnitude) }
        return reach
    }

    /// Half the surface; zero for the empty box.
    @inline(__always)
    var halfArea: Float {
        let d = high - low
        return d.x >= 0 ? d.x * d.y + d.y * d.z + d.z * d.x : 0
    }
}

/// A box to be sorted into a tree. The fourth lane of its low corner holds the bits of the number
/// of what it is around, so that what is sorted is one piece of 32 bytes.
struct BvhItem {
    var box: Box

    init(_ box: Box, number: UInt32) {
        self.box = box
        self.box.low.w = Float(bitPattern: number)
        self.box.high.w = 0
    }

    @inline(__always)
    var number: UInt32 { box.low.w.bitPattern }

    /// Twice the centre; the fourth lane means nothing.
    @inline(__always)
    var centre: SIMD4<Float> { box.low + box.high }
}
