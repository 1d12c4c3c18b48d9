import Core
import Inference
import Testing

@Suite struct TensorTests {
    /// What of a number is left in a type's bits, by shifts.
    private func wrapped(_ value: Int64, _ type: ElementType) -> Int64 {
        let spare = 64 - (Int(type.name.filter(\.isNumber)) ?? 8)
        let isUnsigned = type == .bool || type.name.hasPrefix("u")
        return isUnsigned && spare > 0
            ? Int64((UInt64(bitPattern: value) << spare) >> spare) : (value << spare) >> spare
    }

    /// Integers of every type are what was put in, wrapped to its width, by whatever way they come
    /// and go.
    @Test(arguments: ElementType.allCases.filter(\.isInteger))
    func integersKeepTheirValues(_ type: ElementType) {
        let given: [Int64] = [0, 1, -1, 127, -128, 255, 0x1234_5678_9abc_def0, .min, .max, 3]
        let kept = given.map { wrapped($0, type) }
        let tensor = Tensor(given, type: type, shape: [5, 2])
        #expect(tensor.integers == kept)
        #expect(tensor.bytes.count == 10 * type.byteCount)
        let fromBytes = tensor.bytes.withUnsafeBytes {
            Tensor(type: type, shape: [5, 2], bytes: $0)
        }
        #expect(fromBytes == tensor)
        let part = tensor.items(1..<3)
        #expect(part.integers == Array(kept[2..<6]) && part.shape == [2, 2])
        #expect(Tensor(stacking: [tensor.items(0..<1), part, tensor.items(3..<5)]) == tensor)
    }

    /// Integers of less than a byte are equal whatever the rest of their bytes held.
    @Test func unusedBitsDoNotCount() {
        let bytes: Bytes = [0x0f, 0x71, 0xf8]
        let tensor = bytes.withUnsafeBytes { Tensor(type: .int4, shape: [3], bytes: $0) }
        #expect(tensor.integers == [-1, 1, -8])
        #expect(tensor == Tensor([-1, 1, -8], type: .int4, shape: [3]))
    }
}
