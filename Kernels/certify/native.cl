// needs: certify/arithmetic.cl
// The device's own division and square root, built with the option that asks for correct rounding.
// Only the certificate's program defines the macro.

#ifdef EXACT_NATIVE_PROBE
CERTIFY_FLOAT(certify_native_divide, a / b)
CERTIFY_FLOAT(certify_native_sqrt, sqrt(a))
#endif
