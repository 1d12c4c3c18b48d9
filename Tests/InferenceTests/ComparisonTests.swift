import Inference
import Testing

@Suite struct ComparisonTests {
    private func difference(
        _ found: ModelValue, _ expected: ModelValue, _ comparison: Comparison = .init()
    ) -> String? {
        comparison.difference(of: [found], from: [expected], names: ["y"])
    }

    private func floats(_ values: [Float], _ shape: [Int]? = nil) -> ModelValue {
        .tensor(Tensor(values, shape: shape ?? [values.count]))
    }

    private func integers(_ values: [Int64], _ type: ElementType = .int64) -> ModelValue {
        .tensor(Tensor(values, type: type, shape: [values.count]))
    }

    @Test func equalValuesPass() {
        for value in [
            floats([1, -2, 0.5]), floats([], [0, 3]), floats([7], []), integers([1, -1]),
        ] {
            #expect(difference(value, value) == nil)
        }
        #expect(difference(floats([-0.0]), floats([0.0])) == nil)
    }

    @Test func theWorstElementIsNamed() {
        let found = floats([1, 2, 3.5, 4, 5.25, 7], [2, 3])
        let expected = floats([1, 2, 3, 4, 5, 6], [2, 3])
        #expect(
            difference(found, expected)
                == "output \"y\": element [1, 2] is 7.0; 6.0 expected; 3 of 6 differ, this one most"
        )
        #expect(
            difference(integers([3, 4]), integers([3, 5]))
                == "output \"y\": element [1] is 4; 5 expected; 1 of 2 differ, this one most")
    }

    @Test func typesAndShapesAreEqual() {
        #expect(
            difference(integers([1]), integers([1], .int32))
                == "output \"y\": int64; int32 expected")
        #expect(difference(integers([1], .uint8), integers([1], .bool)) != nil)
        #expect(difference(floats([1]), integers([1])) == "output \"y\": float32; int64 expected")
        #expect(
            difference(floats([1, 2], [2, 1]), floats([1, 2], [1, 2]))
                == "output \"y\": shape [2, 1]; [1, 2] expected")
        #expect(difference(floats([1], []), floats([1], [1])) != nil)
        #expect(difference(floats([], [0, 3]), floats([], [3, 0])) != nil)
    }

    @Test func notANumberIsANumberLikeOthers() {
        #expect(difference(floats([.nan]), floats([-.nan])) == nil)
        #expect(difference(floats([.nan]), floats([1])) != nil)
        #expect(difference(floats([1]), floats([.nan])) != nil)
        #expect(difference(floats([.infinity]), floats([.nan])) != nil)
        // It is worse than any distance.
        let line = difference(floats([1e30, .nan]), floats([0, 0]))
        #expect(line?.contains("element [1] is nan; 0.0 expected; 2 of 2 differ") == true)
    }

    @Test func infinitiesAreEqualOrNot() {
        #expect(
            difference(floats([.infinity, -.infinity]), floats([.infinity, -.infinity])) == nil)
        #expect(difference(floats([-.infinity]), floats([.infinity])) != nil)
        // A tolerance relative to infinity would let anything pass.
        #expect(difference(floats([1]), floats([.infinity])) != nil)
        #expect(difference(floats([.infinity]), floats([.greatestFiniteMagnitude])) != nil)
    }

    @Test func toleranceHasEdges() {
        var comparison = Comparison()
        comparison.relative = 0x1p-10
        comparison.absolute = 0
        #expect(difference(floats([1025]), floats([1024]), comparison) == nil)
        #expect(difference(floats([1023]), floats([1024]), comparison) == nil)
        #expect(difference(floats([Float(1025).nextUp]), floats([1024]), comparison) != nil)
        #expect(difference(floats([-1024]), floats([1024]), comparison) != nil)
        // It is relative to what was expected, not to what was found.
        #expect(difference(floats([1024]), floats([1025]), comparison) == nil)
        #expect(difference(floats([0]), floats([0x1p-149]), comparison) != nil)
        comparison.relative = 0
        comparison.absolute = 0x1p-20
        #expect(difference(floats([0x1p-20]), floats([0]), comparison) == nil)
        #expect(difference(floats([Float(0x1p-20).nextUp]), floats([0]), comparison) != nil)
        #expect(difference(floats([1024 + 0x1p-10]), floats([1024]), comparison) != nil)
        // Both parts add up.
        comparison.relative = 0x1p-20
        #expect(difference(floats([1 + 0x1p-19]), floats([1]), comparison) == nil)
        #expect(difference(floats([1 + 0x1.8p-19]), floats([1]), comparison) != nil)
    }

    @Test func theSuitesToleranceIsTheDefault() {
        #expect(difference(floats([1.0009]), floats([1])) == nil)
        #expect(difference(floats([1.0011]), floats([1])) != nil)
        #expect(difference(floats([0.9e-7]), floats([0])) == nil)
        #expect(difference(floats([1.1e-7]), floats([0])) != nil)
    }

    @Test func integersHaveNoTolerance() {
        #expect(difference(integers([100_001]), integers([100_000])) != nil)
        #expect(difference(integers([.max]), integers([.max - 1])) != nil)
        #expect(difference(integers([255], .uint8), integers([254], .uint8)) != nil)
    }

    @Test func sequencesAndOptionals() {
        let one = Tensor([1], shape: [1])
        let two = Tensor([2], shape: [1])
        #expect(difference(.sequence([one, two]), .sequence([one, two])) == nil)
        #expect(
            difference(.sequence([one, one]), .sequence([one, two]))
                == "output \"y\": tensor 1: element [0] is 1.0; 2.0 expected; "
                + "1 of 1 differ, this one most")
        #expect(
            difference(.sequence([one]), .sequence([one, two]))
                == "output \"y\": a sequence of 1 tensors; 2 expected")
        #expect(
            difference(.tensor(one), .sequence([one]))
                == "output \"y\": a tensor; a sequence expected")
        #expect(difference(.absent, .absent) == nil)
        #expect(
            difference(.absent, .tensor(one))
                == "output \"y\": an absent optional; a tensor expected")
        #expect(difference(.sequence([]), .absent) != nil)
    }

    @Test func everyOutputCounts() {
        let (one, two) = (floats([1]), floats([2]))
        let comparison = Comparison()
        #expect(
            comparison.difference(of: [one, one], from: [one, two], names: ["a", "b"])?
                .hasPrefix("output \"b\": ") == true)
        #expect(
            comparison.difference(of: [one], from: [one, two], names: ["a", "b"])
                == "1 outputs; 2 expected")
        #expect(
            comparison.difference(of: [one, two], from: [one], names: ["a"])
                == "2 outputs; 1 expected")
    }
}
