internal import Core
internal import Exact

extension Operators {
    /// Operators that choose among boxes.
    static let detection: Table = [
        "NonMaxSuppression": host(2...5) { (op, inputs) throws(Failure) in
            [try Suppression(op, inputs).run()]
        }
    ]
}

/// Boxes that no better one of their class covers. Ties go to the lower index.
private struct Suppression {
    let boxes: [Float]
    let scores: [Float]
    let shape: (batches: Int, classes: Int, boxes: Int)
    let countMax: Int
    let overlapMax: Float
    let scoreMin: Float?
    let isCentered: Bool

    init(_ op: Operator, _ inputs: [Tensor?]) throws(Failure) {
        guard let boxes = inputs[0], let scores = inputs[1], let corners = boxes.floats,
            let values = scores.floats, boxes.shape.count == 3, scores.shape.count == 3,
            boxes.shape[2] == 4, boxes.shape[0] == scores.shape[0],
            boxes.shape[1] == scores.shape[2]
        else { throw Failure(.malformed, "boxes [b, n, 4] and scores [b, c, n] expected") }
        self.boxes = corners
        self.scores = values
        shape = (scores.shape[0], scores.shape[1], scores.shape[2])
        func optional(_ index: Int) -> Tensor? { index < inputs.count ? inputs[index] : nil }
        countMax = Int(optional(2)?.integers?.first ?? 0)
        overlapMax = optional(3)?.floats?.first ?? 0
        scoreMin = optional(4)?.floats?.first
        isCentered = try op.flag("center_point_box")
    }

    /// Corners (y1, x1, y2, x2), the lesser first.
    private func corners(_ index: Int) -> (Float, Float, Float, Float) {
        let b = boxes[(4 * index)..<(4 * index + 4)]
        let (p, q, r, s) = (b[4 * index], b[4 * index + 1], b[4 * index + 2], b[4 * index + 3])
        if isCentered {
            return (q - s * 0.5, p - r * 0.5, q + s * 0.5, p + r * 0.5)
        }
        return (min(p, r), min(q, s), max(p, r), max(q, s))
    }

    private func overlap(_ a: Int, _ b: Int) -> Float {
        let (a1, a2, a3, a4) = corners(a)
        let (b1, b2, b3, b4) = corners(b)
        let height = max(0, min(a3, b3) - max(a1, b1))
        let width = max(0, min(a4, b4) - max(a2, b2))
        let shared = height * width
        let union = (a3 - a1) * (a4 - a2) + (b3 - b1) * (b4 - b2) - shared
        return union > 0 ? Exact.div(shared, union) : 0
    }

    func run() -> Tensor {
        var chosen: [Int64] = []
        for batch in 0..<shape.batches {
            for kind in 0..<shape.classes {
                let first = (batch * shape.classes + kind) * shape.boxes
                let order = (0..<shape.boxes)
                    .filter { index in scoreMin.map { scores[first + index] > $0 } ?? true }
                    .sorted { a, b in
                        let (p, q) = (Float.key(scores[first + a]), Float.key(scores[first + b]))
                        return p == q ? a < b : p > q
                    }
                var kept: [Int] = []
                for index in order where kept.count < countMax {
                    let box = batch * shape.boxes + index
                    if kept.allSatisfy({ overlap(box, batch * shape.boxes + $0) <= overlapMax }) {
                        kept.append(index)
                        chosen += [Int64(batch), Int64(kind), Int64(index)]
                    }
                }
            }
        }
        return Tensor(chosen, type: .int64, shape: [chosen.count / 3, 3])
    }
}
