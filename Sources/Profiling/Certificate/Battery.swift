package import Compute
package import Core
internal import Digest

/// Every question, in order.
package enum Battery {
    static let nativeDivide = "native divide"
    static let nativeSquareRoot = "native sqrt"
    static let nativeDivideBeside = "native divide beside ours"
    static let nativeRootBeside = "native sqrt beside ours"
    /// Output words of the counting probes, whatever the item count.
    static let counterWords = 128

    package static let probes: [Probe] =
        arithmetic + subnormals + division + native + narrowing + conversions + integers + memory

    /// SHA-256 over the kernels, inputs and right answers, and over the known workloads' results:
    /// certificates given by another battery do not hold for this one.
    package static let hash: Hash256 = {
        let workloads = KnownWorkload.all.map { Bytes("\($0.name) \($0.expected)\n".utf8) }
        return SHA256.hash(hash(of: probes).bytes + workloads.joined())
    }()

    /// Whether the probe proves a native operation.
    static func decidesNative(_ probe: Probe) -> Bool {
        [nativeDivide, nativeSquareRoot, nativeDivideBeside, nativeRootBeside].contains(probe.name)
    }

    /// The native operations that those probes prove which have passed.
    package static func native(
        passed: Set<String>
    ) -> OpenCLDevice.NativeOperations {
        var native: OpenCLDevice.NativeOperations = []
        if passed.isSuperset(of: [nativeDivide, nativeDivideBeside]) { native.insert(.divide) }
        if passed.isSuperset(of: [nativeSquareRoot, nativeRootBeside]) {
            native.insert(.squareRoot)
        }
        return native
    }

    package static func hash(of probes: [Probe]) -> Hash256 {
        var hasher = SHA256.Hasher()
        hasher.update(UInt64(Certificate.version).littleEndianBytes)
        for probe in probes {
            hasher.update(Bytes(probe.name.utf8) + [0])
            hasher.update(Bytes(probe.need.rawValue.utf8) + [0])
            probe.items.withUnsafeBytes { hasher.update($0) }
            probe.answers(Probe.itemCountMax).withUnsafeBytes { hasher.update($0) }
            // A file that is missing shows when the probe is asked.
            hasher.update(Bytes(((try? probe.call.program.text()) ?? "").utf8) + [0])
        }
        return hasher.finalize()
    }

    static let arithmeticProgram = ProgramSource.certify("arithmetic")

    static func call(_ kernel: String) -> Probe.Call {
        Probe.Call(program: arithmeticProgram, kernel: kernel)
    }

    /// What float kernels write as their second word: the index under the sign of their run-time
    /// negative zero, which shows that it arrived with its sign.
    static func signed(_ index: Int) -> UInt32 { UInt32(index) | 0x8000_0000 }

    /// A control: the answers of a kernel that misbehaves on purpose.
    static func control(
        _ name: String, _ call: Probe.Call?, _ items: [SIMD4<UInt32>],
        _ answer: (SIMD4<UInt32>) -> UInt32
    ) -> Probe.Control {
        Probe.Control(
            name: name, call: call,
            answers: Probe.words(items) { (answer($1), signed($0)) })
    }
}
