internal import COpenCL
public import Core

/// A platform's handle as a number: valid for the life of the process. C: `cl_platform_id`.
public struct PlatformID: Hashable, Sendable {
    public let bits: UInt
    public init(bits: UInt) { self.bits = bits }
    var pointer: OpaquePointer? { OpaquePointer(bitPattern: bits) }
}

/// A device's handle as a number. C: `cl_device_id`. Root devices live as long as the process; a
/// sub-device as long as its ``SubDevice``.
public struct DeviceID: Hashable, Sendable {
    public let bits: UInt
    public init(bits: UInt) { self.bits = bits }
    var pointer: OpaquePointer? { OpaquePointer(bitPattern: bits) }
}

/// Where raw answers come from: the installed drivers, or recorded and scripted ones in tests.
public protocol InfoSource: Sendable {
    func platforms() throws(OpenCLError) -> [PlatformID]
    func devices(of platform: PlatformID) throws(OpenCLError) -> [DeviceID]
    /// The bytes of `clGetPlatformInfo`.
    func info(_ parameter: Int32, of platform: PlatformID) throws(OpenCLError) -> Bytes
    /// The bytes of `clGetDeviceInfo`.
    func info(_ parameter: Int32, of device: DeviceID) throws(OpenCLError) -> Bytes
}

/// The drivers that the loader finds on this machine.
public struct InstalledDrivers: InfoSource {
    public init() {}

    public func platforms() throws(OpenCLError) -> [PlatformID] {
        var count: cl_uint = 0
        try checked("clGetPlatformIDs") { clGetPlatformIDs(0, nil, &count) }
        guard count > 0 else { return [] }
        var ids = [cl_platform_id?](repeating: nil, count: Int(count))
        try checked("clGetPlatformIDs") { clGetPlatformIDs(count, &ids, nil) }
        return ids.map { PlatformID(bits: UInt(bitPattern: $0)) }
    }

    public func devices(of platform: PlatformID) throws(OpenCLError) -> [DeviceID] {
        let all = cl_device_type(CL_DEVICE_TYPE_ALL)
        var count: cl_uint = 0
        try checked("clGetDeviceIDs") { clGetDeviceIDs(platform.pointer, all, 0, nil, &count) }
        guard count > 0 else { return [] }
        var ids = [cl_device_id?](repeating: nil, count: Int(count))
        try checked("clGetDeviceIDs") {
            clGetDeviceIDs(platform.pointer, all, count, &ids, nil)
        }
        return ids.map { DeviceID(bits: UInt(bitPattern: $0)) }
    }

    public func info(_ parameter: Int32, of platform: PlatformID) throws(OpenCLError) -> Bytes {
        try infoBytes("clGetPlatformInfo") {
            clGetPlatformInfo(platform.pointer, cl_platform_info(parameter), $0, $1, $2)
        }
    }

    public func info(_ parameter: Int32, of device: DeviceID) throws(OpenCLError) -> Bytes {
        try infoBytes("clGetDeviceInfo") {
            clGetDeviceInfo(device.pointer, cl_device_info(UInt32(parameter)), $0, $1, $2)
        }
    }
}

/// The two steps of every `clGet…Info`: how many bytes, then the bytes.
func infoBytes(
    _ function: String,
    _ query: (Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> Int32
) throws(OpenCLError) -> Bytes {
    var count = 0
    try checked(function) { query(0, nil, &count) }
    // No answer is longer than a program's log or binary; a wild size is a broken driver.
    guard (0...(1 << 30)).contains(count) else {
        throw OpenCLError(.invalidValue, function, "an answer of \(count) bytes")
    }
    guard count > 0 else { return [] }
    var bytes = Bytes(repeating: 0, count: count)
    try checked(function) { query(count, &bytes, nil) }
    return bytes
}

extension Bytes {
    /// A C string up to its terminator, without surrounding white space.
    var text: String {
        String(decoding: prefix { $0 != 0 }, as: UTF8.self).trimmed
    }

    /// An unsigned little-endian number of 1, 2, 4 or 8 bytes; nil otherwise.
    var number: UInt64? {
        guard [1, 2, 4, 8].contains(count) else { return nil }
        return reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Consecutive little-endian numbers of `width` bytes.
    func numbers(width: Int) -> [UInt64] {
        stride(from: 0, through: count - width, by: width).compactMap {
            Bytes(self[$0..<$0 + width]).number
        }
    }
}

extension String {
    var trimmed: String {
        let isBlank: (Character) -> Bool = { $0.isWhitespace }
        guard let first = firstIndex(where: { !isBlank($0) }),
            let last = lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(self[first...last])
    }
}
