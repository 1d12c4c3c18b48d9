public import Compute
public import Core
internal import Synchronization

/// A device of this process, asked directly.
public final class DeviceExaminee: Examinee {
    /// Opens the device as apps work on it, with the native operations that were proven.
    public typealias Working =
        @Sendable (OpenCLDevice.NativeOperations) throws(Failure) -> any ComputeDevice

    private let bare: any ComputeDevice
    private let working: Working?
    private let opened = Mutex<(native: OpenCLDevice.NativeOperations, device: any ComputeDevice)?>(
        nil)

    /// - Parameters:
    ///   - device: opened without native operations.
    ///   - working: nil runs the workloads on `device` itself.
    public init(_ device: any ComputeDevice, working: Working? = nil) {
        bare = device
        self.working = working
    }

    public func answer(
        _ question: Question, native: OpenCLDevice.NativeOperations
    ) throws(Failure) -> Question.Answer {
        switch question.kind {
        case .probe(let probe): try probe.answer(of: bare)
        case .workload(let workload): try workload.answer(of: worker(native))
        }
    }

    private func worker(
        _ native: OpenCLDevice.NativeOperations
    ) throws(Failure) -> any ComputeDevice {
        guard let working else { return bare }
        if let opened = opened.withLock({ $0 }), opened.native == native { return opened.device }
        let device = try working(native)
        opened.withLock { $0 = (native, device) }
        return device
    }
}
