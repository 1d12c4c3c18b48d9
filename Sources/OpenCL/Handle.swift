/// An OpenCL object's address as a number, so that owners are `Sendable`: OpenCL 1.2 (appendix A.2)
/// makes every call thread-safe except `clSetKernelArg` on one kernel.
struct Handle: Hashable, Sendable {
    private let bits: UInt
    init(_ pointer: OpaquePointer) { bits = UInt(bitPattern: pointer) }
    var pointer: OpaquePointer? { OpaquePointer(bitPattern: bits) }
}
