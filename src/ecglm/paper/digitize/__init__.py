"""An image of an ECG page goes in, a `Record` comes out, with a confidence for each lead; or a `PageError` says why not.

load: file → picture, safely. pitch, grid: how far apart the ruled lines are, and where they lie. page: the page made
flat. ink: traces without paper. trace: a line for each row. calibrate: pulses, and where rows begin. words, layout: which
piece is which lead. confidence: how sure, and whether it is an ECG. read: all of these in turn. overlay: what was read,
drawn over the image. file: for `ecglm.read`. Only NumPy, SciPy, OpenCV and Pillow; nothing is learnt.
"""

from ecglm.paper.digitize.overlay import overlay
from ecglm.paper.digitize.read import ReadPage, digitize, read_page

__all__ = ["ReadPage", "digitize", "overlay", "read_page"]
