"""The shapes of numbers that this room passes around."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]
Flags = NDArray[np.bool_]
Words = NDArray[np.str_]
Ids = NDArray[np.int32]
