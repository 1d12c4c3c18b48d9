// MARK: - Skins and animations

extension GLTFDocument {
    struct Skin: Decodable {
        var name: String?
        var inverseBindMatrices: Int?
        var joints: [Int]
    }

    struct Animation: Decodable {
        var name: String?
        var channels: [Channel]
        var samplers: [Sampler]

        struct Channel: Decodable {
            var sampler: Int
            var target: Target
        }

        struct Target: Decodable {
            var node: Int?
            var path: String
        }

        struct Sampler: Decodable {
            var input: Int
            var output: Int
            var interpolation: String?
        }
    }
}
