internal import Core

/// A frame whose shutter stays open is a blob for each step, and samples dealt to them: the first
/// ones to the first, so that each step has samples that are well spread, and any range of samples
/// can be computed alone.
extension RenderBlob {
    /// - Parameter load: the scene of a step.
    init(
        steps count: Int, _ parameters: RenderParameters,
        load: (Int) throws(Failure) -> Scene
    ) throws(Failure) {
        guard parameters.noise == nil else {
            throw Failure(
                .unsupported,
                "shutter: a noise target may end a tile before the shutter closes: not together")
        }
        guard count <= parameters.samples else {
            throw Failure(
                .limit,
                "shutter steps \(count): no more than samples a pixel, \(parameters.samples)")
        }
        func pack(_ step: Int, hasTree: Bool) throws(Failure) -> RenderBlob {
            try RenderBlob(
                try load(step), parameters, treeLightsMin: hasTree ? LightTree.lightsMin : .max)
        }
        var steps: [RenderBlob] = []
        for step in 0..<count { steps.append(try pack(step, hasTree: true)) }
        // Kernels take all lights from a tree, or none.
        if Set(steps.map { $0.features.contains(.lightTree) }).count > 1 {
            for step in 0..<count { steps[step] = try pack(step, hasTree: false) }
        }
        var words = steps[0].words
        words[BlobLayout.Word.stepSamples] = UInt32(parameters.samples)
        self.init(checked: words, later: Array(steps.dropFirst()))
    }

    package var stepCount: Int { later.count + 1 }

    /// Each step's blob; the blob itself where it has one alone.
    package var steps: [RenderBlob] { [RenderBlob(checked: words)] + later }

    /// Samples of a pixel that are dealt to the steps.
    private var stepSamples: Int { Int(words[BlobLayout.Word.stepSamples]) }

    /// The step that a sample belongs to.
    package func step(ofSample sample: Int) -> Int {
        later.isEmpty ? 0 : min(sample * stepCount / stepSamples, later.count)
    }

    /// The first sample behind those of a step.
    package func samplesEnd(ofStep step: Int) -> Int {
        guard step < later.count else { return .max }
        return ((step + 1) * stepSamples + stepCount - 1) / stepCount
    }

    /// Checks that steps read from bytes belong together.
    func checkSteps() throws(Failure) {
        guard !later.isEmpty else { return }
        let isOne = later.allSatisfy {
            $0.width == width && $0.height == height && $0.bounces == bounces
                && $0.features.contains(.lightTree) == later[0].features.contains(.lightTree)
        }
        let own = RenderBlob(checked: words).features
        guard isOne, own.contains(.lightTree) == later[0].features.contains(.lightTree),
            (stepCount...RenderParameters.samplesMax).contains(stepSamples)
        else { throw Failure(.malformed, "render blob: steps that belong together expected") }
    }
}
