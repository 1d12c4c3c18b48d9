import Core
import Imaging
import Testing

@Suite struct ImagingKnownAnswerTests {
    @Test func everyAnswerIsRight() {
        let answers = ImagingKnownAnswers.check()
        #expect(answers.count == 16)
        for answer in answers {
            #expect(answer.isRight, "\(answer.name): \(answer.found?.description ?? "refused")")
        }
        #expect(Set(answers.map(\.codec)) == [.png, .jpeg, .webp])
    }

    @Test func theControlIsWrong() {
        #expect(ImagingKnownAnswers.check(isControl: true).allSatisfy { !$0.isRight })
    }

    /// The curve from its definition, in doubles without a power: the code's square root bounds are
    /// checked by bisection on x^12 = y^5.
    @Test func srgbCodesRoundToNearest() {
        #expect(SRGB.code(.nan) == 0)
        #expect(SRGB.code(-1) == 0)
        #expect(SRGB.code(.infinity) == 255)
        #expect(SRGB.code(0.5) == 188)
        #expect(SRGB.code(0.18) == 118)
        for code in 0...255 {
            #expect(SRGB.code(SRGB.linear[code]) == UInt8(code))
            let s = Double(code) / 255
            let linear = Double(SRGB.linear[code])
            if s <= 0.04045 {
                #expect((linear - s / 12.92).magnitude < 1e-9)
            } else {
                // linear = ((s + 0.055) / 1.055)^2.4, so linear^5 = (…)^12.
                let base = (s + 0.055) / 1.055
                let twelfth = (1...12).reduce(1.0) { power, _ in power * base }
                let fifth = (1...5).reduce(1.0) { power, _ in power * linear }
                #expect((fifth / twelfth - 1).magnitude < 1e-6, "\(code)")
            }
        }
        #expect(zip(SRGB.linear, SRGB.linear.dropFirst()).allSatisfy { $0 < $1 })
    }
}
