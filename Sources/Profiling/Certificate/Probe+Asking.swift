internal import Compute
internal import Core

extension Probe {
    /// The device's words for all items, and what is wrong with them.
    func answer(of device: any ComputeDevice) throws(Failure) -> Question.Answer {
        do throws(Failure) {
            for control in controls {
                if let reason = try blindness(to: control, of: device) {
                    return Question.Answer(reason: reason)
                }
            }
            var words: [UInt32] = []
            for count in Self.itemCounts {
                words = try run(call, count: count, on: device)
                if let reason = difference(words, answers(count), count) {
                    return Question.Answer(words: words, reason: reason)
                }
            }
            return Question.Answer(words: words, reason: nil)
        } catch {
            // A lost device answers nothing more; a kernel that does not build has failed.
            if error.code == .timeout { throw error }
            return Question.Answer(unanswered: error.firstLine)
        }
    }

    /// Why the control proves nothing here; nil when it does its duty.
    private func blindness(
        to control: Control, of device: any ComputeDevice
    ) throws(Failure) -> String? {
        let count = Self.itemCountMax
        guard control.answers != answers(count) else {
            return "control \(control.name): the inputs cannot show it"
        }
        guard let call = control.call else { return nil }
        let words = try run(call, count: count, on: device)
        guard let reason = difference(words, control.answers, count) else {
            return nil
        }
        return "control \(control.name): \(reason)"
    }

    private func run(
        _ call: Call, count: Int, on device: any ComputeDevice
    ) throws(Failure) -> [UInt32] {
        let program = try device.program(call.program)
        let wordCount = max(2 * count, Battery.counterWords)
        let fill: UInt32 = call.startsAtZero ? 0 : Self.unwritten
        let input = try device.makeBuffer(Array(items.prefix(count)))
        let output = try device.makeBuffer([UInt32](repeating: fill, count: wordCount))
        var arguments: [KernelArgument] = [
            .buffer(input), .buffer(output), .uint(UInt32(count)), .float(-0.0),
        ]
        var global = count
        if call.localBytes > 0 {
            arguments.append(.local(byteCount: call.localBytes))
            global = (count + 31) / 32 * 32
        }
        try device.launch(
            call.kernel, of: program, global: [global], local: call.localBytes > 0 ? [32] : nil,
            arguments: arguments)
        return try device.read(UInt32.self, count: wordCount, from: output)
    }

    /// What an output word holds until a kernel writes it.
    static let unwritten: UInt32 = 0xa5a5_a5a5

    /// The first wrong word, said with its inputs; and whether the output is alive at all, since
    /// output that is constant or all NaN can pass for different from anything.
    private func difference(
        _ words: [UInt32], _ answers: [UInt32], _ count: Int
    ) -> String? {
        let wrong = answers.indices.filter { words[$0] != answers[$0] }
        guard let first = wrong.first else { return nil }
        func hex(_ word: UInt32) -> String { word.bigEndianBytes.hex0x }
        if count > 1, Set(answers.indices.map { words[$0] }).count == 1 {
            return "\(count) items: every word of the output is \(hex(words[0]))"
        }
        let item = items[min(first / 2, count - 1)]
        let operands = (0..<4).map { hex(item[$0]) }.joined(separator: " ")
        return """
            \(count) items: \(wrong.count) words wrong; word \(first) is \(hex(words[first])), \
            expected \(hex(answers[first])), for \(operands)
            """
    }
}
