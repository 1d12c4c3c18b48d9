internal import Compute
public import Core

extension Session {
    /// Compiles ahead what later runs will ask for, where that is not cached: a server's first
    /// clients would wait for it.
    ///
    /// - Throws: ``Failure`` when the device fails.
    public func warm() throws(Failure) {
        guard tapeRule != nil else { return }
        try Tape.compile(try programs.tape(), on: device)
    }

    /// By now all launches that stay the same are known.
    ///
    /// - Parameter views: this run's launches of groups whose operands lie elsewhere in the next.
    func makeTapes(_ views: [Int: [RecordedLaunch]]) throws(Failure) {
        let viewed = viewedBuffers
        let known = viewed == nil ? [:] : views
        let launches = groups.indices.map { groups[$0].launches ?? known[$0] }
        let taking = programs.taped + (dots.map { [$0.program] } ?? [])
        func extents(launchesMin: Int) -> [Range<Int>] {
            Tape.extents(
                of: groups, launches, taking, cost: plan.cost, launchesMin: launchesMin)
        }
        // A tape that is all of a run can stay on the device, and then even one launch is better
        // there. Where ports are buffers of the device, there is more on the queue than this plan.
        let whole = bindsPorts ? [] : extents(launchesMin: 1)
        let stands = whole == [groups.indices]
        let extents = stands ? whole : extents(launchesMin: tapeRule?.launchesMin ?? 2)
        guard !extents.isEmpty else { return }
        let program = try programs.tape()
        let state = try Tape.makeState(on: device)
        for extent in extents {
            tapes[extent.lowerBound] = try Tape(
                extent, launches[extent].flatMap { $0 ?? [] }, views: viewed ?? [:],
                by: program, state: state, stands: stands, on: device)
        }
    }

    /// Numbers of the buffers that are others in the next run; nil where two inputs have one.
    private var viewedBuffers: [ObjectIdentifier: Int]? {
        var numbers: [ObjectIdentifier: Int] = [:]
        for number in varying {
            guard let buffer = buffers[number] else { continue }
            guard numbers.updateValue(number, forKey: ObjectIdentifier(buffer)) == nil else {
                return nil
            }
        }
        return numbers
    }

    /// Names of the kernels that are on tapes.
    package var tapedKernels: Set<String> {
        tapes.values.reduce(into: []) { $0.formUnion($1.kernels) }
    }
}
