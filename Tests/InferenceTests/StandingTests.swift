import Compute
import Core
import Foundation
import Inference
import RigorTestKit
import Testing

/// Runs of a plan that is one tape, whose work-groups stay for the next one.
@Suite struct StandingTests {
    /// A product, and inputs for it, each other ones than those before.
    private struct Work {
        let plan: Plan
        let inputs: [[Tensor]]
        let expected: [[Bytes]]

        /// - Parameter isWhole: of 8-bit integers.
        init(rows: Int, depth: Int, columns: Int, isWhole: Bool = false, count: Int = 3) throws {
            var generator = SplitMix64(seed: UInt64(rows * 31 + depth * 7 + columns))
            func tensor(_ shape: [Int], isSigned: Bool) -> Tensor {
                let count = shape.reduce(1, *)
                guard isWhole else {
                    let values = (0..<count).map { _ in
                        Float.random(in: -1...1, using: &generator)
                    }
                    return Tensor(values, shape: shape)
                }
                let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
                return bytes.withUnsafeBytes {
                    Tensor(type: isSigned ? .int8 : .uint8, shape: shape, bytes: $0)
                }
            }
            var net = Net()
            let a = net.input("a", [rows, depth], isWhole ? .uint8 : .float32)
            let b = net.constant(tensor([depth, columns], isSigned: true))
            let product = net.add(isWhole ? "MatMulInteger" : "MatMul", [a, b])
            plan = try Planner.plan(net.model([product]), shapes: ["a": [rows, depth]])
            inputs = (0..<count).map { _ in [tensor([rows, depth], isSigned: false)] }
            let plan = plan
            expected = inputs.map { ReferenceRun.run(plan, $0).map(\.bytes) }
        }

        func run(_ session: Session, _ number: Int) throws {
            let place = number % inputs.count
            let found = try session.run(inputs[place]).map(\.bytes)
            #expect(found == expected[place], "run \(number)")
        }
    }

    private func device() throws -> (any ComputeDevice)? {
        guard let test = TestDevices.any, case let device = try test.open(),
            device.description.runsTapes
        else {
            TestDevices.skip("no device that runs tapes")
            return nil
        }
        return device
    }

    /// Soon after one another, and so late that the work-groups have left.
    @Test func runsHaveTheReferencesBits() throws {
        guard let device = try device() else { return }
        let works = [
            ("gemm_rows", try Work(rows: 19, depth: 300, columns: 70)),
            ("gemm_row", try Work(rows: 1, depth: 513, columns: 65)),
            ("dot_product", try Work(rows: 8, depth: 120, columns: 50, isWhole: true)),
            (
                device.description.takesAMX ? "dot_tiles" : "dot_product",
                try Work(rows: 37, depth: 120, columns: 290, isWhole: true)
            ),
            ("dot_row", try Work(rows: 1, depth: 64, columns: 33, isWhole: true)),
        ]
        for (kernel, work) in works {
            let session = try Session(
                work.plan, on: device, viewBytesMin: 1, tapes: .init(fromRun: 3))
            for number in 0..<400 {
                try work.run(session, number)
                if number % 50 == 49 { usleep(useconds_t(number * 5)) }
            }
            #expect(session.tapedKernels == [kernel])
        }
    }

    /// From the first run on, and of work-groups that stayed.
    @Test func notANumberHasOnePattern() throws {
        guard let device = try device() else { return }
        let (depth, columns) = (300, 70)
        let patterns: [UInt32] = [0x7f80_0001, 0xffc1_2345, 0x7fff_ffff, 0xff80_0001]
        var generator = SplitMix64(seed: 29)
        for rows in [1, 2, 3, 19] {
            var net = Net()
            let a = net.input("a", [rows, depth])
            let b = net.floats(generator.floats(depth * columns), [depth, columns])
            let product = net.add("MatMul", [a, b])
            let plan = try Planner.plan(net.model([product]), shapes: ["a": [rows, depth]])
            let session = try Session(
                plan, on: device, viewBytesMin: 1, tapes: .init(fromRun: 3))
            for run in 1...12 {
                let row = run % rows
                var values = generator.floats(rows * depth)
                values[row * depth + run * 31 % depth] = Float(bitPattern: patterns[run % 4])
                let input = Tensor(values, shape: [rows, depth])
                let found = try session.run([input])[0]
                #expect(
                    found.bytes == ReferenceRun.run(plan, [input])[0].bytes,
                    "\(rows) rows, run \(run)")
                let own = found.floats?[(row * columns)..<((row + 1) * columns)] ?? []
                #expect(own.count == columns && own.allSatisfy { $0.bitPattern == 0x7fc0_0000 })
            }
        }
    }

    /// Each sends the other's work-groups away, and what others launch goes on.
    @Test func sessionsOfOneDeviceTakeTurns() throws {
        guard let device = try device() else { return }
        let works = [
            try Work(rows: 19, depth: 300, columns: 70), try Work(rows: 9, depth: 64, columns: 40),
        ]
        let sessions = try works.map { try Session($0.plan, on: device, tapes: .init(fromRun: 3)) }
        let other = try Gemm(on: device)
        let panels = try device.makeBuffer(byteCount: 4 * other.packedCountA(rows: 8, depth: 16))
        let plain = try device.makeBuffer((0..<128).map { Float($0) })
        for number in 0..<200 {
            for (work, session) in zip(works, sessions) {
                for _ in 0...number % 3 { try work.run(session, number) }
            }
            guard number % 5 == 0 else { continue }
            try other.packA(
                .init(buffer: plain, lineStride: 16, depthStride: 1), rows: 8, depth: 16,
                into: panels)
            let packed = try device.read(Float.self, count: 9, from: panels)
            #expect(packed[1] == 16 || other.tiles.rows == 1, "\(packed)")
        }
    }

    /// Sessions and devices go while work-groups of theirs stay.
    @Test func sessionsAndDevicesMayGo() throws {
        guard try device() != nil else { return }
        let work = try Work(rows: 19, depth: 300, columns: 70)
        for _ in 0..<12 {
            guard let device = try device() else { return }
            for _ in 0..<4 {
                let session = try Session(work.plan, on: device, tapes: .init(fromRun: 3))
                for number in 0..<8 { try work.run(session, number) }
            }
        }
    }

    /// Those of a product that takes longer than anyone stays are launched again after a while.
    @Test func longRunsAreLaunched() throws {
        guard let device = try device() else { return }
        let work = try Work(rows: 128, depth: 1536, columns: 1536, count: 1)
        let session = try Session(work.plan, on: device, tapes: .init(fromRun: 3))
        for number in 0..<16 { try work.run(session, number) }
    }

    /// Two devices of one driver share its threads: neither keeps the other from them.
    @Test func devicesOfOneDriverGoOn() throws {
        guard let first = try device(), let second = try device() else { return }
        let work = try Work(rows: 19, depth: 300, columns: 70)
        let expected = work.expected
        DispatchQueue.concurrentPerform(iterations: 2) { number in
            let device = number == 0 ? first : second
            guard
                let session = try? Session(work.plan, on: device, tapes: .init(fromRun: 3))
            else {
                Issue.record("no session")
                return
            }
            for run in 0..<2000 {
                let place = run % work.inputs.count
                let found = try? session.run(work.inputs[place]).map(\.bytes)
                if found != expected[place] { Issue.record("device \(number), run \(run)") }
            }
        }
    }
}
