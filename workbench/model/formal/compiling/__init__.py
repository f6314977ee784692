"""The compiled engine: a model's functions become machine code over states packed into 64-bit words.

`layouts` says where in the words each value lies; `program` writes the model's functions as functions of
those words, by the types that the fields' domains give; Numba compiles them, and the kernels of the
search call them.
"""
