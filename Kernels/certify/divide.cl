// needs: exact/divide.cl exact/root.cl certify/item.cl
// Division and square root: our own, and the device's.

CERTIFY_FLOAT(certify_ex_div, ex_div(a, b))
CERTIFY_FLOAT(certify_ex_sqrt, ex_sqrt(a))
// Rounded twice, as an approximate division does it: the control.
CERTIFY_FLOAT(certify_divide_twice, a * ex_rcp(b))
CERTIFY_FLOAT(certify_sqrt_twice, a * ex_rsqrt(a))
