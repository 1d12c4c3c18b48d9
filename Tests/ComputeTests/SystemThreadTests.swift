import Compute
import Core
import Dispatch
import Testing

@Suite struct SystemThreadTests {
    @Test func runsItsBody() throws {
        let done = DispatchSemaphore(value: 0)
        try SystemThread.start("a name of more than fifteen", stackBytes: 1 << 20) {
            done.signal()
        }
        #expect(done.wait(timeout: .now() + 20) == .success)
    }

    /// One that does not start would be waited for.
    @Test func oneWithoutRoomIsAFailure() throws {
        do throws(Failure) {
            try SystemThread.start("large", stackBytes: 1 << 50) {}
            Issue.record("a stack of 2^50 bytes")
        } catch {
            #expect(error.code == .memory)
            #expect(error.message.hasPrefix("large: no thread with 1073741824 MiB of stack: "))
        }
    }
}
