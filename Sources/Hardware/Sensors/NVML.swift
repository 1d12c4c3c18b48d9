public import Core
import Foundation

/// NVIDIA's management library, loaded at run time: machines without it are the ordinary case.
///
/// Only calls that pass integers and text are used, so no structure layout of the library is
/// assumed. Loading it loads a vendor's code: do it in a child process.
/// C: `libnvidia-ml.so.1`, `nvmlInit_v2` … `nvmlShutdown`.
public struct NVML: ~Copyable {
    private let library: UnsafeMutableRawPointer
    private let symbols: Symbols

    public static let libraryName = "libnvidia-ml.so.1"

    /// - Throws: ``Failure``, `missing` without the library, `device` where it does not start.
    public init(library path: String = NVML.libraryName) throws(Failure) {
        guard let opened = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw Failure(.missing, "\(path): not installed; NVIDIA's driver brings it")
        }
        do throws(Failure) {
            let found = try Symbols(opened, path)
            let status = found.start()
            guard status == 0 else {
                throw Failure(.device, "\(path): nvmlInit_v2 gave \(status), expected 0")
            }
            symbols = found
            library = opened
        } catch {
            dlclose(opened)
            throw error
        }
    }

    deinit {
        _ = symbols.stop()
        dlclose(library)
    }

    /// What the library knows of each of its devices; a figure that it refuses is nil.
    public func devices() -> [Device] {
        var count: UInt32 = 0
        guard symbols.count(&count) == 0 else { return [] }
        return (0..<min(count, Self.devicesMax)).compactMap { index in
            var handle: OpaquePointer?
            guard symbols.handle(index, &handle) == 0, let handle else { return nil }
            return Device(
                index: Int(index), name: text { symbols.name(handle, $0, $1) },
                uuid: text { symbols.uuid(handle, $0, $1) }, pci: pciAddress(handle),
                temperature: number { symbols.temperature(handle, 0, $0) }.map(Double.init),
                watts: number { symbols.power(handle, $0) }.map { Double($0) / 1000 },
                wattsMax: number { symbols.powerLimit(handle, $0) }.map { Double($0) / 1000 })
        }
    }

    /// The driver's version, such as `535.183.01`.
    public var driverVersion: String? { text { symbols.driverVersion($0, $1) } }

    /// No board holds more; a count beyond it is not believed.
    static let devicesMax: UInt32 = 256

    private func number(_ call: (UnsafeMutablePointer<UInt32>) -> Int32) -> UInt32? {
        var value: UInt32 = 0
        return call(&value) == 0 ? value : nil
    }

    private func text(_ call: (UnsafeMutablePointer<CChar>, UInt32) -> Int32) -> String? {
        var buffer = [CChar](repeating: 0, count: 256)
        let status = buffer.withUnsafeMutableBufferPointer { storage in
            storage.baseAddress.map { call($0, UInt32(storage.count)) } ?? -1
        }
        return status == 0 ? Self.string(buffer) : nil
    }

    /// Every version of the library's PCI structure begins with the address as 16 bytes of text;
    /// nothing behind them is read. The buffer is several times the largest version.
    private func pciAddress(_ handle: OpaquePointer) -> PCIAddress? {
        var buffer = [CChar](repeating: 0, count: 1024)
        let status = buffer.withUnsafeMutableBytes { symbols.pci(handle, $0.baseAddress) }
        return status == 0 ? PCIAddress(Self.string(Array(buffer.prefix(16)))) : nil
    }

    private static func string(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension NVML {
    /// One NVIDIA device, read once.
    public struct Device: Hashable, Codable, Sendable {
        public var index: Int
        public var name: String?
        public var uuid: String?
        public var pci: PCIAddress?
        /// Degrees Celsius.
        public var temperature: Double?
        public var watts: Double?
        /// The power limit in force.
        public var wattsMax: Double?

        /// The device's figures as readings of sensors.
        public var readings: [Reading] {
            let device = name ?? "NVIDIA device \(index)"
            let celsius = temperature.map { value in
                Reading(
                    source: .nvml, device: device, label: "", quantity: .temperature,
                    value: value, pci: pci)
            }
            let power = watts.map { value in
                Reading(
                    source: .nvml, device: device, label: "", quantity: .power, value: value,
                    critical: wattsMax, pci: pci)
            }
            return [celsius, power].compactMap { $0 }
        }
    }

    /// The library's functions, by the names that every driver since 2013 exports.
    private struct Symbols {
        typealias Status = @convention(c) () -> Int32
        typealias Number = @convention(c) (OpaquePointer, UnsafeMutablePointer<UInt32>) -> Int32
        typealias Text =
            @convention(c) (OpaquePointer, UnsafeMutablePointer<CChar>, UInt32) -> Int32

        let start: Status
        let stop: Status
        let count: @convention(c) (UnsafeMutablePointer<UInt32>) -> Int32
        let handle: @convention(c) (UInt32, UnsafeMutablePointer<OpaquePointer?>) -> Int32
        let name: Text
        let uuid: Text
        let pci: @convention(c) (OpaquePointer, UnsafeMutableRawPointer?) -> Int32
        let temperature:
            @convention(c) (OpaquePointer, UInt32, UnsafeMutablePointer<UInt32>) -> Int32
        let power: Number
        let powerLimit: Number
        let driverVersion: @convention(c) (UnsafeMutablePointer<CChar>, UInt32) -> Int32

        init(_ library: UnsafeMutableRawPointer, _ path: String) throws(Failure) {
            func find<T>(_ name: String, as type: T.Type) throws(Failure) -> T {
                guard let symbol = dlsym(library, name) else {
                    throw Failure(.unsupported, "\(path): no function \(name), expected NVML")
                }
                return unsafeBitCast(symbol, to: type)
            }
            start = try find("nvmlInit_v2", as: Status.self)
            stop = try find("nvmlShutdown", as: Status.self)
            count = try find(
                "nvmlDeviceGetCount_v2",
                as: (@convention(c) (UnsafeMutablePointer<UInt32>) -> Int32).self)
            handle = try find(
                "nvmlDeviceGetHandleByIndex_v2",
                as: (@convention(c) (UInt32, UnsafeMutablePointer<OpaquePointer?>) -> Int32).self)
            name = try find("nvmlDeviceGetName", as: Text.self)
            uuid = try find("nvmlDeviceGetUUID", as: Text.self)
            pci = try find(
                "nvmlDeviceGetPciInfo_v3",
                as: (@convention(c) (OpaquePointer, UnsafeMutableRawPointer?) -> Int32).self)
            temperature = try find(
                "nvmlDeviceGetTemperature",
                as: (@convention(c) (OpaquePointer, UInt32, UnsafeMutablePointer<UInt32>) -> Int32)
                    .self)
            power = try find("nvmlDeviceGetPowerUsage", as: Number.self)
            powerLimit = try find("nvmlDeviceGetEnforcedPowerLimit", as: Number.self)
            driverVersion = try find(
                "nvmlSystemGetDriverVersion",
                as: (@convention(c) (UnsafeMutablePointer<CChar>, UInt32) -> Int32).self)
        }
    }
}
