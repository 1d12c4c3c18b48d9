public import Core
public import Digest
internal import Foundation

/// A task's leaves in one file, in order: what a worker uploads and a buyer downloads.
///
/// Magic `RIGORLV1`; then for each leaf its name's length (4 bytes, big-endian), its name (UTF-8),
/// its length (8 bytes, big-endian) and its bytes. The leaf's index is its place.
public enum LeafFile {
    static let magic = Bytes("RIGORLV1".utf8)
    static let nameBytesMax = 4096

    /// One leaf as it lies in the file.
    static func record(_ leaf: Leaf) -> Bytes {
        let name = Bytes(leaf.name.utf8)
        return UInt32(name.count).bigEndianBytes + name + UInt64(leaf.bytes.count).bigEndianBytes
            + leaf.bytes
    }

    /// A file's bytes.
    public static func bytes(_ leaves: [Leaf]) -> Bytes {
        leaves.reduce(into: magic) { $0 += record($1) }
    }

    /// Reads leaves back.
    ///
    /// - Parameter countMax: how many of them; bytes behind these are not looked at.
    /// - Throws: ``Failure`` (malformed) naming the leaf at which the bytes stop making sense.
    public static func leaves(
        _ bytes: Bytes, countMax: Int = .max
    ) throws(Failure) -> [Leaf] {
        guard bytes.starts(with: magic) else {
            throw Failure(.malformed, "leaf file: its magic expected")
        }
        var leaves: [Leaf] = []
        var offset = magic.count
        func take(_ count: Int) throws(Failure) -> ArraySlice<UInt8> {
            guard count >= 0, count <= bytes.count - offset else {
                throw Failure(
                    .malformed,
                    "leaf file: leaf \(leaves.count): \(count) bytes expected, "
                        + "\(bytes.count - offset) left")
            }
            defer { offset += count }
            return bytes[offset..<offset + count]
        }
        func number(_ width: Int) throws(Failure) -> Int {
            let value = try take(width).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return Int(clamping: value)
        }
        while offset < bytes.count, leaves.count < countMax {
            let nameBytes = try number(4)
            guard nameBytes <= nameBytesMax,
                let name = String(validating: try take(nameBytes), as: UTF8.self)
            else {
                throw Failure(.malformed, "leaf file: leaf \(leaves.count): a name expected")
            }
            let content = Bytes(try take(try number(8)))
            leaves.append(Leaf(index: leaves.count, name: name, bytes: content))
        }
        return leaves
    }

    /// The tree over a leaf file.
    ///
    /// - Throws: ``Failure`` (malformed) when it is not one, or is empty.
    public static func tree(_ bytes: Bytes) throws(Failure) -> MerkleTree {
        let leaves = try leaves(bytes)
        guard !leaves.isEmpty else { throw Failure(.malformed, "leaf file: no leaf") }
        return MerkleTree(leaves: leaves)
    }
}

/// Writes a leaf file piece by piece, hashing as it goes.
public final class LeafFileWriter {
    private let path: String
    private let handle: FileHandle
    private var leafHashes: [Hash256] = []

    /// Creates the file.
    public init(path: String) throws(Failure) {
        self.path = path
        guard FileManager.default.createFile(atPath: path, contents: Data(LeafFile.magic)),
            let handle = FileHandle(forWritingAtPath: path)
        else { throw Failure(.storage, "\(path): cannot be written") }
        self.handle = handle
        handle.seekToEndOfFile()
    }

    deinit { try? handle.close() }

    /// Appends the next leaf.
    ///
    /// - Throws: ``Failure``: `malformed` when its index is not the next one.
    public func append(_ leaf: Leaf) throws(Failure) {
        guard leaf.index == leafHashes.count, leaf.name.utf8.count <= LeafFile.nameBytesMax else {
            throw Failure(
                .malformed, "leaf \(leaf.index) \(leaf.name): leaf \(leafHashes.count) expected")
        }
        leafHashes.append(MerkleTree.leafHash(leaf))
        do {
            try handle.write(contentsOf: LeafFile.record(leaf))
        } catch {
            throw Failure(.storage, "\(path): cannot be written")
        }
    }

    /// The tree over what was appended; closes the file.
    public func finish() throws(Failure) -> MerkleTree {
        do { try handle.close() } catch { throw Failure(.storage, "\(path): cannot be written") }
        guard !leafHashes.isEmpty else { throw Failure(.malformed, "the task gave no leaf") }
        return MerkleTree(leafHashes: leafHashes)
    }
}
