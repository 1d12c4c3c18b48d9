import Contribution
import Core
import Ethereum
import Testing

/// Orders of a real market, signed by another implementation: the hashes are right if the signer
/// recovers.
@Suite struct SignedOrderTests {
    static let signer = "0x000a9c787a972f70f0903890e266f41c795c4dca"

    func domain() throws -> TypedData.Domain {
        TypedData.Domain(
            name: "iExecODB", version: "5.0.0", chainID: 133,
            verifyingContract: try Address(checking: "0x3eca1B216A7DF1C7689aEb259fFB83ADFB894E7f"))
    }

    func hash(_ hex: String) throws -> Hash256 { try #require(Hash256(hex: hex)) }

    func signer<O: Order>(_ order: O, _ signature: String) throws -> String {
        let signature = try Signature(bytes: try #require(Hex.decode(signature)))
        return try signature.signer(of: order.hash(in: try domain())).description
    }

    @Test func anAppOrder() throws {
        let order = AppOrder(
            app: try Address(checking: "0x2EbD509d777B187E8394566bA6ec093B9dd73DF1"), price: 0,
            volume: 1,
            salt: try hash("be858b0eee90cf2e85297bd3df81373f6b4de20c67a3e1f5db1a9d5be8abc3c4"))
        let signature =
            "82c2d8a5f59f1088eb0b9a627c367ae7dae1772c8bd98c394699ae24830611e1"
            + "171026f4e28d2c60302c34a04c60c4fc2f1363e165072dca04a9f203734978671c"
        #expect(try signer(order, signature) == Self.signer)
    }

    @Test func aDatasetOrder() throws {
        let order = DatasetOrder(
            dataset: try Address(checking: "0x2550E5B60f48742aBce2275F34417e7cBf5AcA86"),
            price: 0, volume: 1_000_000, tag: 1,
            salt: try hash("c49d07f99c47096900653b6ade4ccde4c52f773a5ad68f1da0a47c993cad4595"))
        let signature =
            "94661cab25380e7a6e1c20762988f6f854c5123a17ad27c65580d7c3edcfa202"
            + "5a9d255c679c4cf7d489560917c17d3af3da83737b3722824918d39aecfedf711c"
        #expect(try signer(order, signature) == Self.signer)
    }

    @Test func aWorkerpoolOrder() throws {
        let order = WorkerpoolOrder(
            workerpool: try Address(checking: "0x53Ef1328a96E40E125bca15b9a4da045C5e63E1A"),
            price: 0, volume: 1, category: 0, trust: 0,
            salt: try hash("40af1a4975ca6ca7285d7738e51c8da91a9daee4a23fb45d105068be56f85e56"))
        let signature =
            "18bb5dbf608ade315c9e81f0b89929a93aa36aee0a1d51e9119c66799af12659"
            + "6c6cfd1e676ea394e346c616710a675388d5b270a195e494e75d107c87a45dce1c"
        #expect(try signer(order, signature) == Self.signer)
    }

    @Test func aRequestOrder() throws {
        let params =
            #"{"iexec_tee_post_compute_fingerprint":"76bfdee97e692b729e989694f3a566cf"#
            + "0e1de95fc456ff5ee88c75b1cb865e33|1eb627c1c94bbca03178b099b13fb4d1|"
            + "13076027fc67accba753a3ed2edf03227dfd013b450d68833a5589ec44132100"
            + #"","iexec_tee_post_compute_image":"iexechub/tee-worker-post-compute:1.0.0","#
            + #""iexec_result_storage_provider":"ipfs","iexec_result_storage_proxy":"#
            + #""https://result.viviani.iex.ec","iexec_result_encryption":false,"#
            + #""iexec_input_files":[],"iexec_args":"Alice"}"#
        let order = RequestOrder(
            app: try Address(checking: "0x6709CAe77CDa2cbA8Cb90A4F5a4eFfb5c8Fe8367"),
            appPriceMax: 0,
            workerpool: try Address(checking: "0x506fA5EaCa52B5d2F133452a45FFA68aD1CfB3C5"),
            workerpoolPriceMax: 0,
            requester: try Address(checking: "0x1ec09e1782a43a770d54e813379c730e0b29ad4b"),
            volume: 1, tag: 1, category: 0, trust: 0, params: params,
            salt: try hash("ee5c64cd59eaa084f59dbaa8f20b87260c4d6ac35c83214da657681bfe4e7632"))
        let signature =
            "611511fa5169dff40f7b4c0013e9f149e79dfddacd80a19852a1e9b42294eaef"
            + "4329367f01eb48930f990a418befed0c5634e493809f2e9a6a60727137964df51c"
        #expect(try signer(order, signature) == Self.signer)
        var other = order
        other.params += " "
        #expect(try signer(other, signature) != Self.signer)
    }
}
