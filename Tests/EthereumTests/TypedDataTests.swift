import Core
import Ethereum
import Testing

@Suite struct TypedDataTests {
    @Test func theHubsTestDomain() throws {
        let contract = try #require(Address(hex: String(repeating: "0", count: 39) + "1"))
        let domain = TypedData.Domain(
            name: "iExec Custom Module Domain", version: "1", chainID: 2,
            verifyingContract: contract)
        #expect(
            domain.separator.bytes.hex
                == "b3b1dcc957351eff67866cbc947be104a71d09ff7e146a2c42e8f7edc2bf501c")
    }

    /// The example of EIP-712 itself, every intermediate value of it.
    @Test func theStandardsMail() throws {
        let person = TypedData.Struct(
            "Person", [.init("name", .string), .init("wallet", .address)])
        let mail = TypedData.Struct(
            "Mail",
            [
                .init("from", .structure(person)), .init("to", .structure(person)),
                .init("contents", .string),
            ])
        #expect(
            mail.encodedType
                == "Mail(Person from,Person to,string contents)Person(string name,address wallet)")
        #expect(
            mail.typeHash.bytes.hex
                == "a0cedeb2dc280ba39b857546d74f5549c3a1d7bdc2dd96bf881f76108e23dac2")
        let cow = try #require(Address(hex: "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"))
        let bob = try #require(Address(hex: "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"))
        let values: [TypedData.Value] = [
            .structure([.string("Cow"), .address(cow)]),
            .structure([.string("Bob"), .address(bob)]), .string("Hello, Bob!"),
        ]
        #expect(
            mail.hash(values).bytes.hex
                == "c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e")
        let domain = TypedData.Domain(
            name: "Ether Mail", version: "1", chainID: 1,
            verifyingContract: try #require(
                Address(hex: "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC")))
        #expect(
            domain.separator.bytes.hex
                == "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f")
        let digest = TypedData.hash(domain, mail, values)
        #expect(
            digest.bytes.hex
                == "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2")
        let signature = try Signature(
            bytes: try #require(
                Hex.decode(
                    "4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d"
                        + "07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b91562"
                        + "1c")))
        #expect(try signature.signer(of: digest) == cow)
    }

    @Test func arraysHashTheirElements() {
        let type = TypedData.Struct("List", [.init("items", .array(.uint256))])
        #expect(type.encodedType == "List(uint256[] items)")
        let empty = type.hash([.array([])])
        #expect(empty != type.hash([.array([.uint256(0)])]))
    }
}
