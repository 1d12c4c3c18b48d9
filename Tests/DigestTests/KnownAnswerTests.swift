import Core
import Digest
import Testing

@Suite struct KnownAnswerTests {
    @Test func keccakOfNothing() {
        #expect(
            Keccak256.hash([]).bytes.hex
                == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
    }

    @Test func sha256OfABC() {
        #expect(
            SHA256.hash(Array("abc".utf8)).bytes.hex
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test func oddNodesArePromoted() {
        let leaves = (0..<3).map { Leaf(index: $0, name: "leaf", bytes: [UInt8($0)]) }
        let hashes = leaves.map(MerkleTree.leafHash)
        let expected = MerkleTree.node(MerkleTree.node(hashes[0], hashes[1]), hashes[2])
        #expect(MerkleTree(leaves: leaves).root == expected)
    }

    @Test func aMovedBoundaryBetweenNameAndBytesChangesTheLeaf() {
        let one = Leaf(index: 0, name: "ab", bytes: Array("c".utf8))
        let other = Leaf(index: 0, name: "a", bytes: Array("bc".utf8))
        #expect(MerkleTree.leafHash(one) != MerkleTree.leafHash(other))
    }
}
