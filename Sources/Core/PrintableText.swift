extension String {
    /// At most 60 characters of it, without control characters: names come from strangers.
    public var printable: String {
        let clean = unicodeScalars.prefix(61).map {
            $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) ? "?" : String($0)
        }
        return clean.prefix(60).joined() + (clean.count > 60 ? "…" : "")
    }
}
