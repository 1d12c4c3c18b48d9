public import Core

extension RenderBlob {
    /// Reads a blob from bytes, checking every offset and every index that a kernel follows, so
    /// that no bytes whatever can make a kernel read outside the blob or run without end.
    ///
    /// - Throws: ``Failure`` with code `malformed` naming the section.
    public init(bytes: Bytes) throws(Failure) {
        guard bytes.count % 4 == 0, bytes.count >= BlobLayout.headerWords * 4 else {
            throw Failure(.malformed, "render blob: a header of 512 bytes expected")
        }
        let words = bytes.withUnsafeBytes { Array($0.bindMemory(to: UInt32.self)) }
        var steps: [RenderBlob] = []
        var start = 0
        while start < words.count {
            // Each says how long it is; what is wrong with that, its check finds.
            let left = words.count - start
            let said =
                left > BlobLayout.Word.wordCount ? words[start + BlobLayout.Word.wordCount] : 0
            let count = Int(said) < left && said >= BlobLayout.headerWords ? Int(said) : left
            guard left >= BlobLayout.headerWords, steps.count < Shutter.stepsMax else {
                throw Failure(.malformed, "render blob: steps of the shutter")
            }
            let isAlone = count == words.count
            let step = RenderBlob(
                checked: isAlone ? words : Array(words[start..<start + count]))
            try BlobReader(step).check()
            steps.append(step)
            start += count
        }
        self.init(checked: steps[0].words, later: Array(steps.dropFirst()))
        try checkSteps()
    }
}

/// The checks of ``RenderBlob/init(bytes:)``.
private struct BlobReader {
    private typealias Word = BlobLayout.Word
    private typealias Section = BlobLayout.Section

    private let blob: RenderBlob
    private let words: [UInt32]

    init(_ blob: RenderBlob) {
        self.blob = blob
        words = blob.words
    }

    func check() throws(Failure) {
        try checkHeader()
        try checkSections()
        try checkTree()
        try checkGeometry()
        try checkMaterials()
        try checkLights()
        try checkLightTree()
        try checkEnvironment()
    }

    private func require(_ condition: Bool, _ what: String) throws(Failure) {
        guard condition else { throw Failure(.malformed, "render blob: \(what)") }
    }

    /// Word `word` of element `index` of a section.
    private func word(_ section: Section, _ index: Int, _ word: Int = 0) -> UInt32 {
        words[blob.offset(section) + index * section.stride + word]
    }

    private func checkHeader() throws(Failure) {
        try require(words[Word.magic] == BlobLayout.magic, "magic expected")
        try require(
            words[Word.version] == BlobLayout.version, "version \(BlobLayout.version) expected")
        try require(Int(words[Word.wordCount]) == words.count, "header and size disagree")
        let parameters = RenderParameters(
            width: blob.width, height: blob.height, samples: 1, bounces: blob.bounces)
        try parameters.check()
        try require(RenderFeatures.all.isSuperset(of: blob.features), "features")
    }

    private func checkSections() throws(Failure) {
        for section in Section.allCases {
            let offset = blob.offset(section)
            let count = blob.count(section)
            try require(
                offset >= BlobLayout.headerWords && offset <= words.count
                    && count <= (words.count - offset) / section.stride,
                "section \(section): outside the blob")
        }
    }

    private func checkTree() throws(Failure) {
        let nodeCount = blob.count(.nodes)
        var needs = [Int](repeating: 0, count: nodeCount)
        // Children lie behind their parents, so one pass from the end sees them first.
        for node in stride(from: nodeCount - 1, through: 0, by: -1) {
            let mask = word(.nodes, node, 56)
            try require(mask <= 0xff, "node \(node): mask")
            let others = mask.nonzeroBitCount - 1
            var need = mask.nonzeroBitCount
            for lane in 0..<8 where mask >> UInt32(lane) & 1 == 1 {
                let child = word(.nodes, node, 48 + lane)
                let index = Int(child & ~BlobLayout.childLeaf)
                if child & BlobLayout.childLeaf != 0 {
                    try require(index < blob.count(.blocks), "node \(node): block \(index)")
                } else {
                    try require(index > node && index < nodeCount, "node \(node): child \(index)")
                    need = max(need, others + needs[index])
                }
            }
            needs[node] = need
            try require(need <= BlobLayout.stackSize, "node \(node): tree too deep")
        }
        for block in 0..<blob.count(.blocks) {
            for lane in 0..<8 {
                let primitive = word(.blocks, block, 96 + lane) & BlobLayout.primitiveNone
                try require(
                    primitive == BlobLayout.primitiveNone || primitive < blob.count(.triangles),
                    "block \(block): primitive \(primitive)")
            }
        }
    }

    private func checkGeometry() throws(Failure) {
        let vertexCount = blob.count(.vertices)
        for triangle in 0..<blob.count(.triangles) {
            let isInside =
                word(.triangles, triangle, 0) < vertexCount
                && word(.triangles, triangle, 1) < vertexCount
                && word(.triangles, triangle, 2) < vertexCount
                && word(.triangles, triangle, 3) < blob.count(.materials)
            try require(isInside, "triangle \(triangle): index")
        }
        for section in [Section.tangents, .uv1, .colors] {
            let count = blob.count(section)
            try require(count == 0 || count == vertexCount, "section \(section): count")
        }
        let emitters = blob.count(.triangleEmitters)
        try require(
            emitters == 0 || emitters == blob.count(.triangles), "section triangleEmitters: count")
        for triangle in 0..<emitters {
            let emitter = word(.triangleEmitters, triangle)
            try require(
                emitter == BlobLayout.emitterNone || emitter < blob.count(.emitters),
                "triangle \(triangle): emitter \(emitter)")
        }
    }

    private func checkMaterials() throws(Failure) {
        for material in 0..<blob.count(.materials) {
            for place in BlobLayout.textureWords {
                let reference = word(.materials, material, place)
                try require(
                    reference == BlobLayout.textureNone
                        || reference < blob.count(.textures),
                    "material \(material): texture")
            }
        }
        for texture in 0..<blob.count(.textures) { try checkTexture(texture) }
        try require(blob.count(.srgb) == 256, "section srgb: count")
        try require(
            blob.count(.sheen) == SheenTable.words.count || !blob.features.contains(.layers),
            "section sheen: count")
    }

    private func checkTexture(_ texture: Int) throws(Failure) {
        typealias Place = BlobLayout.TextureWord
        let width = Int(word(.textures, texture, Place.width))
        let height = Int(word(.textures, texture, Place.height))
        let flags = word(.textures, texture, Place.flags)
        let levels = Int(word(.textures, texture, Place.levels))
        let sides = 1...BlobLayout.textureSideMax
        try require(
            sides.contains(width) && sides.contains(height) && (1...18).contains(levels),
            "texture \(texture): size")
        var end = Int(word(.textures, texture, Place.texels))
        for level in 0..<levels {
            end += MipPyramid.side(width, level: level) * MipPyramid.side(height, level: level)
        }
        try require(end <= blob.count(.texels), "texture \(texture): outside the texels")
        try require(
            flags < 512 && flags & 3 < 3 && flags >> 2 & 3 < 3, "texture \(texture): flags")
    }

    private func checkLights() throws(Failure) {
        for emitter in 0..<blob.count(.emitters) {
            let place = word(.emitters, emitter, 1)
            let index = Int(place & 0x3fff_ffff)
            switch place >> 30 {
            case 0: continue
            case 1: try require(index < blob.count(.lights), "emitter \(emitter): light")
            case 2: try require(index < blob.count(.triangles), "emitter \(emitter): triangle")
            default: try require(false, "emitter \(emitter): kind")
            }
        }
    }

    /// What goes down the tree comes to a leaf, which has an emitter with a place, and never has
    /// more chances to part than there are.
    private func checkLightTree() throws(Failure) {
        typealias Place = BlobLayout.LightNodeWord
        guard blob.features.contains(.lightTree) else { return }
        let nodeCount = blob.count(.lightNodes)
        let emitterCount = blob.count(.emitters)
        let tableCount = Int(words[Word.lightTable])
        let base = words[Word.lightBase]
        let levels = Int(words[Word.lightLevels])
        try require(
            tableCount < emitterCount && base % 4 == 0 && (tableCount > 0 || base == 0)
                && levels <= LightTree.levelsMax && nodeCount >= 3
                && word(.lightNodes, 0, Place.count) <= (1 << 30) - base / 4,
            "tree of lights: header")
        var depths = [Int](repeating: 0, count: nodeCount)
        for node in 0..<nodeCount {
            let child = word(.lightNodes, node, Place.child)
            let index = Int(child & ~(BlobLayout.lightNodeLeaf | BlobLayout.lightNodeSpots))
            let count = word(.lightNodes, node, Place.count)
            if child & BlobLayout.lightNodeLeaf != 0 {
                try require(
                    count == 1 && index >= tableCount && index < emitterCount
                        && (1...2).contains(word(.emitters, index, 1) >> 30),
                    "node \(node) of lights: emitter \(index)")
                continue
            }
            try require(
                index > node && index < nodeCount - 1 && depths[node] < levels,
                "node \(node) of lights: child \(index)")
            let first = word(.lightNodes, index, Place.count)
            let second = word(.lightNodes, index + 1, Place.count)
            try require(
                first > 0 && first < 1 << 30 && second > 0 && second < 1 << 30
                    && count == first + second, "node \(node) of lights: count")
            for place in index...index + 1 { depths[place] = max(depths[place], depths[node] + 1) }
        }
    }

    private func checkEnvironment() throws(Failure) {
        let width = Int(words[Word.environmentWidth])
        let height = Int(words[Word.environmentHeight])
        let sides = 1...1 << 15
        try require(
            sides.contains(width) && sides.contains(height)
                && blob.count(.environmentTexels) == width * height,
            "environment: texels")
        try require(
            blob.count(.environmentRows) == 2 * (height + 1)
                && blob.count(.environmentColumns) == width * (height + 1),
            "environment: tables")
    }
}
