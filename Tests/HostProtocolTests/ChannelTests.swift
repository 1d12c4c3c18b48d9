import Core
import Foundation
import Glibc
import HostProtocol
import Synchronization
import Testing

/// Both ends of a conversation in one process.
private func pair(frameBytesMax: Int = 1 << 20) throws -> (FrameChannel, FrameChannel) {
    var ends: [Int32] = [-1, -1]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    return (
        FrameChannel(input: ends[0], output: ends[0], name: "left", frameBytesMax: frameBytesMax),
        FrameChannel(input: ends[1], output: ends[1], name: "right", frameBytesMax: frameBytesMax)
    )
}

private func failure(_ body: () throws -> Void) -> Failure? {
    do {
        try body()
        return nil
    } catch {
        return error as? Failure
    }
}

@Suite struct ChannelTests {
    @Test func framesComeInOrderAndEndIsNil() throws {
        let (left, right) = try pair()
        for number in 0..<100 { try left.send(CBOR(number), secondsMax: 1) }
        for number in 0..<100 { #expect(try right.receive(secondsMax: 1)?.int == number) }
        left.close()
        #expect(try right.receive(secondsMax: 1) == nil)
    }

    @Test func aFrameLargerThanTheSocketHoldsPasses() throws {
        let (left, right) = try pair(frameBytesMax: 8 << 20)
        let big = CBOR.bytes(Bytes(repeating: 7, count: 5 << 20))
        let thread = Thread { try? left.send(big, secondsMax: 10) }
        thread.start()
        #expect(try right.receive(secondsMax: 10) == big)
    }

    @Test func silenceIsATimeout() throws {
        let (left, _right) = try pair()
        #expect(failure { _ = try left.receive(secondsMax: 0.05) }?.code == .timeout)
        withExtendedLifetime(_right) {}
    }

    @Test func aPeerThatDoesNotReadIsATimeout() throws {
        let (left, _right) = try pair(frameBytesMax: 8 << 20)
        let big = CBOR.bytes(Bytes(repeating: 7, count: 4 << 20))
        #expect(failure { try left.send(big, secondsMax: 0.05) }?.code == .timeout)
        withExtendedLifetime(_right) {}
    }

    @Test func aPeerThatLeftIsAFailureAndNoSignal() throws {
        let (left, right) = try pair()
        right.close()
        #expect(failure { try left.send(.null, secondsMax: 1) }?.code == .io)
    }

    /// Descriptors' numbers are used again: one that was closed under a reader would soon be
    /// another peer's.
    @Test func aDescriptorIsNotClosedWhileItIsRead() throws {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let (near, far) = (ends[0], ends[1])
        let channel = FrameChannel(input: near, output: near, name: "peer")
        // A length without its content keeps the reader waiting.
        #expect(write(far, [0, 0, 0, 4] as Bytes, 4) == 4)
        let left = DispatchSemaphore(value: 0)
        let said = Mutex<Failure?>(nil)
        let reader = Thread {
            let found = failure { _ = try channel.receive(secondsMax: 20) }
            said.withLock { $0 = found }
            left.signal()
        }
        reader.start()
        var unread: Int32 = 4
        while unread > 0 {
            usleep(1000)
            #expect(ioctl(near, UInt(FIONREAD), &unread) == 0)
        }
        channel.close()
        #expect(fcntl(near, F_GETFD) >= 0)
        #expect(
            failure { try channel.send(.null, secondsMax: 1) }?.message.contains("closed") == true)
        close(far)
        left.wait()
        #expect(said.withLock { $0 }?.code == .io)
        #expect(fcntl(near, F_GETFD) < 0)
    }

    @Test func lengthsAreCheckedBeforeMemoryIsTaken() throws {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let channel = FrameChannel(input: ends[0], output: ends[0], name: "peer")
        let head: Bytes = [0xff, 0xff, 0xff, 0xff]
        #expect(write(ends[1], head, 4) == 4)
        #expect(failure { _ = try channel.receive(secondsMax: 1) }?.code == .limit)
        close(ends[1])
    }

    @Test func aFrameCutShortOrNotCanonicalIsAFailure() throws {
        for (raw, code) in [
            ([0, 0, 0, 9, 1, 2], Failure.Code.io), ([0, 0, 0, 2, 0x18, 0x01], .malformed),
            ([0, 0, 0, 0], .limit),
        ] as [(Bytes, Failure.Code)] {
            var ends: [Int32] = [-1, -1]
            try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
            let channel = FrameChannel(input: ends[0], output: ends[0], name: "peer")
            #expect(write(ends[1], raw, raw.count) == raw.count)
            close(ends[1])
            #expect(failure { _ = try channel.receive(secondsMax: 1) }?.code == code)
        }
    }
}

@Suite struct ChildProcessTests {
    private func command(_ script: String) -> ChildProcess.Command {
        ChildProcess.Command(
            name: "child", executable: "/bin/sh", arguments: ["-c", script],
            environment: ["PATH": "/usr/bin:/bin"], logPath: "/dev/null")
    }

    @Test func aChildTalksOverItsStandardStreams() throws {
        let child = try ChildProcess.start(command("exec cat"), hasChannel: true)
        let channel = try #require(child.channel)
        try channel.send(.text("echo"), secondsMax: 5)
        #expect(try channel.receive(secondsMax: 5) == .text("echo"))
        #expect(child.isRunning)
        child.kill()
        #expect(!child.isRunning)
        #expect(child.exitDiagnosis?.contains("signal 9") == true)
    }

    @Test func anExitIsSeenAndSaid() throws {
        let child = try ChildProcess.start(command("exit 3"), hasChannel: true)
        #expect(try child.channel?.receive(secondsMax: 5) == nil)
        while child.isRunning { usleep(1000) }
        #expect(child.exitDiagnosis == "exit status 3")
    }

    @Test func aChildHoldsNoOtherDescriptorAndNoOtherVariable() throws {
        let secret = open("/dev/zero", O_RDONLY)
        defer { close(secret) }
        let log = NSTemporaryDirectory() + "child-\(UInt64.random(in: 0 ... .max)).log"
        defer { unlink(log) }
        var listing = command("ls -l /proc/self/fd >&2; env >&2")
        listing.logPath = log
        let child = try ChildProcess.start(listing, hasChannel: true)
        while child.isRunning { usleep(1000) }
        let text = try String(contentsOfFile: log, encoding: .utf8)
        #expect(text.contains("PATH=/usr/bin:/bin") && !text.contains("HOME="))
        #expect(!text.contains("/dev/zero"))
    }

    @Test func aProgramThatIsNotThereIsAFailure() {
        var wrong = command("")
        wrong.executable = "/no/such/program"
        #expect(failure { _ = try ChildProcess.start(wrong, hasChannel: false) }?.code == .io)
    }
}

@Suite struct LinkTests {
    /// A host that closes its end takes a moment more to end: that moment is waited for.
    @Test func aHostThatDoesNotGreetIsFollowedToItsEnd() throws {
        let script = NSTemporaryDirectory() + "host-\(UInt64.random(in: 0 ... .max))"
        defer { unlink(script) }
        let text = "#!/bin/sh\nexec 0<&- 1>&-\nsleep 0.1\nexit 3\n"
        try Data(text.utf8).write(to: URL(fileURLWithPath: script))
        #expect(chmod(script, 0o700) == 0)
        let said = failure {
            _ = try HostLink.start(
                .device, executable: script, expected: nil, logPath: "/dev/null")
        }
        #expect(said?.code == .io)
        #expect(said?.message.contains("exit status 3") == true, "\(said?.message ?? "")")
    }
}

@Suite struct SessionTests {
    @Test func pingsAreServedWhileWorkWaits() throws {
        let (agent, host) = try pair()
        let session = HostSession(channel: host)
        try agent.send(HostRequest.describe.cbor, secondsMax: 1)
        try agent.send(HostRequest.ping.cbor, secondsMax: 1)
        #expect(try agent.receive(secondsMax: 5).map(HostReply.init) == .pong)
        #expect(session.next() == .describe)
        try agent.send(HostRequest.cancel.cbor, secondsMax: 1)
        try agent.send(HostRequest.ping.cbor, secondsMax: 1)
        #expect(try agent.receive(secondsMax: 5).map(HostReply.init) == .pong)
        #expect(session.isCancelRequested)
        agent.close()
        #expect(session.next() == nil)
    }

    @Test func anUnknownRequestIsAnsweredAndTheSessionGoesOn() throws {
        let (agent, host) = try pair()
        let session = HostSession(channel: host)
        try agent.send(["kind": .text("dance")], secondsMax: 1)
        let answer = try #require(try agent.receive(secondsMax: 5))
        guard case .failed(let said) = try HostReply(answer) else {
            Issue.record("failed expected, \(answer)")
            return
        }
        #expect(said.code == .unsupported)
        try agent.send(HostRequest.scrub.cbor, secondsMax: 1)
        #expect(session.next() == .scrub)
        agent.close()
    }
}

@Suite struct FileHashTests {
    @Test func contentIsCheckedAndWritesAreWhole() throws {
        let folder = NSTemporaryDirectory() + "files-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/a"
        let bytes = Bytes((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        try FileHash.writeDurably(bytes, to: path)
        let id = try FileHash.sha256(path: path)
        #expect(id.byteCount == bytes.count)
        #expect(try FileHash.contents(path: path, expected: id) == bytes)
        try FileHash.writeDurably([1], to: path)
        #expect(
            failure { _ = try FileHash.contents(path: path, expected: id) }?.code == .untrusted)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a"])
    }
}
