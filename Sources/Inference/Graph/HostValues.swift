internal import Compute
internal import Core
internal import Synchronization

/// Values on the host that change no more: an array, or a block that a device wrote.
struct HostValues<T: BitwiseCopyable & Hashable & Sendable>: Sendable {
    private enum Place {
        case array([T])
        case block(Block)
    }

    private let place: Place

    init(_ array: [T]) { place = .array(array) }

    /// - Precondition: the block holds whole values.
    init(_ block: HostBlock) {
        precondition(block.byteCount % MemoryLayout<T>.size == 0, "whole values")
        place = .block(Block(block))
    }

    /// Of a block a copy, made once.
    var array: [T] {
        switch place {
        case .array(let array): array
        case .block(let block): block.array
        }
    }

    var count: Int { withUnsafeBytes(\.count) / MemoryLayout<T>.size }

    subscript(range: Range<Int>) -> [T] {
        withUnsafeBytes { Array($0.bindMemory(to: T.self)[range]) }
    }

    func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        switch place {
        case .array(let array): array.withUnsafeBytes(body)
        case .block(let block): block.block.withUnsafeBytes(body)
        }
    }

    /// As a device's `withBuffer(reading:_:)`.
    func withBuffer(
        on device: some ComputeDevice, _ body: (any ComputeBuffer) throws(Failure) -> Void
    ) throws(Failure) {
        let result = withUnsafeBytes { bytes in
            Result { () throws(Failure) in try device.withBuffer(reading: bytes, of: self, body) }
        }
        try result.get()
    }

    private final class Block: Sendable {
        let block: HostBlock
        private let known = Mutex<[T]?>(nil)

        init(_ block: HostBlock) { self.block = block }

        var array: [T] {
            known.withLock { known in
                if let known { return known }
                let made = block.withUnsafeBytes { Array($0.bindMemory(to: T.self)) }
                known = made
                return made
            }
        }
    }
}

extension HostValues: Hashable {
    static func == (a: HostValues, b: HostValues) -> Bool { a.array == b.array }

    func hash(into hasher: inout Hasher) { hasher.combine(array) }
}

extension HostValues<Float> {
    /// Whether one of them is NaN. Looks at sixteen at a time: outputs are large, and hold none.
    var holdsNaN: Bool {
        withUnsafeBytes { bytes in
            let floats = bytes.bindMemory(to: Float.self)
            let whole = floats.count / SIMD16<Float>.scalarCount * SIMD16<Float>.scalarCount
            var unequal = SIMDMask<SIMD16<Int32>>(repeating: false)
            for index in Swift.stride(from: 0, to: whole, by: SIMD16<Float>.scalarCount) {
                let lanes = bytes.loadUnaligned(
                    fromByteOffset: index * MemoryLayout<Float>.size, as: SIMD16<Float>.self)
                unequal .|= lanes .!= lanes
            }
            return unequal != SIMDMask(repeating: false)
                || floats[whole...].contains(where: \.isNaN)
        }
    }
}
