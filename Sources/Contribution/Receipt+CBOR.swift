public import Core
internal import Ethereum

extension Receipt: Record {
    /// The fields in their order, for stores and messages.
    public var cbor: CBOR {
        .array([
            CBOR(chainID), CBOR(market), CBOR(dealID), CBOR(taskID), CBOR(index), CBOR(app),
            CBOR(appVersion), CBOR(taskSpec), CBOR(leafCount), CBOR(merkleRoot),
            CBOR(resultDigest), CBOR(resultHash), CBOR(resultSeal), CBOR(worker),
            CBOR(workerpool), CBOR(workerpoolOwner), CBOR(paid), CBOR(requester), CBOR(trust),
            .text(device), .text(verdict), CBOR(conformance), CBOR(contributedSeconds),
            CBOR(finalizedSeconds),
        ])
    }

    /// Reads ``cbor`` back. Nothing is believed yet.
    ///
    /// - Throws: ``Failure`` (malformed) saying what was expected.
    public init(_ cbor: CBOR) throws(Failure) {
        var reader = try RecordReader(cbor, "receipt")
        self.init(
            chainID: try reader.uint(), market: try reader.address(), dealID: try reader.hash(),
            taskID: try reader.hash(), index: try reader.uint(), app: try reader.address(),
            appVersion: try reader.hash(), taskSpec: try reader.hash(),
            leafCount: try reader.count(), merkleRoot: try reader.hash(),
            resultDigest: try reader.hash(), resultHash: try reader.hash(),
            resultSeal: try reader.hash(), worker: try reader.address(),
            workerpool: try reader.address(), workerpoolOwner: try reader.address(),
            paid: try reader.uint(), requester: try reader.address(), trust: try reader.uint(),
            device: try reader.text(), verdict: try reader.text(),
            conformance: try reader.hash(), contributedSeconds: try reader.count(),
            finalizedSeconds: try reader.count())
        try reader.end()
    }
}

extension SignedReceipt: Record {
    /// Receipt and both signatures, 65 bytes each.
    public var cbor: CBOR {
        .array([receipt.cbor, .bytes(workerSignature.bytes), .bytes(workerpoolSignature.bytes)])
    }

    /// Reads ``cbor`` back. Nothing is believed yet.
    ///
    /// - Throws: ``Failure`` saying what was expected.
    public init(_ cbor: CBOR) throws(Failure) {
        var reader = try RecordReader(cbor, "signed receipt")
        self.init(
            receipt: try Receipt(try reader.next()),
            workerSignature: try Signature(bytes: try reader.bytes()),
            workerpoolSignature: try Signature(bytes: try reader.bytes()))
        try reader.end()
    }
}
