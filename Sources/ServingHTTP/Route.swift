internal import Core

/// What a request line asks for.
enum Route: Hashable {
    case server
    case live
    case ready
    case index
    case metadata(model: String, version: String?)
    case modelReady(model: String, version: String?)
    case statistics(model: String?, version: String?)
    case infer(model: String, version: String?)

    /// Why there is no route.
    enum Refusal: Error, Hashable {
        case notFound
        /// It is for a scheme that is not this server's.
        case misdirected(scheme: String)
        /// It is no target (RFC 9112, 3.2), or an address without a host (RFC 9110, 4.2.1).
        case malformed
        case notAllowed(allowed: String)

        static func notAllowed(but methods: [String]) -> Self {
            .notAllowed(allowed: methods.joined(separator: ", "))
        }
    }

    /// - Parameter target: the path, perhaps with a query, which is not looked at, and perhaps
    ///   behind a scheme and a host, as proxies write it (RFC 9112, 3.2.2).
    static func find(_ method: String, _ target: String) throws(Refusal) -> Route {
        let path = try path(method, target)
        var parts: [String] = []
        for part in path.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            guard let text = decoded(part) else { throw .notFound }
            parts.append(text)
        }
        guard path.first == "/", parts.first == "v2", let route = route(parts.dropFirst()) else {
            throw .notFound
        }
        guard route.methods.contains(method) else { throw .notAllowed(but: route.methods) }
        return route
    }

    private static func path(_ method: String, _ target: String) throws(Refusal) -> Substring {
        // What is asked of the server as a whole is refused as it is for every path.
        if target == "*", method == "OPTIONS" { throw .notAllowed(but: reading + asking) }
        var path = target[...]
        if path.first != "/" {
            guard let mark = path.firstRange(of: "://") else { throw .malformed }
            let scheme = path[..<mark.lowerBound].lowercased()
            guard scheme == "http" else { throw .misdirected(scheme: scheme) }
            path = path[mark.upperBound...]
            let host = path.prefix { $0 != "/" && $0 != "?" }
            guard let first = host.first, first != ":" else { throw .malformed }
            path = path[host.endIndex...]
        }
        return path.prefix { $0 != "?" }
    }

    private static func route(_ parts: ArraySlice<String>) -> Route? {
        let parts = Array(parts)
        switch (parts.count, parts.first) {
        case (0, _): return .server
        case (1, ""): return .server
        case (2, "health"): return parts[1] == "live" ? .live : parts[1] == "ready" ? .ready : nil
        case (2, "repository"): return parts[1] == "index" ? .index : nil
        case (2, "models") where parts[1] == "stats":
            return .statistics(model: nil, version: nil)
        case (2..., "models"):
            guard !parts[1].isEmpty else { return nil }
            var rest = parts[2...]
            var version: String?
            if rest.first == "versions" {
                guard rest.count >= 2 else { return nil }
                version = rest[rest.startIndex + 1]
                rest = rest.dropFirst(2)
            }
            switch Array(rest) {
            case []: return .metadata(model: parts[1], version: version)
            case ["ready"]: return .modelReady(model: parts[1], version: version)
            case ["stats"]: return .statistics(model: parts[1], version: version)
            case ["infer"]: return .infer(model: parts[1], version: version)
            default: return nil
            }
        default: return nil
        }
    }

    private static let reading = ["GET", "HEAD"]
    private static let asking = ["POST"]

    private var methods: [String] {
        switch self {
        case .infer, .index: Self.asking
        default: Self.reading
        }
    }

    /// Without `%` escapes.
    private static func decoded(_ part: Substring) -> String? {
        var bytes = Bytes()
        var rest = part.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, let text = String(digits), text.allSatisfy(\.isHexDigit),
                let value = UInt8(text, radix: 16)
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
