internal import Core

extension Array {
    /// The element that an index in the file names.
    ///
    /// - Parameter name: how messages call what the index stands for.
    /// - Throws: ``Failure`` (malformed) saying which indices there are.
    func element(_ index: Int, _ name: String) throws(Failure) -> Element {
        guard indices.contains(index) else {
            throw Failure(
                .malformed,
                isEmpty
                    ? "\(name) \(index): the file has none"
                    : "\(name) \(index): 0 to \(count - 1) expected")
        }
        return self[index]
    }
}
