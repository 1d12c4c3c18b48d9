public import Core

/// A computation that a market can settle: the same task gives the same leaves on every device.
///
/// An app has two halves that never meet in one process. `prepare` runs in a prepare host, on bytes
/// from strangers, without a device; `run` runs in a device host, on a prepared blob, and
/// bounds-checks what it reads before a device sees it. Neither half has a key or a network, and
/// either may be killed at any moment.
public protocol App: Sendable {
    /// The app's name in task specifications, such as `render`.
    var id: String { get }
    /// Its version in task specifications. Its results never change within a version from 1 on.
    var version: String { get }

    /// Turns a task's input files into a device-ready blob.
    ///
    /// - Parameters:
    ///   - spec: the specification; `spec.app` and `spec.appVersion` are this app's.
    ///   - frame: the frame of the parts that the blob is for. All parts of a frame share a blob.
    ///   - inputs: a folder that holds every file of `spec.inputs` under its relative path, each
    ///     already checked for size and SHA-256.
    /// - Returns: the blob: a function of the arguments alone, since blobs are cached by input.
    /// - Throws: ``Failure`` naming the file, the place and what was expected.
    func prepare(_ spec: TaskSpec, frame: Int, inputs: String) throws(Failure) -> Bytes

    /// Computes one part of a task on `device`, handing out leaves as they become whole.
    ///
    /// The work is cut in slices of about `run.sliceSeconds`; between slices the app calls
    /// ``AppObserver/advance(_:)``, which throws when the run shall stop. Leaves come in order of
    /// their index, from 0, without gaps: they are all that the digest sees.
    ///
    /// - Returns: where the seconds went.
    /// - Throws: ``Failure``; `malformed` when the blob is not one this version makes.
    func run(
        _ run: AppRun, on device: any ComputeDevice, observer: any AppObserver
    ) throws(Failure) -> AppSeconds

    /// Writes what a buyer wants to see of a finished job: a picture, a table of labels.
    ///
    /// - Parameters:
    ///   - leaves: for each part of `spec`, in order, all its leaves.
    ///   - folder: an existing folder to write into.
    /// - Returns: paths of the files written, the most telling first.
    func present(_ spec: TaskSpec, leaves: [[Leaf]], folder: String) throws(Failure) -> [String]
}

extension App {
    /// The blob of a task whose parts are all of one frame.
    public func prepare(_ spec: TaskSpec, inputs: String) throws(Failure) -> Bytes {
        try prepare(spec, frame: spec.parts.first?.frame ?? 0, inputs: inputs)
    }
}

/// What one call of ``App/run(_:on:observer:)`` computes.
public struct AppRun: Sendable {
    public var spec: TaskSpec
    /// Index into `spec.parts`: the task's index in its deal.
    public var part: Int
    /// What `prepare` returned for `spec` and the part's frame.
    public var blob: Bytes
    /// About how much device work one slice shall be; never visible in a result.
    public var sliceSeconds: Double
    /// For measuring alone; nothing in a result may come from it.
    public var clock: any Clock

    /// - Precondition: `part` is an index of `spec.parts`.
    public init(
        spec: TaskSpec, part: Int, blob: Bytes, sliceSeconds: Double, clock: any Clock
    ) {
        precondition(spec.parts.indices.contains(part), "a part that the specification has")
        self.spec = spec
        self.part = part
        self.blob = blob
        self.sliceSeconds = sliceSeconds
        self.clock = clock
    }
}

/// Where a run's seconds went.
public struct AppSeconds: Hashable, Sendable {
    /// Building programs, or loading them from the program cache.
    public var compile: Double
    /// Everything else on the device: uploads, kernels, read-back.
    public var compute: Double

    public init(compile: Double = 0, compute: Double = 0) {
        self.compile = compile
        self.compute = compute
    }
}

/// What a run tells while it goes on.
public protocol AppObserver: AnyObject {
    /// Called between slices with the part of the work done, 0…1.
    ///
    /// - Throws: ``Failure`` with code `cancelled` when the run shall stop; the app lets it pass.
    func advance(_ fraction: Double) throws(Failure)

    /// Takes the next leaf.
    func leaf(_ leaf: Leaf) throws(Failure)
}

extension Failure.Code {
    /// Somebody asked for the work to stop.
    public static let cancelled = Failure.Code(rawValue: "cancelled")
}

extension [any App] {
    /// The app of that name and version.
    ///
    /// - Throws: ``Failure`` with code `unsupported`, listing what is there.
    public func named(_ id: String, version: String) throws(Failure) -> any App {
        if let app = first(where: { $0.id == id && $0.version == version }) { return app }
        let known = map { "\($0.id) \($0.version)" }.joined(separator: ", ")
        throw Failure(.unsupported, "app \(id) \(version) is not in this program (\(known))")
    }
}
