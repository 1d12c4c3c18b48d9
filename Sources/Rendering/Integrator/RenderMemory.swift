internal import Compute
internal import Core

/// What a render needs of a device's memory, known before anything is brought there.
struct RenderMemory {
    /// The scene's largest piece: its blob, or that of a step of the shutter.
    let pieceBytes: Int
    /// All pieces.
    let sceneBytes: Int
    let stepCount: Int
    /// Paths under way at once.
    let pathCount: Int
    /// Their state, queues and sums.
    let pathBytes: Int

    /// Paths that fit: a sixteenth of the device's memory, whole tiles. On processors no more than
    /// their caches hold while a slice passes through all stages.
    init(_ blob: RenderBlob, on device: DeviceDescription, pathsMax: Int?) {
        let cached = device.kind == .gpu ? Int.max : max(device.computeUnits, 1) << 15
        let features = blob.features
        let fitting = device.memoryBytes / 16 / (4 * features.wordsPerPath)
        let allowed = device.allocationBytesMax / (4 * features.stateWords)
        let wanted = min(pathsMax ?? 1 << 17, cached, fitting, allowed)
        let pieces = blob.steps.map { $0.words.count * 4 }
        pieceBytes = pieces.max() ?? 0
        sceneBytes = pieces.reduce(0, +)
        stepCount = blob.stepCount
        pathCount = max(wanted / 1024, 1) * 1024
        pathBytes = pathCount * (4 * features.wordsPerPath + Self.sumBytes)
    }

    /// Of a pixel's sums: three channels and a count.
    private static let sumBytes = 32

    /// - Throws: ``Failure`` with what is needed and what there is, where the device has less.
    func check(_ device: DeviceDescription) throws(Failure) {
        guard pieceBytes <= device.allocationBytesMax else {
            throw Failure(
                .limit,
                """
                \(device.label): the scene needs \(pieceBytes) bytes in one piece, the device \
                allows \(device.allocationBytesMax)
                """)
        }
        let steps = stepCount > 1 ? " at \(stepCount) moments of the shutter" : ""
        guard sceneBytes + pathBytes <= device.memoryBytes else {
            throw Failure(
                .limit,
                """
                \(device.label): the render needs \(sceneBytes + pathBytes) bytes (the scene \
                \(sceneBytes)\(steps), paths \(pathBytes)), the device has \(device.memoryBytes)
                """)
        }
    }
}
