import Exact
import Foundation
import Testing

/// Random words and numbers, which the host and kernels make alike.
@Suite struct RandomTests {
    /// Source: Random123's `kat_vectors`, philox4x32 with ten rounds.
    @Test func philoxGivesItsKnownAnswers() {
        let ones = UInt32.max
        #expect(
            Exact.philox(SIMD4(0, 0, 0, 0), key: SIMD2(0, 0))
                == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
        #expect(
            Exact.philox(SIMD4(ones, ones, ones, ones), key: SIMD2(ones, ones))
                == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
        #expect(
            Exact.philox(
                SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344),
                key: SIMD2(0xa409_3822, 0x299f_31d0))
                == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
    }

    @Test func unitsLieBelowOne() {
        #expect(Exact.unit(0) == 0 && Exact.unit(255) == 0)
        #expect(Exact.unit(256) == 0x1p-24)
        #expect(Exact.unit(.max) == 1 - 0x1p-24)
    }

    /// The ends of the radius, and the directions along the axes.
    @Test func normalsAreFiniteEverywhere() {
        #expect(Exact.normal(0, 0) == Exact.sqrt(-2 * Exact.log(0x1p-24)))
        #expect(Exact.normal(0, 0) < 5.77)
        #expect(Exact.normal(.max, 0) == 0)
        #expect(Exact.normal(0, 1 << 31) == -Exact.normal(0, 0))
        #expect(Exact.normal(0, 1 << 30) == 0 && Exact.normal(0, 3 << 30) == 0)
    }

    /// Against Box and Muller's formula in binary64.
    @Test func normalsFollowTheFormula() {
        var worst = 0.0
        for index in UInt32(0)..<20_000 {
            let words = Exact.philox(SIMD4(index, 1, 2, 3), key: SIMD2(4, 5))
            let radius = (-2 * Foundation.log(Double((words.x >> 8) + 1) * 0x1p-24)).squareRoot()
            let expected = radius * Foundation.cos(Double(words.y >> 8) * 0x1p-23 * .pi)
            worst = max(worst, (Double(Exact.normal(words.x, words.y)) - expected).magnitude)
        }
        #expect(worst < 1e-6, "\(worst)")
    }
}
