/// Sine and cosine of a file's angles.
enum Angle {
    /// cos and sin by Taylor series in doubles after halving the angle 12 times.
    private static func cosineAndSine(_ angle: Float) -> (Double, Double) {
        let x = Double(angle) / 4096
        let s = x * x
        var sine = x * (1 - s / 6 * (1 - s / 20 * (1 - s / 42)))
        var cosine = 1 - s / 2 * (1 - s / 12 * (1 - s / 30))
        for _ in 0..<12 { (cosine, sine) = (cosine * cosine - sine * sine, 2 * cosine * sine) }
        return (cosine, sine)
    }
    static func cos(_ angle: Float) -> Float { Float(cosineAndSine(angle).0) }
    static func sin(_ angle: Float) -> Float { Float(cosineAndSine(angle).1) }
    static func tan(_ angle: Float) -> Float {
        let (cosine, sine) = cosineAndSine(angle)
        return Float(sine / cosine)
    }
}
