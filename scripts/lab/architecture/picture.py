"""Draws a description as one SVG: stacks with rails for what they read of each other, components below.

Layout follows from the description: durable stacks are columns, disposable ones rows; components stand in columns by
how far they are from the ingress, and those that nobody calls stand in a row of their own.
"""

from .canvas import MARGIN, Canvas
from .cluster_box import draw_cluster
from .description import Description
from .stack_rows import draw_stacks


def draw(description: Description) -> str:
    """Return the picture as the text of an SVG file, which adapts to light and dark pages."""
    canvas = Canvas()
    bottom = draw_stacks(canvas, description.stacks)
    bottom = draw_cluster(canvas, description.components, top=bottom + 28)
    return canvas.finish(bottom + MARGIN, "The stacks of an environment and the components in its cluster")
