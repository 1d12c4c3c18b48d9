package import Core
internal import Ethereum

// Each record is a CBOR array of its fields in the order of declaration.

extension Hub.Account: Record {
    package var cbor: CBOR { .array([CBOR(available), CBOR(locked)]) }

    package init(_ cbor: CBOR) throws(Failure) {
        var reader = try RecordReader(cbor, "account")
        self.init(available: try reader.uint(), locked: try reader.uint())
        try reader.end()
    }
}

extension Hub.Category: Record {
    package var cbor: CBOR { .array([.text(name), CBOR(workClockTimeReferenceSeconds)]) }

    package init(_ cbor: CBOR) throws(Failure) {
        var reader = try RecordReader(cbor, "category")
        self.init(name: try reader.text(), workClockTimeReferenceSeconds: try reader.count())
        try reader.end()
    }
}

extension Hub.App: Record {
    package var cbor: CBOR {
        .array([CBOR(owner), .text(name), .text(kind), .text(location), CBOR(version)])
    }

    package init(_ cbor: CBOR) throws(Failure) {
        var reader = try RecordReader(cbor, "app")
        self.init(
            owner: try reader.address(), name: try reader.text(), kind: try reader.text(),
            location: try reader.text(), version: try reader.hash())
        try reader.end()
    }
}

extension Hub.Dataset: Record {
    package var cbor: CBOR {
        .array([CBOR(owner), .text(name), .text(location), CBOR(checksum)])
    }

    package init(_ cbor: CBOR) throws(Failure) {
        var reader = try RecordReader(cbor, "dataset")
        self.init(
            owner: try reader.address(), name: try reader.text(), location: try reader.text(),
            checksum: try reader.hash())
        try reader.end()
    }
}

extension Hub.Workerpool: Record {
    package var cbor: CBOR {
        .array([
            CBOR(owner), .text(description), CBOR(workerStakeRatio), CBOR(schedulerRewardRatio),
        ])
    }

    package init(_ cbor: CBOR) throws(Failure) {
        var reader = try RecordReader(cbor, "workerpool")
        self.init(
            owner: try reader.address(), description: try reader.text(),
            workerStakeRatio: try reader.uint(), schedulerRewardRatio: try reader.uint())
        try reader.end()
    }
}

extension Hub.Part: Record {
    package var cbor: CBOR { .array([CBOR(address), CBOR(owner), CBOR(price)]) }

    package init(_ cbor: CBOR) throws(Failure) {
        var reader = try RecordReader(cbor, "part of a deal")
        self.init(
            address: try reader.address(), owner: try reader.address(), price: try reader.uint())
        try reader.end()
    }
}

extension Hub.Deal: Record {
    package var cbor: CBOR {
        .array([
            app.cbor, dataset.cbor, workerpool.cbor, CBOR(trust), CBOR(category), CBOR(tag),
            CBOR(requester), CBOR(beneficiary), CBOR(callback), .text(params),
            CBOR(startSeconds), CBOR(firstIndex), CBOR(volume), CBOR(workerStake),
            CBOR(schedulerRewardRatio), CBOR(sponsor),
        ])
    }

    package init(_ cbor: CBOR) throws(Failure) {
        var reader = try RecordReader(cbor, "deal")
        self.init(
            app: try Hub.Part(try reader.next()), dataset: try Hub.Part(try reader.next()),
            workerpool: try Hub.Part(try reader.next()), trust: try reader.uint(),
            category: try reader.count(), tag: try reader.uint(),
            requester: try reader.address(), beneficiary: try reader.address(),
            callback: try reader.address(), params: try reader.text(),
            startSeconds: try reader.count(), firstIndex: try reader.uint(),
            volume: try reader.uint(), workerStake: try reader.uint(),
            schedulerRewardRatio: try reader.uint(), sponsor: try reader.address())
        try reader.end()
    }
}

extension Hub.Task: Record {
    package var cbor: CBOR {
        let groups = groups.sorted { $0.key < $1.key }
        return .array([
            .text(status.rawValue), CBOR(dealID), CBOR(index), CBOR(timeReferenceSeconds),
            CBOR(contributionDeadlineSeconds), CBOR(revealDeadlineSeconds),
            CBOR(finalDeadlineSeconds), CBOR(consensus) { CBOR($0) }, CBOR(revealCount),
            CBOR(winnerCount), .array(contributors.map { CBOR($0) }),
            CBOR(resultDigest) { CBOR($0) }, .bytes(results), .bytes(resultsCallback),
            CBOR(total), .array(groups.map { .array([CBOR($0.key), CBOR($0.value)]) }),
            CBOR(endedSeconds),
        ])
    }

    package init(_ cbor: CBOR) throws(Failure) {
        var reader = try RecordReader(cbor, "task")
        self.init(
            status: try reader.choice(Hub.TaskStatus.self), dealID: try reader.hash(),
            index: try reader.uint(), timeReferenceSeconds: try reader.count(),
            contributionDeadlineSeconds: try reader.count(),
            revealDeadlineSeconds: try reader.count(), finalDeadlineSeconds: try reader.count(),
            consensus: try reader.optional { (reader) throws(Failure) in try reader.hash() },
            revealCount: try reader.count(), winnerCount: try reader.count(),
            contributors: try reader.list { (item) throws(Failure) in
                var item = try RecordReader(.array([item]), "contributor")
                return try item.address()
            },
            resultDigest: try reader.optional { (reader) throws(Failure) in try reader.hash() },
            results: try reader.bytes(), resultsCallback: try reader.bytes(),
            total: try reader.uint(), groups: [:], endedSeconds: 0)
        for group in try reader.list({ (item) throws(Failure) in try Group(item) }) {
            groups[group.hash] = group.weight
        }
        endedSeconds = try reader.count()
        try reader.end()
    }

    private struct Group {
        let hash: Hash256
        let weight: UInt256

        init(_ cbor: CBOR) throws(Failure) {
            var reader = try RecordReader(cbor, "group")
            hash = try reader.hash()
            weight = try reader.uint()
            try reader.end()
        }
    }
}

extension Hub.Contribution: Record {
    package var cbor: CBOR {
        .array([
            .text(status.rawValue), CBOR(resultHash), CBOR(resultSeal), CBOR(enclave),
            CBOR(logWeight), CBOR(contributedSeconds), CBOR(paid),
        ])
    }

    package init(_ cbor: CBOR) throws(Failure) {
        var reader = try RecordReader(cbor, "contribution")
        self.init(
            status: try reader.choice(Hub.ContributionStatus.self), resultHash: try reader.hash(),
            resultSeal: try reader.hash(), enclave: try reader.address(),
            logWeight: try reader.count(), contributedSeconds: try reader.count(),
            paid: try reader.uint())
        try reader.end()
    }
}
