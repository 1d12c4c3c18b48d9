internal import Compute
internal import Inference
internal import Rendering
internal import Toy
internal import Training

/// The apps in this program. Their version on a market is the program's own hash.
enum Apps {
    static let all: [any App] = [HashApp(), RenderApp(), InferApp(), TrainApp()]
}
