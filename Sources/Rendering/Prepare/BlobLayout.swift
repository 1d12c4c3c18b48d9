/// Where things lie in a render blob: 32-bit words, little-endian. `Kernels/render/layout.cl` has
/// the same numbers.
///
/// A blob is a header of ``headerWords`` words and then the sections, each beginning at a multiple
/// of 16 words. It holds all that `run` needs and nothing that depends on a device.
package enum BlobLayout {
    /// "RGRB" when read as bytes.
    package static let magic: UInt32 = 0x4252_4752
    package static let version: UInt32 = 3
    package static let headerWords = 128

    /// Words of the header.
    package enum Word {
        package static let magic = 0
        package static let version = 1
        package static let wordCount = 2
        package static let width = 3
        package static let height = 4
        package static let bounces = 5
        package static let seedLow = 6
        package static let seedHigh = 7
        package static let camera = 8
        package static let cameraFlags = 11
        package static let right = 12
        package static let up = 16
        package static let forward = 20
        package static let twoOverWidth = 24
        package static let twoOverHeight = 25
        /// How far off a surface a new ray begins.
        package static let offset = 26
        /// How much each triangle's box is widened, on every side.
        package static let pad = 27
        /// Zero for a pinhole.
        package static let lensRadius = 30
        package static let focusDistance = 31
        package static let sections = 32
        package static let environmentWidth = 72
        package static let environmentHeight = 73
        /// One over the luminance of the environment's brightest texel.
        package static let environmentScale = 75
        /// Brightness beside that texel, times the sine of the row, times this, over the sine, is a
        /// density per solid angle.
        package static let environmentDensity = 76
        /// Chance that the environment is the light asked.
        package static let environmentChance = 77
        /// A pixel's cone: its width where the ray begins, and how it grows a unit of distance.
        package static let coneWidth = 78
        package static let coneSpread = 79
        /// ``RenderFeatures``.
        package static let features = 80
        /// Most that light scattered more than once may add; 0 for no limit.
        package static let clamp = 81
        /// Where the lights are in a tree: emitters that are in the table all the same, how many of
        /// 2³² choices fall on these, and the tree's levels below its root.
        package static let lightTable = 88
        package static let lightBase = 89
        package static let lightLevels = 90
        /// Samples a pixel that a shutter's steps share; for hosts, of the first step alone.
        package static let stepSamples = 91
    }

    /// Sections in their order; a raw value is the section's number in kernels.
    package enum Section: Int, CaseIterable, Sendable {
        case nodes, blocks, triangles, vertices, tangents, uv1, colors, materials, textures, texels
        case lights, emitters, triangleEmitters, environmentTexels, environmentRows
        case environmentColumns, srgb, sheen, lightNodes

        /// Words of one element.
        package var stride: Int {
            switch self {
            case .nodes: 64
            case .blocks: 104
            case .triangles, .tangents, .colors, .emitters: 4
            case .vertices: 8
            case .uv1: 2
            case .lightNodes: 12
            case .materials: 64
            case .textures, .lights: 16
            case .environmentTexels: 3
            case .texels, .triangleEmitters, .environmentRows, .environmentColumns, .srgb, .sheen: 1
            }
        }
    }

    /// A child word with this bit names a leaf's block, without it a node.
    package static let childLeaf: UInt32 = 0x8000_0000
    /// A primitive word with this bit asks the material's alpha before a hit counts.
    package static let primitiveAsk: UInt32 = 0x8000_0000
    /// A primitive word with this bit shows the camera its front alone.
    package static let primitiveSingleSided: UInt32 = 0x4000_0000
    /// The primitive of an unused lane, and of a ray that hit nothing.
    package static let primitiveNone: UInt32 = 0x3fff_ffff
    package static let textureNone: UInt32 = 0xffff_ffff
    package static let emitterNone: UInt32 = 0xffff_ffff

    /// Bits of a material's flag word.
    package enum MaterialFlag {
        package static let mask: UInt32 = 1
        package static let blend: UInt32 = 2
        package static let doubleSided: UInt32 = 4
        package static let thin: UInt32 = 8
        package static let emissive: UInt32 = 16
        package static let solid: UInt32 = 32
        package static let layered: UInt32 = 64
        package static let glossy: UInt32 = 128
    }

    /// Words of a material that name uses of textures.
    package static let textureWords = [
        15, 16, 17, 18, 19, 25, 29, 31, 33, 35, 39, 41, 43, 47, 51, 54, 58,
    ]

    /// Words of a use of a texture.
    package enum TextureWord {
        package static let texels = 0
        package static let width = 1
        package static let height = 2
        package static let flags = 3
        /// Two rows of three.
        package static let transform = 4
        package static let levels = 10
        /// Texels in a unit square of the coordinates, before they are transformed.
        package static let area = 11
    }

    /// Bits of a texture's flag word, above two bits each of wrapping along u and v.
    package enum TextureFlag {
        package static let linear: UInt32 = 16
        package static let srgb: UInt32 = 32
        /// Between texels of halved pictures.
        package static let minLinear: UInt32 = 64
        /// Between two halved pictures, not from the nearest one alone.
        package static let levelLinear: UInt32 = 128
        /// Coordinates of set 1.
        package static let set1: UInt32 = 256
    }

    /// A node of the tree of lights whose child word has this bit has an emitter there.
    package static let lightNodeLeaf: UInt32 = 0x8000_0000
    /// All that is below such a node are spots.
    package static let lightNodeSpots: UInt32 = 0x4000_0000

    /// Words of a node of the tree of lights.
    package enum LightNodeWord {
        package static let center = 0
        package static let radius = 3
        package static let axis = 4
        package static let spread = 7
        package static let power = 8
        /// One over the least squared distance that counts.
        package static let nearness = 9
        /// Emitters below.
        package static let count = 10
        /// The first of two children, or a leaf's emitter.
        package static let child = 11
    }

    /// Most texels along a side of a texture.
    package static let textureSideMax = 1 << 17

    /// Entries of the traversal stack in kernels; no tree may need more.
    package static let stackSize = 96
}
