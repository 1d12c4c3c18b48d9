public import Core

extension EXR {
    /// A text attribute of a file's first header; nil where there is none of that name.
    public static func text(_ name: String, in exr: Bytes) -> String? {
        guard exr.starts(with: [0x76, 0x2f, 0x31, 0x01]) else { return nil }
        var rest = exr.dropFirst(8)
        /// Up to the next zero.
        func word() -> String? {
            guard let end = rest.firstIndex(of: 0) else { return nil }
            defer { rest = rest[(end + 1)...] }
            return String(validating: rest[..<end], as: UTF8.self)
        }
        while let key = word(), !key.isEmpty, let type = word(), rest.count >= 4 {
            let count = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard count <= rest.count else { return nil }
            if key == name, type == "string" {
                return String(validating: rest.prefix(count), as: UTF8.self)
            }
            rest = rest.dropFirst(count)
        }
        return nil
    }
}
