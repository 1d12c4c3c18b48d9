import Core
import Ethereum
import Testing

/// The examples of Solidity's ABI specification, and the hub's own names.
@Suite struct ABITests {
    func words(_ hex: String...) -> String { hex.joined() }

    @Test func staticArguments() {
        // baz(uint32,bool) with 69 and true
        let data = ABI.call("baz(uint32,bool)", [.uint(69), .bool(true)])
        #expect(
            data.hex == "cdcd77c0"
                + "0000000000000000000000000000000000000000000000000000000000000045"
                + "0000000000000000000000000000000000000000000000000000000000000001")
    }

    @Test func dynamicArguments() {
        // sam(bytes,bool,uint256[]) with "dave", true and [1,2,3]
        let data = ABI.call(
            "sam(bytes,bool,uint256[])",
            [.bytes(Array("dave".utf8)), .bool(true), .array([.uint(1), .uint(2), .uint(3)])])
        #expect(
            data.hex == "a5643bf2"
                + "0000000000000000000000000000000000000000000000000000000000000060"
                + "0000000000000000000000000000000000000000000000000000000000000001"
                + "00000000000000000000000000000000000000000000000000000000000000a0"
                + "0000000000000000000000000000000000000000000000000000000000000004"
                + "6461766500000000000000000000000000000000000000000000000000000000"
                + "0000000000000000000000000000000000000000000000000000000000000003"
                + "0000000000000000000000000000000000000000000000000000000000000001"
                + "0000000000000000000000000000000000000000000000000000000000000002"
                + "0000000000000000000000000000000000000000000000000000000000000003")
    }

    @Test func nestedDynamicArrays() {
        // g(uint256[][],string[]) with [[1,2],[3]] and ["one","two","three"]
        let data = ABI.call(
            "g(uint256[][],string[])",
            [
                .array([.array([.uint(1), .uint(2)]), .array([.uint(3)])]),
                .array([.string("one"), .string("two"), .string("three")]),
            ])
        let expected = [
            "40", "140", "2", "40", "a0", "2", "1", "2", "1", "3", "3", "60", "a0", "e0", "3",
            "=6f6e65", "3", "=74776f", "5", "=7468726565",
        ].map { word in
            word.hasPrefix("=")
                ? word.dropFirst() + String(repeating: "0", count: 65 - word.count)
                : String(repeating: "0", count: 64 - word.count) + word
        }.joined()
        #expect(data.hex == "2289b18c" + expected)
    }

    @Test func aTupleWithADynamicMemberIsDynamic() {
        let tuple = ABI.tuple([.uint(7), .string("ab")])
        #expect(
            ABI.encode([tuple]).hex
                == UInt256(32).bytes.hex + UInt256(7).bytes.hex + UInt256(64).bytes.hex
                + UInt256(2).bytes.hex + "6162" + String(repeating: "0", count: 60))
        #expect(
            ABI.encode([.tuple([.uint(7), .bool(true)])]).hex
                == UInt256(7).bytes.hex + UInt256(1).bytes.hex)
    }

    @Test func packed() throws {
        let address = try #require(Address(hex: "0x00000000000000000000000000000000000000ff"))
        #expect(
            ABI.encodePacked([.address(address), .string("Hi"), .bool(true), .bytes([9])]).hex
                == "00000000000000000000000000000000000000ff48690109")
        #expect(ABI.encodePacked([.array([.uint(1)])]).hex == UInt256(1).bytes.hex)
    }

    @Test(arguments: [
        ("initialize(bytes32,uint256)", "5b36c66b"),
        ("contribute(bytes32,bytes32,bytes32,address,bytes,bytes)", "34623484"),
        ("reveal(bytes32,bytes32)", "fc334e8c"),
        ("finalize(bytes32,bytes,bytes)", "8fc375e5"),
        ("contributeAndFinalize(bytes32,bytes32,bytes,bytes,address,bytes,bytes)", "5facd761"),
        ("reopen(bytes32)", "f6c68e10"), ("claim(bytes32)", "bd66528a"),
        ("initializeArray(bytes32[],uint256[])", "b504681d"),
        ("claimArray(bytes32[])", "fa055d7e"),
        ("initializeAndClaimArray(bytes32[],uint256[])", "f722cb32"),
        ("viewScore(address)", "db230b52"), ("viewContribution(bytes32,address)", "e741363b"),
        ("viewAccount(address)", "6b55f4a5"), ("viewCategory(uint256)", "4f5f44ec"),
    ])
    func selectors(_ signature: String, _ selector: String) {
        #expect(ABI.selector(signature).hex == selector)
    }

    @Test func theSelectorOfMatchOrders() {
        let app = "(address,uint256,uint256,bytes32,address,address,address,bytes32,bytes)"
        let pool =
            "(address,uint256,uint256,bytes32,uint256,uint256,address,address,address,"
            + "bytes32,bytes)"
        let request =
            "(address,uint256,address,uint256,address,uint256,address,uint256,bytes32,uint256,"
            + "uint256,address,address,string,bytes32,bytes)"
        let signature = "matchOrders(\(app),\(app),\(pool),\(request))"
        #expect(ABI.selector(signature).hex == "156194d4")
    }

    @Test(arguments: [
        ("TaskInitialize(bytes32,address)", "252992fb", "2e06"),
        ("TaskContribute(bytes32,address,bytes32)", "3fdb8d77", "ecfb"),
        ("TaskConsensus(bytes32,bytes32)", "f6d49bf3", "22e3"),
        ("TaskReveal(bytes32,address,bytes32)", "4b1763d4", "7959"),
        ("TaskReopen(bytes32)", "3afe0f24", "f07b"),
        ("TaskFinalize(bytes32,bytes)", "78ce8a8b", "5044"),
        ("TaskClaimed(bytes32)", "cbc308b5", "1ff8"),
        ("AccurateContribution(address,bytes32)", "9703f458", "3492"),
        ("FaultyContribution(address,bytes32)", "f8687889", "79bb"),
        ("SchedulerNotice(address,bytes32)", "692ad610", "f765"),
    ])
    func topics(_ signature: String, _ head: String, _ tail: String) {
        let hex = ABI.topic(signature).bytes.hex
        #expect(hex.hasPrefix(head) && hex.hasSuffix(tail))
    }
}
