extension String {
    /// At most 60 characters of it, without control characters: names come from strangers.
    package var printable: String {
        let clean = String(String.UnicodeScalarView(unicodeScalars.prefix(61))).withoutControls
        let scalars = clean.unicodeScalars
        return String(String.UnicodeScalarView(scalars.prefix(60)))
            + (scalars.count > 60 ? "…" : "")
    }

    /// With `?` for what would move a terminal's cursor, colour it, or turn its text around; line
    /// feeds too.
    package var withoutControls: String {
        var clean = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: clean.append("?")
            default: clean.append(scalar)
            }
        }
        return String(clean)
    }
}
