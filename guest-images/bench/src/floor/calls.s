// The floor of a call: the vector is two instructions, movn and eret. The guest must make its calls by HVC.

.macro at_vector
    movn    x0, #0
    eret
.endm
