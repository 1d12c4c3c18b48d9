internal import Core
internal import Imaging

/// A texture and its halved pictures, one after the other, down to a single texel.
///
/// A texel of a halved picture is the mean of those it covers, by the area it covers of each, in
/// linear light and in integers: colours as 16-bit values, sums exact, rounded once.
package enum MipPyramid {
    /// Pictures; one where the sampler asks for no others.
    package static func levels(_ texture: Texture) -> Int {
        guard texture.mipmap != .none else { return 1 }
        let longest = max(texture.width, texture.height)
        return Int.bitWidth - longest.leadingZeroBitCount
    }

    static func side(_ full: Int, level: Int) -> Int { max(full >> level, 1) }

    static func texelCount(_ texture: Texture) -> Int {
        (0..<levels(texture)).reduce(0) {
            $0 + side(texture.width, level: $1) * side(texture.height, level: $1)
        }
    }

    /// All pictures' texels, RGBA in a word, the finest first.
    package static func texels(_ texture: Texture) -> [UInt32] {
        var all: [UInt32] = []
        all.reserveCapacity(texelCount(texture))
        var picture = texture.rgba8.withUnsafeBytes { Array($0.bindMemory(to: UInt32.self)) }
        all.append(contentsOf: picture)
        let codec = texture.isSRGB ? LinearLight.shared : nil
        for level in 1..<max(levels(texture), 1) {
            let from = (
                side(texture.width, level: level - 1), side(texture.height, level: level - 1)
            )
            picture = halved(picture, width: from.0, height: from.1, codec)
            all.append(contentsOf: picture)
        }
        return all
    }

    private static func halved(
        _ picture: [UInt32], width: Int, height: Int, _ light: LinearLight?
    ) -> [UInt32] {
        let across = max(width >> 1, 1)
        let down = max(height >> 1, 1)
        let isEven = width % 2 == 0 && height % 2 == 0
        return [UInt32](unsafeUninitializedCapacity: across * down) { target, count in
            picture.withUnsafeBufferPointer { source in
                for y in 0..<down {
                    for x in 0..<across {
                        target[y * across + x] =
                            isEven
                            ? quarter(source, at: 2 * y * width + 2 * x, width, light)
                            : mean(source, x: x, y: y, width: width, height: height, light)
                    }
                }
            }
            count = across * down
        }
    }

    /// The mean of two times two texels.
    @inline(__always)
    private static func quarter(
        _ source: UnsafeBufferPointer<UInt32>, at place: Int, _ width: Int, _ light: LinearLight?
    ) -> UInt32 {
        let (a, b) = (source[place], source[place + 1])
        let (c, d) = (source[place + width], source[place + width + 1])
        // Two channels side by side, each with room for four times 255.
        func channels(_ texel: UInt32) -> UInt32 { texel & 0x00ff_00ff }
        var even: UInt32 = 0x0002_0002
        even += channels(a) + channels(b)
        even += channels(c) + channels(d)
        var odd: UInt32 = 0x0002_0002
        odd += channels(a >> 8) + channels(b >> 8)
        odd += channels(c >> 8) + channels(d >> 8)
        let plain = channels(even >> 2) | channels(odd >> 2) << 8
        guard let light else { return plain }
        var texel = plain & 0xff00_0000
        for shift: UInt32 in [0, 8, 16] {
            var sum = light.value(a >> shift) + light.value(b >> shift)
            sum += light.value(c >> shift) + light.value(d >> shift)
            texel |= light.code((sum + 2) >> 2) << shift
        }
        return texel
    }

    /// The mean of what a texel covers where a side is odd: up to three a side, weighed by the
    /// parts that it covers (Guthe and Heckbert, "Non-power-of-two mipmapping", 2005).
    private static func mean(
        _ source: UnsafeBufferPointer<UInt32>, x: Int, y: Int, width: Int, height: Int,
        _ light: LinearLight?
    ) -> UInt32 {
        let columns = cover(x, of: width)
        let rows = cover(y, of: height)
        var sums = SIMD4<UInt64>.zero
        var whole: UInt64 = 0
        for row in rows {
            for column in columns {
                let weight = row.weight * column.weight
                let texel = source[row.place * width + column.place]
                for channel in 0..<4 {
                    let code = texel >> (8 * UInt32(channel))
                    let value = channel < 3 ? light?.value(code) ?? code & 255 : code & 255
                    sums[channel] += weight * UInt64(value)
                }
                whole += weight
            }
        }
        var texel: UInt32 = 0
        for channel in 0..<4 {
            let value = UInt32((sums[channel] + whole / 2) / whole)
            let code = channel < 3 ? light?.code(value) ?? value : value
            texel |= code << (8 * UInt32(channel))
        }
        return texel
    }

    /// The texels of a side that texel `index` of its halved side covers, and by how much.
    private static func cover(_ index: Int, of side: Int) -> [(place: Int, weight: UInt64)] {
        if side == 1 { return [(0, 1)] }
        if side % 2 == 0 { return [(2 * index, 1), (2 * index + 1, 1)] }
        let half = side / 2
        return [
            (2 * index, UInt64(half - index)), (2 * index + 1, UInt64(half)),
            (2 * index + 2, UInt64(index + 1)),
        ]
    }
}

/// sRGB's codes and 16-bit linear light.
private final class LinearLight: Sendable {
    static let shared = LinearLight()

    private let values: [UInt32]
    private let codes: [UInt8]

    private init() {
        values = SRGB.linear.map { UInt32(($0 * 65535).rounded()) }
        codes = (0..<65536).map { SRGB.code(Float($0) / 65535) }
    }

    @inline(__always)
    func value(_ code: UInt32) -> UInt32 { values[Int(code & 255)] }

    @inline(__always)
    func code(_ value: UInt32) -> UInt32 { UInt32(codes[Int(value)]) }
}
