public import Core
internal import Exact
internal import Files
internal import Foundation
internal import Imaging

/// Values for a model's inputs from files: `.npy` arrays and pictures.
public struct InputFiles: Sendable {
    /// How a picture's channels become numbers: (value / 255 − mean) / deviation, one of each a
    /// channel or one for all, each operation rounded.
    public struct Normalization: Hashable, Sendable {
        public var mean: [Float] = [0]
        public var deviation: [Float] = [1]
        public init() {}

        /// Decimal numbers separated by commas, such as `0.485,0.456,0.406`.
        ///
        /// - Throws: ``Failure`` when one is no finite number.
        public static func numbers(_ text: String) throws(Failure) -> [Float] {
            var numbers: [Float] = []
            for part in text.split(separator: ",", omittingEmptySubsequences: false) {
                guard let value = Float(part), value.isFinite else {
                    throw Failure(
                        .malformed, "\"\(text.printable)\": decimal numbers and commas expected")
                }
                numbers.append(value)
            }
            return numbers
        }
    }

    /// Reads one file.
    ///
    /// - Throws: ``Failure`` naming the file and what was expected.
    public static func read(
        _ source: InputSource, for input: Model.Input, _ normalization: Normalization
    ) throws(Failure) -> Tensor {
        do throws(Failure) {
            let bytes = try source.bytes { (first, count) throws(Failure) in
                // The file, and the tensor that is made of it.
                try HostRoom.check(2 * count, for: source.label)
                guard first.starts(with: NumPy.magic) else { return }
                try check(try NumPy.header(first, of: count), for: input)
            }
            return bytes.starts(with: NumPy.magic)
                ? try converted(try NumPy.decode(bytes), for: input)
                : try picture(bytes, for: input, normalization)
        } catch {
            throw error.message.hasPrefix(source.path) ? error : error.at(source.label)
        }
    }

    /// An array may bring any number of items; all its other axes are the input's.
    private static func check(
        _ header: NumPy.Header, for input: Model.Input
    ) throws(Failure) {
        guard input.isRanked else { return }
        let fits =
            header.shape.count == input.shape.count
            && zip(header.shape, input.shape).dropFirst().allSatisfy { $1 == nil || $0 == $1 }
        guard fits else {
            throw Failure(
                .malformed,
                "\(header.type.name) \(header.shape.text); \(input.text) expected")
        }
    }

    /// Reads the files of one input and stacks them along the first axis: an array brings as many
    /// items as its first axis has, a picture one.
    ///
    /// - Throws: ``Failure`` naming the file and what was expected.
    public static func read(
        _ sources: [InputSource], for input: Model.Input, _ normalization: Normalization
    ) throws(Failure) -> Tensor {
        var parts: [Tensor] = []
        for source in sources {
            let tensor = try read(source, for: input, normalization)
            if let first = parts.first, first.shape.dropFirst() != tensor.shape.dropFirst() {
                throw Failure(
                    .malformed,
                    "\(source.label): \(tensor.shape.text) beside \(first.shape.text); equal "
                        + "axes after the first expected")
            }
            parts.append(tensor)
        }
        guard let first = parts.first else {
            throw Failure(.missing, "input \(input.text): no file is given for it")
        }
        return parts.count == 1 ? first : Tensor(stacking: parts)
    }

    /// As the input's type; integers only where each fits. What outputs of a float type are written
    /// as that NumPy does not have is read as such: as bits.
    private static func converted(
        _ tensor: Tensor, for input: Model.Input
    ) throws(Failure) -> Tensor {
        if tensor.type == input.type { return tensor }
        if input.type.isFloat, tensor.type.isInteger, tensor.type == NumPy.stored(input.type) {
            return tensor.bytes.withUnsafeBytes {
                Tensor(type: input.type, shape: tensor.shape, bytes: $0)
            }
        }
        if input.type.isFloating {
            return HostSteps.cast(tensor, to: input.type, shape: tensor.shape)
        }
        guard let integers = tensor.integers else {
            throw Failure(.malformed, "\(tensor.type.name); \(input.text) expected")
        }
        let converted = Tensor(integers, type: input.type, shape: tensor.shape)
        guard converted.integers == integers,
            input.type != .bool || integers.allSatisfy({ $0 == 0 || $0 == 1 })
        else {
            throw Failure(.malformed, "a value does not fit; \(input.text) expected")
        }
        return converted
    }

    private static func picture(
        _ bytes: Bytes, for input: Model.Input, _ normalization: Normalization
    ) throws(Failure) -> Tensor {
        guard ImageKind(sniffing: bytes) != nil else {
            throw Failure(.malformed, "neither a .npy array nor a PNG or JPEG picture")
        }
        let image = try ImageRGBA8(decoding: bytes)
        let shape = input.shape
        guard input.type == .float32, shape.count == 4, let channels = shape[1],
            channels == 1 || channels == 3
        else {
            throw Failure(
                .malformed, "a picture; \(input.text) takes none (float32 [items, 1 or 3, …])")
        }
        guard image.height == shape[2] ?? image.height, image.width == shape[3] ?? image.width
        else {
            throw Failure(
                .malformed, "a picture of \(image.width)x\(image.height); \(input.text) expected")
        }
        for (name, values) in [
            ("mean", normalization.mean), ("std", normalization.deviation),
        ] where values.count != 1 && values.count != channels {
            throw Failure(
                .malformed,
                "\(name) has \(values.count) numbers; \(channels == 1 ? "" : "1 or ")\(channels) "
                    + "expected")
        }
        guard normalization.deviation.allSatisfy({ $0.isFinite && $0 != 0 }) else {
            throw Failure(.malformed, "std divides: finite numbers other than 0 expected")
        }
        var floats: [Float] = []
        for channel in 0..<channels {
            let mean = normalization.mean[normalization.mean.count == 1 ? 0 : channel]
            let deviation =
                normalization.deviation[normalization.deviation.count == 1 ? 0 : channel]
            for pixel in 0..<(image.width * image.height) {
                let rgb = image.pixels[(4 * pixel)..<(4 * pixel + 3)].map { Int($0) }
                // Grey by ITU-R BT.601's weights in 16 bits.
                let value =
                    channels == 3
                    ? rgb[channel]
                    : (19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 32768) >> 16
                floats.append(Exact.div(Exact.div(Float(value), 255) - mean, deviation))
            }
        }
        return Tensor(floats, shape: [1, channels, image.height, image.width])
    }
}
