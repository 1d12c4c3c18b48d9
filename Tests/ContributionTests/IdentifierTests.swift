import Contribution
import Core
import Ethereum
import Testing
import Wallet

/// The hub's published vectors.
@Suite struct IdentifierTests {
    @Test func theTaskOfADeal() throws {
        let deal = try #require(
            Hash256(hex: "0xa0b0fd396b0f79f14e4d6b34af7180bd9e80e2d86afda91c6127c5c17a268e66"))
        #expect(
            Identifiers.task(deal: deal, index: 0).description
                == "0xe06c86d6bb750dbd9be9e002482854b3b3f21550dbe37236767b9cac29e3ce28")
    }

    @Test func theAuthorisationAndItsSignature() throws {
        let worker = try Address(checking: "0x748e091bf16048cb5103E0E10F9D5a8b7fBDd860")
        let enclave = try Address(checking: "0x9a43BB008b7A657e1936ebf5d8e28e5c5E021596")
        let task = try #require(
            Hash256(hex: "0xd94b63fc2d3ec4b96daf84b403bbafdc8c8517e8e2addd51fec0fa4e67801be8"))
        let statement = Identifiers.authorization(worker: worker, task: task, enclave: enclave)
        #expect(
            statement.description
                == "0x54a76d209e8167e1ffa3bde8e3e7b30068423ca9554e1d605d8ee8fd0f165562")
        let key = try PrivateKey(
            bytes: try #require(
                Hex.decode("2a46e8c1535792f6689b10d5c882c9363910c30751ec193ae71ec71630077909")))
        let signature = key.signPersonal(statement)
        #expect(
            signature.bytes.hex
                == "63f2c959ed7dfc11619e1e0b5ba8a4bf56f81ce81d0b6e6e9cdeca538cb85d97"
                + "737747b747bc6c7d42cba859fdd030b1bed8b2513699ba78ac67dab5b785fda51c")
    }

    @Test func theKitty() {
        #expect(Identifiers.kitty.checksummed == "0x99c2268479b93fDe36232351229815DF80837e23")
    }

    @Test func typeHashes() {
        func hash<O: Order>(_: O.Type) -> String { O.type.typeHash.bytes.hex }
        #expect(
            hash(AppOrder.self)
                == "60815a0eeec47dddf1615fe53b31d016c31444e01b9d796db365443a6445d008")
        #expect(
            hash(DatasetOrder.self)
                == "6cfc932a5a3d22c4359295b9f433edff52b60703fa47690a04a83e40933dd47c")
        #expect(
            hash(WorkerpoolOrder.self)
                == "aa3429fb281b34691803133d3d978a75bb77c617ed6bc9aa162b9b30920022bb")
        #expect(
            hash(RequestOrder.self)
                == "f24e853034a3a450aba845a82914fbb564ad85accca6cf62be112a154520fae0")
    }

    @Test func requestParameters() throws {
        let hash = ABI.topic("anything")
        let text = RequestParameters(taskSpec: hash).text
        #expect(try RequestParameters(text).taskSpec == hash)
        for bad in ["", "{}", text + " ", text.uppercased(), String(text.dropLast())] {
            #expect(throws: Failure.self) { try RequestParameters(bad) }
        }
    }
}
