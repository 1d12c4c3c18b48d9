/// Elementary functions with the same bits on every machine, from `+ − × fma`, compares and integer
/// operations alone: the host's twin of `Kernels/exact`, function by function and line by line.
///
/// Every NaN that comes out is `0x7fc00000`. The errors stated are bounds of what was found: over
/// all binary32 arguments, or all those where errors are largest and a sample of the rest; for
/// functions of two, over a hundred million pairs. An ulp is the distance of neighbouring numbers
/// at the true result. Subnormal arguments and results are as exact as the others.
public enum Exact {
    static let nan = Float(bitPattern: 0x7fc0_0000)
    static let infinity = Float(bitPattern: 0x7f80_0000)
    static let sign: UInt32 = 0x8000_0000
}

// What the kernels call fma, as_uint and as_float.

@inline(__always)
func fma(_ a: Float, _ b: Float, _ c: Float) -> Float { c.addingProduct(a, b) }

@inline(__always)
func asUInt(_ x: Float) -> UInt32 { x.bitPattern }

@inline(__always)
func asFloat(_ bits: UInt32) -> Float { Float(bitPattern: bits) }
